//! Lists of which a part does not come, or that change while they are read: nobody disappears from them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use observance::{
    collect::Manifest,
    run::{Setup, setup::Judge},
};
use observance_judge::Policy;
use observance_record::{entry::RunResult, population::Membership, verdict::State};
use serde_json::{Map, Value, json};

use super::{MEMBERS, RULES, first_page, hourly, is_page_2, watch};
use crate::support::{
    life::{at, words},
    source::{Asked, Reply, message, reply, repository},
};

/// The shipped collector of members, which also looks each of them up.
fn looks_up(setup: &mut Setup) {
    hourly(setup);
    let collector = Arc::get_mut(setup.collectors.get_mut(MEMBERS).unwrap()).unwrap();
    let text = String::from_utf8(collector.file.clone()).unwrap();
    let step = "  - id: profile\n    for_each: { in: members, as: member }\n    get: /users/{member.login}\n    \
        records: one\n    key: id\n    project: [id, suspended_at]\n    complete: [terminal_page]\npopulations:\n";
    let text = text.replace("populations:\n", step);
    let text = text.replace("    join:\n", "    join:\n      profile: { step: profile, one: true }\n");
    collector.manifest = Manifest::read(MEMBERS, &text).unwrap_or_else(|faults| panic!("{faults:?}"));
    collector.file = text.into_bytes();
    setup.policies.insert("GH-01".to_owned(), not_suspended());
}

/// In place of a shipped policy, under its name.
fn not_suspended() -> Judge {
    let file = "# METADATA\n# title: t\n# description: d\n# custom:\n#   contract: 1\n#   id: GH-01\n#   population: members\n\
        #   controls: [accounts]\n#   empty: unknown\n#   severity: high\n#   needs:\n#     fields: [profile]\n\
        package accounts\n\npassed if input.row.profile.suspended_at == null\n\n\
        failed contains \"account.suspended\" if is_string(input.row.profile.suspended_at)\n";
    let files = [("accounts.rego".to_owned(), file.as_bytes().to_vec())].into();
    let policy = Policy::load(&files).unwrap_or_else(|faults| panic!("{faults:?}"));
    let params = policy.params(&Map::new()).unwrap();
    Judge { policy, files, params }
}

#[tokio::test]
async fn s10_a_member_who_cannot_be_looked_up_stays_in_the_population_as_unknown() {
    for (status, text) in [(500, "Server Error"), (403, "Resource not accessible"), (404, "Not Found")] {
        let fault = move |asked: &Asked<'_>| match asked.path {
            "/users/ann" => Some(reply(200, &[], &json!({ "id": 11, "login": "ann", "suspended_at": null }))),
            "/users/bob" => Some(message(status, &[], text)),
            _ => None,
        };
        let (record, _) = watch(MEMBERS, fault, looks_up, at("03-10T12:30")).await;
        let runs = record.runs(MEMBERS);
        let (population, said) = (runs[0].population("members"), runs[0].policy("GH-01"));
        assert_eq!((population.table.n, population.items_unknown), (2, 1), "{status}");
        assert_eq!(population.membership, Membership::Complete);
        assert_eq!((said.n, said.passed, said.failed, said.unknown), (2, 1, 0, 1), "{status}");
        assert_eq!(record.result("GH-01", "ann").state(), State::Passed);
        let unseen = record.result("GH-01", "bob");
        assert_eq!((unseen.state(), unseen.codes().is_empty()), (State::Unknown, false), "{status}");
        assert_eq!(runs[0].run.result, RunResult::Partial);
    }
}

/// Pages of a list that is read several times: those of the n-th reading, then those of the last for ever.
fn readings(
    readings: &'static [[&'static [u64]; 2]],
) -> impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static {
    let begun = AtomicUsize::new(0);
    move |asked| {
        let page = |second: usize| {
            let nth = begun.load(Ordering::Relaxed).clamp(1, readings.len()) - 1;
            readings[nth][second].iter().map(|id| repository(*id)).collect::<Vec<Value>>()
        };
        if is_page_2(asked.path) {
            return Some(reply(200, &[], &json!(page(1))));
        }
        let mut first = first_page(asked, &format!("{}{}&page=2", asked.base_url, asked.path))?;
        begun.fetch_add(1, Ordering::Relaxed);
        *first.body_mut() = json!(page(0)).to_string().into();
        Some(first)
    }
}

#[tokio::test]
async fn s18_a_list_that_grew_at_its_front_is_read_once_more() {
    let (record, source) = watch(
        RULES,
        // a new repository pushed the second onto the next page
        readings(&[[&[1, 2], &[2, 3]], [&[1, 2], &[3]]]),
        hourly,
        at("03-10T12:30"),
    )
    .await;
    let runs = record.runs(RULES);
    assert_eq!((runs[0].run.result, runs[0].passed()), (RunResult::Complete, 3));
    let population = runs[0].population("repositories");
    assert_eq!((population.membership, population.table.n), (Membership::Complete, 3));
    let lists = source.asked().iter().filter(|(path, _)| path.starts_with("/orgs/acme/repos?")).count();
    assert_eq!(lists, 4, "two pages, twice");
}

#[tokio::test]
async fn s18_a_list_that_never_holds_still_has_each_repository_once_and_passes_nobody() {
    let (record, source) = watch(RULES, readings(&[[&[1, 2], &[2, 3]]]), hourly, at("03-10T12:30")).await;
    let runs = record.runs(RULES);
    let (population, said) = (runs[0].population("repositories"), runs[0].policy("GH-05"));
    assert_eq!((population.membership, population.table.n), (Membership::Partial, 3));
    assert!(words(&population.why).contains(&"keys.repeated"), "{:?}", population.why);
    assert_eq!((said.passed, said.unknown), (0, 3));
    let lists = source.asked().iter().filter(|(path, _)| path.starts_with("/orgs/acme/repos?")).count();
    assert_eq!(lists, 4, "it is read once more, and no third time");
}

#[tokio::test]
async fn s18_a_repository_that_slipped_between_two_pages_is_missed() {
    // one was deleted from the first page: what moved up from the second was on neither
    let (record, _) = watch(RULES, readings(&[[&[1, 2], &[]]]), hourly, at("03-10T12:30")).await;
    let runs = record.runs(RULES);
    let (population, said) = (runs[0].population("repositories"), runs[0].policy("GH-05"));
    assert_eq!((population.membership, population.table.n), (Membership::Partial, 2));
    assert!(words(&population.why).contains(&"count.differs"), "{:?}", population.why);
    assert_eq!((said.passed, said.failed, said.unknown), (0, 0, 2));
}
