//! A period as the log shows it: slots, and how the items of every policy operated. A pure function of the log's prefix.
//!
//! It says what was observed, deviated, unknown, missed; it gives no score and draws no conclusion.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::Serialize;

use crate::{
    digest::Item,
    effect::{Deviation, Effect, EventSeen, Evidence, PolicyPeriod, exposure},
    ledger::{Answer, Ledger, PolicyState},
    time::Instant,
    verdict::State,
};

/// A period, as known at an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodView {
    /// Its name.
    pub id: String,
    /// `[from, to)`.
    pub from: Instant,
    /// See `from`.
    pub to: Instant,
    /// The size of the log that is known: every number holds as of it.
    pub known_at: u64,
    /// Up to when the log speaks, at most `to`.
    pub until: Instant,
    /// Slots in the period.
    pub slots: Slots,
    /// One for each policy that judged anything, by id.
    pub policies: Vec<PolicyView>,
    /// Policies in force that never judged anything, by id.
    pub never_judged: Vec<String>,
    /// What people call the items that are named above.
    pub names: BTreeMap<Item, String>,
}

/// Slots due in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Slots {
    /// Promised.
    pub due: u64,
    /// Of these: a run answers.
    pub ran: u64,
    /// Of these: a gap answers.
    pub missed: u64,
    /// Of these: nothing answers, and their time has passed.
    pub unanswered: u64,
}

/// One policy in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyView {
    /// The policy.
    pub policy: String,
    /// The controls that it tests, its own first.
    pub controls: Vec<String>,
    /// Type of the items.
    pub unit: String,
    /// How they operated.
    pub period: PolicyPeriod,
    /// What happened through the hole, for each deviation of `period`, in its order.
    pub exposures: Vec<Exposed>,
}

/// Events of a deviating item while it deviated, by state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Exposed {
    /// While it failed for certain.
    pub certainly: BTreeMap<State, u64>,
    /// While it may have failed, and not for certain.
    pub possibly: BTreeMap<State, u64>,
}

impl Exposed {
    /// All events, certain and possible.
    pub fn n(&self) -> u64 {
        self.certainly.values().chain(self.possibly.values()).copied().fold(0, u64::saturating_add)
    }

    /// How many of them have this state.
    pub fn in_state(&self, state: State) -> u64 {
        let count = |map: &BTreeMap<State, u64>| map.get(&state).copied().unwrap_or(0);
        count(&self.certainly).saturating_add(count(&self.possibly))
    }
}

impl PeriodView {
    /// The period `[from, to)` as the ledger knows it.
    pub fn new(ledger: &Ledger, id: &str, from: Instant, to: Instant) -> Self {
        let now = ledger.t().unwrap_or(from);
        let states = || ledger.policies().values().filter(|state| state.effect.evidence().is_some());
        let policies: Vec<PolicyView> =
            states().map(|state| policy(ledger, state, (from, to), now)).collect();
        let deviating = policies.iter().flat_map(|p| p.period.deviations.iter().map(|d| d.item));
        let seen = policies.iter().flat_map(|p| p.period.events.iter().flat_map(|e| [Some(e.item), e.of]));
        let named = deviating.chain(seen.flatten()).filter_map(|item| Some((item, name(ledger, &item)?)));
        let names = named.collect();
        let (id, until) = (id.to_owned(), now.min(to));
        let silent = ledger.policies().values().filter(|state| state.effect.evidence().is_none());
        let never_judged = silent.filter(|state| !state.body.removed).map(|state| state.body.id.clone());
        let never_judged = never_judged.collect();
        Self {
            id,
            from,
            to,
            known_at: ledger.size(),
            until,
            slots: slots(ledger, from, to, now),
            policies,
            never_judged,
            names,
        }
    }

    /// The policies, the worst first: by what deviated, then by what is unknown, by blind time and by gaps.
    pub fn worst_first(&self) -> Vec<&PolicyView> {
        let mut sorted: Vec<&PolicyView> = self.policies.iter().collect();
        sorted.sort_by_key(|policy| {
            let period = &policy.period;
            let unknown = (period.edge_items, period.unknown_items, period.part_unknown_ms);
            Reverse((period.deviated_items, period.occasions, unknown, period.gap_ms, period.gap_slots))
        });
        sorted
    }

    /// What people call an item; its pseudonym if nothing better is known.
    pub fn name(&self, item: &Item) -> String {
        self.names.get(item).cloned().unwrap_or_else(|| item.to_string())
    }
}

fn name(ledger: &Ledger, item: &Item) -> Option<String> {
    ledger.facts(item)?.name.clone()
}

fn slots(ledger: &Ledger, from: Instant, to: Instant, now: Instant) -> Slots {
    let mut slots = Slots::default();
    for answers in ledger.promises().answered().values() {
        for (_, answer) in answers.range(from..to) {
            match answer {
                Answer::Run(_) => slots.ran = slots.ran.saturating_add(1),
                Answer::Gap(_) => slots.missed = slots.missed.saturating_add(1),
            }
        }
    }
    let unanswered = ledger.promises().unanswered(now.min(to)).filter(|(_, due)| *due >= from).count();
    slots.unanswered = u64::try_from(unanswered).unwrap_or(u64::MAX);
    slots.due = slots.ran.saturating_add(slots.missed).saturating_add(slots.unanswered);
    slots
}

fn policy(ledger: &Ledger, state: &PolicyState, (from, to): (Instant, Instant), now: Instant) -> PolicyView {
    let period = state.effect.period(from, to, now);
    let exposures = period.deviations.iter().map(|deviation| exposed(ledger, deviation)).collect();
    PolicyView {
        policy: state.body.id.clone(),
        controls: state.body.controls.clone(),
        unit: unit(ledger, state),
        period,
        exposures,
    }
}

fn unit(ledger: &Ledger, state: &PolicyState) -> String {
    let populations = ledger.runs().values().flat_map(|last| &last.run.populations);
    let judged = state.body.populations.first();
    let mut of = populations.filter(|population| Some(&population.name) == judged);
    of.next().map_or_else(|| "item".to_owned(), |population| population.item_type.clone())
}

/// Every policy on events is asked which of them happened to the item meanwhile, and what it says of them.
fn exposed(ledger: &Ledger, deviation: &Deviation) -> Exposed {
    let mut exposed = Exposed::default();
    for state in ledger.policies().values().filter(|state| is_on_events(&state.effect)) {
        let found = exposure(deviation, &state.effect);
        for (items, counts) in
            [(&found.certainly, &mut exposed.certainly), (&found.possibly, &mut exposed.possibly)]
        {
            for item in items {
                let count = counts.entry(state_of(&state.effect, item)).or_insert(0_u64);
                *count = count.saturating_add(1);
            }
        }
    }
    exposed
}

fn is_on_events(effect: &Effect) -> bool {
    effect.evidence() == Some(Evidence::Event)
}

fn state_of(effect: &Effect, item: &Item) -> State {
    effect.event_state(item).unwrap_or(State::Unknown)
}

/// Failed events first, then unknown ones; each in the order of time.
pub fn worst_first(events: &[EventSeen]) -> Vec<&EventSeen> {
    let mut sorted: Vec<&EventSeen> = events.iter().collect();
    sorted.sort_by_key(|event| (event.state != State::Failed, event.at, event.item));
    sorted
}
