//! Verdicts folded: each policy's newest column, checked against the population that it judged.
//!
//! It never asks whether a verdict is right: that is replay.

use std::{collections::BTreeMap, sync::Arc};

use super::{Artefacts, Ledger, LedgerFault, Table};
use crate::{
    digest::{Item, Root},
    effect::{Effect, Event},
    entry::{self, Judged, PolicyVerdict, Population, Run, Verdict},
    merkle::empty_root,
    population::Membership,
    results,
    slots::Due,
    time::Instant,
    verdict::{ItemResult, State},
};

/// A policy that is or was in force.
#[derive(Debug)]
pub struct PolicyState {
    /// Its newest entry.
    pub body: entry::Policy,
    /// What it said last of every row.
    pub column: Option<Column>,
    /// The last instant at which it said so.
    pub looked: Option<Instant>,
    /// Items whose newest state is neither passed nor failed: the last that was, and the last instant it was seen.
    solid: BTreeMap<Item, (State, Instant)>,
    /// Nothing was judged, or not a whole population, since this instant.
    pub blind_since: Option<Instant>,
    /// How the policy's items operated, look by look.
    pub effect: Effect,
    /// What the last look that saw anything rested on: while it stays, an equal root is the same look again.
    seen: Option<(Root, Membership, i64)>,
}

/// An item's state changed between two looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The item.
    pub item: Item,
    /// Passed or failed; `not_due` for an event, which has no before.
    pub from: State,
    /// Passed or failed.
    pub to: State,
    /// The last instant at which the old state was seen; when an event happened.
    pub observed_from: Instant,
}

impl PolicyState {
    /// The last passed or failed state of an item and the last instant at which it was seen.
    pub fn last_seen(&self, item: &Item) -> Option<(State, Instant)> {
        let newest = self.column.as_ref().and_then(|column| column.results.get(item)).map(ItemResult::state);
        match (newest, self.looked) {
            (Some(state @ (State::Passed | State::Failed)), Some(at)) => Some((state, at)),
            _ => self.solid.get(item).copied(),
        }
    }

    /// What a new column changes: only from passed to failed and back, whatever was unknown in between; what is bad at
    /// first sight is the baseline, not drift. `event` gives the instant of items that are events: these have no before,
    /// so that each failed one is told once.
    pub fn transitions<'a>(
        &'a self,
        results: &'a BTreeMap<Item, ItemResult>,
        event: impl Fn(&Item) -> Option<Instant> + 'a,
    ) -> impl Iterator<Item = Transition> + 'a {
        results.iter().filter_map(move |(item, result)| {
            let to = result.state();
            if !matches!(to, State::Passed | State::Failed) {
                return None;
            }
            match (self.last_seen(item), event(item)) {
                (Some((from, observed_from)), _) if from != to => {
                    Some(Transition { item: *item, from, to, observed_from })
                }
                (None, Some(at)) if to == State::Failed => {
                    Some(Transition { item: *item, from: State::NotDue, to, observed_from: at })
                }
                _ => None,
            }
        })
    }

    fn look_at(
        &mut self,
        seq: u64,
        at: Instant,
        (membership, max_gap_ms): (Membership, i64),
        column: &Column,
    ) {
        let seen = (column.root, membership, max_gap_ms);
        if self.seen == Some(seen) {
            self.effect.same(at);
        } else {
            drop(self.effect.look(at, seq, membership, max_gap_ms, column.results.iter()));
            self.seen = Some(seen);
        }
    }

    fn look(&mut self, column: Column, at: Instant) {
        // while a column is repeated it says itself what was seen last
        let before = self.column.take().filter(|before| before.seq != column.seq);
        if let (Some(before), Some(looked)) = (before, self.looked) {
            let was = |(item, result): (&Item, &ItemResult)| match result.state() {
                state @ (State::Passed | State::Failed) => Some((*item, (state, looked))),
                State::Unknown | State::NotApplicable | State::NotDue => None,
            };
            self.solid.extend(before.results.iter().filter_map(was));
        }
        self.column = Some(column);
        self.looked = Some(at);
    }
}

/// What a policy said of every row of a population.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The verdict that stored it.
    pub seq: u64,
    /// Its root.
    pub root: Root,
    /// The results, by item: in the population's order. Shared by all verdicts that repeat them.
    pub results: Arc<BTreeMap<Item, ItemResult>>,
}

