//! What was said of events: each is judged once, and a later judgement supersedes.
//!
//! Nothing lies between events: they have an instant and no duration.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Evidence, Transition};
use crate::{
    digest::Item,
    interval::Span,
    time::Instant,
    verdict::{ItemResult, State},
};

/// An event: what happened, when, and to which item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub item: Item,
    /// When it happened.
    pub at: Instant,
    /// The item that it happened to, if its row came from a fan-out.
    pub of: Option<Item>,
}

/// What was said of an event last.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) event: Event,
    pub(super) result: Arc<ItemResult>,
    pub(super) seq: u64,
    /// The last of passed and failed that was said, bridging what is neither.
    decided: Option<State>,
}

/// All events, by item and by instant.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    items: BTreeMap<Item, Judged>,
    by_time: BTreeSet<(Instant, Item)>,
}

impl Events {
    /// An event was judged at `now`.
    pub(super) fn judge(
        &mut self,
        (now, seq): (Instant, u64),
        event: Event,
        result: Arc<ItemResult>,
    ) -> Option<Transition> {
        let old = self.items.get(&event.item);
        if let Some(old) = old {
            self.by_time.remove(&(old.event.at, event.item));
        }
        self.by_time.insert((event.at, event.item));
        let (before, to) = (old.and_then(|old| old.decided), result.state());
        let decided = if matches!(to, State::Passed | State::Failed) { Some(to) } else { before };
        self.items.insert(event.item, Judged { event, result, seq, decided });
        let from = match (before, to) {
            (None, State::Failed) => State::NotDue,
            (Some(State::Passed), State::Failed) => State::Passed,
            (Some(State::Failed), State::Passed) => State::Failed,
            _ => return None,
        };
        let (item, observed_from) = (event.item, event.at);
        Some(Transition { item, from, to, observed_from, observed_to: now, evidence: Evidence::Event })
    }

    /// What was said of an event last.
    pub(super) fn state(&self, item: &Item) -> Option<State> {
        self.items.get(item).map(|judged| judged.result.state())
    }

    /// The events of an interval, by instant, then by item.
    pub(super) fn within(&self, span: Span) -> impl Iterator<Item = &Judged> {
        let first = Item::from_bytes([0; 16]);
        let range = self.by_time.range((span.from(), first)..(span.to(), first));
        range.filter_map(|(_, item)| self.items.get(item))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
