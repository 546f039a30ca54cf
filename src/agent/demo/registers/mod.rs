//! The files that the company keeps: the roster of people, written anew whenever somebody comes, moves or leaves, and the register
//! of log sources. Each is signed as `ssh-keygen -Y sign -n observance` would.
//!
//! What stands in them is for `staff` and `logs` to say. Time stands still while a file is written, so nobody reads half of one.

mod pen;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use observance_record::Instant;

use self::pen::Pen;
use super::{logs::Logs, staff::Staff};
use crate::{
    clock::Busy,
    collect::{Register, Signer},
    sshsig::PublicKey,
};

/// Who signs the roster, and who the register of log sources.
const PEOPLE_LEAD: &str = "people-lead";
const PLATFORM_LEAD: &str = "platform-lead";
/// Seeds of their keys, which protect nothing.
const PEOPLE_SEED: [u8; 32] = [0x70; 32];
const PLATFORM_SEED: [u8; 32] = [0x6c; 32];

/// The files, in their folder.
#[derive(Debug, Clone)]
pub(super) struct Registers {
    folder: PathBuf,
    staff: Arc<Staff>,
}

impl Registers {
    /// Makes the folder and writes every file as it is at `now`.
    pub(super) fn begin(folder: &Path, staff: Arc<Staff>, now: Instant) -> io::Result<Self> {
        fs::create_dir(folder)?;
        let registers = Self { folder: folder.to_owned(), staff };
        let owner = registers.staff.everybody().first().map(|person| person.email.clone());
        write(&registers.log_sources(), &Logs::register(&owner.unwrap_or_default()), &PLATFORM_SEED)?;
        registers.write_people(now)?;
        Ok(registers)
    }

    /// Keeps the roster as it changes in `(from, to)`; `me` sleeps from one change to the next.
    pub(super) async fn keep(self, me: Busy, (from, to): (Instant, Instant)) -> io::Result<()> {
        for at in self.staff.edits((from, to)) {
            me.clock().sleep_until(at).await;
            self.write_people(at)?;
        }
        Ok(())
    }

    /// The roster as a source.
    pub(super) fn people(&self) -> Register {
        of(self.folder.join("people.csv"), PEOPLE_LEAD, &PEOPLE_SEED)
    }

    /// The register of log sources as a source.
    pub(super) fn log_sources(&self) -> Register {
        of(self.folder.join("log_sources.csv"), PLATFORM_LEAD, &PLATFORM_SEED)
    }

    fn write_people(&self, now: Instant) -> io::Result<()> {
        write(&self.people(), &self.staff.roster(now), &PEOPLE_SEED)
    }
}

fn of(path: PathBuf, name: &str, seed: &[u8; 32]) -> Register {
    let line = Pen::new(seed).map(|pen| pen.public_line()).unwrap_or_default();
    let keys = PublicKey::read(&line).into_iter().collect();
    Register { path, signer: Some(Signer { name: name.to_owned(), keys }) }
}

fn write(register: &Register, text: &str, seed: &[u8; 32]) -> io::Result<()> {
    let signature = Pen::new(seed)?.sign(text.as_bytes());
    fs::write(&register.path, text)?;
    let mut name = register.path.clone().into_os_string();
    name.push(".sig");
    fs::write(PathBuf::from(name), signature)
}
