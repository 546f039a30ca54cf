//! Lists inside of records that are steps of their own: read as far as the window reaches, whole or not, and how few
//! requests that takes for a whole estate.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use observance_record::{Instant, population::Membership};
use serde_json::{Value, json};
use url::Url;

use super::{
    Script,
    paging::{codes, ok},
    path_and_query, rows, run, shipped,
};
use crate::collect::{Collected, Http, Manifest, State, Window};

const REPOSITORIES: u64 = 300;
const CHANGES: u64 = 200;
/// What the same took by REST: the organisation, three pages of repositories, a list for each, five requests for each change.
const BY_REST: u64 = 1 + 3 + REPOSITORIES + 5 * CHANGES;

fn window() -> Window {
    ("2026-03-10T06:00:00.000Z".parse().unwrap(), "2026-03-10T12:00:00.000Z".parse().unwrap())
}

fn list(total: u64, after: Option<&str>, nodes: &[Value]) -> Value {
    json!({ "totalCount": total, "pageInfo": { "hasNextPage": after.is_some(), "endCursor": after }, "nodes": nodes })
}

fn at(ms_before_end: i64) -> String {
    let end: Instant = window().1;
    end.plus_ms(-1 - ms_before_end).to_string()
}

fn pull(id: u64, updated: &str, merged: &str) -> Value {
    json!({
        "id": id.to_string(), "node": format!("PR_{id}"), "number": id, "title": "ABC-1 Fix", "body": "",
        "user": { "type": "User", "login": "ann", "id": 1 },
        "base_ref": "main", "head_ref": "fix", "head_sha": format!("h{id}"),
        "merged_at": merged, "updated_at": updated, "edited_at": null,
        "repository": { "default_branch": { "name": "main" } },
    })
}

fn repo(id: u64, pulls: &Value) -> Value {
    json!({ "id": id, "node": format!("R_{id}"), "name": format!("r{id}"), "pulls": pulls })
}

fn page(total: u64, after: Option<&str>, nodes: &[Value]) -> Value {
    json!({ "data": { "organization": { "repositories": list(total, after, nodes) } } })
}

fn detail() -> Value {
    let commit = json!({ "id": "C", "sha": "h", "suites": list(0, None, &[]), "status": null });
    let change = json!({
        "node": "PR", "renamed": list(0, None, &[]), "repository": { "head": commit }, "merge": commit,
    });
    json!({ "data": { "changes": [change] } })
}

type Log = Arc<Mutex<Vec<Value>>>;

async fn look_at(
    base_url: Option<&str>,
    window: Option<Window>,
    repositories: u64,
    answer: impl Fn(&Value) -> Value + Send + Sync + 'static,
) -> (Collected, Vec<Value>) {
    let log: Log = Arc::default();
    let noted = Arc::clone(&log);
    let graphql = if base_url.is_some() { "api.github.com/api/graphql" } else { "/graphql" };
    let script = Script::of(move |url: &Url, body: Option<&[u8]>| {
        let path = path_and_query(url);
        let Some(body) = body else {
            assert!(path.ends_with("/orgs/acme"), "{path}");
            return ok(&json!({ "id": 77, "public_repos": 0, "total_private_repos": repositories }));
        };
        assert!(graphql.ends_with(&path), "{path}");
        let body: Value = serde_json::from_slice(body).unwrap();
        let variables = body["variables"].clone();
        noted.lock().unwrap().push(variables.clone());
        ok(&answer(&variables))
    });
    let manifest: Manifest = shipped("github/change_checks");
    let http = Http::scripted(script);
    let seen = run(&manifest, &http, base_url, window, &BTreeMap::new(), &mut State::default()).await;
    let log = log.lock().unwrap().clone();
    (seen, log)
}

async fn look_with(
    repositories: u64,
    answer: impl Fn(&Value) -> Value + Send + Sync + 'static,
) -> (Collected, Vec<Value>) {
    look_at(None, Some(window()), repositories, answer).await
}

/// The same, where every change is found and has no checks.
async fn look(
    repositories: u64,
    answer: impl Fn(&Value) -> Value + Send + Sync + 'static,
) -> (Collected, Vec<Value>) {
    let answer =
        move |variables: &Value| if variables["head"].is_string() { detail() } else { answer(variables) };
    look_with(repositories, answer).await
}

