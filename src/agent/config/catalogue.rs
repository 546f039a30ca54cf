//! What this release ships, as far as a configuration may name it: collectors, policies, frameworks.
//!
//! It holds ids, default schedules and words, no manifest and no policy text: whoever reads those makes it.

/// What may be named. The collectors come from their manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Every collector.
    pub collectors: Vec<Shipped>,
    /// The ids of every policy of the default library.
    pub policies: Vec<String>,
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

const POLICIES: [&str; 40] = [
    "GH-01",
    "GH-01-outside",
    "GH-01-required",
    "GH-01-strength",
    "GH-02",
    "GH-02-invited",
    "GH-02-outside",
    "GH-03",
    "GH-03-apps",
    "GH-03-defaults",
    "GH-03-teams",
    "GH-04",
    "GH-04-admins",
    "GH-04-count",
    "GH-04-roles",
    "GH-05",
    "GH-05-release",
    "GH-06",
    "GH-07",
    "GH-08",
    "GH-09",
    "GH-09-chain",
    "GH-10",
    "GH-10-review",
    "GH-11",
    "GH-12",
    "GH-13",
    "GH-13-environments",
    "GH-13-tie",
    "GH-14",
    "GH-14-alerts",
    "GH-14-pushes",
    "GH-15",
    "GH-15-alerts",
    "GH-16",
    "GH-16-alerts",
    "GH-17",
    "GH-17-hooks",
    "GH-17-keys",
    "GH-17-tokens",
];

impl Catalogue {
    /// What this release ships beside these collectors.
    pub fn of(collectors: Vec<Shipped>) -> Self {
        Self {
            collectors,
            policies: POLICIES.map(str::to_owned).to_vec(),
            frameworks: ["soc2", "iso27001"].map(str::to_owned).to_vec(),
        }
    }
}
