//! Re-performance: every verdict judged again, from the rows and with the policies that the bundle carries.
//!
//! Results must come out bit for bit the same. What hit the judge's time limit when it was recorded cannot be repeated; it
//! is counted as not re-performed, never as equal.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::{Joined, Judged as Case, Memo, Params, Policy, Population as Rows, judge};
use observance_record::{
    Digest, Instant, Item, Root,
    entry::{self, Body, Entry, Judged, PolicyVerdict, Verdict},
    ledger::{LastRun, LastSeen, Ledger, Table},
    population::Membership,
    results,
    verdict::ItemResult,
};

use crate::{
    bag::Bag,
    bound,
    report::{Failure, Replayed},
};

/// Rows whose results are remembered while a bundle is replayed.
const MEMO_ROWS_MAX: usize = 200_000;
/// The code of a result that hit the time limit.
const TIMEOUT: &str = "judge.timeout";

/// Everything that a result depends on: equal inputs need be judged once only.
type Inputs = (Digest, Digest, Root, Membership, Option<Instant>, Beside);
/// What was shown beside the judged population, and what nobody was asked for.
type Beside = (Vec<(String, Root, Membership, bool)>, BTreeSet<String>);
/// Results by item.
type Results = BTreeMap<Item, ItemResult>;

/// Judges a bundle's verdicts again, one after the other.
pub(crate) struct Rejudge {
    policies: BTreeMap<(Digest, Digest), (Policy, Params)>,
    done: BTreeMap<Inputs, Root>,
    memo: Memo,
}

impl Default for Rejudge {
    fn default() -> Self {
        Self { policies: BTreeMap::new(), done: BTreeMap::new(), memo: Memo::new(MEMO_ROWS_MAX) }
    }
}

impl Rejudge {
    /// Judges what a verdict entry says again; `ledger` has just folded it.
    pub(crate) fn entry(
        &mut self,
        bag: &Bag<'_>,
        ledger: &Ledger,
        entry: &Entry,
        counts: &mut Replayed,
    ) -> Result<(), Failure> {
        let Body::Policy(body) = &entry.body else {
            let Body::Verdict(verdict) = &entry.body else { return Ok(()) };
            return self.verdict(ledger, entry.seq, verdict, counts);
        };
        if body.removed { Ok(()) } else { self.load(bag, body) }
    }

    fn load(&mut self, bag: &Bag<'_>, body: &entry::Policy) -> Result<(), Failure> {
        let refuse = |what: String| Failure::new("replay", format!("policy {}", body.id), what);
        let files = bound::policy_files(bag, body)?;
        let policy = Policy::load(&files).map_err(|faults| {
            refuse(faults.first().map_or_else(|| "does not load".to_owned(), ToString::to_string))
        })?;
        if policy.digest() != body.digest {
            return Err(refuse("does not have the digest that the log names".to_owned()));
        }
        let given = serde_json::from_slice(&bound::params(bag, body)?).map_err(|e| refuse(e.to_string()))?;
        let params = policy
            .params(&given)
            .map_err(|_faults| refuse("cannot be given the parameters that the log names".to_owned()))?;
        self.policies.insert((body.digest, body.params), (policy, params));
        Ok(())
    }

    fn verdict(
        &mut self,
        ledger: &Ledger,
        seq: u64,
        verdict: &Verdict,
        counts: &mut Replayed,
    ) -> Result<(), Failure> {
        let found = ledger.runs().iter().find(|(_, last)| last.seq == verdict.run);
        let Some((collector, last)) = found else { return Ok(()) };
        let list = last.list.as_ref().map(|(_, list)| list.as_slice()).unwrap_or_default();
        for said in list {
            counts.verdicts = counts.verdicts.saturating_add(1);
            let refuse =
                |what: String| Failure::new("replay", format!("entry {seq}, policy {}", said.policy), what);
            match self.policy(ledger, (collector, last), verdict.now, said).map_err(refuse)? {
                Performed::Equal => counts.equal = counts.equal.saturating_add(1),
                Performed::TimedOut => counts.not_performed = counts.not_performed.saturating_add(1),
            }
        }
        Ok(())
    }

