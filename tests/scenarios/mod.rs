//! The scenarios in which other tools were seen to fail, from the first request to the verdict in the log: nothing passes
//! that was not seen, what was not seen says why, and the record of it verifies.
//!
//! How a single run classifies what it reads is tested beside the collector. Evidence that is edited, and a history that is
//! rewritten over it (S7), is the museum's: `tests/museum`.

mod limits;
mod lists;
mod names;
mod refusals;

use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex},
};

use observance::{
    clock::Clock,
    run::{Setup, setup::Judge},
    store::{Location, Objects, connect},
};
use observance_judge::Policy;
use observance_record::{
    Instant,
    entry::{Body, Cause, Drift, Judged, RunResult, Trigger},
    population::Membership,
    verdict::State,
};
use serde_json::{Map, json};
use tokio::sync::Notify;

use crate::support::{
    faulty::{Failure, Faulty},
    life::{HOUR_MS, Record, at, live, setup, words},
    source::{Asked, Reply, Source, message, reply, repository},
};

const RULES: &str = "github.branch_rules";
const MEMBERS: &str = "github.members";
const NOON: &str = "03-10T11:58";

fn memory() -> Arc<dyn Objects> {
    connect(&Location::Memory, None).unwrap()
}

/// An agent that watches a faulty source from shortly before noon until `to`.
async fn watch(
    scheduled: &str,
    fault: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static,
    change: impl FnOnce(&mut Setup),
    to: Instant,
) -> (Record, Arc<Source>) {
    let clock = Clock::simulated(at(NOON));
    let source = Source::serve(&clock, fault).await;
    let mut setup = setup(source.base_url(), &[scheduled]);
    change(&mut setup);
    let (setup, objects) = (Arc::new(setup), memory());
    live(&setup, (Arc::clone(&objects), None), (&clock, 1), to).await.unwrap();
    let record = Record::read(objects, &setup).await.unwrap();
    record.assert_accounted();
    record.assert_verifies(&setup);
    (record, source)
}

fn hourly(setup: &mut Setup) {
    crate::support::life::every(setup, "0 * * * *");
}

fn drifts(record: &Record) -> Vec<&Drift> {
    let mut drifts = Vec::new();
    for body in record.bodies() {
        if let Body::Drift(drift) = body {
            drifts.push(&**drift);
        }
    }
    drifts
}

fn is_page_2(path: &str) -> bool {
    path.starts_with("/orgs/acme/repos?") && path.contains("page=2&") || path.ends_with("&page=2")
}

fn first_page(asked: &Asked<'_>, next: &str) -> Option<Reply> {
    (asked.path.starts_with("/orgs/acme/repos?") && !is_page_2(asked.path)).then(|| {
        let link = format!("<{next}>; rel=\"next\"");
        reply(200, &[("link", &link)], &json!([repository(1), repository(2)]))
    })
}

#[tokio::test]
async fn s1_a_second_page_that_fails_for_ever_passes_nothing_and_is_told() {
    let from = at("03-10T12:30");
    let fault = move |asked: &Asked<'_>| match asked.path {
        path if is_page_2(path) && asked.at < from => Some(reply(200, &[], &json!([repository(3)]))),
        path if is_page_2(path) => Some(message(502, &[], "Server Error")),
        path => first_page(asked, &format!("{}{path}&page=2", asked.base_url)),
    };
    let (record, _) = watch(RULES, fault, hourly, at("03-10T13:30")).await;
    let runs = record.runs(RULES);
    assert_eq!(runs.len(), 2);
    assert_eq!((runs[0].passed(), runs[0].run.result), (3, RunResult::Complete));
    let (population, said) = (runs[1].population("repositories"), runs[1].policy("GH-05"));
    assert_eq!((population.membership, population.table.n), (Membership::Partial, 2));
    assert!(words(&population.why).contains(&"page.retry"), "{:?}", population.why);
    assert_eq!((said.passed, said.failed, said.unknown), (0, 0, 2));
    assert_eq!(words(record.result("GH-05", "acme/r1").codes()), ["population.partial"]);
    let blind = drifts(&record);
    assert_eq!(blind.len(), 1);
    assert_eq!((blind[0].item, blind[0].from, blind[0].to), (None, State::Passed, State::Unknown));
    assert_eq!(record.ledger.alerts().len(), 1);
}

