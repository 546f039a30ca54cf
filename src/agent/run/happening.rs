//! What an agent does, as values for whoever watches: the demo, `collect`, the log of the operator.
//!
//! It is news, not evidence: everything here stands in the log already.

use observance_record::{Instant, entry::RunResult, verdict::State};

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// When it was recorded.
    pub at: Instant,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A writer began.
    Started {
        /// Entries in the log.
        size: u64,
    },
    /// A collector ran.
    Ran {
        /// Which.
        collector: String,
        /// The slot that it answers.
        due: Option<Instant>,
        /// How it ended.
        result: RunResult,
        /// Requests sent.
        requests: u64,
        /// Items that fail, by policy.
        fails: Vec<(String, u64)>,
    },
    /// A source said that something changed.
    Heard {
        /// Which source.
        source: String,
        /// How many deliveries.
        events: u64,
        /// Collectors that are asked.
        collectors: Vec<String>,
        /// Deliveries that were refused.
        refused: u64,
    },
    /// Slots will never have a run.
    Gap {
        /// Whose.
        schedule: String,
        /// How many.
        n: u64,
        /// Why.
        cause: &'static str,
    },
    /// An item's state changed.
    Changed {
        /// The policy.
        policy: String,
        /// The item's name.
        item: String,
        /// Before.
        from: State,
        /// Now.
        to: State,
        /// The last instant of the old state.
        observed_from: Instant,
        /// The first of the new.
        observed_to: Instant,
    },
    /// A policy's population came out of sight, or back into it whole.
    Sight {
        /// The policy.
        policy: String,
        /// Is it back?
        seen: bool,
    },
    /// An alert was delivered, or not.
    Told {
        /// Its id.
        alert: u64,
        /// Did the receiver take it?
        delivered: bool,
    },
    /// The store does not answer.
    StoreAway {
        /// What it said.
        error: String,
    },
}
