//! What can go wrong between the log and its store, and whether anything may have been written when it did.

use std::path::PathBuf;

use observance_record::{commit::CommitError, entry::EntryError};

use super::{Fault, Head, LocationError};

/// Somebody else's error, kept whole.
pub type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// Why the store or the log refuses.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The location is not one.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The client could not be made, or the folder not be had.
    #[error("cannot open the store {location}")]
    Open {
        /// Where.
        location: String,
        /// Why not.
        source: Refusal,
    },
    /// Create-only is ignored: two writers would overwrite each other's commits.
    #[error(
        "the store {backend} overwrites an object that must be created only once \
         (hint: use a store that honours If-None-Match, or declare that this agent is its only writer)"
    )]
    Overwrites {
        /// Which.
        backend: String,
    },
    /// What was written does not read back.
    #[error("the store {backend} does not read back what was written to {name}")]
    ReadBack {
        /// Which.
        backend: String,
        /// The object.
        name: String,
    },
    /// A call failed for good.
    #[error("cannot {what} {name}")]
    Objects {
        /// `read`, `list`, `write`.
        what: &'static str,
        /// The object or folder.
        name: String,
        /// Why not.
        source: Fault,
    },
    /// The log is not whole. Nothing is written to it any more.
    #[error("the log does not hold at commit {ordinal}; nothing will be written to it")]
    Tamper {
        /// Where.
        ordinal: u64,
        /// How.
        source: Tamper,
    },
    /// The store holds less than was once seen, or something else. Nothing is written to it any more.
    #[error(
        "the store was rolled back: commit {} with {} entries and root {} was seen before and is not there \
         (hint: do not delete the head file; restore the store or close this log for ever)",
        .remembered.ordinal, .remembered.size, .remembered.root
    )]
    Rollback {
        /// What the head file holds.
        remembered: Head,
    },
    /// The local head file cannot be used.
    #[error("cannot {what} the head file {}", .path.display())]
    HeadFile {
        /// `read`, `write`.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why not.
        source: Refusal,
    },
    /// The commit may have been written, or may yet be. [`super::Log::sync`] settles it.
    #[error("commit {ordinal} may or may not have been written")]
    Doubt {
        /// Which.
        ordinal: u64,
        /// The last failure.
        source: Fault,
    },
    /// The store took nothing.
    #[error("commit {ordinal} was not written")]
    NotWritten {
        /// Which.
        ordinal: u64,
        /// The last failure; `None` if the store kept saying that another write was under way.
        source: Option<Fault>,
    },
    /// An earlier commit is in doubt: [`super::Log::sync`] comes first.
    #[error("commit {ordinal} is still in doubt; the log must be synchronised first")]
    Unsettled {
        /// Which.
        ordinal: u64,
    },
    /// The log was found broken, or its reader refused a commit; open it again.
    #[error("the log was halted at commit {ordinal}")]
    Halted {
        /// Where.
        ordinal: u64,
    },
    /// Others were faster, too often.
    #[error("other writers were faster {races} times in a row; nothing was written")]
    Contended {
        /// How often.
        races: u32,
    },
    /// The draft did not yield entries.
    #[error("the entries of commit {ordinal} could not be drafted")]
    Draft {
        /// Which commit.
        ordinal: u64,
        /// Why not.
        source: Refusal,
    },
    /// The commit would break a limit or a rule of its own log.
    #[error("commit {ordinal} cannot be made")]
    Commit {
        /// Which.
        ordinal: u64,
        /// Why not.
        source: Tamper,
    },
    /// A pack beyond the limit.
    #[error("a pack of {found} bytes; the most is {most}")]
    Pack {
        /// Its size.
        found: usize,
        /// The limit.
        most: u64,
    },
    /// An object under a digest that is not its own, or is not there.
    #[error("pack {digest} is missing from the store, or not what its name says")]
    PackMissing {
        /// Which.
        digest: String,
    },
    /// The reader would not take a commit that is in the log.
    #[error("commit {ordinal} is in the log, but could not be taken in")]
    Reader {
        /// Which.
        ordinal: u64,
        /// Why not.
        source: Refusal,
    },
}

/// How a log fails to hold.
#[derive(Debug, thiserror::Error)]
pub enum Tamper {
    /// The object is not the commit that belongs there.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// An entry is not one.
    #[error("an entry does not read")]
    Entry(#[source] EntryError),
    /// An entry's number or time is not the one of its place.
    #[error("entry {seq} does not carry its own number, or is older than the one before it")]
    Order {
        /// Its place.
        seq: u64,
    },
    /// A run names a pack that does not travel with its commit in the way that it says.
    #[error("a run names pack {digest}, which does not travel with it so")]
    Pack {
        /// Which.
        digest: String,
    },
    /// Objects lie beyond a commit that is missing.
    #[error("it is missing, yet {beyond} lies beyond it")]
    Hole {
        /// The first such object.
        beyond: String,
    },
}

/// May an append that failed have left its entries in the log?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Certainly not.
    No,
    /// It may, now or later.
    Maybe,
    /// They are there.
    Yes,
}

impl StoreError {
    /// What is to be assumed of the entries of the append that gave this error.
    pub const fn written(&self) -> Written {
        match self {
            Self::Doubt { .. } => Written::Maybe,
            Self::Reader { .. } => Written::Yes,
            Self::Location(_)
            | Self::Open { .. }
            | Self::Overwrites { .. }
            | Self::ReadBack { .. }
            | Self::Objects { .. }
            | Self::Tamper { .. }
            | Self::Rollback { .. }
            | Self::HeadFile { .. }
            | Self::NotWritten { .. }
            | Self::Unsettled { .. }
            | Self::Halted { .. }
            | Self::Contended { .. }
            | Self::Draft { .. }
            | Self::Commit { .. }
            | Self::Pack { .. }
            | Self::PackMissing { .. } => Written::No,
        }
    }

    pub(super) fn objects(what: &'static str, name: &str, source: Fault) -> Self {
        Self::Objects { what, name: name.to_owned(), source }
    }

    pub(super) fn tamper(ordinal: u64, source: impl Into<Tamper>) -> Self {
        Self::Tamper { ordinal, source: source.into() }
    }
}
