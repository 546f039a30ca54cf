//! Effectiveness: from what single looks, windows and events said, how one policy operated over time, item by item.
//!
//! One [`Effect`] holds one policy. It is fed in log order, each verdict once, and may be asked at any time; it is a
//! pure function of what it was fed, so a view of a log prefix is "as known at" that prefix. It decides nothing about
//! exceptions, owners or alerts, gives no score, and never combines items into one figure of hours.
//!
//! # The rules, and why
//!
//! 1. **Between two looks nothing is known.** If both saw the same state, it is taken to have held between them, for
//!    `max_gap` after the earlier look at most: that is interpolation, and what lies beyond is shown as gap. If they
//!    differ, the change lies in `(earlier, later]`. To print one number of hours would be false precision.
//! 2. **Least and most.** A deviation first seen at t2 (last look not failed: t1), last seen at t3 (first look not
//!    failed again: t4) lasted at least t3 - t2, without what rule 1 calls gap, and at most t4 - t1.
//! 3. **Unknown is evidence of neither.** An item that is unknown at a look, and every item at a blind look, is
//!    bridged: failed, unknown, failed is one occasion; passed, unknown, failed began after the pass. So what was not
//!    seen widens `most`, never `least`, and time is counted as unknown once the evidence before it is older than
//!    `max_gap`. Nobody can end a deviation by hiding it.
//! 4. **A window's result speaks about the whole window, exactly**: least is most. Failed windows that touch are one
//!    occasion. **An event has an instant and no duration**; a later judgement of it, or of a window, supersedes.
//! 5. **An item lives from its first to its last observation in scope**, and is in the denominator of every period
//!    that this touches. It left in (last seen, first absent], and only a whole population can show that: absence
//!    from a part says nothing, and the item is unknown at that look. What nothing has shown gone stays in the
//!    denominator. To archive a repository in June does not erase its March; `not_applicable` ends a deviation as a
//!    pass does, and erases none either.
//! 6. **What is bad at first sight is the baseline, not drift**: a deviation is baseline if its item was never passed,
//!    failed or not due before. Its begin is not known; `most` begins where the item's life can have begun: after the
//!    last whole look without it, else at its first sight.
//! 7. **Drift is failed after passed, or passed after failed**, item by item, so that no failure hides behind another.
//!    What is neither lies between without being drift, and so does absence: who leaves the scope and comes back
//!    failing has drifted since his last pass. Two more failures are news that would otherwise be silent, and are told
//!    with `from` = not due: an obligation whose limit ran out, and a failed event, which has no before.
//! 8. **Nothing drops out at a period's edge.** Deviations are clipped to the period. One that may have reached into
//!    it, between two looks, but was not seen in it, is listed, and its item is counted apart (`edge_items`): neither
//!    met nor deviated, even if it was last seen before the period or first seen after. So the parts of a divided
//!    period add up to the whole.
//! 9. **Hours are not the measure.** Counts are items and occasions; [`exposure`] names the events that happened to an
//!    item while it deviated.
//! 10. **A change event is a reason to look, and proves nothing.** It narrows an interval by the look that it brings;
//!     begin and end of a deviation say which kind of look they rest on ([`Known`]), and stay bounds of looks.

mod events;
mod looks;
mod period;
#[cfg(test)]
mod tests;
mod trail;
mod windows;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use serde::Serialize;

pub use self::{
    events::Event,
    period::{Bounds, Deviation, EventSeen, Known, PolicyPeriod},
};
use self::{
    events::Events,
    looks::{Looks, Sees},
    trail::{Sight, Trail},
    windows::Windows,
};
use crate::{
    digest::Item,
    interval::Span,
    population::Membership,
    time::Instant,
    verdict::{ItemResult, State},
};

/// What a result speaks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The state at one instant.
    Look,
    /// A whole window.
    Window,
    /// One event.
    Event,
}

/// A change of an item's state that is drift (rule 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The item.
    pub item: Item,
    /// The state before: passed or failed; `NotDue` for a matured obligation and for a failed event.
    pub from: State,
    /// The state now: passed or failed.
    pub to: State,
    /// The last instant at which the old state was seen; of an event, its own instant.
    pub observed_from: Instant,
    /// The instant at which the new state was seen first: the look, the window's end; of an event, its judgement.
    pub observed_to: Instant,
    /// What it rests on.
    pub evidence: Evidence,
}

/// Everything that one policy said, as intervals: memory grows with changes, not with looks.
///
/// A policy has one kind of evidence. Once windows or events were fed, looks are not counted any more; blind looks
/// before them then show as gap, since windows can still be read later.
#[derive(Debug, Clone, Default)]
pub struct Effect {
    looks: Looks,
    trails: BTreeMap<Item, Trail>,
    windows: Windows,
    events: Events,
    /// Due instants that no run answered, sorted.
    gaps: Vec<Instant>,
    /// Verdicts on looks that were made because the source said that something changed.
    prompted: BTreeSet<u64>,
    /// Every result once.
    results: HashSet<Arc<ItemResult>>,
}

