//! Proofs of completeness beyond the last page, and expressions: in fan-outs, counts and rows.

use std::collections::BTreeMap;

use observance_record::population::{Grade, Horizon, Membership};
use serde_json::{Value, json};

use super::{Script, rows, run};
use crate::collect::{Claim, Collected, Http, Manifest, State, why};

/// A manifest with these steps, whose population is `things` of the step `things`.
fn manifest(steps: &str) -> Manifest {
    let text = format!(
        "apiVersion: collectors/v1\nkind: HttpCollector\n\
         metadata: {{ id: test.things, version: 1, title: Things, evidence: [population] }}\n\
         connection: {{ base_url: https://api.github.com, params: [org] }}\n\
         outcomes: [{{ status: 200, as: present }}, {{ status: 304, as: unchanged }}]\n\
         steps:\n  - {{ id: org, get: \"/org\", records: one, project: [id] }}\n{steps}\
         populations: {{ things: {{ type: thing, of: things, scope: org.id, name: \"{{id}}\" }} }}\n"
    );
    Manifest::read("things", &text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"))
}

async fn collect(steps: &str, answers: Value) -> Collected {
    let http = Http::scripted(Script::new(&answers));
    run(&manifest(steps), &http, None, None, &BTreeMap::new(), &mut State::default()).await
}

fn org(more: &Value) -> Value {
    let mut org = json!({ "id": 9 });
    org.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "status": 200, "body": org })
}

fn things(n: u64) -> Value {
    (1..=n).map(|id| json!({ "id": id })).collect()
}

/// Membership, grade, horizon is selected?, and what the source stated.
fn claimed(claim: &Claim) -> (Membership, Grade, bool, Option<u64>) {
    let stated = claim.proofs.last().and_then(|proof| proof.stated);
    (claim.membership, claim.grade, claim.horizon == Horizon::Selected, stated)
}

const COMPLETE: Membership = Membership::Complete;
const PARTIAL: Membership = Membership::Partial;

#[tokio::test]
async fn the_bodys_own_total_proves_or_refutes() {
    let steps = "  - { id: things, get: \"/things\", records: { at: items }, key: id, project: [id], \
                 complete: [terminal_page, { total: { at: meta.total_count } }] }\n";
    for (total, expected) in [
        (json!(3), (COMPLETE, Grade::SourceCount, false, Some(3))),
        (json!(4), (PARTIAL, Grade::ReadToEnd, true, Some(4))),
        (json!(2), (PARTIAL, Grade::ReadToEnd, false, Some(2))),
        (json!("3"), (Membership::Unknown, Grade::ReadToEnd, false, None)),
        (json!(null), (Membership::Unknown, Grade::ReadToEnd, false, None)),
    ] {
        let body = json!({ "items": things(3), "meta": { "total_count": total } });
        let seen =
            collect(steps, json!({ "/org": org(&json!({})), "/things": { "status": 200, "body": body } }))
                .await;
        assert_eq!(claimed(&seen.populations[0].claim), expected, "{total}");
        assert_eq!(seen.populations[0].rows.len(), 3);
    }
}

#[tokio::test]
async fn a_total_in_a_header_is_that_of_the_last_page() {
    let steps = "  - { id: things, get: \"/things\", paginate: { link: next }, records: list, key: id, project: [id], \
                 complete: [terminal_page, { header_total: X-Total }] }\n";
    let page = |id: u64, total: Option<&str>, link: Option<&str>| {
        let mut headers = serde_json::Map::new();
        headers.extend(total.map(|total| ("x-total".to_owned(), total.into())));
        headers.extend(link.map(|link| ("link".to_owned(), format!("<{link}>; rel=next").into())));
        json!({ "status": 200, "headers": headers, "body": [{ "id": id }] })
    };
    for (first, last, expected) in [
        (Some("2"), Some("2"), (COMPLETE, Grade::SourceCount, false, Some(2))),
        (Some("3"), Some("2"), (COMPLETE, Grade::SourceCount, false, Some(2))),
        (Some("2"), Some("3"), (PARTIAL, Grade::ReadToEnd, true, Some(3))),
        (None, None, (Membership::Unknown, Grade::ReadToEnd, false, None)),
    ] {
        let answers = json!({
            "/org": org(&json!({})),
            "/things": page(1, first, Some("/things?page=2")),
            "/things?page=2": page(2, last, None),
        });
        let seen = collect(steps, answers).await;
        assert_eq!(claimed(&seen.populations[0].claim), expected, "{first:?} {last:?}");
    }
}