#[tokio::test]
async fn s2_a_field_that_is_missing_for_lack_of_scope_is_unknown_for_every_member() {
    let fault = |asked: &Asked<'_>| {
        let org = json!({ "id": 77, "login": "acme" });
        (asked.path == "/orgs/acme").then(|| reply(200, &[("x-oauth-scopes", "read:org")], &org))
    };
    let (record, _) = watch(MEMBERS, fault, hourly, at("03-10T12:30")).await;
    let runs = record.runs(MEMBERS);
    let said = runs[0].policy("GH-01");
    assert_eq!((said.n, said.passed, said.failed, said.unknown), (2, 0, 0, 2));
    assert_eq!(runs[0].population("members").items_unknown, 2);
    assert!(words(&runs[0].run.why).contains(&"exchange.forbidden"), "{:?}", runs[0].run.why);
    assert!(!record.result("GH-01", "ann").codes().is_empty());
}

#[tokio::test]
async fn s3_what_may_not_be_read_of_one_repository_is_unknown_alone() {
    let fault = |asked: &Asked<'_>| {
        let refused = asked.path == "/repos/acme/r2/branches/main/protection";
        refused.then(|| message(403, &[], "Resource not accessible by integration"))
    };
    let (record, _) = watch(RULES, fault, hourly, at("03-10T12:30")).await;
    let runs = record.runs(RULES);
    let said = runs[0].policy("GH-05");
    assert_eq!((said.n, said.passed, said.unknown), (3, 2, 1));
    assert_eq!(runs[0].population("repositories").membership, Membership::Complete);
    let result = record.result("GH-05", "acme/r2");
    assert_eq!((result.state(), result.codes().is_empty()), (State::Unknown, false));
}

#[tokio::test]
async fn s5_a_rate_limit_is_waited_for_or_leaves_nothing_passed() {
    // the manifest lets a run wait for a quarter of an hour
    for (reset, waits) in [(at("03-10T12:05"), true), (at("03-10T14:00"), false)] {
        let fault = move |asked: &Asked<'_>| {
            let limited = asked.path.ends_with("/r2/branches/main/protection") && asked.at < reset;
            let until = reset.s().to_string();
            let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", until.as_str())];
            limited.then(|| message(403, &spent, "API rate limit exceeded"))
        };
        let (record, _) = watch(RULES, fault, hourly, at("03-10T12:55")).await;
        let runs = record.runs(RULES);
        assert_eq!(runs.len(), 1);
        let (run, said) = (runs[0].run, runs[0].policy("GH-05"));
        if waits {
            assert_eq!((run.result, said.passed), (RunResult::Complete, 3));
            assert!(run.ended >= reset, "{}", run.ended);
        } else {
            assert_eq!(
                (run.result, said.passed + said.unknown, said.unknown > 0),
                (RunResult::Partial, 3, true)
            );
            assert_eq!(record.result("GH-05", "acme/r2").state(), State::Unknown);
            assert!(words(&run.why).contains(&"exchange.throttled"), "{:?}", run.why);
        }
    }
}

/// A policy that loads and then says nothing of any row, or cannot: in place of a shipped one, under its name.
fn policy(body: &str) -> Judge {
    let meta = "# METADATA\n# title: t\n# description: d\n# custom:\n#   contract: 1\n#   id: GH-05\n#   population: repositories\n\
                #   controls: [branch-rules]\n#   empty: unknown\n#   severity: high\n#   needs:\n#     fields: [archived]\n";
    let file = format!("{meta}package broken\n\n{body}\n");
    let files = [("broken.rego".to_owned(), file.into_bytes())].into();
    let policy = Policy::load(&files).unwrap_or_else(|faults| panic!("{faults:?}"));
    let params = policy.params(&Map::new()).unwrap();
    Judge { policy, files, params }
}

