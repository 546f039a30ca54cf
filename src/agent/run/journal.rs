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
    pack::{self, Artefact, PackError, Spool},
};

use super::{
    batch::{Batch, By, Overtaken},
    bodies::Places,
    fold::{self, Beside, FoldError},
    setup::Setup,
};
use crate::{
    chance::{Chance, ChanceError},
    clock::Clock,
    store::{Due, HeadFile, Log, PackPlace, Store, StoreError, Tiles, pack_places},
};

/// Raw bytes after which a further pack is begun, of packs that must stand inside their commit.
const INLINE_RAW_BYTES_MAX: usize = 768 << 10;
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
    /// What lies beside an entry is too large to stand in its commit.
    #[error("the configuration, its collectors and its policies are too large for one commit")]
    Inline,
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
    /// A gap's slots are in no order.
    #[error("the slots of {0} to be recorded as a gap are in no order")]
    Slots(String),
    /// The keys lack the newest salt.
    #[error("the keys hold no salt key of epoch {0}")]
    Salt(u32),
}

/// What is told while the log is read: an entry, its place in its commit, and what the commit's packs hold but bodies.
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

/// What the log says, as far as it was read.
#[derive(Debug)]
struct Said {
    ledger: Ledger,
    places: Places,
    tiles: Publishing,
    salts: SaltKey,
}

impl Said {
    fn take(&mut self, commit: &Commit, outside: &[Bytes], told: &mut Told<'_>) -> Result<(), JournalError> {
        let entries = fold::entries(commit)?;
        let artefacts = fold::tables(commit, outside)?;
        self.fold(commit, &entries, Beside { artefacts: &artefacts, changes: &[] }, told)
    }

    fn fold(
        &mut self,
        commit: &Commit,
        entries: &[Entry],
        beside: Beside<'_>,
        told: &mut Told<'_>,
    ) -> Result<(), JournalError> {
        fold::fold_beside(&mut self.ledger, entries, beside, &self.salts)?;
        self.places.note(commit.ordinal, entries, &self.ledger);
        for (place, entry) in (0..).zip(entries) {
            told(place, entry, beside.artefacts);
        }
        self.tiles.tiles.take(commit)?;
        Ok(())
    }
}

/// The log, open, and what it says.
#[derive(Debug)]
pub struct Journal {
    log: Log,
    vkey: String,
    said: Said,
    epoch: u32,
    clock: Clock,
    chance: Chance,
}

