//! What sources said of themselves, and which runs that brought.
//!
//! It believes none of it: a run that a change event brought is a look like any other, and is only known to be one.

use std::collections::BTreeMap;

use super::{Ledger, LedgerFault};
use crate::{
    entry::{Entry, Hook},
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
    /// The entry that brought a run which began at `started` and which the writer `by` records now: the newest that named its
    /// collector, if the same writer wrote it, the run began after it, and none did before.
    pub(super) fn brought(&self, collector: &str, by: u64, started: Instant) -> Option<u64> {
        let (asked_by, seq, t) = self.asked.get(collector)?;
        // whoever begins anew, or goes on with what began before, does not look because of it
        (*asked_by == by && started >= *t).then_some(*seq)
    }

    /// [`Self::brought`], and the asking is answered.
    pub(super) fn answer(&mut self, collector: &str, by: u64, started: Instant) -> Option<u64> {
        let brought = self.brought(collector, by, started)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{digest::Digest, entry::Collector};

    fn at(s: i64) -> Instant {
        Instant::from_s(1_800_000_000 + s)
    }

    fn hook() -> Hook {
        let (source, collectors) = ("github".to_owned(), vec!["github.members".to_owned()]);
        Hook { source, events: [("organization".parse().unwrap(), 2)].into(), collectors, refused: 3 }
    }

    fn heard(ledger: &mut Ledger, hook: &Hook) -> Result<(), LedgerFault> {
        let entry = Entry { body: hook.clone().into(), by: 1, seq: 7, t: at(0) };
        ledger.hook(&entry, hook)
    }

    fn ledger() -> Ledger {
        let (id, source) = ("github.members".to_owned(), "github".to_owned());
        let collector =
            Collector { id: id.clone(), digest: Digest::of(b""), source, yields: vec![], removed: false };
        Ledger { collectors: [(id, collector)].into(), ..Ledger::default() }
    }

    #[test]
    fn the_first_run_after_it_by_the_same_writer_is_what_a_hook_brought() {
        let mut ledger = ledger();
        heard(&mut ledger, &hook()).unwrap();
        assert_eq!(ledger.heard(), Heard { entries: 1, events: 2, refused: 3 });
        let hooks = &mut ledger.hooks;
        assert_eq!(hooks.answer("github.members", 1, at(-1)), None, "it went on already");
        assert_eq!(hooks.answer("github.members", 9, at(1)), None, "another writer's");
        assert_eq!(hooks.answer("github.changes", 1, at(1)), None, "nobody asked it");
        assert_eq!(hooks.answer("github.members", 1, at(0)), Some(7));
        assert_eq!(hooks.answer("github.members", 1, at(1)), None, "the second");
    }

    #[test]
    fn a_hook_that_says_nothing_or_asks_a_stranger_is_refused() {
        let many = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let never = [("organization".parse().unwrap(), 0)].into();
        for wrong in [
            Hook { events: BTreeMap::new(), ..hook() },
            Hook { events: never, ..hook() },
            Hook { collectors: vec![], ..hook() },
            Hook { collectors: many(&["github.members", "github.members"]), ..hook() },
            Hook { collectors: many(&["github.strange"]), ..hook() },
            Hook { source: "another".to_owned(), ..hook() },
        ] {
            assert!(heard(&mut ledger(), &wrong).is_err(), "{wrong:?}");
        }
    }
}
