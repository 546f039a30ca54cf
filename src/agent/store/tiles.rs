//! Tiles (formats section 1): the log once more as C2SP tlog-tiles, for readers that know only those.
//!
//! Derived from commits and never read to decide anything; only full tiles are written, off the run's path. Whoever starts
//! again makes the same tiles and skips those that lie there.

use std::{collections::VecDeque, mem};

use bytes::Bytes;
use observance_record::{
    commit::{Commit, CommitError},
    merkle::{Hash, leaf_hash},
    tile::{self, WIDTH, bundle, entries_path, tile_path},
};

use super::{Fault, Store, StoreError, Written, get, log::Placed};

/// Hashes, or entries, in a full tile.
const FULL: usize = 256;
const _: () = assert!(FULL as u64 == WIDTH, "the specification names both");
/// Largest bundle: 256 entries of 65,535 bytes and their lengths.
const TILE_BYTES_MAX: u64 = 256 * (65_535 + 2);
/// Levels that a tree of 2^64 leaves has.
const LEVELS_MAX: usize = 8;

/// What is needed to go on making tiles: the unfinished one of each level, and what is full and not yet asked for. It
/// is fed with every commit from the first on, so that nothing is read back.
#[derive(Debug, Default)]
pub struct Tiles {
    entries: Vec<Vec<u8>>,
    levels: Vec<Level>,
    bundles: u64,
    /// Bundles that were there when we began, with all tiles before them.
    published: u64,
    full: Due,
}

/// Full tiles to be written, in the order in which they must be: a bundle vouches for all tiles before it.
#[derive(Debug, Default)]
pub struct Due(VecDeque<Full>);

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

impl Due {
    /// Writes them, and says how many. After an error it may be called again, and goes on where it stopped.
    pub async fn write(&mut self, store: &Store) -> Result<u64, StoreError> {
        let mut written = 0;
        while let Some(tile) = self.0.front() {
            put(store, tile).await?;
            self.0.pop_front();
            written += 1;
        }
        Ok(written)
    }

    /// Is there nothing to be written?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts later ones behind these.
    pub fn append(&mut self, mut later: Self) {
        self.0.append(&mut later.0);
    }
}

impl Tiles {
    /// From the first commit on; tiles that the store has are not made again. Looks for them with about twice the
    /// logarithm of their number of reads.
    pub async fn resume(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { published: published(store).await?, ..Self::default() })
    }

    /// Takes the next commit in: at most one bundle is filled by it, after the hashes that it vouches for.
    pub fn take(&mut self, commit: &Commit) -> Result<(), StoreError> {
        self.push(&commit.entries).map_err(|error| StoreError::tamper(commit.ordinal, error))?;
        if self.bundles <= self.published {
            self.full.0.clear();
        }
        Ok(())
    }

    /// What is full now; it is given once.
    pub fn due(&mut self) -> Due {
        mem::take(&mut self.full)
    }

    fn push(&mut self, entries: &[Vec<u8>]) -> Result<(), CommitError> {
        for entry in entries {
            self.push_hash(leaf_hash(entry));
            self.entries.push(entry.clone());
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
        self.full.0.push_back(Full { name: format!("v1/{path}"), bytes: bytes.into() });
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

/// How many bundles there are, by doubling and halving. A bundle is written after the tiles of its hashes, so it vouches
/// for them.
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
