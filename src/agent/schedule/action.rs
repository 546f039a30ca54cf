//! What a planner asks for, and the words in which the record says why.
//!
//! It decides nothing: see `plan`.

use std::collections::BTreeMap;

use observance_record::{Instant, slots::Due};

/// One due instant of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The id of its schedule.
    pub schedule: String,
    /// Its due instant, which is its name.
    pub due: Instant,
}

/// What is to be done. Every action but a start is asked for again until the planner is told that it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Commit a `slots` entry, then call [`Planner::promised`] for each of its schedules.
    Promise {
        /// First instant of the window: where the last window of these schedules ended.
        from: Instant,
        /// First instant after it.
        to: Instant,
        /// The window begins before the entry can surely be committed: the agent had stopped.
        late: bool,
        /// What is due in the window, by schedule; a schedule of which nothing is due is named too.
        due: BTreeMap<String, Due>,
    },
    /// Commit a `gap` entry, then call [`Planner::answered`].
    Gap {
        /// The id of the schedule.
        schedule: String,
        /// The missed slots.
        due: Due,
        /// Why they were missed.
        cause: Cause,
    },
    /// Start a run at once; when it is over call [`Planner::ended`]. Asked for once only.
    Start {
        /// What runs.
        collector: String,
        /// The slot that the run will answer; none for a manual run.
        slot: Option<Slot>,
        /// Why it starts.
        trigger: Trigger,
        /// Milliseconds since the slot was due; 0 for a manual run.
        late_ms: i64,
    },
}

/// Why a run starts, in the words of run entries (formats section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Its slot came due.
    Slot,
    /// Its slot was missed, but its window can still be read.
    CatchUp,
    /// Somebody asked for it.
    Manual,
    /// Its slot came due while the agent was down, and is still within its grace.
    Recovery,
}

impl Trigger {
    /// Its word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::CatchUp => "catch_up",
            Self::Manual => "manual",
            Self::Recovery => "recovery",
        }
    }
}

/// Why a slot was missed, in the words of gap entries (formats section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// No agent was running.
    AgentDown,
    /// The agent was stopping, or had been stopped on purpose.
    Shutdown,
    /// Nothing could be committed.
    StoreDown,
    /// The collector was still busy with an earlier run when the grace was over.
    Overlap,
    /// As many other collectors ran as may run at a time until the grace was over.
    Busy,
    /// Time leapt over the slot: the clock was set or the machine slept.
    Clock,
    /// The run was lost inside the agent before it could be recorded.
    Crash,
    /// The schedule was taken out of the configuration after the slot had been promised.
    Removed,
}

impl Cause {
    /// Its word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentDown => "agent_down",
            Self::Shutdown => "shutdown",
            Self::StoreDown => "store_down",
            Self::Overlap => "overlap",
            Self::Busy => "busy",
            Self::Clock => "clock",
            Self::Crash => "crash",
            Self::Removed => "removed",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its entry is committed, whatever the run saw.
    Recorded,
    /// It left no entry and never will.
    Lost(Cause),
}