impl Effect {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// A look at the states of a population at `as_of`, judged by the verdict `seq`, with its full results. What it
    /// saw holds for `max_gap_ms` at most. Gives the drift that it shows, by item.
    pub fn look<'a>(
        &mut self,
        as_of: Instant,
        seq: u64,
        membership: Membership,
        max_gap_ms: i64,
        results: impl IntoIterator<Item = (&'a Item, &'a ItemResult)>,
    ) -> Vec<Transition> {
        let results = self.intern(results);
        let sees = Sees::new(membership, !results.is_empty());
        let look = self.looks.push(as_of, sees, max_gap_ms);
        let mut transitions = Vec::new();
        for (item, result) in results {
            let trail = self.trails.entry(item).or_default();
            trail.told = look;
            transitions.extend(trail.see((item, &self.looks), (look, seq), Sight::Listed(result)));
        }
        let absent = if sees.whole() { Sight::Gone } else { Sight::Unlisted };
        for (item, trail) in
            self.trails.iter_mut().filter(|(_, trail)| trail.told != look && !trail.is_gone())
        {
            transitions.extend(trail.see((*item, &self.looks), (look, seq), absent.clone()));
        }
        transitions
    }

    /// The look of the verdict `seq` was made because the source said that something changed: what begins or ends with
    /// it is known from a change event (rule 10).
    pub fn prompt(&mut self, seq: u64) {
        self.prompted.insert(seq);
    }

    /// A look that saw exactly what the last look that saw anything saw: the same items, results and membership.
    /// Costs nothing, and can show no drift. If nothing was ever seen, it saw nothing either.
    pub fn same(&mut self, as_of: Instant) {
        let (sees, max_gap_ms) = self.looks.newest_seen().unwrap_or((Sees::Nothing, 0));
        self.looks.push(as_of, sees, max_gap_ms);
    }

    /// A look that saw nothing: the run failed, the population was absent, or the policy could not run. Its time is
    /// unknown, not gap, for `max_gap_ms` at most.
    pub fn blind(&mut self, as_of: Instant, max_gap_ms: i64) {
        self.looks.push(as_of, Sees::Nothing, max_gap_ms);
    }

    /// A slot that no run answered; in any order.
    pub fn gap(&mut self, due: Instant) {
        let place = self.gaps.partition_point(|other| *other < due);
        if self.gaps.get(place) != Some(&due) {
            self.gaps.insert(place, due);
        }
    }

    /// The window `[from, to)` was read, judged by the verdict `seq`. For a population of events, the window is fed
    /// without results, `Complete` or not: it tells unknown time from gap. Gives the drift that it shows, by item.
    pub fn window<'a>(
        &mut self,
        from: Instant,
        to: Instant,
        seq: u64,
        membership: Membership,
        results: impl IntoIterator<Item = (&'a Item, &'a ItemResult)>,
    ) -> Vec<Transition> {
        let results = self.intern(results);
        self.windows.read((Span::new(from, to), seq), membership, results)
    }

    /// An event, judged at `now` by the verdict `seq`.
    pub fn event(&mut self, now: Instant, seq: u64, event: Event, result: &ItemResult) -> Option<Transition> {
        let result = intern(&mut self.results, result);
        self.events.judge((now, seq), event, result)
    }

    /// What was said of an event last; `None` if it was never judged.
    pub fn event_state(&self, item: &Item) -> Option<State> {
        self.events.state(item)
    }

    /// What the policy's evidence speaks about; `None` while there is none. A policy on events of which none has
    /// happened yet says `Window`: only its windows are known.
    pub fn evidence(&self) -> Option<Evidence> {
        if !self.events.is_empty() {
            Some(Evidence::Event)
        } else if !self.windows.read.is_empty() {
            Some(Evidence::Window)
        } else if self.looks.newest_seen().is_some() {
            Some(Evidence::Look)
        } else {
            None
        }
    }

    fn intern<'a>(
        &mut self,
        results: impl IntoIterator<Item = (&'a Item, &'a ItemResult)>,
    ) -> BTreeMap<Item, Arc<ItemResult>> {
        results.into_iter().map(|(item, result)| (*item, intern(&mut self.results, result))).collect()
    }
}

/// The events that happened to a deviating item: what passed through the hole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Exposure {
    /// While it failed for certain.
    pub certainly: Vec<Item>,
    /// While it may have failed, and not for certain.
    pub possibly: Vec<Item>,
}

/// The events of `events` that happened to the deviation's item, whatever their state, by instant. Both intervals are
/// half-open, and clipped to the period that the deviation was asked for.
pub fn exposure(deviation: &Deviation, events: &Effect) -> Exposure {
    let within = events.events.within(deviation.most).map(|judged| judged.event);
    let of_item = within.filter(|event| event.of == Some(deviation.item));
    let (certainly, possibly): (Vec<Event>, Vec<Event>) =
        of_item.partition(|event| deviation.least.contains(event.at));
    let items = |events: Vec<Event>| events.into_iter().map(|event| event.item).collect();
    Exposure { certainly: items(certainly), possibly: items(possibly) }
}

/// The one copy of a result.
fn intern(results: &mut HashSet<Arc<ItemResult>>, result: &ItemResult) -> Arc<ItemResult> {
    if let Some(known) = results.get(result) {
        return Arc::clone(known);
    }
    let new = Arc::new(result.clone());
    results.insert(Arc::clone(&new));
    new
}