#[tokio::test]
async fn a_request_of_its_own_counts() {
    let steps = "  - { id: count, get: \"/count\", records: count }\n  \
                 - { id: things, get: \"/things\", records: list, key: id, project: [id], \
                 complete: [terminal_page, { count_request: count }] }\n";
    for (count, expected) in [
        (json!(2), (COMPLETE, Grade::SourceCount, false, Some(2))),
        (json!(5), (PARTIAL, Grade::ReadToEnd, true, Some(5))),
        (json!({ "count": 2 }), (Membership::Unknown, Grade::ReadToEnd, false, None)),
        (json!(-2), (Membership::Unknown, Grade::ReadToEnd, false, None)),
    ] {
        let answers = json!({
            "/org": org(&json!({})), "/count": { "status": 200, "body": count },
            "/things": { "status": 200, "body": things(2) },
        });
        let seen = collect(steps, answers).await;
        assert_eq!(claimed(&seen.populations[0].claim), expected, "{count}");
    }
}

#[tokio::test]
async fn each_list_of_a_fan_out_has_its_own_count() {
    let steps = "  - { id: groups, get: \"/groups\", records: list, key: id, project: [id], complete: [terminal_page] }\n  \
                 - { id: count, for_each: { in: groups, as: group }, get: \"/n/{group.id}\", records: { count: n } }\n  \
                 - { id: things, for_each: { in: groups, as: group }, get: \"/g/{group.id}\", records: list, key: id, \
                 project: [id], complete: [terminal_page, { count_request: count }] }\n";
    // the sums agree, the lists do not
    for (first, second, membership) in [(1, 2, COMPLETE), (2, 1, PARTIAL)] {
        let answers = json!({
            "/org": org(&json!({})), "/groups": { "status": 200, "body": things(2) },
            "/n/1": { "status": 200, "body": { "n": first } }, "/n/2": { "status": 200, "body": { "n": second } },
            "/g/1": { "status": 200, "body": [{ "id": 11 }] },
            "/g/2": { "status": 200, "body": [{ "id": 21 }, { "id": 22 }] },
        });
        let claim = &collect(steps, answers).await.populations[0].claim;
        assert_eq!(claim.membership, membership);
        assert_eq!(claim.why.iter().any(|code| code.as_str() == why::COUNT_DIFFERS), membership == PARTIAL);
    }
}

#[tokio::test]
async fn a_count_is_computed_and_may_be_off_by_its_tolerance() {
    let steps = "  - { id: things, get: \"/things\", records: list, key: id, project: [id], complete: [terminal_page, \
                 { equals: { from: org, expr: \".public + (.private // 0)\", tolerance: 1 } }] }\n";
    for (more, expected) in [
        (json!({ "public": 1, "private": 2 }), (COMPLETE, Grade::SourceCount, false, Some(3))),
        (json!({ "public": 3 }), (COMPLETE, Grade::SourceCount, false, Some(3))),
        (json!({ "public": 4 }), (COMPLETE, Grade::ReadToEnd, false, Some(4))),
        (json!({ "public": 5 }), (PARTIAL, Grade::ReadToEnd, true, Some(5))),
        (json!({ "public": "3" }), (Membership::Unknown, Grade::ReadToEnd, false, None)),
        (json!({}), (Membership::Unknown, Grade::ReadToEnd, false, Some(0))),
    ] {
        let answers = json!({ "/org": org(&more), "/things": { "status": 200, "body": things(3) } });
        let found = claimed(&collect(steps, answers).await.populations[0].claim);
        // nothing stated is zero to jq: null + 0; that is a difference, not a proof
        let expected = if more == json!({}) { (PARTIAL, Grade::ReadToEnd, false, Some(0)) } else { expected };
        assert_eq!(found, expected, "{more}");
    }
}

#[tokio::test]
async fn only_a_clear_no_is_left_out_and_rows_hold_answers() {
    let steps = "  - id: groups\n    get: /groups\n    records: list\n    key: id\n    project: [id]\n  \
                 - id: things\n    for_each: { in: groups, as: group, where: [\".archived | not\", { path: kind, is: a }] }\n    \
                 get: \"/g/{group.id}\"\n    records: list\n    key: id\n    \
                 project: [id, { path: roles, expr: \"[.teams[] | select(.ok) | .role]\" }, name]\n    \
                 complete: [terminal_page]\n";
    let groups = json!([
        { "id": 1, "archived": false, "kind": "a" },
        { "id": 2, "archived": true, "kind": "a" },
        { "id": 3, "archived": false, "kind": "b" },
        { "id": 4, "kind": "a" },
        { "id": 5, "archived": { "since": 1 } },
    ]);
    let thing =
        |id: u64, teams: Value| json!({ "status": 200, "body": [{ "id": id, "name": "n", "teams": teams }] });
    let answers = json!({
        "/org": org(&json!({})), "/groups": { "status": 200, "body": groups },
        "/g/1": thing(11, json!([{ "ok": true, "role": "admin" }, { "ok": false, "role": "read" }])),
        "/g/4": thing(41, json!([])), "/g/5": thing(51, json!("none")),
    });
    let seen = collect(steps, answers).await;
    let found: Vec<_> = rows(&seen, 0).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            r#"{"_name":"11","id":11,"roles":["admin"],"name":"n"}"#,
            r#"{"_name":"41","id":41,"roles":[],"name":"n"}"#,
        ],
        "51 is not asked for: an object is something, and not of that is a clear no; 41 has null, which is no"
    );
}

