//! Documents: their pages, their errors, the lists inside of their records, and what is refused before anything is sent.

use std::sync::Mutex;

use observance_record::population::Membership;
use serde_json::{Value, json};

use super::{
    collectors,
    paging::{codes, look, manifest, ok},
    rows,
};
use crate::collect::{Collected, Manifest};

const QUERY: &str = r"
query($org: String!, $first: Int!, $after: String) {
  organization(login: $org) {
    repositories(first: $first, after: $after) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        id
        rules
        pulls: pullRequests(first: 2) {
          totalCount
          pageInfo { hasNextPage endCursor }
          nodes { number }
        }
      }
    }
  }
}";

fn text(query: &str, nested: &str) -> String {
    let shipped = std::fs::read_to_string(collectors().join("github/branch_rules/collector.yaml")).unwrap();
    let head = shipped.split("\nsteps:").next().unwrap();
    let query = query.replace('\n', "\n      ");
    format!(
        r#"{head}
steps:
  - {{ id: org, get: "/orgs/{{org}}", records: one, project: [id] }}
  - id: repos
    graphql: /graphql
    query: |
      {query}
    variables: {{ org: "{{org}}" }}
    paginate: {{ connection: after, size: {{ param: first, value: 2 }} }}
    records: {{ at: data.organization.repositories.nodes }}
    key: id
    project: [id, rules, pulls.nodes.number]
    {nested}
    redact: [{{ mask: data.organization.repositories.nodes.pulls.nodes.secret }}]
    complete: [terminal_page, unique_keys]
populations:
  repos: {{ type: repository, of: repos, scope: org.id, name: "{{id}}" }}
"#
    )
}

fn repos(nested: &str) -> Manifest {
    Manifest::read("m", &text(QUERY, nested)).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

const FOLLOWED: &str = "nested: [{ at: pulls, on: Repository }]";
const DECLARED: &str = "nested: [{ at: pulls }]";

fn list(total: u64, after: Option<&str>, nodes: &[Value]) -> Value {
    json!({ "totalCount": total, "pageInfo": { "hasNextPage": after.is_some(), "endCursor": after }, "nodes": nodes })
}

fn pulls(total: u64, after: Option<&str>, numbers: &[u64]) -> Value {
    list(total, after, &numbers.iter().map(|n| json!({ "number": n, "secret": "x" })).collect::<Vec<_>>())
}

fn repo(id: &str, pulls: &Value) -> Value {
    json!({ "id": id, "rules": "strict", "pulls": pulls })
}

fn page(total: u64, after: Option<&str>, nodes: &[Value]) -> Value {
    json!({ "data": { "organization": { "repositories": list(total, after, nodes) } } })
}

fn membership(seen: &Collected) -> Membership {
    seen.populations[0].claim.membership
}

#[tokio::test]
async fn a_connection_is_read_to_its_end_and_held_against_its_count() {
    let none = || pulls(0, None, &[]);
    let (seen, log) = look(&repos(FOLLOWED), move |path, body| {
        assert_eq!(path, "/graphql");
        match body.unwrap()["variables"]["after"].as_str() {
            None => ok(&page(3, Some("c2"), &[repo("a", &none()), repo("b", &none())])),
            Some("c2") => ok(&page(3, None, &[repo("c", &none())])),
            Some(other) => panic!("{other}"),
        }
    })
    .await;
    assert_eq!((membership(&seen), codes(&seen)), (Membership::Complete, vec![]));
    assert_eq!(rows(&seen, 0).len(), 3);
    assert_eq!(log[0].1.as_ref().unwrap()["variables"], json!({ "org": "acme", "first": 2 }));
    assert_eq!(log[1].1.as_ref().unwrap()["variables"], json!({ "org": "acme", "first": 2, "after": "c2" }));
}

#[tokio::test]
async fn a_count_that_differs_is_looked_at_once_more_and_then_said() {
    let none = || pulls(0, None, &[]);
    for settles in [true, false] {
        let asked = Mutex::new(0);
        let (seen, log) = look(&repos(FOLLOWED), move |_, _| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            let total = if *asked == 2 && settles { 1 } else { 2 };
            ok(&page(total, None, &[repo("a", &none())]))
        })
        .await;
        assert_eq!(log.len(), 2);
        let expected = if settles { Membership::Complete } else { Membership::Partial };
        assert_eq!(membership(&seen), expected);
        assert_eq!(codes(&seen).contains(&"count.differs"), !settles, "{:?}", seen.why);
    }
}

