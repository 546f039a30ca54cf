//! Tiles (formats section 1): the log once more as C2SP tlog-tiles, for readers that know only those.
//!
//! Derived from commits and never read to decide anything; only full tiles are written, off the run's path. Whoever starts
//! again makes the same tiles and skips those that lie there.

use std::collections::VecDeque;

use bytes::Bytes;
use observance_record::{
    commit::{Commit, CommitError},
    merkle::{Hash, leaf_hash},
    tile::{self, WIDTH, bundle, entries_path, tile_path},
};

use super::{Fault, Log, Store, StoreError, Written, get, log::Placed, read::get_commit};

/// Hashes, or entries, in a full tile.
const FULL: usize = 256;
const _: () = assert!(FULL as u64 == WIDTH, "the specification names both");
/// Largest bundle: 256 entries of 65,535 bytes and their lengths.
const TILE_BYTES_MAX: u64 = 256 * (65_535 + 2);
/// Levels that a tree of 2^64 leaves has.
const LEVELS_MAX: usize = 8;

/// What is needed to go on making tiles: the unfinished one of each level. Holds at most 256 entries, 256 hashes a level, and
/// the tiles that one commit filled.
#[derive(Debug, Default)]
pub struct Tiles {
    next: u64,
    entries: Vec<Vec<u8>>,
    levels: Vec<Level>,
    bundles: u64,
    /// Bundles that were there when we began, with all tiles before them.
    published: Option<u64>,
    /// Full, and not yet written.
    full: VecDeque<Full>,
}

#[derive(Debug, Default)]
struct Level {
    n: u64,
    hashes: Vec<Hash>,
}

#[derive(Debug)]
struct Full {
    name: String,
    bytes: Bytes,
}

impl Tiles {
    /// From the first commit on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the full tiles of all commits up to the log's head that were not there yet, and says how many.
    ///
    /// After an error it may be called again, and goes on where it stopped.
    pub async fn publish(&mut self, log: &Log) -> Result<u64, StoreError> {
        let store = log.store();
        let published = match self.published {
            Some(published) => published,
            None => *self.published.insert(published(store).await?),
        };
        let mut written = 0;
        loop {
            while let Some(tile) = self.full.front() {
                put(store, tile).await?;
                self.full.pop_front();
                written += 1;
            }
            if log.head().is_none_or(|head| self.next > head.ordinal) {
                return Ok(written);
            }
            let bytes = get_commit(&*store.objects, store.clock(), self.next).await?.unwrap_or_default();
            let tamper = |error| StoreError::tamper(self.next, error);
            let commit = Commit::decode(&bytes).map_err(tamper)?;
            self.take(commit.entries).map_err(|error| StoreError::tamper(self.next, error))?;
            if self.bundles <= published {
                self.full.clear();
            }
        }
    }

    /// Takes a commit's entries in: at most one bundle is filled by them, after the hashes that it vouches for.
    fn take(&mut self, entries: Vec<Vec<u8>>) -> Result<(), CommitError> {
        self.next += 1;
        for entry in entries {
            self.push_hash(leaf_hash(&entry));
            self.entries.push(entry);
            if self.entries.len() == FULL {
                let bytes = bundle(self.entries.iter().map(Vec::as_slice))?;
                self.push_full(&entries_path(self.bundles, WIDTH), bytes);
                self.entries.clear();
                self.bundles += 1;
            }
        }
        Ok(())
    }

    fn push_full(&mut self, path: &str, bytes: Vec<u8>) {
        self.full.push_back(Full { name: format!("v1/{path}"), bytes: bytes.into() });
    }

    fn push_hash(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for (index, name) in (0..LEVELS_MAX).zip(0_u8..) {
            if self.levels.len() == index {
                self.levels.push(Level::default());
            }
            let Some(level) = self.levels.get_mut(index) else { return };
            level.hashes.push(hash);
            if level.hashes.len() < FULL {
                return;
            }
            let (path, bytes) = (tile_path(name, level.n, WIDTH), tile::tile(&level.hashes));
            hash = tile::parent(&level.hashes);
            level.n += 1;
            level.hashes.clear();
            self.push_full(&path, bytes);
        }
    }
}

/// How many bundles there are, by doubling and halving. A bundle is written after the tiles of its hashes, so it vouches for them.
async fn published(store: &Store) -> Result<u64, StoreError> {
    let (mut low, mut high) = (0, 1);
    while high < u64::MAX / 2 && is_there(store, high - 1).await? {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_there(store, middle - 1).await? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

async fn is_there(store: &Store, n: u64) -> Result<bool, StoreError> {
    let name = format!("v1/{}", entries_path(n, WIDTH));
    Ok(get(&*store.objects, store.clock(), &name, TILE_BYTES_MAX).await?.is_some())
}

async fn put(store: &Store, tile: &Full) -> Result<(), StoreError> {
    match store.place(&tile.name, &tile.bytes, TILE_BYTES_MAX, Written::No).await {
        Ok(Placed::Ours) => Ok(()),
        Ok(Placed::Theirs(_)) => {
            let fault = Fault::Refused("other bytes lie there; delete them, tiles are derived".into());
            Err(StoreError::objects("write", &tile.name, fault))
        }
        Err((_, fault)) => {
            let fault = fault.unwrap_or_else(|| Fault::Unheard("another write kept the name".into()));
            Err(StoreError::objects("write", &tile.name, fault))
        }
    }
}