impl Journal {
    /// Opens the log and folds all of it, commit by commit. `told` hears of every entry, in order.
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
        let vkey = signer.verifier().to_string();
        let tiles = Publishing { tiles: Tiles::resume(store).await?, ..Publishing::default() };
        let mut said = Said { ledger: Ledger::default(), places: Places::default(), tiles, salts };
        let mut reader =
            |commit: Commit, outside: Vec<Bytes>| Ok(said.take(&commit, &outside, told).map_err(Box::new)?);
        let log = Log::open(store, &setup.origin, signer, memory, &mut reader).await?;
        Ok(Self { log, vkey, said, epoch, clock, chance })
    }

    /// What the log says.
    pub const fn ledger(&self) -> &Ledger {
        &self.said.ledger
    }

    /// The verifier key of the log's checkpoints.
    pub fn vkey(&self) -> &str {
        &self.vkey
    }

    /// Where sealed bodies lie.
    pub(super) const fn places(&self) -> &Places {
        &self.said.places
    }

    /// The key that salts new rows.
    pub const fn salts(&self) -> &SaltKey {
        &self.said.salts
    }

    /// Its epoch.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Now, but never before the newest entry.
    pub fn now(&self) -> Instant {
        self.clock.now().max(self.log.last_t())
    }

    /// An empty batch for the log's end.
    pub(super) fn batch(&self, by: By) -> Batch {
        Batch::new(self.said.ledger.size(), self.now(), by)
    }

    /// The size of the log that the head file remembered when the log was opened, if there is one and it did.
    pub fn remembered(&self) -> Option<u64> {
        self.log.remembered().map(|head| head.size)
    }

    /// Tiles that became full and that nobody writes yet; [`Journal::published`] takes them back.
    pub(super) fn begin_tiles(&mut self) -> Option<Due> {
        self.said.tiles.begin()
    }

    /// The end of a try to write tiles: what is left is written with the next ones.
    pub(super) fn published(&mut self, left: Due) {
        self.said.tiles.left = left;
        self.said.tiles.is_writing = false;
    }

    /// What the clock shows, if that is before the newest entry.
    pub fn held(&self) -> Option<Instant> {
        Some(self.clock.now()).filter(|now| *now < self.log.last_t())
    }

    /// Makes packs of what is new, and says how a run names them.
    pub fn pack(&self, new: &[&Spool]) -> Result<(Vec<Vec<u8>>, Vec<PackRef>), JournalError> {
        let packs = Spool::packs(new, || Ok::<_, JournalError>(self.chance.bytes32()?))?;
        let places = pack_places(packs.iter().map(Vec::len));
        let refs = packs.iter().zip(places).map(|(bytes, place)| PackRef {
            sha256: Digest::of(bytes),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            inline: place == PackPlace::Inline,
        });
        let refs = refs.collect();
        Ok((packs, refs))
    }

    /// Makes packs that stand inside their commit, for what no run names: outside it nothing would lead to them.
    pub fn pack_inline(&self, artefacts: &[Artefact]) -> Result<Vec<Vec<u8>>, JournalError> {
        let encode = |group| Ok::<_, JournalError>(pack::encode(&self.chance.bytes32()?, group)?);
        let groups = grouped(artefacts, INLINE_RAW_BYTES_MAX);
        let packs = groups.into_iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let outside = pack_places(packs.iter().map(Vec::len)).contains(&PackPlace::Outside);
        if outside { Err(JournalError::Inline) } else { Ok(packs) }
    }

    /// Commits a batch and folds it; gives the sequence number of its first entry. `None` if another writer took its
    /// place: that writer's entries are folded, and the batch has to be made anew from what the log says now. While the
    /// store is away it waits and tries again, without end: `away` is told each time.
    pub(super) async fn commit(
        &mut self,
        batch: &Batch,
        (packs, beside): (Vec<Vec<u8>>, Beside<'_>),
        told: &mut Told<'_>,
        away: &mut (dyn FnMut(&StoreError) + Send),
    ) -> Result<Option<u64>, JournalError> {
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
            let ours = appended.as_ref().ok().and_then(Option::as_ref).map(|appended| appended.ordinal);
            for (commit, outside) in &commits {
                if ours == Some(commit.ordinal) {
                    self.said.fold(commit, &fold::entries(commit)?, beside, told)?;
                } else {
                    self.said.take(commit, outside, told)?;
                }
            }
            match appended {
                Ok(Some(appended)) => {
                    if let Some(error) = &appended.forgotten {
                        let error: &dyn std::error::Error = error;
                        tracing::warn!(
                            error,
                            "the head is not remembered; a rollback would go unnoticed here"
                        );
                    }
                    return Ok(Some(appended.first_seq));
                }
                // another commit stands where ours would have, so ours never will
                Ok(None) => return Ok(None),
                Err(StoreError::Draft { source, .. }) if source.is::<Overtaken>() => return Ok(None),
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

fn grouped(artefacts: &[Artefact], raw_max: usize) -> Vec<&[Artefact]> {
    let mut groups = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (i, artefact) in artefacts.iter().enumerate() {
        bytes += artefact.bytes().len();
        if bytes > raw_max && i > from {
            groups.extend(artefacts.get(from..i));
            (from, bytes) = (i, artefact.bytes().len());
        }
    }
    groups.extend(artefacts.get(from..).filter(|group| !group.is_empty()));
    groups
}
