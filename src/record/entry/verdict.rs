//! Body of `verdict` (formats section 9): what all policies that a run feeds said of it.

use serde::{Deserialize, Serialize};

use super::acts::is_false;
use crate::{
    digest::{Digest, Root},
    time::Instant,
    verdict::Code,
};

/// `verdict`: one for each run, in the same commit. `list` and `same` exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The run, by its sequence number.
    pub run: u64,
    /// The policies' clock: the run's `as_of`.
    pub now: Instant,
    /// An earlier verdict whose `list` is this one's, except that nothing flipped since and that a column which that
    /// verdict stored itself is found there (see [`PolicyVerdict::repeated`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same: Option<u64>,
    /// One for each policy, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<PolicyVerdict>>,
    /// It continues the verdict entry before it (more than 200 policies).
    #[serde(default, skip_serializing_if = "is_false")]
    pub part: bool,
}

/// Did the policy run?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// On every row.
    All,
    /// On none: `why` says.
    None,
}

/// A population that was judged or joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The run that saw it; absent for the verdict's own run, so that an unchanged list stays equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// Its name.
    pub name: String,
    /// Its root.
    pub root: Root,
}

/// What one policy said of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyVerdict {
    /// The policy's id.
    pub policy: String,
    /// Its digest.
    pub digest: Digest,
    /// Digest of its parameters.
    pub params: Digest,
    /// The judged population, then the joined ones.
    pub inputs: Vec<Input>,
    /// Did it run?
    pub judged: Judged,
    /// Why not, or why not better; sorted.
    pub why: Vec<Code>,
    /// Rows judged.
    pub n: u64,
    /// Of these: passed.
    pub passed: u64,
    /// Of these: failed.
    pub failed: u64,
    /// Of these: unknown.
    pub unknown: u64,
    /// Of these: not applicable.
    pub not_applicable: u64,
    /// Of these: not due yet.
    pub not_due: u64,
    /// Root over the results.
    pub root: Root,
    /// The verdict whose pack holds the column; absent = this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<u64>,
    /// Items whose state differs from the policy's verdict before.
    pub flips: u64,
}

impl PolicyVerdict {
    /// This verdict as a later one repeats it by `same`: nothing flips, and the column is where it was stored.
    #[must_use]
    pub fn repeated(&self, seq: u64) -> Self {
        let stored = (self.judged == Judged::All).then(|| self.results.unwrap_or(seq));
        Self { results: stored, flips: 0, ..self.clone() }
    }
}
