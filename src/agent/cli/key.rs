//! `key`: the keys of a new log, and the one key of a log that is public.

use std::io::{self, Write};

use super::{arguments::NewKey, read, setup::Resolved};
use crate::{chance::Chance, key::Keys};

/// Makes the keys of a new log.
pub fn new(asked: &NewKey, out: &mut dyn Write) -> anyhow::Result<u8> {
    Keys::generate(&Chance::system())?.write_new(&asked.out)?;
    let folder = asked.out.display();
    writeln!(out, "made {folder}: signing.pem, item.key, salt-1.key (mode 0600)")?;
    writeln!(out, "keep a copy apart: they cannot be made again, and nobody can read them out of the log")?;
    writeln!(out, "next: write `key: {folder}` into observance.yaml, then: observance key show")?;
    Ok(0)
}

/// Prints the verifier key, alone on standard output, so that it can be handed on as it is.
pub fn show(resolved: &Resolved, out: &mut dyn Write) -> anyhow::Result<u8> {
    writeln!(out, "{}", read::vkey(&resolved.setup.origin, &resolved.setup.keys)?)?;
    // nothing can be done about a closed standard error
    let _closed = writeln!(
        io::stderr(),
        "next: give it to your auditor by another way than the bundle: observance-verify DIR --key VKEY"
    );
    Ok(0)
}
