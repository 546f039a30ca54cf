//! A source that asks to be left alone for longer than a run may wait.

use observance_record::{
    entry::RunResult,
    population::{Membership, Outcome},
    verdict::State,
};

use super::{RULES, hourly, watch};
use crate::support::{
    life::{at, words},
    source::{Asked, message},
};

/// What the manifest lets a run wait, in all.
const WAIT_MS: i64 = 900_000;

#[tokio::test]
async fn s6_a_secondary_limit_beyond_the_budget_marks_the_run_and_the_next_slot_goes_on() {
    let until = at("03-10T12:50");
    for status in [403, 429] {
        let fault = move |asked: &Asked<'_>| {
            let limited = asked.path.ends_with("/r2/branches/main/protection") && asked.at < until;
            let after = (until.ms_since(asked.at) / 1000).to_string();
            let said =
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            limited.then(|| message(status, &[("retry-after", &after)], said))
        };
        let (record, source) = watch(RULES, fault, hourly, at("03-10T13:30")).await;
        let runs = record.runs(RULES);
        assert_eq!(runs.len(), 2, "{status}");
        let (first, second) = (runs[0].run, runs[1].run);
        assert_eq!(first.result, RunResult::Partial);
        assert!(words(&first.why).contains(&"exchange.throttled"), "{:?}", first.why);
        assert!(first.exchanges.by[&Outcome::Throttled] >= 1);
        let waited = first.ended.ms_since(first.started);
        assert!((0..=WAIT_MS).contains(&waited), "{waited} ms");
        // nobody who was asked to wait asks again
        let limited =
            source.asked().iter().filter(|(path, _)| path.ends_with("/r2/branches/main/protection")).count();
        assert_eq!(limited, 2, "once in each run");
        let said = runs[0].policy("GH-05");
        assert_eq!((said.n, said.failed), (3, 0));
        assert!(said.unknown >= 1);
        // the list was read before the limit: nobody is missing
        assert_eq!(runs[0].population("repositories").membership, Membership::Complete);
        assert_eq!((second.result, runs[1].passed()), (RunResult::Complete, 3));
        assert_eq!(record.result("GH-05", "acme/r2").state(), State::Passed);
        assert_eq!(record.gaps(), [], "a partial run is a run");
    }
}

#[tokio::test]
async fn s6_a_limit_within_the_budget_is_waited_for() {
    let until = at("03-10T12:10");
    let fault = move |asked: &Asked<'_>| {
        let limited = asked.path.ends_with("/r2/branches/main/protection") && asked.at < until;
        let after = (until.ms_since(asked.at) / 1000 + 1).to_string();
        limited.then(|| message(429, &[("retry-after", &after)], "You have exceeded a secondary rate limit"))
    };
    let (record, _) = watch(RULES, fault, hourly, at("03-10T12:55")).await;
    let runs = record.runs(RULES);
    assert_eq!((runs[0].run.result, runs[0].passed()), (RunResult::Complete, 3));
    assert!((0..=WAIT_MS).contains(&runs[0].run.ended.ms_since(runs[0].run.started)));
    assert!(runs[0].run.ended >= until);
}
