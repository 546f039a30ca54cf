//! The log and what it says, together: nothing is believed that is not committed, nothing is committed that is not folded.
//!
//! Waits for a store that is away, since evidence in memory is worth the wait; gives up only when the log is broken.

use bytes::Bytes;
use observance_record::{
    Digest, Instant,
    commit::Commit,
    entry::{Entry, PackRef},
    item::SaltKey,
    ledger::Ledger,
    note::{NoteError, Signer},
    pack::{self, Artefact, PackError},
};

use super::{
    batch::Batch,
    bodies::Places,
    fold::{self, FoldError},
    setup::Setup,
};
use crate::{
    chance::{Chance, ChanceError},
    clock::Clock,
    store::{Due, HeadFile, Log, PackPlace, Store, StoreError, Tiles, pack_places},
};

/// Raw bytes after which a further pack is begun; compressed they stay below a pack's limit.
const PACK_RAW_BYTES_MAX: usize = 24 << 20;
/// Wait before the store is asked again.
const STORE_WAIT_MS: i64 = 5_000;

/// Why nothing can be recorded any more.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store or the log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log says what the ledger cannot take.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A pack cannot be made.
    #[error("cannot pack what was collected")]
    Pack(#[from] PackError),
    /// No randomness for a nonce.
    #[error(transparent)]
    Chance(#[from] ChanceError),
    /// The origin is no name for a key.
    #[error("{origin:?} is no name for a log")]
    Origin {
        /// The origin.
        origin: String,
        /// Why not.
        source: NoteError,
    },
    /// The keys lack the newest salt.
    #[error("the keys hold no salt key of epoch {0}")]
    Salt(u32),
}

/// What is told while the log is read: an entry, its place in its commit, and what the commit's packs hold.
pub type Told<'a> = dyn FnMut(u16, &Entry, &[Artefact]) + Send + 'a;

/// Tiles on their way. They are written in their order, by one task at a time.
#[derive(Debug, Default)]
struct Publishing {
    tiles: Tiles,
    /// What an earlier try could not write.
    left: Due,
    is_writing: bool,
}

impl Publishing {
    fn begin(&mut self) -> Option<Due> {
        if self.is_writing {
            return None;
        }
        // a store that refuses tiles is asked again when there are new ones, not at once
        let full = Some(self.tiles.due()).filter(|full| !full.is_empty())?;
        let mut due = std::mem::take(&mut self.left);
        due.append(full);
        self.is_writing = true;
        Some(due)
    }
}

/// The log, open, and what it says.
#[derive(Debug)]
pub struct Journal {
    log: Log,
    ledger: Ledger,
    places: Places,
    tiles: Publishing,
    salts: SaltKey,
    epoch: u32,
    clock: Clock,
    chance: Chance,
}

impl Journal {
    /// Opens the log and folds all of it. `told` hears of every entry, in order.
    pub async fn open(
        setup: &Setup,
        store: &Store,
        memory: Option<HeadFile>,
        (clock, chance): (Clock, Chance),
        told: &mut Told<'_>,
    ) -> Result<Self, JournalError> {
        let epoch = setup.keys.epoch();
        let salts = setup.keys.salt_key(epoch).ok_or(JournalError::Salt(epoch))?;
        let signer = Signer::new(&setup.origin, setup.keys.signing_seed())
            .map_err(|source| JournalError::Origin { origin: setup.origin.clone(), source })?;
        let tiles = Publishing { tiles: Tiles::resume(store).await?, ..Publishing::default() };
        let mut commits = Vec::new();
        let log = {
            let mut reader = |commit: Commit, outside: Vec<Bytes>| {
                commits.push((commit, outside));
                Ok(())
            };
            Log::open(store, &setup.origin, signer, memory, &mut reader).await?
        };
        let mut journal = Self {
            log,
            ledger: Ledger::default(),
            places: Places::default(),
            tiles,
            salts,
            epoch,
            clock,
            chance,
        };
        for (commit, outside) in commits {
            journal.take(&commit, &outside, told)?;
        }
        Ok(journal)
    }

    fn take(&mut self, commit: &Commit, outside: &[Bytes], told: &mut Told<'_>) -> Result<(), JournalError> {
        let entries = fold::entries(commit)?;
        let artefacts = fold::artefacts(commit, outside)?;
        self.fold(commit, &entries, &artefacts, told)
    }

    fn fold(
        &mut self,
        commit: &Commit,
        entries: &[Entry],
        artefacts: &[Artefact],
        told: &mut Told<'_>,
    ) -> Result<(), JournalError> {
        fold::fold(&mut self.ledger, entries, artefacts, &self.salts)?;
        self.places.note(commit.ordinal, entries, artefacts, &self.ledger);
        for (place, entry) in (0..).zip(entries) {
            told(place, entry, artefacts);
        }
        self.tiles.tiles.take(commit)?;
        Ok(())
    }

    /// What the log says.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where sealed bodies lie.
    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    /// The key that salts new rows.
    pub const fn salts(&self) -> &SaltKey {
        &self.salts
    }

    /// Its epoch.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Now, but never before the newest entry.
    pub fn now(&self) -> Instant {
        self.clock.now().max(self.log.last_t())
    }

    /// Tiles that became full and that nobody writes yet; [`Journal::published`] takes them back.
    pub(super) fn begin_tiles(&mut self) -> Option<Due> {
        self.tiles.begin()
    }

    /// The end of a try to write tiles: what is left is written with the next ones.
    pub(super) fn published(&mut self, left: Due) {
        self.tiles.left = left;
        self.tiles.is_writing = false;
    }

    /// What the clock shows, if that is before the newest entry.
    pub fn held(&self) -> Option<Instant> {
        Some(self.clock.now()).filter(|now| *now < self.log.last_t())
    }

    /// Makes packs of what is new, and says how a run names them.
    pub fn pack(&self, artefacts: &[Artefact]) -> Result<(Vec<Vec<u8>>, Vec<PackRef>), JournalError> {
        let encode = |group| Ok(pack::encode(&self.chance.bytes32()?, group)?);
        let packs = grouped(artefacts).into_iter().map(encode).collect::<Result<Vec<_>, JournalError>>()?;
        let places = pack_places(packs.iter().map(Vec::len));
        let refs = packs.iter().zip(places).map(|(bytes, place)| PackRef {
            sha256: Digest::of(bytes),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            inline: place == PackPlace::Inline,
        });
        let refs = refs.collect();
        Ok((packs, refs))
    }

    /// Commits a batch and folds it; gives the sequence number of its first entry. While the store is away it waits and
    /// tries again, without end: `away` is told each time.
    pub(super) async fn commit(
        &mut self,
        batch: &Batch,
        (packs, artefacts): (Vec<Vec<u8>>, &[Artefact]),
        told: &mut Told<'_>,
        away: &mut (dyn FnMut(&StoreError) + Send),
    ) -> Result<u64, JournalError> {
        loop {
            let mut commits = Vec::new();
            let mut reader = |commit: Commit, outside: Vec<Bytes>| {
                commits.push((commit, outside));
                Ok(())
            };
            let appended = match self.log.append(batch, packs.clone(), &mut reader).await {
                Ok(appended) => Ok(Some(appended)),
                // nobody knows whether it stands: writing the same bytes again settles it
                Err(error @ (StoreError::Doubt { .. } | StoreError::Unsettled { .. })) => {
                    away(&error);
                    self.clock.sleep_ms(STORE_WAIT_MS).await;
                    self.log.sync(&mut reader).await
                }
                Err(error) => Err(error),
            };
            let ours = matches!(appended, Ok(Some(_)));
            let last = commits.len().saturating_sub(1);
            for (i, (commit, outside)) in commits.iter().enumerate() {
                if ours && i == last {
                    self.fold(commit, &fold::entries(commit)?, artefacts, told)?;
                } else {
                    self.take(commit, outside, told)?;
                }
            }
            match appended {
                Ok(Some(appended)) => return Ok(appended.first_seq),
                // another commit stands where ours would have: ours never will, so it is drafted anew
                Ok(None) => {}
                Err(error) if is_passing(&error) => {
                    away(&error);
                    self.clock.sleep_ms(STORE_WAIT_MS).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// May the same call succeed later?
fn is_passing(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NotWritten { .. }
            | StoreError::Doubt { .. }
            | StoreError::Unsettled { .. }
            | StoreError::Objects { .. }
            | StoreError::Contended { .. }
    )
}

fn grouped(artefacts: &[Artefact]) -> Vec<&[Artefact]> {
    let mut groups = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (i, artefact) in artefacts.iter().enumerate() {
        bytes += artefact.bytes().len();
        if bytes > PACK_RAW_BYTES_MAX && i > from {
            groups.extend(artefacts.get(from..i));
            (from, bytes) = (i, artefact.bytes().len());
        }
    }
    groups.extend(artefacts.get(from..).filter(|group| !group.is_empty()));
    groups
}
