//! The store: where the log's objects lie, and the commit protocol over them (formats sections 1 and 2).
//!
//! It knows bytes, names and the order of commits. What entries mean, when a run is due and whom to tell are decided
//! elsewhere. Only `backend` and `s3` know `object_store`; everything above speaks [`Objects`].

mod backend;
mod error;
mod head_file;
mod location;
mod log;
mod packs;
mod probe;
mod read;
mod s3;
mod tiles;
mod wrap;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;
use observance_record::entry::Posture;

pub use self::{
    backend::connect,
    error::{Refusal, StoreError, Tamper, Written},
    head_file::{Head, HeadFile},
    location::{Bucket, Location, LocationError, S3Keys},
    log::{Appended, Draft, Log},
    packs::{PackPlace, pack_places},
    read::{Reader, read},
    tiles::{Due, Tiles},
    wrap::{Counted, Interrupting, Strike, Tally},
};
use crate::clock::Clock;

/// Largest commit object: head, edge, entries, note and packs, each at its limit, and their lengths.
pub(crate) const COMMIT_BYTES_MAX: u64 = 10 << 20;
/// Tries of one call before its failure is told.
const ATTEMPTS_MAX: u32 = 6;
/// First wait between tries; each further one is twice as long, so that six tries span six seconds.
const WAIT_MS: i64 = 200;

/// What a call gives, in the end.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// The few things that the log asks of a store. Names are relative to the log's own place.
pub trait Objects: fmt::Debug + Send + Sync {
    /// Writes an object under a name that is still free; whole or not at all.
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created>;

    /// The object's bytes; `None` if there is no such object. A larger one than `bytes_max` is refused unread.
    fn get<'a>(&'a self, name: &'a str, bytes_max: u64) -> Answer<'a, Option<Bytes>>;

    /// Names under `folder` (no slash at its end) that sort after `after`: at most `names_max`, in no order.
    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>>;

    /// What only the backend itself can try. At most one object is written, and only if the store is at fault.
    fn safeguards(&self) -> Answer<'_, Safeguards>;
}

/// What became of a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The object is new.
    New,
    /// The name was taken, or (S3 status 409) somebody else was writing it: look before believing.
    Taken,
}

/// What a backend says of itself, after trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safeguards {
    /// `folder`, `s3`, `memory`.
    pub backend: &'static str,
    /// Is a body whose checksum is wrong refused, and not kept?
    pub checksum: Found,
    /// Is there a rule that keeps every new object from deletion? Read, never tried out.
    pub retention: Found,
}

/// An answer to a question put to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Found {
    Yes,
    No,
    Unknown,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The store said no: nothing was written, and asking again will not help.
    #[error("the store refused")]
    Refused(#[source] Refusal),
    /// No answer, or none that is understood: a write may have happened or may still happen.
    #[error("the store gave no clear answer")]
    Unheard(#[source] Refusal),
    /// The object is larger than anything that belongs there.
    #[error("the object has {found} bytes; the most here is {most}")]
    Large {
        /// Its size.
        found: u64,
        /// The limit.
        most: u64,
    },
}

/// Who else may write to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Others may; the store must keep two writers apart.
    Shared,
    /// Nobody: the operator vouches for it. A store that cannot keep writers apart is then accepted.
    Exclusive,
}

/// A store that was tried and found fit to hold a log. Cheap to clone.
///
/// Tries that fail are repeated after waits on the clock: under a simulated one the caller holds a [`crate::clock::Busy`].
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn Objects>,
    clock: Clock,
    create_only: Found,
    posture: Posture,
}

impl Store {
    /// Connects and tries the store out; see [`connect`] and [`Store::prove`].
    pub async fn open(
        location: &Location,
        keys: Option<&S3Keys>,
        sharing: Sharing,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        Self::prove(connect(location, keys)?, sharing, clock).await
    }

    /// What the store was found to do, for the `posture` entry.
    pub const fn posture(&self) -> &Posture {
        &self.posture
    }

    /// The objects themselves, for a reader.
    pub fn objects(&self) -> Arc<dyn Objects> {
        Arc::clone(&self.objects)
    }

    /// The same store for a party of its own, which sleeps by this clock.
    pub(crate) fn waiting_by(&self, clock: &Clock) -> Self {
        Self { clock: clock.clone(), ..self.clone() }
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// One create. On a store that ignores create-only (exclusive use) a look comes first, so that nothing is overwritten.
    async fn create(&self, name: &str, bytes: Bytes) -> Result<Created, Fault> {
        if self.create_only != Found::Yes
            && self.objects.get(name, COMMIT_BYTES_MAX.max(packs::PACK_BYTES_MAX)).await?.is_some()
        {
            return Ok(Created::Taken);
        }
        self.objects.create(name, bytes).await
    }
}

/// Reads an object, trying again while the store gives no clear answer.
async fn get(
    objects: &dyn Objects,
    clock: &Clock,
    name: &str,
    bytes_max: u64,
) -> Result<Option<Bytes>, StoreError> {
    let mut attempt = 0;
    loop {
        match objects.get(name, bytes_max).await {
            Err(Fault::Unheard(why)) if attempt + 1 < ATTEMPTS_MAX => {
                tracing::debug!(name, attempt, error = %why, "store did not answer a read");
                wait(clock, attempt).await;
                attempt += 1;
            }
            outcome => return outcome.map_err(|source| StoreError::objects("read", name, source)),
        }
    }
}

/// Lists names, trying again while the store gives no clear answer.
async fn list(
    objects: &dyn Objects,
    clock: &Clock,
    folder: &str,
    after: Option<&str>,
    names_max: usize,
) -> Result<Vec<String>, StoreError> {
    let mut attempt = 0;
    loop {
        match objects.list(folder, after, names_max).await {
            Err(Fault::Unheard(why)) if attempt + 1 < ATTEMPTS_MAX => {
                tracing::debug!(folder, attempt, error = %why, "store did not answer a listing");
                wait(clock, attempt).await;
                attempt += 1;
            }
            outcome => return outcome.map_err(|source| StoreError::objects("list", folder, source)),
        }
    }
}

/// The wait after try number `attempt` (from 0).
async fn wait(clock: &Clock, attempt: u32) {
    clock.sleep_ms(WAIT_MS << attempt.min(ATTEMPTS_MAX)).await;
}

impl Found {
    const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

impl From<bool> for Found {
    fn from(fact: bool) -> Self {
        if fact { Self::Yes } else { Self::No }
    }
}
