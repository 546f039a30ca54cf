//! Every policy that a run feeds, asked: the verdict's list, the new columns, and what changed.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::{Judged as Case, Memo, Population as Rows, judge};
use observance_record::{
    Instant, Item,
    entry::{Input, Judged, PolicyVerdict, Population},
    ledger::{Ledger, Transition},
    merkle::empty_root,
    pack::{Artefact, Media, Role},
    population::Membership,
    results,
    row::Reserved,
    verdict::{Code, ItemResult, State},
};

use super::{
    seal::{SealedRun, blind_codes},
    setup::{Judge, Setup},
};

/// What all policies said of one run.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// One for each policy, by id.
    pub list: Vec<PolicyVerdict>,
    /// Columns that differ from the ones before.
    pub artefacts: Vec<Artefact>,
    /// What changed, by policy.
    pub changes: Vec<Changed>,
}

/// What one policy's verdict changes.
#[derive(Debug)]
pub(super) struct Changed {
    /// The policy.
    pub policy: String,
    /// Its own control.
    pub control: String,
    /// Items that changed.
    pub transitions: Vec<Transition>,
    /// Whether the population could be seen, if that changed.
    pub sight: Option<Sight>,
    /// How many items fail now.
    pub fails_n: u64,
    /// What people call the items that changed.
    pub names: BTreeMap<Item, String>,
}

/// The population came out of sight, or back into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    /// Is it back?
    pub seen: bool,
    /// The roll-up before.
    pub from: State,
    /// The roll-up now; unknown when out of sight.
    pub to: State,
    /// The last instant at which it was as before.
    pub observed_from: Instant,
}

/// Asks every policy that judges a population of the run.
pub(super) fn ask(setup: &Setup, ledger: &Ledger, sealed: &SealedRun, memo: &mut Memo) -> Said {
    let mut said = Said::default();
    for judge in setup.policies.values() {
        let meta = judge.policy.meta();
        let seen = sealed.run.populations.iter().zip(&sealed.rows).find(|(p, _)| p.name == meta.population);
        let Some((population, rows)) = seen else { continue };
        one(judge, (population, rows, sealed.run.as_of), ledger, memo, &mut said);
    }
    said
}

fn one(
    judge: &Judge,
    (population, rows, as_of): (&Population, &BTreeMap<Item, Vec<u8>>, Instant),
    ledger: &Ledger,
    memo: &mut Memo,
    said: &mut Said,
) {
    let unseen = rows.is_empty() && population.membership != Membership::Complete;
    let mut why = blind_codes(population);
    let results = if unseen {
        BTreeMap::new()
    } else {
        let (judged, errors) = results_of(judge, population, rows, as_of, memo);
        why = errors;
        judged
    };
    let state = ledger.policies().get(&judge.policy.meta().id);
    let root = results::root(&results);
    let before = state.and_then(|state| state.column.as_ref());
    let kept = before.filter(|column| column.root == root && !unseen).map(|column| column.seq);
    let count = |state| count(results.values().filter(|result| result.state() == state).count());
    let verdict = PolicyVerdict {
        policy: judge.policy.meta().id.clone(),
        digest: judge.policy.digest(),
        params: judge.params.digest(),
        inputs: vec![Input { run: None, name: population.name.clone(), root: population.table.root }],
        judged: if unseen { Judged::None } else { Judged::All },
        why: why.into_iter().collect(),
        n: self::count(results.len()),
        passed: count(State::Passed),
        failed: count(State::Failed),
        unknown: count(State::Unknown),
        not_applicable: count(State::NotApplicable),
        not_due: count(State::NotDue),
        root: if unseen { empty_root() } else { root },
        results: kept,
        flips: if unseen { 0 } else { before.map_or(0, |column| column.flips(root, &results)) },
    };
    if kept.is_none() && !unseen {
        let which = u16::try_from(said.list.len()).unwrap_or(u16::MAX);
        let column = results::encode(results.values());
        said.artefacts.push(Artefact::new(Role::Results, Media::Bytes, column).numbered(which));
    }
    said.changes.push(changed(judge, (population, rows, as_of), ledger, &results, unseen));
    said.list.push(verdict);
}

fn results_of(
    judge_: &Judge,
    population: &Population,
    rows: &BTreeMap<Item, Vec<u8>>,
    as_of: Instant,
    memo: &mut Memo,
) -> (BTreeMap<Item, ItemResult>, BTreeSet<Code>) {
    let case = Case {
        population: Rows { name: &population.name, membership: population.membership, rows },
        joined: &[],
        params: &judge_.params,
        as_of,
    };
    let verdict = judge(&judge_.policy, &case, memo);
    (verdict.results().iter().cloned().collect(), verdict.why().clone())
}

fn changed(
    judge: &Judge,
    (population, rows, as_of): (&Population, &BTreeMap<Item, Vec<u8>>, Instant),
    ledger: &Ledger,
    results: &BTreeMap<Item, ItemResult>,
    unseen: bool,
) -> Changed {
    let meta = judge.policy.meta();
    let state = ledger.policies().get(&meta.id);
    let reserved = |item: &Item| rows.get(item).and_then(|row| Reserved::read(row).ok());
    let event = |item: &Item| population.window.and_then(|_| reserved(item)?.at);
    let transitions: Vec<Transition> =
        state.map(|state| state.transitions(results, event).collect()).unwrap_or_default();
    let names = transitions.iter().filter_map(|t| Some((t.item, reserved(&t.item)?.name?))).collect();
    let whole = !unseen && population.membership == Membership::Complete;
    let sight = state.and_then(|state| {
        let rolled = |column: &BTreeMap<Item, ItemResult>| {
            State::roll_up(column.values().map(ItemResult::state)).unwrap_or_else(|| meta.empty.state())
        };
        match (whole, state.blind_since, state.looked) {
            (false, None, Some(looked)) => {
                let from = state.column.as_ref().map_or(State::Unknown, |column| rolled(&column.results));
                Some(Sight { seen: false, from, to: State::Unknown, observed_from: looked })
            }
            (true, Some(_), Some(_)) => {
                Some(Sight { seen: true, from: State::Unknown, to: rolled(results), observed_from: as_of })
            }
            _ => None,
        }
    });
    let fails = results.values().filter(|result| result.state() == State::Failed).count();
    let control = meta.controls.first().unwrap_or(&meta.id).clone();
    Changed { policy: meta.id.clone(), control, transitions, sight, fails_n: count(fails), names }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
