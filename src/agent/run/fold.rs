//! Commits taken in: the ledger is what the log says, whoever wrote it, now or before a restart.

use bytes::Bytes;
use observance_record::{
    commit::Commit,
    entry::Entry,
    item::{Salt, SaltKey},
    ledger::{Artefacts, Ledger, LedgerError},
    pack::{self, Artefact, PackError, Role},
    table::Change,
};

/// A commit that the log accepted and the ledger does not.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// A pack does not read.
    #[error("a pack of commit {ordinal} does not read")]
    Pack {
        /// Which commit.
        ordinal: u64,
        /// Why not.
        source: PackError,
    },
    /// An entry does not read.
    #[error("an entry of commit {ordinal} does not read")]
    Entry {
        /// Which commit.
        ordinal: u64,
        /// Why not.
        source: observance_record::entry::EntryError,
    },
    /// The log contradicts itself.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What lies beside the entries of a commit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// What its packs hold; bodies need not be among it.
    pub artefacts: &'a [Artefact],
    /// Changes of its run's tables that are at hand as they were packed: the exchange table's, then each population's.
    pub changes: &'a [Change],
}

/// The same, salted anew: the agent has the key.
struct Salted<'a> {
    beside: Beside<'a>,
    salts: &'a SaltKey,
}

impl Salted<'_> {
    fn find(&self, role: Role, which: u16) -> Result<&Artefact, String> {
        let mut all = self.beside.artefacts.iter();
        all.find(|artefact| artefact.role == role && artefact.which == which)
            .ok_or_else(|| format!("its commit has no pack with {role:?} {which}"))
    }

    fn stored(&self, which: Option<u16>) -> Result<Change, String> {
        let place = which.map_or(0, |which| usize::from(which) + 1);
        if let Some(change) = self.beside.changes.get(place) {
            return Ok(change.clone());
        }
        let role = if which.is_none() { Role::TableExchange } else { Role::TablePopulation };
        Change::decode(self.find(role, which.unwrap_or(0))?.bytes()).map_err(|e| e.to_string())
    }
}

impl Artefacts for Salted<'_> {
    fn change(&self, _run: u64, which: Option<u16>, name: &str) -> Result<(Change, Vec<Salt>), String> {
        let change = self.stored(which)?;
        let salts = change.put.iter().map(|(item, row)| self.salts.salt(name, item, row)).collect();
        Ok((change, salts))
    }

    fn column(&self, _run: u64, which: u16, _policy: &str) -> Result<Vec<u8>, String> {
        self.find(Role::Results, which).map(|column| column.bytes().to_vec())
    }
}

/// What all packs of a commit hold: those inside it, and those that its runs name and that lie outside.
pub fn artefacts(commit: &Commit, outside: &[Bytes]) -> Result<Vec<Artefact>, FoldError> {
    opened(commit, outside, |_role| true)
}

/// The same without the bodies of exchanges, which no entry binds: each is read, and let go.
pub fn tables(commit: &Commit, outside: &[Bytes]) -> Result<Vec<Artefact>, FoldError> {
    opened(commit, outside, |role| role != Role::Body)
}

fn opened(
    commit: &Commit,
    outside: &[Bytes],
    wanted: impl Fn(Role) -> bool + Copy,
) -> Result<Vec<Artefact>, FoldError> {
    let packs = commit.packs.iter().map(Vec::as_slice).chain(outside.iter().map(AsRef::as_ref));
    let decoded: Vec<_> = packs
        .map(|pack| pack::decode_if(pack, wanted))
        .collect::<Result<_, _>>()
        .map_err(|source| FoldError::Pack { ordinal: commit.ordinal, source })?;
    Ok(decoded.into_iter().flatten().collect())
}

/// The entries of a commit, decoded.
pub fn entries(commit: &Commit) -> Result<Vec<Entry>, FoldError> {
    let decode = |bytes: &Vec<u8>| Entry::decode(bytes);
    let decoded = commit.entries.iter().map(decode).collect::<Result<_, _>>();
    decoded.map_err(|source| FoldError::Entry { ordinal: commit.ordinal, source })
}

/// Folds a commit's entries.
pub fn fold(
    ledger: &mut Ledger,
    entries: &[Entry],
    artefacts: &[Artefact],
    salts: &SaltKey,
) -> Result<(), FoldError> {
    fold_beside(ledger, entries, Beside { artefacts, changes: &[] }, salts)
}

/// The same, where changes of tables are at hand already.
pub fn fold_beside(
    ledger: &mut Ledger,
    entries: &[Entry],
    beside: Beside<'_>,
    salts: &SaltKey,
) -> Result<(), FoldError> {
    let salted = Salted { beside, salts };
    for entry in entries {
        ledger.push(entry, &salted)?;
    }
    Ok(())
}
