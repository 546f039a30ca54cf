//! Every policy that a run feeds, asked: the verdict's list and the new columns.
//!
//! What changed is not worked out here: the ledger says it, to the agent as to everybody else.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::{Judged as Case, Memo, Population as Rows, judge};
use observance_record::{
    Instant, Item,
    entry::{Input, Judged, PolicyVerdict, Population},
    ledger::Ledger,
    merkle::empty_root,
    pack::{Artefact, Media, Role},
    population::Membership,
    results, table,
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
}

/// Asks every policy that judges a population of the run.
pub(super) fn ask(setup: &Setup, ledger: &Ledger, sealed: &SealedRun<'_>, memo: &mut Memo) -> Said {
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
    (population, rows, as_of): (&Population, &table::Rows, Instant),
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
    said.list.push(verdict);
}

fn results_of(
    judge_: &Judge,
    population: &Population,
    rows: &table::Rows,
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

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