#[tokio::test]
async fn s8_a_policy_that_says_nothing_or_breaks_passes_nobody() {
    for body in [
        "passed if input.row.nowhere.at_all == true",
        "passed if to_number(input.row.full_name) > 0",
        "passed if input.row.archived == false\nfailed contains to_number(input.row.full_name) if true",
    ] {
        let change = |setup: &mut Setup| {
            hourly(setup);
            setup.policies.insert("GH-05".to_owned(), policy(body));
        };
        let (record, _) = watch(RULES, |_| None, change, at("03-10T12:30")).await;
        let runs = record.runs(RULES);
        let said = runs[0].policy("GH-05");
        assert_eq!((said.n, said.passed, said.unknown), (3, 0, 3), "{body}");
        assert!(!record.result("GH-05", "acme/r1").codes().is_empty());
    }
}

/// What does not load is refused before anything is written: no agent runs with a policy less than its configuration
/// names, and the slots of the time in which it would not start become gaps when it does.
#[test]
fn s8_a_policy_that_does_not_load_is_refused_at_the_door() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let config = "organisation: { name: Acme, zone: Europe/Berlin }\nstore: file:store\norigin: acme.example/a\nkey: keys\n\
        sources:\n  github: { org: acme, token: secret://env/NOT_SET }\npolicies: { library: rego }\n";
    fs::write(top.join("observance.yaml"), config).unwrap();
    fs::create_dir(top.join("rego")).unwrap();
    let sound = policy("passed if input.row.archived == false").files["broken.rego"].clone();
    let observance = |command: &str| {
        let mut observance = Command::new(env!("CARGO_BIN_EXE_observance"));
        let output = observance.arg(command).current_dir(top).env_clear().output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    fs::write(top.join("rego/broken.rego"), &sound).unwrap();
    assert_eq!(observance("check-config").0, Some(0), "{}", observance("check-config").1);
    let unsound = String::from_utf8(sound).unwrap().replace("passed if", "passed iff");
    fs::write(top.join("rego/broken.rego"), unsound).unwrap();
    for command in ["check-config", "run"] {
        let (code, said) = observance(command);
        assert_eq!(code, Some(2), "{command}: {said}");
        assert!(said.contains("policy broken: "), "{command}: {said}");
    }
    assert!(!top.join("store").exists(), "nothing may be written");
}

#[tokio::test]
async fn s9_no_repository_at_all_is_unknown_and_not_fine() {
    let fault = |asked: &Asked<'_>| match asked.path {
        "/orgs/acme" => Some(reply(
            200,
            &[],
            &json!({ "id": 77, "login": "acme", "public_repos": 0,
                                                      "total_private_repos": 0 }),
        )),
        path if path.starts_with("/orgs/acme/repos?") => Some(reply(200, &[], &json!([]))),
        _ => None,
    };
    let (record, _) = watch(RULES, fault, hourly, at("03-10T12:30")).await;
    let runs = record.runs(RULES);
    let said = runs[0].policy("GH-05");
    assert_eq!((said.judged, said.n, said.passed), (Judged::All, 0, 0));
    assert_eq!(record.ledger.policies()["GH-05"].body.empty.state(), State::Unknown);
}

#[tokio::test]
async fn s14_a_next_page_on_another_host_is_refused_and_gets_no_token() {
    let elsewhere = Source::serve(&Clock::simulated(at(NOON)), |_| None).await;
    let other = elsewhere.base_url().to_owned();
    let from = at("03-10T12:30");
    let fault = move |asked: &Asked<'_>| {
        if asked.at < from {
            return None;
        }
        first_page(asked, &format!("{other}{}&page=2", asked.path))
    };
    let (record, source) = watch(RULES, fault, hourly, at("03-10T13:30")).await;
    assert_eq!(elsewhere.asked(), []);
    assert!(source.asked().iter().all(|(_, has_token)| *has_token));
    let runs = record.runs(RULES);
    assert_eq!((runs[0].passed(), runs[1].passed()), (3, 0));
    assert!(words(&runs[1].run.why).iter().any(|why| why.contains("other_host")), "{:?}", runs[1].run.why);
    assert_eq!(runs[1].population("repositories").membership, Membership::Partial);
    assert_eq!((drifts(&record).len(), record.ledger.alerts().len()), (1, 1));
}

