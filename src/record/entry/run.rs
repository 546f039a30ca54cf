//! Body of `run` (formats section 8): one run of one collector, in roots and counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, Item, Root},
    population::{Grade, Horizon, Membership, Outcome},
    table::TableRef,
    time::Instant,
    verdict::Code,
};

/// What made a run start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Its slot came due.
    Slot,
    /// Its slot was missed, and its window can still be read.
    CatchUp,
    /// Somebody asked; it answers no slot.
    Manual,
    /// It was found unanswered at start-up.
    Recovery,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// Every exchange may feed a verdict.
    Complete,
    /// Some may not.
    Partial,
    /// None may.
    Failed,
}

/// `run`: exactly one for each slot that lies in no gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The schedule; absent for a manual run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The slot; absent for a manual run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// What made it start.
    pub trigger: Trigger,
    /// When observation began.
    pub started: Instant,
    /// When it ended.
    pub ended: Instant,
    /// The instant that a state result speaks about: `started`.
    pub as_of: Instant,
    /// How long after `due` it started.
    pub late_ms: u64,
    /// 1, 2, ...
    pub attempt: u64,
    /// The collector's file.
    pub collector: Digest,
    /// The source, by its name in the configuration.
    pub source: String,
    /// How it ended.
    pub result: RunResult,
    /// Why not better; sorted.
    pub why: Vec<Code>,
    /// What was asked and what it meant.
    pub exchanges: Exchanges,
    /// How each exchange went.
    pub receipts: Receipts,
    /// How far the source's clock was from ours, if any answer told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<Skew>,
    /// Requests sent, attempts included.
    pub requests: u64,
    /// Body bytes received.
    pub bytes: u64,
    /// What the credential may do, as the source says.
    pub privileges: Privileges,
    /// Windows of events that were read.
    pub windows: Vec<Window>,
    /// How the source was reached.
    pub channel: Channel,
    /// What was seen.
    pub populations: Vec<Population>,
    /// Where new bytes lie; a hint, not evidence.
    pub packs: Vec<PackRef>,
}

/// The exchange table and its outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchanges {
    /// One row for each exchange.
    pub table: TableRef,
    /// How many had each outcome.
    pub by: BTreeMap<Outcome, u64>,
}

/// The receipt lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// How many.
    pub n: u64,
    /// Their root.
    pub root: Root,
    /// Their salt epoch.
    pub epoch: u64,
}

/// Least and most distance of the source's clock, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skew {
    /// Least.
    pub min: i64,
    /// Most.
    pub max: i64,
}

/// What the credential may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privileges {
    /// Rights, in the vendor's own names; sorted.
    pub granted: Vec<String>,
    /// How many of them allow writing: each is a finding.
    pub write: u64,
}

/// A window of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Which stream.
    pub stream: String,
    /// `[from, to)`.
    pub from: Instant,
    /// See `from`.
    pub to: Instant,
    /// Will it not be read again?
    #[serde(rename = "final")]
    pub is_final: bool,
}

/// How the source was reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Every host that was spoken to; sorted.
    pub hosts: Vec<Host>,
    /// Was there a proxy?
    pub proxy: bool,
    /// Was a certificate authority added?
    pub extra_ca: bool,
    /// Was the vendor's own address overridden?
    pub base_url: bool,
}

/// A host and its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Its name.
    pub host: String,
    /// SHA-256 of its certificate's SubjectPublicKeyInfo; absent without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spki: Option<Digest>,
    /// SHA-256 of the last certificate of the chain it sent; absent without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Digest>,
}

/// The keyed rows of a run for one kind of thing, and what is claimed of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Its name.
    pub name: String,
    /// Type of its items.
    #[serde(rename = "type")]
    pub item_type: String,
    /// Its rows.
    pub table: TableRef,
    /// Is the list whole?
    pub membership: Membership,
    /// What that rests on.
    pub grade: Grade,
    /// May the credential see everything?
    pub horizon: Horizon,
    /// Why not whole; sorted.
    pub why: Vec<Code>,
    /// What was counted.
    pub proofs: Vec<Proof>,
    /// Rows whose own exchanges failed.
    pub items_unknown: u64,
    /// The source's own total, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_total: Option<u64>,
    /// Rows in scope.
    pub in_scope: u64,
    /// Rows out of scope.
    pub excluded: u64,
    /// The window it speaks about; absent for a state at `as_of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<(Instant, Instant)>,
}

/// One count that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Which kind of proof.
    pub kind: Code,
    /// What the source stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<u64>,
    /// What was counted.
    pub counted: u64,
    /// The exchange that stated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Item>,
}

/// Where new bytes of a run lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackRef {
    /// The pack's id.
    pub sha256: Digest,
    /// Its length.
    pub bytes: u64,
    /// Does it ride inside the commit?
    pub inline: bool,
}
