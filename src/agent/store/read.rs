//! Reading a log: where it ends, and every commit in order, each checked against the one before it.
//!
//! It trusts nothing but the keys: a hole, a mismatch or an object beyond the end is a [`StoreError::Tamper`].

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use observance_record::{
    Instant,
    commit::{Commit, CommitError},
    entry::{Body, Entry, PackRef},
    merkle::Compact,
    note::VerifierKey,
};

use super::{
    COMMIT_BYTES_MAX, Head, Objects, Refusal, StoreError, Tamper, get, list,
    packs::{Pack, get_pack},
};
use crate::clock::Clock;

/// Takes in every commit of a log, each once, in order, once it is known to be in the log, with the packs that its runs
/// name outside it, in the order of naming. A refusal halts the log.
pub type Reader<'a> = dyn FnMut(Commit, Vec<Bytes>) -> Result<(), Refusal> + Send + 'a;

/// Largest ordinal: it has 12 digits.
const ORDINAL_MAX: u64 = 999_999_999_999;
/// Commits that are fetched ahead of the one being read.
const READS_MAX: usize = 8;
/// Most names beyond the end that are looked at.
const BEYOND_MAX: usize = 1000;
/// Times that the end may move while it is being looked for.
const ENDS_MAX: u32 = 32;
const FOLDER: &str = "v1/commit";

/// Reads a whole log without writing: for a reader that holds no key. Gives the head; `None` if there is no log. A log
/// that lacks what `remembered` says of it is refused.
pub async fn read(
    objects: Arc<dyn Objects>,
    origin: &str,
    (keys, remembered): (Vec<VerifierKey>, Option<Head>),
    clock: &Clock,
    reader: &mut Reader<'_>,
) -> Result<Option<Head>, StoreError> {
    let mut chain = Chain::new(origin, keys, remembered);
    chain.read_all(&*objects, clock, reader).await?;
    Ok(chain.head())
}

pub(super) fn commit_name(ordinal: u64) -> String {
    format!("{FOLDER}/{ordinal:012}")
}

/// The log as far as it has been read.
#[derive(Debug)]
pub(super) struct Chain {
    origin: String,
    keys: Vec<VerifierKey>,
    /// What a head file remembers; it must be met on the way.
    remembered: Option<Head>,
    next: u64,
    tree: Compact,
    t: Instant,
}

impl Chain {
    pub(super) fn new(origin: &str, keys: Vec<VerifierKey>, remembered: Option<Head>) -> Self {
        let origin = origin.to_owned();
        Self { origin, keys, remembered, next: 0, tree: Compact::new(), t: Instant::EPOCH }
    }

    /// The number of the commit to come.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The tree so far.
    pub(super) const fn tree(&self) -> &Compact {
        &self.tree
    }