impl Column {
    /// How many items it has in another state than these results have them.
    pub fn flips(&self, root: Root, results: &BTreeMap<Item, ItemResult>) -> u64 {
        let differs = |(item, result): (&Item, &ItemResult)| {
            self.results.get(item).is_some_and(|old| old.state() != result.state())
        };
        if self.root == root {
            return 0;
        }
        u64::try_from(results.iter().filter(|it| differs(*it)).count()).unwrap_or(u64::MAX)
    }
}

impl Ledger {
    pub(super) fn policy(&mut self, body: &entry::Policy) {
        if let Some(state) = self.policies.get_mut(&body.id) {
            state.body = body.clone();
            return;
        }
        let state = PolicyState {
            body: body.clone(),
            column: None,
            looked: None,
            solid: BTreeMap::new(),
            blind_since: None,
            effect: Effect::new(),
            seen: None,
        };
        self.policies.insert(body.id.clone(), state);
    }

    pub(super) fn verdict(
        &mut self,
        seq: u64,
        verdict: &Verdict,
        artefacts: &dyn Artefacts,
    ) -> Result<(), LedgerFault> {
        let found = self.runs.iter().find(|(_, last)| last.seq == verdict.run);
        let (collector, last) =
            found.ok_or(LedgerFault::Other("a verdict on a run that is not its collector's newest"))?;
        if last.run.as_of != verdict.now {
            return Err(LedgerFault::Other("a verdict at another instant than its run's"));
        }
        let (collector, run) = (collector.clone(), last.run.clone());
        let list = match (&verdict.list, verdict.same, &last.list) {
            (Some(list), None, _) => list.clone(),
            (None, Some(same), Some((stored, list))) if same == *stored => {
                list.iter().map(|policy| policy.repeated(same)).collect()
            }
            _ => return Err(LedgerFault::Other("a verdict with neither a list nor one that it repeats")),
        };
        for (which, policy) in (0_u16..).zip(&list) {
            self.policy_verdict(seq, (&collector, &run, verdict.run), (which, policy), artefacts)
                .map_err(|what| LedgerFault::Verdict { policy: policy.policy.clone(), what })?;
        }
        if let (Some(list), Some(last)) = (&verdict.list, self.runs.get_mut(&collector)) {
            last.list = Some((seq, list.clone()));
        }
        Ok(())
    }

    fn policy_verdict(
        &mut self,
        seq: u64,
        (collector, run, run_seq): (&str, &Run, u64),
        (which, said): (u16, &PolicyVerdict),
        artefacts: &dyn Artefacts,
    ) -> Result<(), String> {
        let state = self.policies.get(&said.policy).filter(|state| !state.body.removed);
        let state = state.ok_or("is not in force")?;
        if (state.body.digest, state.body.params) != (said.digest, said.params) {
            return Err("is in force with another digest or other parameters".to_owned());
        }
        if said.judged == Judged::None {
            if said.n > 0 || said.root != empty_root() || said.results.is_some() {
                return Err("did not run, and yet has results".to_owned());
            }
            self.see_nothing(seq, collector, run, said);
            return Ok(());
        }
        let table = self.judged_table(collector, run, run_seq, said)?;
        let column = match (said.results, &state.column) {
            (Some(stored), Some(column)) if column.seq == stored && column.root == said.root => {
                column.clone()
            }
            (Some(_), _) => return Err("repeats a column that is not its newest".to_owned()),
            (None, _) => {
                let results = results::decode(&artefacts.column(run_seq, which, &said.policy)?)
                    .map_err(|e| e.to_string())?;
                column_of(seq, table, results)?
            }
        };
        check_counts(said, &column)?;
        let flips = state.column.as_ref().map_or(0, |before| before.flips(column.root, &column.results));
        if flips != said.flips {
            return Err(format!("says that {} items flipped; {flips} did", said.flips));
        }
        self.operate(seq, collector, run, said, column);
        Ok(())
    }

    /// A run that saw nothing of the population: blind at that instant, or for its whole window.
    fn see_nothing(&mut self, seq: u64, collector: &str, run: &Run, said: &PolicyVerdict) {
        let max_gap_ms = self.max_gap_ms(collector);
        let window = judged(run, said).and_then(|population| population.window);
        let Some(state) = self.policies.get_mut(&said.policy) else { return };
        state.blind_since.get_or_insert(run.as_of);
        match window {
            Some((from, to)) => drop(state.effect.window(from, to, seq, Membership::Unknown, [])),
            None => state.effect.blind(run.as_of, max_gap_ms),
        }
    }