#[tokio::test]
async fn what_the_source_tells_about_the_credential_is_kept() {
    let shipped = std::fs::read_to_string(super::collectors().join("github/members/collector.yaml")).unwrap();
    let observe = "observe: { granted: x-oauth-scopes, accepted: x-accepted, expires: x-expires }\n  forbid: [\"*:org\"]";
    let stands = "observe: { granted: x-oauth-scopes, expires: github-authentication-token-expiration }";
    assert!(shipped.contains(stands));
    let text = shipped.replace(stands, observe);
    let read = |text: &str| Manifest::read("m", text).unwrap_or_else(|faults| panic!("{faults:?}"));
    let headers = json!({ "x-oauth-scopes": "read:org, repo, read:user", "x-accepted": "members=read", "x-expires": "2026-04-01 00:00:00 UTC" });
    let answer = |body: Value| json!({ "status": 200, "headers": headers, "body": body });
    let answers = json!({
        "/orgs/acme": answer(json!({ "id": 9, "login": "acme", "two_factor_requirement_enabled": true })),
        "/orgs/acme/members?filter=all&per_page=100": answer(json!([])),
        "/orgs/acme/members?filter=2fa_disabled&per_page=100": answer(json!([])),
    });
    for (text, write) in [
        (text.clone(), 2),
        (text.replace("  reads: [\"read:\", \"user:email\"]\n", ""), 1),
        (text.replace("*:org", "admin:*"), 1),
    ] {
        let http = Http::scripted(Script::new(&answers));
        let seen = run(&read(&text), &http, None, None, &BTreeMap::new(), &mut State::default()).await;
        assert_eq!((seen.privileges.seen, seen.privileges.write), (true, write));
        assert_eq!(seen.privileges.expires.as_deref(), Some("2026-04-01 00:00:00 UTC"));
        let receipt: Value = serde_json::from_slice(&seen.receipts[0]).unwrap();
        assert_eq!(receipt["accepted"], "members=read");
    }
}

#[test]
fn what_is_wrong_with_an_expression_has_its_place() {
    let read = |steps: &str| {
        let good = "populations: { things: { type: thing, of: org, scope: org.id, name: \"{id}\" } }\n";
        let head = "apiVersion: collectors/v1\nkind: HttpCollector\n\
            metadata: { id: test.things, version: 1, title: Things, evidence: [population] }\n\
            connection: { base_url: \"https://example.org\", params: [] }\noutcomes: []\nsteps:\n  \
            - { id: org, get: /org, records: one, key: id, project: [id] }\n";
        let faults = Manifest::read("m.yaml", &format!("{head}{steps}{good}")).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let step = |more: &str| format!("  - {{ id: a, get: /a, records: list, key: id, {more} }}\n");
    for (steps, said) in [
        (
            step("project: [id, { path: n, expr: \"now\" }]"),
            "m.yaml:8: steps[1].project[1].expr: found the function now/0",
        ),
        (
            step("project: [id, { path: a.b, expr: .a }]"),
            "steps[1].project[1]: found an expr with lines or a dotted path",
        ),
        (
            step("project: [id], for_each: { in: org, as: o, where: \"repeat(.)\" }"),
            "steps[1].for_each.where: found the function repeat/1",
        ),
        (
            step("project: [id], complete: [{ equals: { from: org, expr: \".a +\" } }]"),
            "steps[1].complete[0].equals.expr: found not an expression of jq",
        ),
        (
            step("project: [id], complete: [{ equals: { from: org } }]"),
            "found both or neither of sum and expr",
        ),
        (step("project: [id], complete: [{ count_request: org }]"), "expected a step with records: count"),
        (
            step("project: [id], complete: [{ total: { at: n } }, { header_total: x }]"),
            "found 2 of total and header_total",
        ),
        (
            step(
                "project: [id], window: { keep_when: { path: at, in: window } }, complete: [{ total: { at: n } }]",
            ),
            "found a total beside a window",
        ),
        (
            "  - { id: a, get: /a, records: count, project: [id] }\n".to_owned(),
            "steps[1].project: found project, expected nothing",
        ),
    ] {
        let faults = read(&steps);
        assert!(faults.contains(said), "{said}\n{faults}");
    }
}