    /// `t` of the last entry; the epoch before there is one.
    pub(super) const fn t(&self) -> Instant {
        self.t
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The head so far.
    pub(super) fn head(&self) -> Option<Head> {
        let ordinal = self.next.checked_sub(1)?;
        Some(Head { ordinal, size: self.tree.size(), root: self.tree.root() })
    }

    /// Takes the next commit, fetches the packs that it names and that are not among `known`, and hands all of it on.
    /// Nothing has changed after an error, unless it is the reader's.
    pub(super) async fn take(
        &mut self,
        objects: &dyn Objects,
        clock: &Clock,
        bytes: &[u8],
        known: &[Pack],
        reader: &mut Reader<'_>,
    ) -> Result<(), StoreError> {
        let ordinal = self.next;
        let step = self.check(bytes)?;
        let mut packs = Vec::new();
        for digest in step.packs.iter().filter(|pack| !pack.inline).map(|pack| &pack.sha256) {
            packs.push(match known.iter().find(|pack| pack.digest == *digest) {
                Some(pack) => pack.bytes.clone(),
                None => get_pack(objects, clock, digest).await?,
            });
        }
        (self.next, self.tree, self.t) = (ordinal + 1, step.tree, step.t);
        reader(step.commit, packs).map_err(|source| StoreError::Reader { ordinal, source })
    }

    /// Are these bytes the next commit?
    fn check(&self, bytes: &[u8]) -> Result<Step, StoreError> {
        let ordinal = self.next;
        let commit = Commit::decode(bytes).map_err(|error| StoreError::tamper(ordinal, error))?;
        let tree = commit
            .follows(ordinal, &self.tree, &self.origin, &self.keys)
            .map_err(|error| StoreError::tamper(ordinal, error))?;
        let (t, packs) = check_entries(&commit.entries, self.tree.size(), self.t)
            .map_err(|error| StoreError::tamper(ordinal, error))?;
        if let Some(remembered) = self.remembered.filter(|head| head.ordinal == ordinal)
            && (remembered.size != tree.size() || remembered.root != tree.root())
        {
            return Err(StoreError::Rollback { remembered });
        }
        Ok(Step { commit, tree, t, packs })
    }

    /// May these entries, drafted for the next commit, stand in it? Gives the packs that they name.
    pub(super) fn check_draft(&self, entries: &[Vec<u8>]) -> Result<Vec<PackRef>, Tamper> {
        if self.next > ORDINAL_MAX {
            return Err(CommitError::Form("no ordinal is left").into());
        }
        check_entries(entries, self.tree.size(), self.t).map(|(_, packs)| packs)
    }

    /// Reads from the first commit to the last and proves that nothing lies beyond, nor less than is remembered.
    pub(super) async fn read_all(
        &mut self,
        objects: &dyn Objects,
        clock: &Clock,
        reader: &mut Reader<'_>,
    ) -> Result<(), StoreError> {
        let count = count(objects, clock).await?;
        let mut commits =
            stream::iter(self.next..count)
                .map(|ordinal| async move {
                    (ordinal, objects.get(&commit_name(ordinal), COMMIT_BYTES_MAX).await)
                })
                .buffered(READS_MAX);
        while let Some((ordinal, ahead)) = commits.next().await {
            // what was not heard ahead is asked for again in its turn, since only one at a time may wait
            let bytes = match ahead {
                Ok(bytes) => bytes,
                Err(_) => get_commit(objects, clock, ordinal).await?,
            };
            match bytes {
                Some(bytes) => self.take(objects, clock, &bytes, &[], reader).await?,
                None => return Err(self.hole(&commit_name(count.saturating_sub(1)))),
            }
        }
        self.catch_up(objects, clock, reader).await?;
        self.prove_end(objects, clock, reader).await?;
        match self.remembered {
            Some(remembered) if remembered.ordinal >= self.next => Err(StoreError::Rollback { remembered }),
            _ => Ok(()),
        }
    }

    /// Reads on, one by one, until there is no next commit.
    pub(super) async fn catch_up(
        &mut self,
        objects: &dyn Objects,
        clock: &Clock,
        reader: &mut Reader<'_>,
    ) -> Result<(), StoreError> {
        while self.next <= ORDINAL_MAX {
            match get_commit(objects, clock, self.next).await? {
                Some(bytes) => self.take(objects, clock, &bytes, &[], reader).await?,
                None => break,
            }
        }
        Ok(())
    }

    /// Lists what lies beyond the end. Commits of another writer that came meanwhile are read; anything else is tampering.
    ///
    /// A listing is no snapshot, so a name that seems to be missing from it is looked for by itself before it is called so.
    async fn prove_end(
        &mut self,
        objects: &dyn Objects,
        clock: &Clock,
        reader: &mut Reader<'_>,
    ) -> Result<(), StoreError> {
        let mut beyond = String::new();
        for _ in 0..ENDS_MAX {
            let last = self.next.checked_sub(1).map(commit_name);
            let mut names = list(objects, clock, FOLDER, last.as_deref(), BEYOND_MAX).await?;
            names.sort_unstable();
            let run =
                names.iter().zip(self.next..).take_while(|(name, ordinal)| **name == commit_name(*ordinal));
            let whole = run.count() == names.len() && names.len() < BEYOND_MAX;
            let before = self.next;
            if names.is_empty() {
                return Ok(());
            }
            self.catch_up(objects, clock, reader).await?;
            if whole && self.next > before {
                return Ok(());
            }
            beyond = names.into_iter().find(|name| *name >= commit_name(self.next)).unwrap_or_default();
            if self.next == before {
                break;
            }
        }
        Err(self.hole(&beyond))
    }

    fn hole(&self, beyond: &str) -> StoreError {
        StoreError::tamper(self.next, Tamper::Hole { beyond: beyond.to_owned() })
    }
}

/// What the chain becomes by one more commit.
struct Step {
    commit: Commit,
    tree: Compact,
    t: Instant,
    packs: Vec<PackRef>,
}

/// Do these entries carry their numbers and rising times? Gives the last time, and the packs that runs name.
fn check_entries(
    entries: &[Vec<u8>],
    first_seq: u64,
    mut t: Instant,
) -> Result<(Instant, Vec<PackRef>), Tamper> {
    let mut packs = Vec::new();
    for (entry, seq) in entries.iter().zip(first_seq..) {
        let entry = Entry::decode(entry).map_err(Tamper::Entry)?;
        if entry.seq != seq || entry.t < t {
            return Err(Tamper::Order { seq });
        }
        t = entry.t;
        if let Body::Run(run) = &entry.body {
            packs.extend_from_slice(&run.packs);
        }
    }
    Ok((t, packs))
}

pub(super) async fn get_commit(
    objects: &dyn Objects,
    clock: &Clock,
    ordinal: u64,
) -> Result<Option<Bytes>, StoreError> {
    get(objects, clock, &commit_name(ordinal), COMMIT_BYTES_MAX).await
}

/// How many commits there are, if there is no hole: doubling, then halving.
async fn count(objects: &dyn Objects, clock: &Clock) -> Result<u64, StoreError> {
    if get_commit(objects, clock, 0).await?.is_none() {
        return Ok(0);
    }
    // `low` is there; `high` is not
    let (mut low, mut high) = (0, 1);
    while high <= ORDINAL_MAX && get_commit(objects, clock, high).await?.is_some() {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if get_commit(objects, clock, middle).await?.is_some() {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(high)
}
