//! Entries to be, for one place in the log: what they say was worked out from all entries before it, so they stand there
//! or nowhere.
//!
//! It does not write: when another writer takes the place, whoever made the batch makes another.

use std::error::Error;

use observance_record::{
    Instant,
    entry::{Body, Entry},
};

use crate::store::Draft;

/// A body, given the sequence number of the batch's first entry.
type Make = Box<dyn Fn(u64) -> Body + Send + Sync>;

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    /// The writer whose start is this entry.
    Start(u64),
    /// The writer whose start is this entry of the batch itself.
    Here(u64),
}

/// Another writer took the place: what these entries rest on is not the log's end any more.
#[derive(Debug, thiserror::Error)]
#[error("another writer wrote entry {0} first")]
pub(super) struct Overtaken(u64);

/// Entries that will stand together in one commit.
pub(super) struct Batch {
    /// The place of the first.
    at: u64,
    now: Instant,
    by: By,
    makes: Vec<Make>,
}

impl Batch {
    /// A batch for the place `at`, the size of the log that it was made from.
    pub(super) const fn new(at: u64, now: Instant, by: By) -> Self {
        Self { at, now, by, makes: Vec::new() }
    }

    /// Adds an entry; gives its place in the batch.
    pub(super) fn push(&mut self, body: impl Into<Body>) -> u64 {
        let body = body.into();
        self.push_with(move |_first| body.clone())
    }

    /// Adds an entry that names others of the batch.
    pub(super) fn push_with(&mut self, make: impl Fn(u64) -> Body + Send + Sync + 'static) -> u64 {
        self.makes.push(Box::new(make));
        self.len() - 1
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.makes.len()).unwrap_or(u64::MAX)
    }
}

impl Draft for Batch {
    fn entries(
        &self,
        first_seq: u64,
        previous_t: Instant,
    ) -> Result<Vec<Vec<u8>>, Box<dyn Error + Send + Sync>> {
        if first_seq != self.at {
            return Err(Overtaken(self.at).into());
        }
        let by = match self.by {
            By::Start(seq) => seq,
            By::Here(place) => first_seq + place,
        };
        let entry = |(seq, make): (u64, &Make)| {
            let body = make(first_seq);
            // a log begins before any writer does
            let by = if matches!(body, Body::Genesis(_)) { seq } else { by };
            Entry { body, by, seq, t: self.now.max(previous_t) }.encode().map_err(Into::into)
        };
        (first_seq..).zip(&self.makes).map(entry).collect()
    }
}