fn membership(seen: &Collected) -> Membership {
    seen.populations[0].claim.membership
}

/// An estate of 300 in which every repository has old changes, and 200 of them one of the window.
fn estate(after: Option<&str>) -> Value {
    let from: u64 = after.map_or(0, |after| after.parse().unwrap());
    let old = || pull(1, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z");
    let of = |n: u64| {
        let new = pull(1000 + n, &at(1000), &at(2000));
        let nodes: Vec<Value> = (n < CHANGES).then_some(new).into_iter().chain([old()]).collect();
        let more = n.is_multiple_of(2).then_some("further");
        repo(
            n + 1,
            &list(if more.is_some() { 900 } else { u64::try_from(nodes.len()).unwrap() }, more, &nodes),
        )
    };
    let to = (from + 50).min(REPOSITORIES);
    let next = to.to_string();
    page(REPOSITORIES, (to < REPOSITORIES).then_some(next.as_str()), &(from..to).map(of).collect::<Vec<_>>())
}

#[tokio::test]
async fn an_estate_is_read_with_a_request_for_fifty_and_one_for_each_change() {
    let (seen, log) = look(REPOSITORIES, |variables| estate(variables["after"].as_str())).await;
    assert_eq!((membership(&seen), codes(&seen)), (Membership::Complete, vec![]));
    assert_eq!(rows(&seen, 0).len(), usize::try_from(CHANGES).unwrap());
    // the organisation, six pages, a request for each change: a sixth of what it was
    assert_eq!((seen.requests, BY_REST), (1 + 6 + CHANGES, 1304));
    assert!(log.iter().all(|variables| variables.get("followId").is_none()), "what is past is not read on");
    let quiet = |variables: &Value| {
        let mut page = estate(variables["after"].as_str()).to_string();
        page = page.replace("2026-03-10T11:59:5", "2026-03-02T11:59:5");
        serde_json::from_str(&page).unwrap()
    };
    let (seen, _) = look(REPOSITORIES, quiet).await;
    assert_eq!((membership(&seen), rows(&seen, 0).len(), seen.requests), (Membership::Complete, 0, 7));
}

#[tokio::test]
async fn a_list_is_read_on_until_it_is_past_the_window() {
    let new = |id: u64| pull(id, &at(i64::try_from(100 - id).unwrap() * 1000), &at(0));
    let (seen, log) = look(1, move |variables| match variables["followAfter"].as_str() {
        None => page(1, None, &[repo(1, &list(900, Some("p2"), &[new(9), new(8)]))]),
        Some("p2") => {
            let old = pull(1, "2026-03-09T00:00:00Z", "2026-03-09T00:00:00Z");
            json!({ "data": { "node": { "pulls": list(900, Some("p3"), &[new(7), old]) } } })
        }
        Some(other) => panic!("{other}"),
    })
    .await;
    assert_eq!((membership(&seen), codes(&seen)), (Membership::Complete, vec![]));
    let names: Vec<Value> = rows(&seen, 0).iter().map(|row| row["_name"].clone()).collect();
    assert_eq!(names, ["r1#7", "r1#8", "r1#9"]);
    // the page of repositories, the further page of changes, three changes
    assert_eq!((log.len(), log[1]["followId"].clone()), (5, json!("R_1")));
}

#[tokio::test]
async fn a_list_that_does_not_reach_far_enough_is_not_whole() {
    let new = |id: u64| pull(id, &at(1000), &at(2000));
    let old = || pull(1, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z");
    let forbidden =
        json!({ "data": { "node": null }, "errors": [{ "type": "FORBIDDEN", "path": ["node"] }] });
    let short = json!({ "data": { "node": { "pulls": list(900, None, &[new(7)]) } } });
    // it counts more than it lists; it is not sorted; going on with it fails; it ends before its count: what came stands
    for (first, further, why) in [
        (list(3, None, &[new(9)]), json!(null), "page.end_unseen"),
        (list(900, None, &[old(), new(9)]), json!(null), "page.end_unseen"),
        (list(900, Some("p2"), &[new(9)]), forbidden, "page.forbidden"),
        (list(900, Some("p2"), &[new(9)]), short, "page.end_unseen"),
    ] {
        let (seen, _) = look(1, move |variables| {
            if variables["followId"].is_string() {
                further.clone()
            } else {
                page(1, None, &[repo(1, &first)])
            }
        })
        .await;
        assert_eq!(membership(&seen), Membership::Partial, "{why}");
        assert!(codes(&seen).contains(&why), "{why}: {:?}", seen.why);
        assert!(rows(&seen, 0).iter().any(|row| row["_name"] == "r1#9"), "{why}");
    }
}

#[tokio::test]
async fn a_list_that_may_not_be_seen_is_no_list_without_changes() {
    let (seen, _) = look(2, |_| {
        let mut body = page(2, None, &[repo(1, &list(0, None, &[])), repo(2, &Value::Null)]);
        body["errors"] =
            json!([{ "type": "FORBIDDEN", "path": ["organization", "repositories", "nodes", 1, "pulls"] }]);
        body
    })
    .await;
    assert_eq!(membership(&seen), Membership::Partial);
    assert!(codes(&seen).contains(&"page.forbidden"), "{:?}", seen.why);
}

#[tokio::test]
async fn what_an_error_said_of_a_record_stands_though_a_list_of_it_was_gone_on_with() {
    let change = |n: u64| pull(n, &at(1000), &at(2000));
    let (seen, log) = look_with(1, move |variables| {
        if variables["followId"] == "CS" {
            return json!({ "data": { "node": { "runs": list(2, None, &[json!({ "id": "b" })]) } } });
        }
        if variables["head"].is_null() {
            return page(1, None, &[repo(1, &list(2, None, &[change(8), change(9)]))]);
        }
        let runs = list(2, Some("c"), &[json!({ "id": "a" })]);
        let suites = list(1, None, &[json!({ "id": "CS", "app": null, "runs": runs })]);
        let mut body = detail();
        body["data"]["changes"][0]["repository"]["head"]["suites"] = suites;
        if variables["head"] == "h9" {
            body["data"]["changes"][0]["merge"]["suites"] = Value::Null;
            body["errors"] = json!([{ "type": "FORBIDDEN", "path": ["changes", 0, "merge", "suites"] }]);
        }
        body
    })
    .await;
    assert_eq!((membership(&seen), log.len()), (Membership::Complete, 5));
    let rows = rows(&seen, 0);
    for row in &rows {
        let runs = &row["detail"]["repository"]["head"]["suites"]["nodes"][0]["runs"]["nodes"];
        assert_eq!(*runs, json!([{ "id": "a" }, { "id": "b" }]));
    }
    assert!(rows[0].get("_outcomes").is_none());
    assert_eq!(rows[1]["_outcomes"], json!({ "detail": "forbidden" }));
}

#[tokio::test]
async fn without_a_window_nothing_is_read_on_and_nothing_is_whole() {
    let (seen, log) = look_at(None, None, 1, |_| {
        let pulls = list(900, Some("p2"), &[pull(9, &at(1000), &at(2000))]);
        page(1, None, &[repo(1, &pulls)])
    })
    .await;
    assert_eq!((membership(&seen), log.len()), (Membership::Partial, 1));
    assert!(codes(&seen).contains(&"window.missing"), "{:?}", seen.why);
}

#[tokio::test]
async fn a_server_of_ones_own_has_its_documents_beside_its_versions() {
    let base = Some("https://api.github.com/api/v3");
    let (seen, log) =
        look_at(base, Some(window()), 1, |_| page(1, None, &[repo(1, &list(0, None, &[]))])).await;
    assert_eq!((membership(&seen), log.len()), (Membership::Complete, 1), "{:?}", seen.why);
}

#[test]
fn a_step_inside_of_what_is_no_list_of_a_document_is_refused() {
    let path = super::collectors().join("github/change_checks/collector.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    for (from, to, why) in [
        ("    inside: pulls\n", "    inside: other\n", "inside: other"),
        ("    for_each: { in: repos, as: repo }\n", "", "inside: pulls"),
        ("    inside: pulls\n", "    inside: pulls\n    records: list\n", "it beside inside"),
        ("    inside: pulls\n", "    inside: pulls\n    get: /x\n", "2 requests"),
    ] {
        assert!(text.contains(from), "{from}");
        let faults = Manifest::read("m", &text.replacen(from, to, 1)).err().unwrap_or_default();
        let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|fault| fault.contains(why)), "no fault says {why}:\n{}", said.join("\n"));
    }
}
