//! Bodies of every kind but `run` and `verdict` (formats section 7).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, Item, Root},
    slots::Due,
    table::TableRef,
    time::Instant,
    verdict::{Code, Empty, State},
};

/// A one-row table: bytes that the entry binds but does not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Salt epoch.
    pub epoch: u64,
    /// Root of the one-row table.
    pub root: Root,
}

impl From<&TableRef> for Sealed {
    fn from(table: &TableRef) -> Self {
        Self { epoch: table.epoch, root: table.root }
    }
}

/// A closed log that this one continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its origin.
    pub origin: String,
    /// Its last size.
    pub size: u64,
    /// Its last root.
    pub root: Root,
}

/// `genesis`: always entry 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The log's name, for ever.
    pub origin: String,
    /// The verifier key that signs it.
    pub vkey: String,
    /// The estate's name.
    pub estate: String,
    /// All origins of the estate.
    pub shards: Vec<String>,
    /// Version of the formats: 1.
    pub formats: u64,
    /// The log before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Time-stamp authorities, by URL.
    pub tsa: Vec<String>,
    /// C2SP tlog-policy text; `none` if no witness is asked.
    pub witness_policy: String,
}

/// Random name of a writer: 16 hex digits.
pub type Agent = String;

/// What judges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judge {
    /// Version of regorus.
    pub regorus: String,
    /// `interpreter`.
    pub mode: String,
}

/// `start`: a writer begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Its random name.
    pub agent: Agent,
    /// Its version.
    pub version: String,
    /// SHA-256 of its binary, as it says itself; absent if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Digest>,
    /// What judges.
    pub judge: Judge,
    /// Version of the time-zone rules.
    pub tzdb: String,
    /// Size of the log that it remembered from before, or `none`: then rollback is not excluded by it.
    pub memory: String,
    /// Configuration entry in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<u64>,
    /// The clock showed this, earlier than the entry before; `t` was held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Instant>,
}

/// `stop`: a writer ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Why.
    pub reason: Code,
    /// Did everything in flight end first?
    pub clean: bool,
}

/// `config`: a configuration is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub digest: Sealed,
    /// Why it came into force.
    pub why: Code,
    /// Acts that approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Vec<u64>>,
    /// The configuration before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// `policy`: a policy is in force, or is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its id.
    pub id: String,
    /// Digest of its files and metadata (formats section 9).
    pub digest: Digest,
    /// Controls that it tests, its own first.
    pub controls: Vec<String>,
    /// Populations that it reads, the judged one first.
    pub populations: Vec<String>,
    /// Digest of its parameters.
    pub params: Digest,
    /// Does it read the clock (which is the run's `as_of`)?
    pub reads_time: bool,
    /// What an empty population means.
    pub empty: Empty,
    /// How bad a deviation is.
    pub severity: Code,
    /// It is in force no longer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// `collector`: a collector is in force, or is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collector {
    /// Its id.
    pub id: String,
    /// SHA-256 of its file as read.
    pub digest: Digest,
    /// The source it reads.
    pub source: String,
    /// The populations it yields.
    pub yields: Vec<String>,
    /// It is in force no longer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// What becomes of a slot whose time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// It stays a gap for ever: a state cannot be read back.
    Gap,
    /// Its window is read late, and says so.
    CatchUp,
}

/// `schedule`: a schedule is in force, or is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// The collector it runs.
    pub collector: String,
    /// Five fields.
    pub cron: String,
    /// IANA time zone.
    pub zone: String,
    /// Most seconds by which a start is spread.
    pub jitter_s: u64,
    /// Seconds after which a start that did not happen is missed.
    pub grace_s: u64,
    /// Longest distance between two looks over which a state is taken to hold.
    pub max_gap_s: u64,
    /// What becomes of a missed slot.
    pub missed: Missed,
    /// It is in force no longer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// `slots`: the promise. Windows of one schedule join without holes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// The promise speaks about `[from, to)`.
    pub from: Instant,
    /// See `from`; at most 48 hours later.
    pub to: Instant,
    /// Version of the time-zone rules that made it.
    pub tzdb: String,
    /// Due instants by schedule.
    pub due: BTreeMap<String, Due>,
    /// It was written after its window began: the agent had been down.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
}

