//! What stays of an exchange once its list has gone on: its row, its receipt, and what the next run may ask about.
//!
//! Its body goes into the spool, compressed: what stays is small, since a run makes tens of thousands of exchanges.

use std::sync::PoisonError;

use observance_record::{
    Item,
    pack::{Media, Role},
    population::Outcome,
};

use super::{
    exchange::{Known, Sent, Session},
    receipt,
};

/// An exchange, done and put away.
pub(super) struct Kept {
    pub item: Item,
    /// What happened.
    pub outcome: Outcome,
    pub row: Box<[u8]>,
    /// The source's clock minus ours.
    pub skew_ms: Option<i64>,
    /// For the next run's conditional requests.
    pub known: Option<Box<(String, Known)>>,
    receipt: Box<[u8]>,
}

impl Kept {
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
            spool.add(Role::Body, media(&artefact.media), &artefact.bytes);
        }
        Kept {
            item,
            outcome,
            row: row.into(),
            skew_ms: receipt.skew_ms(),
            known: known.map(Box::new),
            receipt: receipt.text(),
        }
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