#[tokio::test]
async fn pages_that_do_not_say_how_far_they_go_are_not_read() {
    let of = |list: Value| json!({ "data": { "organization": { "repositories": list } } });
    for (body, why) in [
        (json!({ "data": null }), "body.shape"),
        (json!({ "data": { "organization": null } }), "body.shape"),
        (of(json!({ "nodes": [], "pageInfo": { "hasNextPage": false, "endCursor": null } })), "body.shape"),
        (of(json!({ "nodes": [], "totalCount": 0 })), "link.malformed"),
        (
            of(
                json!({ "nodes": [], "totalCount": 9, "pageInfo": { "hasNextPage": true, "endCursor": null } }),
            ),
            "link.malformed",
        ),
        (of(list(1, None, &[json!(null)])), "body.shape"),
        (of(list(9, Some("same"), &[repo("a", &pulls(0, None, &[]))])), "link.loop"),
    ] {
        let (seen, _) = look(&repos(FOLLOWED), move |_, _| ok(&body)).await;
        assert_eq!(membership(&seen), Membership::Partial, "{why}");
        assert!(codes(&seen).contains(&why), "{why}: {:?}", seen.why);
    }
}

#[tokio::test]
async fn errors_beside_status_200_are_outcomes() {
    for (error, code) in [
        (json!({ "type": "FORBIDDEN", "path": ["organization"] }), "exchange.forbidden"),
        (json!({ "type": "NOT_FOUND", "path": ["organization"] }), "exchange.hidden"),
        (json!({ "message": "Something went wrong" }), "exchange.error"),
        (json!({ "extensions": { "code": "UNAUTHENTICATED" } }), "exchange.unauthenticated"),
    ] {
        let body = json!({ "data": { "organization": null }, "errors": [error] });
        let (seen, _) = look(&repos(FOLLOWED), move |_, _| ok(&body)).await;
        assert_eq!((membership(&seen), rows(&seen, 0).len()), (Membership::Partial, 0), "{code}");
        assert!(codes(&seen).contains(&code) && codes(&seen).contains(&"graphql.errors"), "{:?}", seen.why);
    }
}

#[tokio::test]
async fn a_used_up_limit_is_waited_for_though_the_status_is_200() {
    let asked = Mutex::new(0);
    let (seen, log) = look(&repos(FOLLOWED), move |_, _| {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        if *asked > 1 {
            return ok(&page(1, None, &[repo("a", &pulls(0, None, &[]))]));
        }
        let mut over = ok(&json!({ "errors": [{ "message": "API rate limit exceeded" }] }));
        // the collector's clock starts at 2026-03-10T12:00:00Z
        over["headers"] = json!({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1773144040" });
        over
    })
    .await;
    assert_eq!((membership(&seen), log.len()), (Membership::Complete, 2), "{:?}", seen.why);
    assert_eq!(seen.ended.ms_since(seen.started), 41_000);
}

#[tokio::test]
async fn an_error_inside_of_a_record_leaves_that_row_unknown_and_the_list_not_whole() {
    let (seen, log) = look(&repos(FOLLOWED), |_, body| {
        let none = pulls(0, None, &[]);
        if body.unwrap()["variables"]["after"].is_string() {
            return ok(&page(3, None, &[repo("c", &none)]));
        }
        let mut b = repo("b", &none);
        b["rules"] = Value::Null;
        let mut body = page(3, Some("x"), &[repo("a", &none), b]);
        body["errors"] =
            json!([{ "type": "FORBIDDEN", "path": ["organization", "repositories", "nodes", 1, "rules"] }]);
        ok(&body)
    })
    .await;
    // the rest of the list is read, and all that was seen stands
    assert_eq!(
        (membership(&seen), log.len(), seen.populations[0].items_unknown),
        (Membership::Partial, 2, 1)
    );
    let rows = rows(&seen, 0);
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1]["_outcomes"], json!({ "repos": "forbidden" }));
    assert!(rows[0].get("_outcomes").is_none() && rows[2].get("_outcomes").is_none());
}