    fn policy(
        &mut self,
        ledger: &Ledger,
        (collector, last): (&str, &LastRun),
        now: Instant,
        said: &PolicyVerdict,
    ) -> Result<Performed, String> {
        let input = said.inputs.first().ok_or("names no population")?;
        let seen = last.run.populations.iter().find(|population| population.name == input.name);
        let (Some(seen), Some(table)) = (seen, ledger.table(collector, &input.name)) else {
            return Err("names a population that its run did not see".to_owned());
        };
        let unseen = table.rows().is_empty() && seen.membership != Membership::Complete;
        if (said.judged == Judged::None) != unseen {
            return Err(
                "was judged although nothing was seen, or not judged although something was".to_owned()
            );
        }
        if unseen {
            return Ok(Performed::Equal);
        }
        let (policy, params) = self
            .policies
            .get(&(said.digest, said.params))
            .ok_or("names a policy that is not in the bundle")?;
        let at = policy.reads_time().then_some(now);
        let own = |name: &String| {
            let population = last.run.populations.iter().find(|population| population.name == *name)?;
            let table = ledger.table(collector, name)?;
            Some(LastSeen { run: last.seq, population, table, is_fresh: true })
        };
        let shown = |name: &String| own(name).or_else(|| ledger.last_seen(name, now));
        let beside: Vec<LastSeen<'_>> = policy.meta().joined.iter().filter_map(shown).collect();
        let read = |it: &LastSeen<'_>| {
            (it.population.name.clone(), it.table.root(), it.population.membership, it.is_fresh)
        };
        let absent = ledger.unyielded(&policy.meta().optional);
        let shown = (beside.iter().map(read).collect(), absent.clone());
        let inputs = (said.digest, said.params, table.root(), seen.membership, at, shown);
        if self.done.get(&inputs) == Some(&said.root) {
            return Ok(Performed::Equal);
        }
        let rows = table.to_rows();
        let others: Vec<_> = beside.iter().map(|it| it.table.to_rows()).collect();
        let joined: Vec<Joined<'_>> =
            beside.iter().zip(&others).map(|(it, rows)| Joined::of(it, rows)).collect();
        let case = Case {
            population: Rows { name: &input.name, membership: seen.membership, rows: &rows },
            joined: &joined,
            absent: &absent,
            params,
            as_of: now,
        };
        let again: Results = judge(policy, &case, &mut self.memo).results().iter().cloned().collect();
        let root = results::root(&again);
        if root == said.root {
            self.done.insert(inputs, root);
            return Ok(Performed::Equal);
        }
        compare(ledger, said, &again, table)
    }
}

/// How a verdict came out.
enum Performed {
    Equal,
    TimedOut,
}

/// Names the first item that came out differently, unless every difference is a time limit that was hit.
fn compare(
    ledger: &Ledger,
    said: &PolicyVerdict,
    again: &Results,
    table: &Table,
) -> Result<Performed, String> {
    let state = ledger.policies().get(&said.policy).and_then(|state| state.column.as_ref());
    let recorded = state.filter(|column| column.root == said.root).map(|column| &column.results);
    let recorded = recorded.ok_or("came out differently")?;
    for item in table.rows().keys() {
        let (old, new) = (recorded.get(item), again.get(item));
        let timed_out = old.is_some_and(|old| old.codes().iter().any(|code| code.as_str() == TIMEOUT));
        if old != new && !timed_out {
            return Err(format!("item {item} was recorded as {}, and is {}", shown(old), shown(new)));
        }
    }
    Ok(Performed::TimedOut)
}

fn shown(result: Option<&ItemResult>) -> String {
    result.map_or_else(|| "absent".to_owned(), |r| format!("{} ({})", r.state(), r.codes_joined()))
}