    /// The policy's newest column becomes what it says, and a look, a window or events of its operation.
    fn operate(&mut self, seq: u64, collector: &str, run: &Run, said: &PolicyVerdict, column: Column) {
        let Some(population) = judged(run, said) else { return };
        let (membership, max_gap_ms) = (population.membership, self.max_gap_ms(collector));
        let facts = |item: &Item| self.facts.get(item).map(|facts| (facts.at, facts.of));
        let event = |item: &Item| facts(item).and_then(|(at, of)| Some(Event { item: *item, at: at?, of }));
        let windowed = population.window.map(|_| column.results.keys());
        let events: Vec<Event> = windowed.into_iter().flatten().filter_map(event).collect();
        let Some(state) = self.policies.get_mut(&said.policy) else { return };
        match population.window {
            None => state.look_at(seq, run.as_of, (membership, max_gap_ms), &column),
            Some((from, to)) if events.is_empty() => {
                drop(state.effect.window(from, to, seq, membership, column.results.iter()));
            }
            Some((from, to)) => {
                drop(state.effect.window(from, to, seq, membership, []));
                for event in events {
                    if let Some(result) = column.results.get(&event.item) {
                        state.effect.event(run.as_of, seq, event, result);
                    }
                }
            }
        }
        state.look(column, run.as_of);
        let whole = membership == Membership::Complete;
        state.blind_since = if whole { None } else { state.blind_since.or(Some(run.as_of)) };
    }

    /// Over what distance between two looks of a collector a state is taken to hold: as its schedule says.
    fn max_gap_ms(&self, collector: &str) -> i64 {
        let schedules = self.schedules.values().filter(|schedule| schedule.collector == collector);
        let max_gap_s = schedules.map(|schedule| schedule.max_gap_s).max().unwrap_or(0);
        i64::try_from(max_gap_s).unwrap_or(i64::MAX).saturating_mul(1000)
    }

    fn judged_table(
        &self,
        collector: &str,
        run: &Run,
        run_seq: u64,
        said: &PolicyVerdict,
    ) -> Result<&Table, String> {
        let input = said.inputs.first().ok_or("judged nothing")?;
        let seen = run.populations.iter().find(|population| population.name == input.name);
        let seen = seen.ok_or("judged a population that its run did not see")?;
        let table = self.table(collector, &input.name).filter(|table| table.seq == run_seq);
        let table = table.ok_or("judged a population that has no table")?;
        if input.run.is_some() || input.root != seen.table.root || seen.table.n != said.n {
            return Err("judged other rows than its run saw".to_owned());
        }
        Ok(table)
    }

    /// Slots that no run will answer are gaps in the operation of every policy that the collector feeds.
    pub(super) fn gap_of(&mut self, collector: &str, due: &Due) {
        let Some(yields) = self.collectors.get(collector).map(|collector| &collector.yields) else { return };
        for state in self.policies.values_mut() {
            if state.body.populations.first().is_some_and(|judged| yields.contains(judged)) {
                due.iter().for_each(|at| state.effect.gap(at));
            }
        }
    }
}

/// The population that a policy judged.
fn judged<'a>(run: &'a Run, said: &PolicyVerdict) -> Option<&'a Population> {
    let name = &said.inputs.first()?.name;
    run.populations.iter().find(|population| population.name == *name)
}

fn column_of(seq: u64, table: &Table, results: Vec<ItemResult>) -> Result<Column, String> {
    if results.len() != table.rows().len() {
        return Err(format!("has {} results for {} rows", results.len(), table.rows().len()));
    }
    let results: BTreeMap<Item, ItemResult> = table.rows().keys().copied().zip(results).collect();
    Ok(Column { seq, root: results::root(&results), results: Arc::new(results) })
}

fn check_counts(said: &PolicyVerdict, column: &Column) -> Result<(), String> {
    if column.root != said.root {
        return Err("its results do not lead to the root that the entry binds".to_owned());
    }
    let count = |state| column.results.values().filter(|result| result.state() == state).count();
    let stated = [
        (State::Passed, said.passed),
        (State::Failed, said.failed),
        (State::Unknown, said.unknown),
        (State::NotApplicable, said.not_applicable),
        (State::NotDue, said.not_due),
    ];
    for (state, n) in stated {
        let counted = count(state);
        if u64::try_from(counted) != Ok(n) {
            return Err(format!("counts {n} {state}; its results have {counted}"));
        }
    }
    Ok(())
}
