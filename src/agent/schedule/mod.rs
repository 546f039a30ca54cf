//! Schedules, and what they ask for now: promises, runs and gaps.
//!
//! It neither reads the clock nor runs, records or waits for anything; `run` hands it the facts and does what it says.

mod action;
mod cron;
mod plan;
#[cfg(test)]
mod simulation;
mod track;
mod wall;

use chrono_tz::Tz;
use observance_record::Instant;
use serde::{Deserialize, Serialize};

pub use action::{Action, Cause, Ended, Slot, Trigger};
pub use cron::{Cron, CronError};
pub use plan::Planner;

/// The edition of the time zone database by which due instants are worked out; stands in `start` and `slots` entries.
pub const TZDB: &str = chrono_tz::IANA_TZDB_VERSION;

/// When a collector is to run, and what becomes of a slot that did not (entry kind `schedule`, formats section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Names the schedule for ever; one id, one schedule.
    pub id: String,
    /// What runs: a collector on one source. It never overlaps with itself, whichever schedule started it.
    pub collector: String,
    /// When it is due, by the wall clocks of `zone`.
    pub cron: Cron,
    /// The time zone of those clocks.
    pub zone: Tz,
    /// A slot starts up to so many seconds after its due instant, so that not all start at once.
    pub jitter_s: u32,
    /// How many seconds later than that a slot may still start before it is missed. It should outlast a restart of the
    /// agent and stay below the distance of two slots.
    pub grace_s: u32,
    /// Longest time between two runs, in seconds, for which the older one may still speak.
    pub max_gap_s: u32,
    /// What becomes of a missed slot.
    pub missed: Missed,
}

/// What becomes of a slot that could not start in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// It stays a gap for ever: the state of the past cannot be looked at.
    Gap,
    /// It runs as soon as it can, in order: its window can still be read. For event windows only.
    CatchUp,
}

impl Schedule {
    /// The instants due in `[from, to)`; see [`Cron::due`].
    pub fn due(&self, from: Instant, to: Instant) -> Vec<Instant> {
        self.cron.due(self.zone, from, to)
    }

    /// The first instant due after this one; see [`Cron::next`].
    pub fn next(&self, after: Instant) -> Option<Instant> {
        self.cron.next(self.zone, after)
    }
}

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found time zone `{0}`, expected an IANA name such as Europe/Berlin or UTC")]
pub struct ZoneError(String);

/// The time zone of this IANA name.
pub fn zone(name: &str) -> Result<Tz, ZoneError> {
    name.parse().ok().ok_or_else(|| ZoneError(name.chars().take(60).collect()))
}
