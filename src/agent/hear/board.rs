//! What was heard and not acted on yet: counts, gathered so that no flood makes more than one entry and one run a minute.
//!
//! It keeps no order and no instants of deliveries; when something is acted on, the log says so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use observance_record::{Instant, verdict::Code};
use tokio::sync::Notify;

/// A source is acted on once in this time at most; what it says meanwhile is gathered into the next.
pub const GAP_MS: i64 = 60_000;

/// What was heard of one source since it was acted on last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The source, by its name in the configuration.
    pub source: String,
    /// How often each event was heard.
    pub events: BTreeMap<Code, u64>,
    /// Deliveries that were refused meanwhile, whatever source they named; counted once.
    pub refused: u64,
}

/// Counts that the listener writes and the agent takes. Cheap to clone; clones are the same board.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    rang: Notify,
}

#[derive(Debug, Default)]
struct State {
    sources: BTreeMap<String, Gathered>,
    refused: u64,
}

#[derive(Debug, Default)]
struct Gathered {
    events: BTreeMap<Code, u64>,
    acted: Option<Instant>,
}

impl Gathered {
    /// When it may be acted on; none while nothing was heard.
    fn due(&self) -> Option<Instant> {
        let due = self.acted.map_or(Instant::EPOCH, |acted| acted.plus_ms(GAP_MS));
        (!self.events.is_empty()).then_some(due)
    }
}

impl Board {
    /// An event of a source was heard. Names of events come from manifests, so there are few.
    pub fn hear(&self, source: &str, event: &Code) {
        let mut state = self.state();
        let gathered = state.sources.entry(source.to_owned()).or_default();
        let is_first = gathered.events.is_empty();
        let n = gathered.events.entry(event.clone()).or_default();
        *n = n.saturating_add(1);
        drop(state);
        if is_first {
            self.0.rang.notify_one();
        }
    }

    /// A delivery was refused. Gives how many were since the last entry.
    pub fn refuse(&self) -> u64 {
        let mut state = self.state();
        state.refused = state.refused.saturating_add(1);
        state.refused
    }

    /// Takes what may be acted on now.
    pub fn take(&self, now: Instant) -> Vec<Heard> {
        let mut state = self.state();
        let mut heard = Vec::new();
        let State { sources, refused } = &mut *state;
        for (source, gathered) in sources.iter_mut() {
            if gathered.due().is_none_or(|due| now < due) {
                continue;
            }
            gathered.acted = Some(now);
            let events = std::mem::take(&mut gathered.events);
            heard.push(Heard { source: source.clone(), events, refused: std::mem::take(refused) });
        }
        heard
    }

    /// When something may be acted on next; none while nothing was heard.
    pub fn next(&self) -> Option<Instant> {
        self.state().sources.values().filter_map(Gathered::due).min()
    }

    /// Waits until something is heard of a source of which nothing was waiting.
    pub async fn rang(&self) {
        self.0.rang.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Instant {
        Instant::from_s(1_800_000_000 + s)
    }

    #[test]
    fn a_flood_is_gathered_and_refusals_are_counted_once() {
        let (board, rule) = (Board::default(), "branch_protection_rule".parse::<Code>().unwrap());
        board.refuse();
        assert!(board.take(at(0)).is_empty(), "who is only refused is not acted on");
        board.hear("github", &rule);
        let heard = board.take(at(0));
        assert_eq!(heard.len(), 1);
        assert_eq!((heard[0].events[&rule], heard[0].refused), (1, 1));
        for _ in 0..1000 {
            board.hear("github", &rule);
        }
        assert_eq!(board.next(), Some(at(60)));
        assert!((1..60).all(|s| board.take(at(s)).is_empty()));
        let heard = board.take(at(60));
        assert_eq!((heard[0].events[&rule], heard[0].refused), (1000, 0));
        assert_eq!(board.next(), None);
        board.hear("github", &rule);
        board.hear("other", &rule);
        let sources: Vec<_> = board.take(at(61)).into_iter().map(|heard| heard.source).collect();
        assert_eq!(sources, ["other"], "each source has a minute of its own");
    }
}
