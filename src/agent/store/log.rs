//! The log's writer: the commit protocol of formats section 2.
//!
//! `put(Create)` of the next ordinal is the commit point and the lock. It does not know what entries mean; a [`Draft`] makes
//! them for the place they will have, and is asked again when another writer took that place.

use bytes::Bytes;
use observance_record::{
    Instant, Root,
    checkpoint::Checkpoint,
    commit::{Commit, CommitError},
    note::Signer,
};

use super::{
    ATTEMPTS_MAX, COMMIT_BYTES_MAX, Created, Fault, Head, HeadFile, Reader, Refusal, Store, StoreError,
    Written,
    packs::{Pack, Packs},
    read::{Chain, commit_name, get_commit},
    wait,
};

/// Lost races after which an append gives up. Each one means that another writer got on.
const RACES_MAX: u32 = 256;

/// Entries to be: a pure function of their place, for a lost race moves it.
pub trait Draft: Sync {
    /// The entries' bytes, 1 to 256 of them, the first with number `first_seq` and none older than `previous_t`.
    ///
    /// It may refuse when a commit that the reader has taken in meanwhile makes the entries pointless.
    fn entries(&self, first_seq: u64, previous_t: Instant) -> Result<Vec<Vec<u8>>, Refusal>;
}

impl<F> Draft for F
where
    F: Fn(u64, Instant) -> Result<Vec<Vec<u8>>, Refusal> + Sync,
{
    fn entries(&self, first_seq: u64, previous_t: Instant) -> Result<Vec<Vec<u8>>, Refusal> {
        self(first_seq, previous_t)
    }
}

/// Where entries stand in the log.
#[derive(Debug)]
pub struct Appended {
    /// Their commit.
    pub ordinal: u64,
    /// The number of the first.
    pub first_seq: u64,
    /// Entries in the log, these included.
    pub size: u64,
    /// The root over them.
    pub root: Root,
    /// The head file could not be written: the entries stand, but a rollback to before them would not be noticed here.
    pub forgotten: Option<StoreError>,
}

/// One log, open for writing.
#[derive(Debug)]
pub struct Log {
    store: Store,
    signer: Signer,
    memory: Option<HeadFile>,
    remembered: Option<Head>,
    chain: Chain,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The chain is the log, as far as is known.
    Sound,
    /// This may have become the next commit, or may yet.
    Doubt(Pending),
    /// Tampering was found, or the reader fell behind.
    Halted,
}

/// A commit that is ready to be written, and the packs outside it that it names.
#[derive(Debug, Clone)]
struct Pending {
    bytes: Bytes,
    outside: Vec<Pack>,
}

/// Whose object lies under a name.
pub(super) enum Placed {
    /// The bytes are ours.
    Ours,
    /// Other bytes, these.
    Theirs(Bytes),
}

impl Log {
    /// Opens the log of `origin`, signed by `signer`, and hands every commit to the reader. An empty store is a log to be begun.
    ///
    /// With a head file a store that holds less than was seen before is refused; without one that goes unnoticed.
    pub async fn open(
        store: &Store,
        origin: &str,
        signer: Signer,
        memory: Option<HeadFile>,
        reader: &mut Reader<'_>,
    ) -> Result<Self, StoreError> {
        let remembered = memory.as_ref().map(HeadFile::read).transpose()?.flatten();
        let mut chain = Chain::new(origin, vec![signer.verifier()], remembered);
        chain.read_all(&*store.objects, &store.clock, reader).await?;
        let log = Self { store: store.clone(), signer, memory, remembered, chain, state: State::Sound };
        log.remember().await?;
        Ok(log)
    }

    /// The head; `None` before the first commit.
    pub fn head(&self) -> Option<Head> {
        self.chain.head()
    }

    /// The head that the head file remembered before the log was opened, and that was met on the way.
    pub const fn remembered(&self) -> Option<Head> {
        self.remembered
    }