#[tokio::test]
async fn a_list_inside_of_a_record_is_gone_on_with() {
    let (seen, log) = look(&repos(FOLLOWED), |_, body| {
        let body = body.unwrap();
        let after = body["variables"]["followAfter"].as_str();
        match (body["variables"]["followId"].as_str(), after) {
            (None, _) => {
                let lists = [pulls(5, Some("p2"), &[1, 2]), pulls(1, None, &[7])];
                ok(&page(2, None, &[repo("a", &lists[0]), repo("b", &lists[1])]))
            }
            (Some("a"), Some("p2")) => {
                ok(&json!({ "data": { "node": { "pulls": pulls(5, Some("p4"), &[3, 4]) } } }))
            }
            (Some("a"), Some("p4")) => ok(&json!({ "data": { "node": { "pulls": pulls(5, None, &[5]) } } })),
            other => panic!("{other:?}"),
        }
    })
    .await;
    assert_eq!((membership(&seen), codes(&seen), log.len()), (Membership::Complete, vec![], 3));
    let rows = rows(&seen, 0);
    let numbers = |row: &Value| -> Vec<u64> {
        row["pulls"]["nodes"].as_array().unwrap().iter().map(|n| n["number"].as_u64().unwrap()).collect()
    };
    assert_eq!((numbers(&rows[0]), numbers(&rows[1])), (vec![1, 2, 3, 4, 5], vec![7]));
    assert!(rows.iter().all(|row| row.get("_outcomes").is_none()));
    let steps: Vec<String> = seen
        .exchanges
        .values()
        .map(|row| serde_json::from_slice::<Value>(row).unwrap()["step"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(steps.iter().filter(|step| *step == "repos.pulls").count(), 2, "{steps:?}");
    // what is covered in the first page is covered in those that follow
    let kept = seen.bodies.artefacts().unwrap();
    let kept = kept.iter().map(|body| String::from_utf8(body.bytes().to_vec()).unwrap());
    assert!(kept.into_iter().all(|body| !body.contains("\"x\"")));
}

type Follow = Box<dyn Fn() -> Value + Send + Sync>;

#[tokio::test]
async fn a_list_that_cannot_be_gone_on_with_leaves_its_row_unknown() {
    let short =
        || ok(&page(2, None, &[repo("a", &pulls(3, Some("p2"), &[1, 2])), repo("b", &pulls(0, None, &[]))]));
    let forbidden = || json!({ "status": 403, "body": { "message": "Resource not accessible" } });
    let grown = || ok(&json!({ "data": { "node": { "pulls": pulls(9, None, &[3, 4]) } } }));
    let gone =
        || ok(&json!({ "data": { "node": null }, "errors": [{ "type": "NOT_FOUND", "path": ["node"] }] }));
    let stuck = || ok(&json!({ "data": { "node": { "pulls": pulls(3, Some("p2"), &[3]) } } }));
    let answers: [(&str, Follow, &str); 5] = [
        (DECLARED, Box::new(gone), "error"),
        (FOLLOWED, Box::new(forbidden), "forbidden"),
        (FOLLOWED, Box::new(grown), "error"),
        (FOLLOWED, Box::new(gone), "hidden"),
        (FOLLOWED, Box::new(stuck), "error"),
    ];
    for (nested, follow, outcome) in answers {
        let (seen, _) = look(&repos(nested), move |_, body| {
            if body.unwrap()["variables"]["followId"].is_string() { follow() } else { short() }
        })
        .await;
        let rows = rows(&seen, 0);
        assert_eq!(rows[0]["_outcomes"], json!({ "repos": outcome }), "{nested}");
        assert!(rows[1].get("_outcomes").is_none());
        assert_eq!((membership(&seen), seen.populations[0].items_unknown), (Membership::Complete, 1));
    }
}

#[test]
fn what_could_write_or_be_cut_short_in_silence_is_refused_at_load() {
    let inside = "pullRequests(first: 2) {\n          totalCount";
    for (from, to, nested, why) in [
        ("query($org", "mutation($org", FOLLOWED, "found a mutation"),
        ("query($org", "subscription($org", FOLLOWED, "found a subscription"),
        ("query($org", "query($org", "", "found the list organization.repositories.nodes.pulls"),
        (inside, "pullRequests(first: 2) {", FOLLOWED, "without totalCount"),
        ("endCursor }\n      nodes", "}\n      nodes", FOLLOWED, "without pageInfo { endCursor }"),
        (", after: $after) {", ") {", FOLLOWED, "without after: of its own"),
        ("$first: Int!", "$n: Int!", FOLLOWED, "a value for $first"),
        ("$org: String!", "$org: String!, $more: ID!", FOLLOWED, "no value for $more"),
        ("        id\n", "", FOLLOWED, "no id in the query"),
        ("query($org", "query($org", "nested: [{ at: rules }]", "which is none"),
        ("first: 2)", "last: 2)", FOLLOWED, "not read from its beginning"),
        ("query($org", "query($org", "nested: [{ at: pulls, on: 'A { x' }]", "on: \"A { x\""),
    ] {
        assert!(QUERY.contains(from), "{from}");
        let faults = Manifest::read("m", &text(&QUERY.replace(from, to), nested)).err().unwrap_or_default();
        let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|fault| fault.contains(why)), "no fault says {why}:\n{}", said.join("\n"));
    }
}

