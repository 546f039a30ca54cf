//! Promised slots and what became of them: exactly one run, or a gap, or nothing yet.
//!
//! It never evaluates cron: the promise is in the log, and only the promise counts.

use std::collections::{BTreeMap, BTreeSet};

use super::LedgerFault;
use crate::{
    entry::{Cause, Schedule, Slots},
    time::Instant,
};

/// Longest window of one promise.
const WINDOW_MS_MAX: i64 = 48 * 3_600_000;

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// This run.
    Run(u64),
    /// It will never have one.
    Gap(Cause),
}

/// The promises of all schedules.
#[derive(Debug, Default)]
pub struct Promises {
    until: BTreeMap<String, Instant>,
    open: BTreeMap<String, BTreeSet<Instant>>,
    answered: BTreeMap<String, BTreeMap<Instant, Answer>>,
    late: u64,
}

impl Promises {
    /// A schedule that is new or comes back promises from its first window on; a removed one promises no more.
    pub(super) fn schedule(&mut self, schedule: &Schedule) {
        if schedule.removed {
            self.until.remove(&schedule.id);
        }
    }

    pub(super) fn promise(&mut self, slots: &Slots) -> Result<(), LedgerFault> {
        let length = slots.to.ms_since(slots.from);
        for (schedule, due) in &slots.due {
            let fault = |what| LedgerFault::Promise { schedule: schedule.clone(), what };
            if length <= 0 || length > WINDOW_MS_MAX {
                return Err(fault("the window is empty or longer than 48 hours"));
            }
            if self.until.get(schedule).is_some_and(|until| *until != slots.from) {
                return Err(fault("the window does not join the one before it"));
            }
            let inside = |at: &Instant| slots.from <= *at && *at < slots.to;
            if !due.iter().all(|at| inside(&at)) {
                return Err(fault("a slot outside the window"));
            }
            self.until.insert(schedule.clone(), slots.to);
            self.open.entry(schedule.clone()).or_default().extend(due.iter());
        }
        self.late = self.late.saturating_add(u64::from(slots.late));
        Ok(())
    }

    pub(super) fn answer(&mut self, schedule: &str, due: Instant, answer: Answer) -> Result<(), LedgerFault> {
        let open = self.open.get_mut(schedule).is_some_and(|slots| slots.remove(&due));
        if !open {
            return Err(LedgerFault::Slot { schedule: schedule.to_owned(), due });
        }
        self.answered.entry(schedule.to_owned()).or_default().insert(due, answer);
        Ok(())
    }

    /// Until when each schedule has promised.
    pub const fn until(&self) -> &BTreeMap<String, Instant> {
        &self.until
    }

    /// Slots promised and not answered, by schedule.
    pub const fn open(&self) -> &BTreeMap<String, BTreeSet<Instant>> {
        &self.open
    }

    /// Is this slot promised and not answered?
    pub fn is_open(&self, schedule: &str, due: Instant) -> bool {
        self.open.get(schedule).is_some_and(|slots| slots.contains(&due))
    }

    /// Slots answered, by schedule.
    pub const fn answered(&self) -> &BTreeMap<String, BTreeMap<Instant, Answer>> {
        &self.answered
    }

    /// How many promises were written after their window had begun.
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// Slots that nothing answers although a later slot of their schedule has a run. Runs of one schedule follow each
    /// other, so nobody is still at work on such a slot: the promise is broken.
    pub fn passed_over(&self) -> impl Iterator<Item = (&str, Instant)> {
        let last_run = |schedule| {
            let mut answers = self.answered.get(schedule)?.iter().rev();
            answers.find(|(_, answer)| matches!(answer, Answer::Run(_))).map(|(due, _)| *due)
        };
        self.open.iter().flat_map(move |(schedule, slots)| {
            let before = last_run(schedule).unwrap_or(Instant::EPOCH);
            slots.range(..before).map(|due| (schedule.as_str(), *due))
        })
    }

    /// Slots due before `now` that nothing answers, by schedule.
    pub fn unanswered(&self, now: Instant) -> impl Iterator<Item = (&str, Instant)> {
        self.open
            .iter()
            .flat_map(move |(schedule, slots)| slots.range(..now).map(|due| (schedule.as_str(), *due)))
    }
}
