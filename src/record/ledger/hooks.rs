//! What sources said of themselves, and which runs that brought.
//!
//! It believes none of it: a run that a change event brought is a look like any other, and is only known to be one.

use std::collections::BTreeMap;

use super::{Ledger, LedgerFault};
use crate::{
    entry::{Entry, Hook, Run},
    time::Instant,
};

/// Collectors that were asked and have not run since, and everything counted so far.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    /// By collector: who asked, in which entry, and when.
    asked: BTreeMap<String, (u64, u64, Instant)>,
    heard: Heard,
}

/// Change events over the whole log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// Entries of kind `hook`.
    pub entries: u64,
    /// Events in them.
    pub events: u64,
    /// Deliveries that were refused.
    pub refused: u64,
}

impl Hooks {
    /// The entry that brought a run which the writer `by` records now: the newest that named its collector, if the same
    /// writer wrote it, the run began after it, and none did before.
    pub(super) fn brought(&self, collector: &str, by: u64, run: &Run) -> Option<u64> {
        let (asked_by, seq, t) = self.asked.get(collector)?;
        // whoever begins anew, or goes on with what began before, does not look because of it
        (*asked_by == by && run.started >= *t).then_some(*seq)
    }

    /// [`Self::brought`], and the asking is answered.
    pub(super) fn answer(&mut self, collector: &str, by: u64, run: &Run) -> Option<u64> {
        let brought = self.brought(collector, by, run)?;
        self.asked.remove(collector);
        Some(brought)
    }
}

impl Ledger {
    /// Change events that the log says were heard.
    pub const fn heard(&self) -> Heard {
        self.hooks.heard
    }

    pub(super) fn hook(&mut self, entry: &Entry, hook: &Hook) -> Result<(), LedgerFault> {
        if hook.events.is_empty() || hook.events.values().any(|n| *n == 0) {
            return Err(LedgerFault::Other("a hook without events, or with one that was never heard"));
        }
        if hook.collectors.is_empty() || !hook.collectors.is_sorted_by(|a, b| a < b) {
            return Err(LedgerFault::Other("a hook that asks nobody, or not in order"));
        }
        for id in &hook.collectors {
            let in_force = self.collectors.get(id).is_some_and(|collector| collector.source == hook.source);
            if !in_force {
                return Err(LedgerFault::NotInForce { what: "collector of this source", name: id.clone() });
            }
            self.hooks.asked.insert(id.clone(), (entry.by, entry.seq, entry.t));
        }
        let heard = &mut self.hooks.heard;
        heard.entries = heard.entries.saturating_add(1);
        heard.events = hook.events.values().copied().fold(heard.events, u64::saturating_add);
        heard.refused = heard.refused.saturating_add(hook.refused);
        Ok(())
    }
}
