//! A source with a limit that is much too small for the estate: all of it is used, and nothing is asked in vain.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use observance_record::{population::Outcome, table::Rows};
use serde_json::{Value, json};
use url::Url;

use super::{super::RunResult, Http, Script, State, run, shipped, started};

const REPOSITORIES: u64 = 300;
/// Requests that the source allows in a minute.
const LIMIT: u64 = 100;
/// A reset is told in whole seconds, so this much is waited beyond it.
const MARGIN_MS: i64 = 1000;

fn page(url: &Url) -> u64 {
    url.query_pairs().find(|(key, _)| key == "page").map_or(1, |(_, n)| n.parse().unwrap())
}

fn body(url: &Url) -> (u16, Value) {
    let page = page(url);
    let repository = |id: u64| {
        json!({ "id": id, "name": format!("r{id}"), "full_name": format!("acme/r{id}"), "archived": false,
                "default_branch": "main" })
    };
    match url.path() {
        "/orgs/acme" => {
            let n = REPOSITORIES;
            (200, json!({ "id": 7, "login": "acme", "public_repos": 0, "total_private_repos": n }))
        }
        "/orgs/acme/repos" => (200, ((page - 1) * 100 + 1..=page * 100).map(repository).collect()),
        path if path.contains("/rules/branches/") => (200, json!([])),
        _ => (404, json!({ "message": "Branch not protected" })),
    }
}

/// The `n`-th answer since the run began: what is left of the minute it counts against, and when that ends.
fn answer(n: u64, url: &Url) -> Value {
    let ends = started().s() + 60 * i64::try_from(n / LIMIT + 1).unwrap();
    let (status, body) = body(url);
    let mut headers = BTreeMap::from([
        ("x-ratelimit-remaining", (LIMIT - 1 - n % LIMIT).to_string()),
        ("x-ratelimit-reset", ends.to_string()),
    ]);
    if url.path() == "/orgs/acme/repos" && page(url) * 100 < REPOSITORIES {
        let next = format!("https://api.github.com/orgs/acme/repos?page={}", page(url) + 1);
        headers.insert("link", format!("<{next}>; rel=\"next\""));
    }
    json!({ "status": status, "headers": headers, "body": body })
}

#[tokio::test]
async fn a_limit_is_used_to_its_last_request_and_no_further() {
    let asked = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&asked);
    let script = Script::of(move |url, _| answer(counts.fetch_add(1, Ordering::Relaxed), url));
    let manifest = shipped("github/branch_rules");
    let http = Http::scripted(script);
    let seen = run(&manifest, &http, None, None, &Rows::new(), &mut State::default()).await;
    // the organisation, its repositories by the hundred, and two questions for each
    let floor = 1 + REPOSITORIES.div_ceil(100) + 2 * REPOSITORIES;
    assert_eq!((seen.result, seen.requests), (RunResult::Complete, floor));
    assert_eq!(asked.load(Ordering::Relaxed), floor);
    assert!(!seen.outcomes.contains_key(&Outcome::Throttled), "{:?}", seen.outcomes);
    // six minutes' limits and a part of the seventh's: it waited for each reset, and only for that
    let resets = i64::try_from((floor - 1) / LIMIT).unwrap();
    assert_eq!(seen.ended.ms_since(seen.started), resets * 60_000 + MARGIN_MS);
}
