//! Verdicts folded: each policy's newest column, checked against the population that it judged.
//!
//! It never asks whether a verdict is right: that is replay.

use std::{collections::BTreeMap, sync::Arc};

use super::{Artefacts, Ledger, LedgerFault, Table};
use crate::{
    digest::{Item, Root},
    effect::{Effect, Event, Transition},
    entry::{self, Drift, Judged, PolicyVerdict, Population, Run, Verdict},
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
    /// Nothing was judged, or not a whole population, since this instant.
    pub blind_since: Option<Instant>,
    /// The last instant at which that was so.
    blind_last: Option<Instant>,
    /// How the policy's items operated, look by look.
    pub effect: Effect,
    /// What its newest verdict changed and no `drift` says yet.
    untold: Vec<Drift>,
    /// What the last look that saw anything rested on: while it stays, an equal root is the same look again.
    seen: Option<(Root, Membership, i64)>,
}

impl PolicyState {
    /// What its newest verdict changed and no `drift` says yet, as those entries have to say it.
    pub fn untold(&self) -> &[Drift] {
        &self.untold
    }

    fn look_at(
        &mut self,
        seq: u64,
        at: Instant,
        (membership, max_gap_ms): (Membership, i64),
        hook: Option<u64>,
        column: &Column,
    ) -> Vec<Transition> {
        let seen = (column.root, membership, max_gap_ms);
        if self.seen == Some(seen) {
            self.effect.same(at);
            return Vec::new();
        }
        self.seen = Some(seen);
        if hook.is_some() {
            self.effect.prompt(seq);
        }
        self.effect.look(at, seq, membership, max_gap_ms, column.results.iter())
    }

    /// Whether the population came out of sight with this verdict, or back into it whole: what the policy as a whole
    /// said before and says now, and when it last said so. What was never seen does not come out of sight.
    fn sight(
        &mut self,
        at: Instant,
        whole: bool,
        column: Option<&Column>,
    ) -> Option<(State, State, Instant)> {
        let rolled = |column: &Column| {
            let states = column.results.values().map(ItemResult::state);
            State::roll_up(states).unwrap_or_else(|| self.body.empty.state())
        };
        let change = match (whole, self.blind_since, self.looked) {
            (false, None, Some(looked)) => {
                let from = self.column.as_ref().map_or(State::Unknown, rolled);
                Some((from, State::Unknown, looked))
            }
            (true, Some(since), Some(_)) => {
                let to = column.map_or(State::Unknown, rolled);
                Some((State::Unknown, to, self.blind_last.unwrap_or(since)))
            }
            _ => None,
        };
        (self.blind_since, self.blind_last) =
            if whole { (None, None) } else { (self.blind_since.or(Some(at)), Some(at)) };
        change
    }

    /// Notes what has to be told of the verdict `seq` on a run at `at`, after its column is the newest.
    fn owe(
        &mut self,
        (seq, at): (u64, Instant),
        sight: Option<(State, State, Instant)>,
        transitions: Vec<Transition>,
    ) {
        let results = self.column.iter().flat_map(|column| column.results.values());
        let fails = results.filter(|result| result.state() == State::Failed).count();
        let control = self.body.controls.first().unwrap_or(&self.body.id);
        let drift = |item, (from, to), (observed_from, observed_to)| Drift {
            control: control.clone(),
            policy: self.body.id.clone(),
            item,
            from,
            to,
            observed_from,
            observed_to,
            verdict: seq,
            fails_n: u64::try_from(fails).unwrap_or(u64::MAX),
        };
        let sight = sight.map(|(from, to, since)| drift(None, (from, to), (since, at)));
        let items = transitions
            .into_iter()
            .map(|t| drift(Some(t.item), (t.from, t.to), (t.observed_from, t.observed_to)));
        self.untold = sight.into_iter().chain(items).collect();
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
            blind_since: None,
            blind_last: None,
            effect: Effect::new(),
            untold: Vec::new(),
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
        if let Some(untold) = state.untold.first() {
            return Err(format!("changed with verdict {}, and no drift says so", untold.verdict));
        }
        if said.inputs.get(1..).unwrap_or_default() != self.inputs_beside(&state.body, run) {
            return Err("was shown other populations than the newest runs saw".to_owned());
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
        let transitions = if let Some((from, to)) = window {
            state.effect.window(from, to, seq, Membership::Unknown, [])
        } else {
            state.effect.blind(run.as_of, max_gap_ms);
            Vec::new()
        };
        let sight = state.sight(run.as_of, false, None);
        state.owe((seq, run.as_of), sight, transitions);
    }

    /// The policy's newest column becomes what it says, and a look, a window or events of its operation.
    fn operate(&mut self, seq: u64, collector: &str, run: &Run, said: &PolicyVerdict, column: Column) {
        let Some(population) = judged(run, said) else { return };
        let (membership, max_gap_ms) = (population.membership, self.max_gap_ms(collector));
        let facts = |item: &Item| self.facts.get(item).map(|facts| (facts.at, facts.of));
        let event = |item: &Item| facts(item).and_then(|(at, of)| Some(Event { item: *item, at: at?, of }));
        let hook = self.runs.get(collector).and_then(|last| last.hook);
        let windowed = population.window.map(|_| column.results.keys());
        let events: Vec<Event> = windowed.into_iter().flatten().filter_map(event).collect();
        let Some(state) = self.policies.get_mut(&said.policy) else { return };
        let transitions = match population.window {
            None => state.look_at(seq, run.as_of, (membership, max_gap_ms), hook, &column),
            Some((from, to)) if events.is_empty() => {
                state.effect.window(from, to, seq, membership, column.results.iter())
            }
            Some((from, to)) => {
                let mut transitions = state.effect.window(from, to, seq, membership, []);
                let judged = |event: Event| Some((event, column.results.get(&event.item)?));
                for (event, result) in events.into_iter().filter_map(judged) {
                    transitions.extend(state.effect.event(run.as_of, seq, event, result));
                }
                transitions
            }
        };
        let sight = state.sight(run.as_of, membership == Membership::Complete, Some(&column));
        (state.column, state.looked) = (Some(column), Some(run.as_of));
        state.owe((seq, run.as_of), sight, transitions);
    }

    /// A drift says what the newest verdict of its policy changed, each change once.
    pub(super) fn drift(&mut self, seq: u64, drift: &Drift) -> Result<(), LedgerFault> {
        let fault = |what: &str| LedgerFault::Verdict { policy: drift.policy.clone(), what: what.to_owned() };
        let state = self.policies.get_mut(&drift.policy).ok_or_else(|| fault("was never in force"))?;
        let told = state.untold.iter().position(|untold| untold == drift);
        state.untold.remove(told.ok_or_else(|| fault("a drift that its newest verdict does not show"))?);
        self.drifts.insert(seq);
        Ok(())
    }

    /// What verdicts changed and no drift says yet, in the order of policies.
    pub fn untold(&self) -> impl Iterator<Item = &Drift> {
        self.policies.values().flat_map(|state| &state.untold)
    }

    /// Over what distance between two looks of a collector a state is taken to hold: as its schedule says.
    pub(super) fn max_gap_ms(&self, collector: &str) -> i64 {
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