/// Why slots have no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nobody was there.
    AgentDown,
    /// Nothing could be recorded.
    StoreDown,
    /// The run before was still going on.
    Overlap,
    /// The agent was being stopped.
    Shutdown,
    /// As many other runs went on as may go on at a time.
    Busy,
    /// The clock moved past it.
    Clock,
    /// The run was lost inside the agent before it could be recorded.
    Crash,
    /// The configuration took the schedule away.
    Removed,
}

/// `gap`: slots that will never have a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Whose slots.
    pub schedule: String,
    /// Which.
    pub due: Due,
    /// Why.
    pub cause: Cause,
}

/// `drift`: the state of an item (or of a policy's roll-up) changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The control that the policy tests.
    pub control: String,
    /// The policy.
    pub policy: String,
    /// The item; absent for the roll-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
    /// Last instant at which the old state was seen.
    pub observed_from: Instant,
    /// First instant at which the new state was seen.
    pub observed_to: Instant,
    /// The verdict that shows it.
    pub verdict: u64,
    /// How many items of the policy fail now.
    pub fails_n: u64,
}

/// `alert`: somebody is to be told of a drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// The drift, by its sequence number: the alert's stable name.
    pub id: u64,
    /// Which way.
    pub route: String,
    /// What is sent.
    pub payload: Sealed,
}

/// `notice`: a delivery was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The alert, by its id.
    pub alert: u64,
    /// 1, 2, 3, ...
    pub attempt: u64,
    /// When.
    pub at: Instant,
    /// `delivered`, `failed` or `gave_up`.
    pub status: Code,
    /// How it ended (`http.200`, `timeout`, ...).
    pub code: Code,
}

/// `period.open`: an observation period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodOpen {
    /// Its name.
    pub id: String,
    /// The zone in which its days are days.
    pub zone: String,
    /// `[from, to)`.
    pub from: Instant,
    /// See `from`.
    pub to: Instant,
    /// The framework it is observed for.
    pub framework: String,
    /// How many objects in force are restated after it.
    pub restated: u64,
    /// The head at the end of the period before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// `period.close`: a period's end, frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodClose {
    /// Its name.
    pub id: String,
    /// When.
    pub at: Instant,
}

/// `posture`: what the store was found to do. `yes`, `no` or `unknown`, each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posture {
    /// `folder`, `s3`, `memory`.
    pub backend: String,
    /// Does a second create of one name fail?
    pub create_only: Code,
    /// Does it read back what was written?
    pub reads_back: Code,
    /// Is a wrong checksum refused?
    pub checksum: Code,
    /// Are objects kept from deletion?
    pub retention: Code,
}

/// `export`: a bundle was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// SHA-256 of its tag manifest.
    pub digest: Digest,
    /// First entry in it.
    pub from: u64,
    /// Size of its closing checkpoint.
    pub to: u64,
    /// The period, if it was made for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// This is the n-th export of this range.
    pub number: u64,
    /// Who received it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Item>,
}

/// `hook`: the source said that something changed, and these collectors are asked at once. Written before they run; it
/// is a reason to look and no evidence: of what was sent it holds counts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The source, by its name in the configuration.
    pub source: String,
    /// How often each event of the vendor's was heard since the entry before; at least one, each at least once.
    pub events: BTreeMap<Code, u64>,
    /// Collectors of this source that are asked, by id, sorted; at least one.
    pub collectors: Vec<String>,
    /// Deliveries that were refused since the newest `hook` of this writer, whatever source they named.
    pub refused: u64,
}

/// `heartbeat`: nothing happened, and somebody was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Size of the log before it.
    pub last_size: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(super) const fn is_false(flag: &bool) -> bool {
    !*flag
}
