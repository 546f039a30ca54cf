//! Files of the organisation, looked at for the people who keep them: is it there, does the signature hold, which lines are wrong.
//!
//! It records nothing. What a cell holds is never printed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    collect::{Auth, Http, Look, Manifest, Register, Route, Signer, TableFault, why},
    config::{Config, register, source::Source as Outside},
    run::setup::{Collector, Source},
    sshsig::PublicKey,
    status::counted,
};

/// Faults of one file that are shown; the first are the ones to mend.
const SHOWN_MAX: usize = 20;

/// What was found of one file.
pub struct Looked {
    /// The source's name.
    pub name: String,
    /// In words.
    pub what: String,
    /// What to do, if anything.
    pub cure: Option<String>,
    /// It is there, and wrong.
    pub wrong: bool,
}

/// Every file that the configuration names.
pub fn looked(config: &Config, collectors: &BTreeMap<String, Arc<Collector>>) -> Vec<Looked> {
    let mut found = Vec::new();
    for (name, source) in &config.sources {
        let Outside::Register(register) = source else { continue };
        let own = collectors.values().find(|c| c.source == *name && c.manifest.is_for_files());
        let Some(collector) = own else { continue };
        found.extend(one(name, &of(register), &collector.manifest));
    }
    found
}

/// The file as it is read.
pub fn of(register: &register::Register) -> Register {
    let signer = register.signed_by.as_ref().map(|signer| Signer {
        name: signer.name.clone(),
        keys: signer.keys.iter().filter_map(|key| PublicKey::read(key)).collect(),
    });
    Register { path: register.csv.clone(), signer }
}

/// A file that is named on the command line, and that nobody has to have signed.
pub fn unsigned(path: &Path) -> Register {
    Register { path: PathBuf::from(path), signer: None }
}

/// A file as a source; nobody is told who asks for it.
pub fn source(register: Register) -> Result<Source, crate::collect::RouteError> {
    let http = Http::new(&Route { register: Some(register), ..Route::default() })?;
    Ok(Source { params: BTreeMap::new(), base_url: None, auth: Auth::Headers(BTreeMap::new()), http })
}

/// One file.
pub fn one(name: &str, register: &Register, manifest: &Manifest) -> Vec<Looked> {
    let file = register.path.display();
    let looked = |what: String, cure: Option<String>| {
        let wrong = cure.is_some();
        Looked { name: name.to_owned(), what, cure, wrong }
    };
    match register.look(manifest) {
        Look::Rows(n) => {
            let rows = counted(u64::try_from(n).unwrap_or(u64::MAX), "row");
            let by = register.signer.as_ref().map_or_else(
                || "not signed: whoever can write it can say anything".to_owned(),
                |signer| format!("signed by {}", signer.name),
            );
            vec![looked(format!("{rows}, {by}"), None)]
        }
        Look::Refused(why) => {
            let cure = format!("ssh-keygen -Y sign -n observance -f KEY {file}");
            let cure =
                if why.starts_with("signature") { cure } else { format!("put an ordinary file at {file}") };
            let signer = register.signer.as_ref().map_or("whoever has to", |signer| &signer.name);
            let found = looked(format!("{file}: {} ({why})", words(why, signer)), Some(cure));
            vec![Looked { wrong: why != why::FILE_MISSING, ..found }]
        }
        Look::Faults(faults) => {
            let n = faults.len();
            let cure = || Some(format!("mend {file}, and sign it again"));
            let mut lines: Vec<Looked> =
                faults.iter().take(SHOWN_MAX).map(|fault| looked(said(fault), cure())).collect();
            if n > SHOWN_MAX {
                lines.push(looked(format!("and {} more faults", n - SHOWN_MAX), cure()));
            }
            lines
        }
    }
}

/// Why a file is not even read.
fn words(why: &str, signer: &str) -> String {
    match why {
        why::FILE_MISSING => "there is no such file".to_owned(),
        why::FILE_UNREADABLE => "no ordinary file that can be read".to_owned(),
        why::SIGNATURE_MISSING => "no signature beside it, in a file of that name and .sig".to_owned(),
        why::SIGNATURE_FOREIGN => format!("signed by another key than those of {signer}"),
        why::SIGNATURE_BAD => {
            "its signature is none, is of other bytes, or was made for another namespace".to_owned()
        }
        why::TOO_LARGE => "larger than its collector reads".to_owned(),
        _ => "it cannot be read".to_owned(),
    }
}

fn said(fault: &TableFault) -> String {
    let column = if fault.column.is_empty() { String::new() } else { format!(", {}", fault.column) };
    format!("line {}{column}: expected {}", fault.line, fault.expected)
}