    /// `t` of the last entry, which no later entry may precede; the epoch before there is one.
    pub const fn last_t(&self) -> Instant {
        self.chain.t()
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// Appends one batch and hands every commit that comes to the log meanwhile to the reader, our own included.
    ///
    /// Packs travel as [`super::pack_places`] says. An error tells whether anything may have been written
    /// ([`StoreError::written`]); after [`StoreError::Doubt`] nothing is appended until [`Log::sync`] has settled it.
    /// Dropping the future counts as doubt.
    pub async fn append(
        &mut self,
        draft: &dyn Draft,
        packs: Vec<Vec<u8>>,
        reader: &mut Reader<'_>,
    ) -> Result<Appended, StoreError> {
        match self.state {
            State::Sound => {}
            State::Doubt(_) => return Err(StoreError::Unsettled { ordinal: self.chain.next() }),
            State::Halted => return Err(StoreError::Halted { ordinal: self.chain.next() }),
        }
        let packs = Packs::new(packs);
        for pack in &packs.outside {
            self.store.put_pack(pack).await?;
        }
        for _ in 0..RACES_MAX {
            let pending = self.draft(draft, &packs)?;
            if let Some(appended) = self.settle(pending, Written::No, reader).await? {
                return Ok(appended);
            }
        }
        Err(StoreError::Contended { races: RACES_MAX })
    }

    /// Settles a commit in doubt and reads on to the head. Gives the commit that was in doubt, if it is ours and stands.
    ///
    /// Doubt is settled by writing the same bytes again: then either they stand, or another commit does and they never can.
    pub async fn sync(&mut self, reader: &mut Reader<'_>) -> Result<Option<Appended>, StoreError> {
        let settled = match &self.state {
            State::Sound => None,
            State::Doubt(pending) => {
                let pending = pending.clone();
                self.settle(pending, Written::Maybe, reader).await?
            }
            State::Halted => return Err(StoreError::Halted { ordinal: self.chain.next() }),
        };
        let read_on = match self.catch_up(reader).await {
            Ok(()) => self.remember().await,
            Err(error) => Err(error),
        };
        match (settled, read_on) {
            // ours stands, whatever else could not be done: who does not hear of it would write it twice
            (Some(appended), Err(error)) => Ok(Some(Appended { forgotten: Some(error), ..appended })),
            (settled, read_on) => read_on.map(|()| settled),
        }
    }

    /// One commit, read again by itself: its number and the signature of its head are checked, its place in the tree is not.
    pub async fn commit(&self, ordinal: u64) -> Result<Option<Commit>, StoreError> {
        let Some(bytes) = get_commit(&*self.store.objects, &self.store.clock, ordinal).await? else {
            return Ok(None);
        };
        let tamper = |error: CommitError| StoreError::tamper(ordinal, error);
        let commit = Commit::decode(&bytes).map_err(tamper)?;
        let before = commit.before.clone();
        commit.follows(ordinal, &before, self.chain.origin(), &[self.signer.verifier()]).map_err(tamper)?;
        Ok(Some(commit))
    }

    /// The next commit. Nothing is signed that a reader would refuse.
    fn draft(&self, draft: &dyn Draft, packs: &Packs) -> Result<Pending, StoreError> {
        let ordinal = self.chain.next();
        let before = self.chain.tree().clone();
        let entries = draft
            .entries(before.size(), self.chain.t())
            .map_err(|source| StoreError::Draft { ordinal, source })?;
        let refuse = |source| StoreError::Commit { ordinal, source };
        let named = self.chain.check_draft(&entries).map_err(refuse)?;
        packs.check_named(&named).map_err(refuse)?;
        let mut commit = Commit { ordinal, before, entries, note: Vec::new(), packs: packs.inline.clone() };
        let after = commit.after();
        let head =
            Checkpoint { origin: self.chain.origin().to_owned(), size: after.size(), root: after.root() };
        commit.note = head.sign(&self.signer).into_bytes();
        let bytes = commit.encode().map_err(|error| refuse(error.into()))?.into();
        Ok(Pending { bytes, outside: packs.outside.clone() })
    }

    /// Brings a commit into the log as its next commit, or finds what stands there instead (`None`) and takes that in.
    async fn settle(
        &mut self,
        pending: Pending,
        before: Written,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Appended>, StoreError> {
        let (ordinal, first_seq) = (self.chain.next(), self.chain.tree().size());
        // from the first byte sent until an answer is understood the commit is in doubt, also if this future is dropped
        self.state = State::Doubt(pending.clone());
        match self.store.place(&commit_name(ordinal), &pending.bytes, COMMIT_BYTES_MAX, before).await {
            Ok(Placed::Ours) => {
                // The commit point lies behind us. If we crash here the entries stand and whoever opens the log next
                // reads them; only the head file is behind, which is harmless: it catches up.
                self.take(&pending.bytes, &pending.outside, reader).await?;
                let forgotten = self.remember().await.err();
                let tree = self.chain.tree();
                Ok(Some(Appended { ordinal, first_seq, size: tree.size(), root: tree.root(), forgotten }))
            }
            Ok(Placed::Theirs(theirs)) => {
                // Another writer's commit stands here for ever, so ours cannot; if we crash here nothing of ours is in the log.
                self.state = State::Sound;
                self.take(&theirs, &[], reader).await?;
                self.catch_up(reader).await?;
                Ok(None)
            }
            Err((Written::No, source)) => {
                self.state = State::Sound;
                Err(StoreError::NotWritten { ordinal, source })
            }
            Err((Written::Maybe | Written::Yes, source)) => {
                let source = source.unwrap_or_else(|| Fault::Unheard("another write kept the name".into()));
                Err(StoreError::Doubt { ordinal, source })
            }
        }
    }

    async fn catch_up(&mut self, reader: &mut Reader<'_>) -> Result<(), StoreError> {
        let read = self.chain.catch_up(&*self.store.objects, &self.store.clock, reader).await;
        self.halt_if_broken(read)
    }

    async fn take(
        &mut self,
        bytes: &[u8],
        known: &[Pack],
        reader: &mut Reader<'_>,
    ) -> Result<(), StoreError> {
        let taken = self.chain.take(&*self.store.objects, &self.store.clock, bytes, known, reader).await;
        if taken.is_ok() {
            self.state = State::Sound;
        }
        self.halt_if_broken(taken)
    }

    /// A commit that does not hold, or that the reader refused, ends this log's life; a store that is away does not.
    fn halt_if_broken(&mut self, outcome: Result<(), StoreError>) -> Result<(), StoreError> {
        if let Err(StoreError::Tamper { .. } | StoreError::Rollback { .. } | StoreError::Reader { .. }) =
            &outcome
        {
            self.state = State::Halted;
        }
        outcome
    }

    async fn remember(&self) -> Result<(), StoreError> {
        let (Some(memory), Some(head)) = (self.memory.clone(), self.chain.head()) else { return Ok(()) };
        match tokio::task::spawn_blocking(move || memory.write(&head)).await {
            Ok(written) => written,
            Err(error) => Err(StoreError::HeadFile {
                what: "write",
                path: std::path::PathBuf::new(),
                source: Box::new(error),
            }),
        }
    }
}

impl Store {
    /// Writes bytes under a name that may be taken, until it is certain whose bytes lie there.
    ///
    /// `before` says whether an earlier try may have written them. A failure says whether they may lie there now or later.
    pub(super) async fn place(
        &self,
        name: &str,
        bytes: &Bytes,
        bytes_max: u64,
        before: Written,
    ) -> Result<Placed, (Written, Option<Fault>)> {
        let (mut written, mut last) = (before, None);
        for attempt in 0..ATTEMPTS_MAX {
            match self.create(name, bytes.clone()).await {
                // If we crash here the object stands, whole.
                Ok(Created::New) => return Ok(Placed::Ours),
                Ok(Created::Taken) => {}
                Err(Fault::Refused(why)) => return Err((written, Some(Fault::Refused(why)))),
                Err(fault) => {
                    // If we crash here it may stand or not: whoever comes next finds it or finds the name free.
                    tracing::debug!(name, attempt, error = %fault, "store did not answer a write");
                    (written, last) = (Written::Maybe, Some(fault));
                }
            }
            match self.objects.get(name, bytes_max).await {
                Ok(Some(found)) if found == *bytes => return Ok(Placed::Ours),
                Ok(Some(found)) => return Ok(Placed::Theirs(found)),
                // taken, and yet not there: another write is under way (S3 status 409); or ours was lost. Try again.
                Ok(None) => {}
                Err(fault) => last = Some(fault),
            }
            if attempt + 1 < ATTEMPTS_MAX {
                wait(&self.clock, attempt).await;
            }
        }
        Err((written, last))
    }
}