/// Two lives on one store: the second begins at `again` by its own clock.
async fn two_lives((from, to): (Instant, Instant), (again, end): (Instant, Instant)) -> (Record, Setup) {
    let clock = Clock::simulated(from);
    let source = Source::serve(&clock, |_| None).await;
    let objects = memory();
    let make = || {
        let mut setup = setup(source.base_url(), &[RULES]);
        hourly(&mut setup);
        setup
    };
    let shared = Arc::new(make());
    live(&shared, (Arc::clone(&objects), None), (&clock, 1), to).await.unwrap();
    let clock = Clock::simulated(again);
    live(&shared, (Arc::clone(&objects), None), (&clock, 2), end).await.unwrap();
    let record = Record::read(objects, &shared).await.unwrap();
    record.assert_accounted();
    (record, make())
}

#[tokio::test]
async fn s12_what_was_missed_while_the_agent_was_down_is_a_gap() {
    let lives = ((at("03-10T11:58"), at("03-10T14:30")), (at("03-10T18:40"), at("03-10T20:30")));
    let (record, setup) = two_lives(lives.0, lives.1).await;
    let due: Vec<Instant> = record.runs(RULES).iter().map(|seen| seen.run.due.unwrap()).collect();
    assert_eq!(due, [12, 13, 14, 19, 20].map(|hour| at(&format!("03-10T{hour}:00"))));
    let gaps: Vec<_> = record.gaps().into_iter().map(|(_, due, cause)| (due, cause)).collect();
    let missed = [15, 16, 17, 18].map(|hour| (at(&format!("03-10T{hour}:00")), Cause::Shutdown));
    assert_eq!(gaps, missed);
    record.assert_verifies(&setup);
}

#[tokio::test]
async fn s12_a_clock_that_is_set_back_repeats_nothing_and_loses_nothing() {
    let lives = ((at("03-10T11:58"), at("03-10T14:30")), (at("03-10T09:10"), at("03-10T16:30")));
    let (record, setup) = two_lives(lives.0, lives.1).await;
    let due: Vec<Instant> = record.runs(RULES).iter().map(|seen| seen.run.due.unwrap()).collect();
    assert_eq!(due, [12, 13, 14, 15, 16].map(|hour| at(&format!("03-10T{hour}:00"))));
    assert_eq!(record.gaps(), []);
    let starts: Vec<_> = record
        .bodies()
        .filter_map(|body| if let Body::Start(start) = body { Some(start.clock) } else { None })
        .collect();
    assert_eq!(starts, [None, Some(at("03-10T09:10"))], "the second start says what its clock showed");
    record.assert_verifies(&setup);
}

/// The slot of 14:00 is promised and open when the agent is lost; it comes back in time, and its clock is hours behind.
#[tokio::test]
async fn s12_a_run_never_speaks_about_an_instant_before_the_record_that_it_follows() {
    let clock = Clock::simulated(at(NOON));
    let source = Source::serve(&clock, |_| None).await;
    let objects = memory();
    let mut setup = setup(source.base_url(), &[RULES]);
    hourly(&mut setup);
    let setup = Arc::new(setup);
    live(&setup, (Arc::clone(&objects), None), (&clock, 1), at("03-10T13:30")).await.unwrap();
    // a writer that starts at 14:05 and is lost at once: the slot of 14:00 stays open
    let late = Clock::simulated(at("03-10T14:05"));
    let (cut, lost) = cut_after_start(&objects);
    tokio::select! {
        _ended = live(&setup, (cut, None), (&late, 2), at("03-10T14:06")) => panic!("the store was to be lost"),
        () = lost.notified() => {}
    }
    let behind = Clock::simulated(at("03-10T09:00"));
    live(&setup, (Arc::clone(&objects), None), (&behind, 3), at("03-10T15:30")).await.unwrap();
    let record = Record::read(objects, &setup).await.unwrap();
    let runs = record.runs(RULES);
    let due: Vec<Instant> = runs.iter().map(|seen| seen.run.due.unwrap()).collect();
    assert_eq!(due, [12, 13, 14, 15].map(|hour| at(&format!("03-10T{hour}:00"))));
    assert_eq!(runs[2].run.trigger, Trigger::Recovery);
    assert!(runs.iter().all(|seen| seen.run.started >= seen.run.due.unwrap()));
    assert!(runs.iter().all(|seen| seen.run.ended >= seen.run.started));
    assert!(runs.windows(2).all(|pair| pair[0].run.as_of < pair[1].run.as_of));
    record.assert_accounted();
    record.assert_verifies(&setup);
}

