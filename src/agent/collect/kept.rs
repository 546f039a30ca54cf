//! What stays of an exchange once its list has gone on: its row, its receipt, and what the next run may ask about.
//!
//! Its body goes into the spool, compressed: what stays is small, since a run makes tens of thousands of exchanges.

use std::sync::{Arc, PoisonError};

use observance_record::{
    Digest, Item,
    pack::{Artefact, Media, Role},
    population::Outcome,
    table::RowBytes,
};
use url::Url;

use super::{
    exchange::{Sent, Session},
    page::Record,
    receipt,
    turn::Said,
};

/// An exchange, done and put away.
pub(super) struct Kept {
    pub item: Item,
    /// What happened.
    pub outcome: Outcome,
    pub row: RowBytes,
    /// The source's clock minus ours.
    pub skew_ms: Option<i64>,
    /// For the next run's conditional requests.
    pub known: Option<(Digest, Box<Known>)>,
    receipt: Box<[u8]>,
}

/// A page that was read before, for conditional requests. Holds what came of the body, never the body.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub etag: String,
    /// The credential that it was given to.
    pub by: Digest,
    pub digest: Digest,
    pub outcome: Outcome,
    pub why: Option<&'static str>,
    pub records: Arc<Vec<Arc<Record>>>,
    pub said: Said,
    pub stated: Option<u64>,
    /// Number of the last run that used it.
    pub run: u64,
}

/// By what a page is remembered.
pub(super) fn address(url: &Url) -> Digest {
    Digest::of(url.as_str().as_bytes())
}

impl Kept {
    /// What an earlier run sealed, told again: nothing was sent for it, and it is no exchange of this run.
    pub(super) fn told(item: Item, row: RowBytes) -> Self {
        Self { item, outcome: Outcome::Unchanged, row, skew_ms: None, known: None, receipt: Box::default() }
    }

    /// See [`Self::told`].
    pub(super) const fn is_told(&self) -> bool {
        self.receipt.is_empty()
    }

    /// The receipt of the run's `i`-th exchange, counted from 0.
    pub(super) fn line(&self, i: usize) -> Vec<u8> {
        receipt::line(i, &self.receipt)
    }
}

impl Session<'_> {
    /// Puts an exchange away.
    pub(super) fn kept(&self, sent: Sent) -> Kept {
        let Sent { item, outcome, row, artefact, receipt, known, .. } = sent;
        if let Some(artefact) = artefact {
            let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
            spool.add(&Artefact::new(Role::Body, media(&artefact.media), artefact.bytes.to_vec()));
        }
        Kept { item, outcome, row, skew_ms: receipt.skew_ms(), known, receipt: receipt.text() }
    }
}

fn media(name: &str) -> Media {
    match name {
        "application/json" => Media::Json,
        "text/html" => Media::Html,
        "text/plain" => Media::Text,
        _ => Media::Bytes,
    }
}
