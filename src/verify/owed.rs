//! What a run owes: its verdict, right after it, of every policy in force on everything that its collector yields; and that
//! nobody stopped promising meanwhile.
//!
//! Whoever holds the key could otherwise leave out what looks bad and sign the rest. It judges nothing and reads no file.

use std::collections::BTreeSet;

use observance_record::{
    entry::{Body, Entry, Run, Verdict},
    ledger::Ledger,
};

use crate::report::Failure;

/// The newest run, while verdicts on it may still follow.
#[derive(Debug, Default)]
pub(crate) struct Owed(Option<Open>);

#[derive(Debug)]
struct Open {
    run: u64,
    is_heard: bool,
    policies: BTreeSet<String>,
}

impl Owed {
    /// Hears the next entry; `ledger` has just folded it.
    pub(crate) fn entry(&mut self, ledger: &Ledger, entry: &Entry) -> Result<(), Failure> {
        if let (Body::Verdict(verdict), Some(open)) = (&entry.body, &mut self.0)
            && verdict.run == open.run
        {
            open.hear(ledger, verdict);
            return Ok(());
        }
        self.settle()?;
        if let Body::Run(run) = &entry.body {
            check_promised(ledger, entry.seq, run)?;
            self.0 = Some(open(ledger, entry.seq, run)?);
        }
        Ok(())
    }

    /// Is everything said that the newest run owes?
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        let Some(open) = self.0.take() else { return Ok(()) };
        let refuse = |what: String| Err(Failure::new("verdicts", format!("entry {}", open.run), what));
        match open.policies.first() {
            _ if !open.is_heard => refuse("is a run without a verdict right after it".to_owned()),
            Some(policy) => refuse(format!("is a run on which {policy} says nothing, not even why")),
            None => Ok(()),
        }
    }
}

impl Open {
    fn hear(&mut self, ledger: &Ledger, verdict: &Verdict) {
        self.is_heard = true;
        let last = ledger.runs().values().find(|last| last.seq == verdict.run);
        for said in last.and_then(|last| last.list.as_ref()).map(|(_, list)| list).into_iter().flatten() {
            self.policies.remove(&said.policy);
        }
    }
}

fn open(ledger: &Ledger, seq: u64, run: &Run) -> Result<Open, Failure> {
    let collector =
        ledger.collectors().values().find(|c| c.digest == run.collector && c.source == run.source);
    let seen: BTreeSet<&str> = run.populations.iter().map(|population| population.name.as_str()).collect();
    let yields = collector.map(|collector| collector.yields.as_slice()).unwrap_or_default();
    if let Some(absent) = yields.iter().find(|name| !seen.contains(name.as_str())) {
        let what = format!("is a run that says nothing of {absent}, which its collector yields");
        return Err(Failure::new("tables", format!("entry {seq}"), what));
    }
    let judges = ledger.policies().values().map(|state| &state.body).filter(|policy| {
        let judged = policy.populations.first();
        !policy.removed && judged.is_some_and(|judged| seen.contains(judged.as_str()))
    });
    Ok(Open { run: seq, is_heard: false, policies: judges.map(|policy| policy.id.clone()).collect() })
}

/// Whoever answers slots has promised those of every schedule in force, up to now.
fn check_promised(ledger: &Ledger, seq: u64, run: &Run) -> Result<(), Failure> {
    if run.due.is_none() {
        return Ok(());
    }
    let until = |schedule: &String| ledger.promises().until().get(schedule).copied();
    let lapsed = ledger.schedules().keys().find(|id| until(id).is_none_or(|until| until < run.started));
    let Some(schedule) = lapsed else { return Ok(()) };
    let what = match until(schedule) {
        Some(until) => format!("promised no slot after {until}, and yet entry {seq} answers one of another"),
        None => format!("is in force and never promised a slot, and yet entry {seq} answers one of another"),
    };
    Err(Failure::new("promises", format!("schedule {schedule}"), what))
}
