//! Every policy that a run feeds, asked: the verdict's list and the new columns.
//!
//! What changed is not worked out here: the ledger says it, to the agent as to everybody else.

use std::{collections::BTreeMap, iter};

use observance_judge::{Freshness, Joined, Judged as Case, Memo, Population as Rows, judge as judge_rows};
use observance_record::{
    entry::{Input, Judged, PolicyVerdict, Population},
    ledger::Ledger,
    merkle::empty_root,
    pack::{Artefact, Media, Role},
    population::Membership,
    results, table,
    verdict::State,
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
}

/// A run, and what the log knew before it.
struct Looking<'a> {
    sealed: &'a SealedRun<'a>,
    ledger: &'a Ledger,
    /// The rows of populations that other runs saw, as far as policies of this run read them.
    beside: BTreeMap<&'a str, table::Rows>,
}

/// Asks every policy that judges a population of the run.
pub(super) fn ask(setup: &Setup, ledger: &Ledger, sealed: &SealedRun<'_>, memo: &mut Memo) -> Said {
    let own = |name: &str| sealed.run.populations.iter().position(|population| population.name == name);
    let asked = || setup.policies.values().filter(|judge| own(&judge.policy.meta().population).is_some());
    let mut looking = Looking { sealed, ledger, beside: BTreeMap::new() };
    for name in asked().flat_map(|judge| &judge.policy.meta().joined).filter(|name| own(name).is_none()) {
        if let Some(beside) = ledger.last_seen(name, sealed.run.as_of) {
            looking.beside.entry(name).or_insert_with(|| beside.table.to_rows());
        }
    }
    let mut said = Said::default();
    for judge in asked() {
        let at = own(&judge.policy.meta().population);
        let seen = at.and_then(|at| Some((sealed.run.populations.get(at)?, *sealed.rows.get(at)?)));
        if let Some(seen) = seen {
            one(&looking, judge, seen, memo, &mut said);
        }
    }
    said
}

fn one(
    looking: &Looking<'_>,
    judge: &Judge,
    (population, rows): (&Population, &table::Rows),
    memo: &mut Memo,
    said: &mut Said,
) {
    let (ledger, run) = (looking.ledger, &looking.sealed.run);
    let unseen = rows.is_empty() && population.membership != Membership::Complete;
    let (results, why) = if unseen {
        (BTreeMap::new(), blind_codes(population))
    } else {
        let case = Case {
            population: Rows { name: &population.name, membership: population.membership, rows },
            joined: &looking.joined(judge),
            absent: &ledger.unyielded(&judge.policy.meta().optional),
            params: &judge.params,
            as_of: run.as_of,
        };
        let judged = judge_rows(&judge.policy, &case, memo);
        (judged.results().iter().cloned().collect(), judged.why().clone())
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
        inputs: iter::once(Input { run: None, name: population.name.clone(), root: population.table.root })
            .chain(state.map(|state| ledger.inputs_beside(&state.body, run)).unwrap_or_default())
            .collect(),
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
    said.list.push(verdict);
}

impl Looking<'_> {
    fn joined(&self, judge: &Judge) -> Vec<Joined<'_>> {
        let own = |name: &String| {
            let mut seen = self.sealed.run.populations.iter().zip(&self.sealed.rows);
            let (population, rows) = seen.find(|(population, _)| population.name == *name)?;
            Some(Joined {
                population: Rows { name: &population.name, membership: population.membership, rows },
                root: population.table.root,
                freshness: Freshness::Fresh,
            })
        };
        let other = |name: &String| {
            let beside = self.ledger.last_seen(name, self.sealed.run.as_of)?;
            Some(Joined::of(&beside, self.beside.get(name.as_str())?))
        };
        judge.policy.meta().joined.iter().filter_map(|name| own(name).or_else(|| other(name))).collect()
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
