//! The store and the log's writer, on every backend, with faults at every step.

mod conformance;
mod faults;
mod limits;
mod model;
mod races;
mod tamper;

use std::sync::Arc;

use bytes::Bytes;
use observance::{
    clock::{Busy, Clock},
    store::{
        Appended, HeadFile, Location, Log, Objects, Refusal, Sharing, Store, StoreError, Tiles, Written,
        connect, read,
    },
};
use observance_record::{
    Instant,
    commit::Commit,
    entry::{Body, Entry, Heartbeat},
    note::Signer,
};
use tempfile::TempDir;

use crate::support::s3::{S3Server, keys};

const ORIGIN: &str = "test.example/log";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Memory,
    Folder,
    S3,
}

const KINDS: [Kind; 3] = [Kind::Memory, Kind::Folder, Kind::S3];

/// A store of its own, gone when dropped.
struct Place {
    objects: Arc<dyn Objects>,
    location: Location,
    folder: Option<TempDir>,
    _server: Option<S3Server>,
}

impl Place {
    async fn new(kind: Kind) -> Self {
        let folder = (kind == Kind::Folder).then(|| tempfile::tempdir().unwrap());
        let server = if kind == Kind::S3 { Some(S3Server::start().await) } else { None };
        let location = match (&folder, &server) {
            (Some(folder), _) => format!("file:{}/store", folder.path().display()),
            (_, Some(server)) => server.location("estate/0"),
            _ => "memory:".to_owned(),
        };
        let location: Location = location.parse().unwrap();
        let objects = connect(&location, Some(&keys())).unwrap();
        Self { objects, location, folder, _server: server }
    }

    /// A second client of the same store. Memory has only one.
    fn again(&self) -> Arc<dyn Objects> {
        if self.location == Location::Memory {
            return Arc::clone(&self.objects);
        }
        connect(&self.location, Some(&keys())).unwrap()
    }

    async fn store(&self) -> Store {
        Store::prove(self.again(), Sharing::Shared, Clock::system()).await.unwrap()
    }

    async fn tokens(&self) -> Vec<u64> {
        tokens_in(self.again()).await.unwrap()
    }

    /// The file of an object, where objects are files.
    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.as_ref().unwrap().path().join("store").join(name)
    }
}

fn signer() -> Signer {
    Signer::new(ORIGIN, &[7; 32]).unwrap()
}

/// A clock that leaps over waits.
fn clock() -> (Clock, Busy) {
    let busy = Clock::simulated(Instant::from_s(1_800_000_000)).busy();
    (busy.clock().clone(), busy)
}

/// What the entries of a log say, in order, read by somebody without memory or right to write.
async fn tokens_in(objects: Arc<dyn Objects>) -> Result<Vec<u64>, StoreError> {
    let (clock, _busy) = clock();
    let mut seen = Vec::new();
    read(objects, ORIGIN, (vec![signer().verifier()], None), &clock, &mut |commit, _| {
        take(&mut seen, &commit)
    })
    .await?;
    Ok(seen)
}

/// Reads the tokens out of a commit, and checks that every entry carries its own number.
fn take(seen: &mut Vec<u64>, commit: &Commit) -> Result<(), Refusal> {
    for (entry, seq) in commit.entries.iter().zip(commit.before.size()..) {
        let entry = Entry::decode(entry)?;
        assert_eq!(entry.seq, seq);
        if let Body::Heartbeat(beat) = entry.body {
            seen.push(beat.last_size);
        }
    }
    Ok(())
}

/// A draft whose entries say these tokens.
fn beats(tokens: &[u64]) -> impl Fn(u64, Instant) -> Result<Vec<Vec<u8>>, Refusal> + Sync {
    move |first, t| {
        let entry = |(seq, token): (u64, &u64)| {
            let body = Heartbeat { last_size: *token }.into();
            Ok(Entry { body, by: 0, seq, t: t.max(Instant::from_s(1_800_000_000)) }.encode()?)
        };
        (first..).zip(tokens).map(entry).collect()
    }
}

/// A log and all that its reader took in.
struct Writer {
    log: Log,
    seen: Vec<u64>,
}

impl Writer {
    async fn open(store: &Store, memory: Option<HeadFile>) -> Result<Self, StoreError> {
        let mut seen = Vec::new();
        let log =
            Log::open(store, ORIGIN, signer(), memory, &mut |commit, _| take(&mut seen, &commit)).await?;
        Ok(Self { log, seen })
    }

    async fn append(&mut self, tokens: &[u64]) -> Result<Appended, StoreError> {
        self.append_with(tokens, Vec::new()).await
    }

    async fn append_with(&mut self, tokens: &[u64], packs: Vec<Vec<u8>>) -> Result<Appended, StoreError> {
        let Self { log, seen } = self;
        log.append(&beats(tokens), packs, &mut |commit, _| take(seen, &commit)).await
    }

    async fn sync(&mut self) -> Result<Option<Appended>, StoreError> {
        let Self { log, seen } = self;
        log.sync(&mut |commit, _| take(seen, &commit)).await
    }

    /// Appends as an agent would: what is in doubt is settled before it is tried again, and nothing that stands is repeated.
    async fn insist(&mut self, tokens: &[u64], packs: Vec<Vec<u8>>) -> Result<(), StoreError> {
        const TRIES_MAX: usize = 40;
        for _ in 0..TRIES_MAX {
            if tokens.iter().all(|token| self.seen.contains(token)) {
                return Ok(());
            }
            let Err(error) = self.append_with(tokens, packs.clone()).await else { return Ok(()) };
            if matches!(error, StoreError::Unsettled { .. }) {
                let _away = self.sync().await;
                continue;
            }
            let in_doubt = matches!(error, StoreError::Doubt { .. });
            if !in_doubt && !matches!(error, StoreError::NotWritten { .. } | StoreError::Objects { .. }) {
                return Err(error);
            }
            let expected = if in_doubt { Written::Maybe } else { Written::No };
            assert_eq!(error.written(), expected);
        }
        panic!("the store never came back")
    }
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// Feeds the log's commits from `first` on to the tiles.
async fn feed(tiles: &mut Tiles, first: u64, writer: &Writer) {
    let next = writer.log.head().map_or(0, |head| head.ordinal + 1);
    for ordinal in first..next {
        tiles.take(&writer.log.commit(ordinal).await.unwrap().unwrap()).unwrap();
    }
}

/// The same, and writes what is full then; how many.
async fn publish(tiles: &mut Tiles, first: u64, store: &Store, writer: &Writer) -> Result<u64, StoreError> {
    feed(tiles, first, writer).await;
    tiles.due().write(store).await
}
