//! A policy that reads a population beside the one it judges: which run's rows it is shown, when they are too old, and that
//! whoever re-performs it is shown the same.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use observance::{
    clock::Clock,
    run::setup::Judge,
    store::{Location, Objects, connect},
};
use observance_judge::Policy;
use observance_record::{
    entry::{Body, PolicyVerdict, Verdict},
    verdict::Code,
};
use serde_json::Map;

use crate::support::{
    life::{Record, at, every, live, setup},
    source::{Source, message},
};

const RULES: &str = "github.branch_rules";
const MEMBERS: &str = "github.members";
const POLICY: &str = "T-01";

/// Passes while the organisation has two members.
const TWO_MEMBERS: &str = "# METADATA
# title: Two people are there
# description: Every repository passes while the organisation has two members.
# custom:
#   contract: 1
#   id: T-01
#   population: repositories
#   joined: [members]
#   controls: [two-members]
#   empty: unknown
#   severity: low
package test.two_members

passed if count(input.joined.members) == 2

failed contains \"members.other_count\" if count(input.joined.members) != 2
";

fn policy() -> Judge {
    let files = BTreeMap::from([("two_members.rego".to_owned(), TWO_MEMBERS.as_bytes().to_vec())]);
    let policy = Policy::load(&files).unwrap();
    let params = policy.params(&Map::new()).unwrap();
    Judge { policy, files, params }
}

/// What the policy said at each run, in a word, with the run whose members it was shown.
fn said(record: &Record) -> Vec<(String, Option<u64>)> {
    let of = |policy: &PolicyVerdict| {
        let word = match (policy.passed, policy.failed, policy.unknown) {
            (3, 0, 0) => "passed".to_owned(),
            (0, 3, 0) => "failed".to_owned(),
            _ => policy.why.iter().map(Code::as_str).collect::<Vec<_>>().join(" "),
        };
        (word, policy.inputs.get(1).map(|input| input.run.unwrap()))
    };
    record.runs(RULES).iter().map(|seen| of(seen.policy(POLICY))).collect()
}

fn seqs(record: &Record, collector: &str) -> Vec<u64> {
    let of = |body: &Body| matches!(body, Body::Run(run) if run.schedule.as_deref() == Some(collector));
    record.entries.iter().filter(|entry| of(&entry.body)).map(|entry| entry.seq).collect()
}

#[tokio::test]
async fn it_is_shown_what_the_newest_run_saw_or_told_why_not() {
    let clock = Clock::simulated(at("03-10T11:30"));
    let away = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&away);
    let source = Source::serve(&clock, move |asked| {
        let hides = asked.path.contains("/members") && gone.load(Ordering::Relaxed);
        hides.then(|| message(403, &[], "Must have admin rights"))
    });
    let source = source.await;
    let mut setup = setup(source.base_url(), &[RULES, MEMBERS]);
    every(&mut setup, "0 * * * *");
    for schedule in &mut setup.schedules {
        schedule.max_gap_s = 5_400;
        if schedule.collector == MEMBERS {
            // after the first look at the repositories; then not at 15:30, 16:30
            schedule.cron = "30 12-14,17-23 * * *".parse().unwrap();
        }
    }
    setup.policies.insert(POLICY.to_owned(), policy());
    let setup = Arc::new(setup);
    let objects: Arc<dyn Objects> = connect(&Location::Memory, None).unwrap();
    let life = |seed, to| live(&setup, (Arc::clone(&objects), None), (&clock, seed), at(to));
    life(1, "03-10T13:45").await.unwrap();
    away.store(true, Ordering::Relaxed);
    // another life: what it shows a policy of, it has from the log
    life(2, "03-10T18:15").await.unwrap();

    let record = Record::read(Arc::clone(&objects), &setup).await.unwrap();
    let members = seqs(&record, MEMBERS);
    let (at_12_30, at_13_30, at_14_30, at_17_30) = (members[0], members[1], members[2], members[3]);
    let expected = [
        ("input.missing", None),           // 12:00
        ("passed", Some(at_12_30)),        // 13:00
        ("passed", Some(at_13_30)),        // 14:00
        ("input.partial", Some(at_14_30)), // 15:00, the source showed nobody
        ("input.partial", Some(at_14_30)), // 16:00, an hour and a half later
        ("input.stale", Some(at_14_30)),   // 17:00
        ("input.partial", Some(at_17_30)), // 18:00
    ];
    assert_eq!(said(&record), expected.map(|(word, run)| (word.to_owned(), run)));
    record.assert_verifies(&setup);
}

#[tokio::test]
async fn a_verdict_that_names_other_rows_is_refused() {
    let clock = Clock::simulated(at("03-10T12:15"));
    let source = Source::serve(&clock, |_| None).await;
    let mut setup = setup(source.base_url(), &[RULES, MEMBERS]);
    every(&mut setup, "0 * * * *");
    for schedule in &mut setup.schedules {
        if schedule.collector == MEMBERS {
            schedule.cron = "30 * * * *".parse().unwrap();
        }
    }
    setup.policies.insert(POLICY.to_owned(), policy());
    let setup = Arc::new(setup);
    let objects: Arc<dyn Objects> = connect(&Location::Memory, None).unwrap();
    live(&setup, (Arc::clone(&objects), None), (&clock, 1), at("03-10T14:15")).await.unwrap();
    let record = Record::read(Arc::clone(&objects), &setup).await.unwrap();
    let older = seqs(&record, MEMBERS)[0];
    let newest =
        record.entries.iter().rfind(|entry| matches!(&entry.body, Body::Verdict(v) if v.list.is_some()));
    let Body::Verdict(verdict) = &newest.unwrap().body else { unreachable!() };

    let forged: [fn(&mut PolicyVerdict, u64); 3] = [
        |policy, older| policy.inputs[1].run = Some(older),
        |policy, _| policy.inputs[1].root = policy.inputs[0].root,
        |policy, _| policy.inputs.truncate(1),
    ];
    for forge in forged {
        let mut verdict: Verdict = (**verdict).clone();
        let list = verdict.list.as_mut().unwrap();
        forge(list.iter_mut().find(|policy| policy.policy == POLICY).unwrap(), older);
        let refused = record.refold(&setup, newest.unwrap().seq, &verdict.into()).unwrap_err().to_string();
        assert!(refused.contains("shown other populations than the newest runs saw"), "{refused}");
    }
}
