//! What this release ships, as far as a configuration may name it: collectors, policies, frameworks.
//!
//! It holds ids, default schedules and words, no manifest and no policy text: whoever reads those makes it.

use std::collections::BTreeSet;

/// What may be named. The collectors come from their manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Every collector.
    pub collectors: Vec<Shipped>,
    /// The ids of every policy of the default library.
    pub policies: BTreeSet<String>,
    /// The ids of the frameworks that a period may name.
    pub frameworks: Vec<String>,
}

/// One collector with the schedule that it has unless the configuration says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipped {
    /// Its id, such as `github.members`.
    pub id: String,
    /// The kind of source that it reads, such as `github`.
    pub kind: String,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// Random delay of each slot, in seconds, at most.
    pub jitter_s: u32,
    /// How late a run may begin before its slot is missed, in seconds.
    pub grace_s: u32,
    /// Longest time without an observation before the item's state is unknown, in seconds.
    pub max_gap_s: u32,
}

impl Catalogue {
    /// These collectors and policies, by their ids, and the frameworks that this release knows.
    pub fn of(collectors: Vec<Shipped>, policies: BTreeSet<String>) -> Self {
        Self { collectors, policies, frameworks: ["soc2", "iso27001"].map(str::to_owned).to_vec() }
    }
}
