//! What this release ships, as far as a configuration may name it: collectors, policies, frameworks.
//!
//! It holds ids, default schedules and words, no manifest and no policy text.

/// What may be named. [`Catalogue::shipped`] is the release's own; a test makes its own.
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

const POLICIES: [&str; 39] = [
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
    /// What this release ships.
    pub fn shipped() -> Self {
        let collector = |id: &str, cron: &str, jitter_s, grace_s, max_gap_s| Shipped {
            id: id.to_owned(),
            kind: "github".to_owned(),
            cron: cron.to_owned(),
            jitter_s,
            grace_s,
            max_gap_s,
        };
        Self {
            collectors: vec![
                collector("github.branch_rules", "0 * * * *", 60, 600, 2 * 3600),
                collector("github.members", "0 1 * * *", 60, 3600, 26 * 3600),
                collector("github.changes", "0 */6 * * *", 60, 3600, 8 * 3600),
                collector("github.updates", "0 */6 * * *", 60, 3600, 8 * 3600),
                collector("github.change_checks", "0 */6 * * *", 60, 3600, 8 * 3600),
                collector("github.recent_bypasses", "30 */6 * * *", 60, 3600, 8 * 3600),
                collector("github.environments", "0 2 * * *", 60, 3600, 26 * 3600),
                collector("github.organisation", "30 1 * * *", 60, 3600, 26 * 3600),
                collector("github.accounts", "45 1 * * *", 60, 3600, 26 * 3600),
                collector("github.access", "15 2 * * *", 60, 3600, 26 * 3600),
                collector("github.security", "15 3 * * *", 60, 3600, 26 * 3600),
            ],
            policies: POLICIES.map(str::to_owned).to_vec(),
            frameworks: ["soc2", "iso27001"].map(str::to_owned).to_vec(),
        }
    }
}