#[tokio::test]
async fn a_post_that_reads_is_sent_with_its_body_and_goes_on_in_it() {
    let request = r#"post: /search
    safe_post: true
    body: { query: { org: "{org}", since: "of {org}", deep: [1, true, null] }, size: 2 }"#;
    let paginate =
        "{ cursor: { last: sort, param: search_after }, size: { param: size, value: 2 }, stop: short_page }";
    let manifest = manifest(request, paginate, "{ at: hits }");
    let (seen, log) = look(&manifest, |path, body| {
        assert_eq!(path, "/search");
        let hit = |id: u64| json!({ "id": id, "sort": [id, "t"] });
        match body.unwrap().get("search_after") {
            None => ok(&json!({ "hits": [hit(1), hit(2)] })),
            Some(after) if *after == json!([2, "t"]) => ok(&json!({ "hits": [hit(3)] })),
            Some(other) => panic!("{other}"),
        }
    })
    .await;
    assert_eq!((membership(&seen), rows(&seen, 0).len()), (Membership::Complete, 3), "{:?}", seen.why);
    let first = json!({ "query": { "org": "acme", "since": "of acme", "deep": [1, true, null] }, "size": 2 });
    assert_eq!(log[0].1, Some(first));
    for (from, to) in
        [("safe_post: true", "needs: x"), ("safe_post: true", "safe_post: false"), ("{org}\"", "{orgg}\"")]
    {
        let wrong = super::paging::text(&request.replace(from, to), paginate, "{ at: hits }");
        assert!(Manifest::read("m", &wrong).is_err(), "{to}");
    }
}