/// A store that takes no further commit once it has taken one; and when that shows.
fn cut_after_start(objects: &Arc<dyn Objects>) -> (Arc<dyn Objects>, Arc<Notify>) {
    let (taken, lost) = (Mutex::new(0), Arc::new(Notify::new()));
    let shown = Arc::clone(&lost);
    let faulty = Faulty::new(Arc::clone(objects), move |call| {
        let mut taken = taken.lock().unwrap();
        *taken += i32::from(call.is_create && call.name.contains("/commit/"));
        (*taken > 1).then(|| {
            shown.notify_one();
            Failure::Lost
        })
    });
    (Arc::new(faulty), lost)
}

#[tokio::test]
async fn s12_a_day_of_23_or_25_hours_has_as_many_slots() {
    for (from, to, hours) in [("03-28T22:58", "03-29T21:30", 23), ("10-24T21:58", "10-25T22:30", 25)] {
        let clock = Clock::simulated(at(from));
        let source = Source::serve(&clock, |_| None).await;
        let setup = Arc::new(setup(source.base_url(), &[RULES]));
        let objects = memory();
        live(&setup, (Arc::clone(&objects), None), (&clock, 1), at(to)).await.unwrap();
        let record = Record::read(objects, &setup).await.unwrap();
        assert_eq!((record.runs(RULES).len(), record.gaps().len()), (hours, 0), "{from}");
        record.assert_accounted();
        record.assert_verifies(&setup);
    }
}

/// A store in trouble between two instants: writes fail in one way, reads perhaps too.
fn troubled(
    objects: &Arc<dyn Objects>,
    clock: &Clock,
    (from, to): (Instant, Instant),
    (writes, reads): (Failure, Option<Failure>),
) -> Arc<dyn Objects> {
    let clock = clock.clone();
    Arc::new(Faulty::new(Arc::clone(objects), move |call| {
        let now = clock.now();
        let is_in_trouble = from <= now && now < to;
        if call.is_create { Some(writes) } else { reads }.filter(|_| is_in_trouble)
    }))
}

#[tokio::test]
async fn s13_a_store_that_is_full_leaves_no_half_and_the_run_is_recorded_later() {
    let missed = [14, 15, 16].map(|hour| (at(&format!("03-10T{hour}:00")), Cause::StoreDown));
    for (trouble, missed) in [
        ((Failure::Refused, None), &missed[..]),
        ((Failure::Lost, None), &missed),
        // it was written, and nobody can tell until the store is back
        ((Failure::Unheard, Some(Failure::Lost)), &missed),
        // it was written, and can be read: nothing is missed
        ((Failure::Unheard, None), &[]),
    ] {
        let clock = Clock::simulated(at(NOON));
        let source = Source::serve(&clock, |_| None).await;
        let mut setup = setup(source.base_url(), &[RULES]);
        hourly(&mut setup);
        let (setup, objects) = (Arc::new(setup), memory());
        let store = troubled(&objects, &clock, (at("03-10T13:00"), at("03-10T16:40")), trouble);
        live(&setup, (store, None), (&clock, 1), at("03-10T18:30")).await.unwrap();
        // what was written is whole: the log reads to its end and folds
        let record = Record::read(objects, &setup).await.unwrap();
        let gaps: Vec<_> = record.gaps().into_iter().map(|(_, due, cause)| (due, cause)).collect();
        assert_eq!(gaps, missed, "{trouble:?}");
        let runs = record.runs(RULES);
        assert_eq!(runs.len() + gaps.len(), 7);
        // the run of 13:00 was in hand all the time, and keeps the instant at which it looked
        assert_eq!(runs[1].run.due, Some(at("03-10T13:00")));
        assert!(runs[1].run.ended.ms_since(at("03-10T13:00")) < HOUR_MS);
        record.assert_accounted();
        record.assert_verifies(&setup);
    }
}
