//! Holds Okta's answers against the vendor's own description of its API, and against what was planted.

use observance_record::Instant;
use serde_json::Value;

use super::*;
use crate::demo::{
    calendar::date,
    company::{
        Company,
        openapi::{Contract, Scope},
    },
    described::described,
    site::{Answers as _, Asked, Reply},
};

fn at(month: u32, day: u32, hour: i64) -> Instant {
    berlin(date(2026, month, day), hour * 3600)
}

fn identity() -> Identity {
    let (from, to) = (at(1, 1, 0), at(7, 1, 0));
    let story = Story::of(from);
    Identity::new(7, &Staff::new(&Company::new(7, from, to), &story), &story)
}

fn ask(identity: &Identity, url: &str, now: Instant) -> Reply {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    identity.answer(&Asked { is_get: true, path, query, credential: CREDENTIAL }, now)
}

fn users(limit: usize) -> String {
    let states = [
        "ACTIVE",
        "STAGED",
        "PROVISIONED",
        "RECOVERY",
        "PASSWORD_EXPIRED",
        "LOCKED_OUT",
        "SUSPENDED",
        "DEPROVISIONED",
    ];
    let filter = states.map(|state| format!("status+eq+%22{state}%22")).join("+or+");
    format!("/api/v1/users?filter={filter}&limit={limit}")
}

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

#[test]
fn answers_are_as_the_vendor_describes_them() {
    let Some(text) = described("okta.subset.json") else { return };
    let mut contract = Contract::new(&text, Scope::Part);
    let identity = identity();
    for now in [at(1, 1, 0), at(2, 1, 12), at(4, 23, 8), at(6, 3, 12), at(6, 30, 23)] {
        let mut of_factors = Vec::new();
        let mut hold = |schema: &str, url: &str| {
            let reply = ask(&identity, url, now);
            assert_eq!(reply.status.as_u16(), 200, "{url}");
            contract.body(schema, url, reply.body.as_bytes());
            json(&reply)
        };
        hold("/api/v1/org", "/api/v1/org");
        hold("/api/v1/groups", "/api/v1/groups?expand=stats&limit=200");
        hold("/api/v1/iam/assignees/users", "/api/v1/iam/assignees/users?limit=100");
        let all = hold("/api/v1/users", &users(200));
        for user in all.as_array().unwrap() {
            let id = user["id"].as_str().unwrap();
            hold("/api/v1/users/{id}", &format!("/api/v1/users/{id}"));
            hold("/api/v1/users/{userId}/roles", &format!("/api/v1/users/{id}/roles"));
            let factors = hold("/api/v1/users/{userId}/factors", &format!("/api/v1/users/{id}/factors"));
            for factor in factors.as_array().unwrap() {
                let schema = match factor["factorType"].as_str().unwrap() {
                    "push" => "UserFactorPush",
                    "webauthn" => "UserFactorWebAuthn",
                    _ => "UserFactorTokenSoftwareTOTP",
                };
                of_factors.push((schema, factor.to_string()));
            }
        }
        for (schema, factor) in of_factors {
            contract.body(schema, schema, factor.as_bytes());
        }
    }
    for url in ["/api/v1/users/nobody", "/api/v1/users?limit=200", "/api/v1/apps"] {
        contract.body("Error", url, ask(&identity, url, at(1, 1, 0)).body.as_bytes());
    }
    contract.assert_kept();
    assert!(contract.checked > 4_000, "{} objects", contract.checked);
}

#[test]
fn nobody_without_the_token_is_told_anything() {
    let asked = Asked { is_get: true, path: "/api/v1/org", query: Vec::new(), credential: "SSWS other" };
    assert_eq!(identity().answer(&asked, at(1, 1, 0)).status.as_u16(), 401);
}

#[test]
fn pages_make_up_the_whole_list() {
    let (identity, now) = (identity(), at(3, 1, 0));
    let whole = json(&ask(&identity, &users(200), now));
    let (mut url, mut pages) = (users(40), Vec::new());
    for _ in 0..10 {
        let reply = ask(&identity, &url, now);
        pages.extend(json(&reply).as_array().unwrap().clone());
        let link = reply.headers.iter().find(|(name, _)| *name == "link");
        let Some((_, link)) = link else { break };
        link.to_str().unwrap().trim_start_matches('<').split_once('>').unwrap().0.clone_into(&mut url);
    }
    assert_eq!(Value::Array(pages), whole);
    assert_eq!(ask(&identity, "/api/v1/users?limit=200", now).status.as_u16(), 400);
}

#[test]
fn exactly_what_was_planted_happens() {
    let identity = identity();
    let keys = |now: Instant| {
        let administrators = identity.administrators(now);
        let keyed = |account: &&Account| account.factors(now).iter().any(|f| f.kind == Kind::SecurityKey);
        administrators.into_iter().filter(keyed).count()
    };
    let (lost, replaced) = Story::of(at(1, 1, 0)).keyless;
    let around = [lost.plus_ms(-1), lost, replaced.plus_ms(-1), replaced];
    assert_eq!(around.map(keys), [4, 3, 3, 4]);
    let open = |account: &&Account| {
        let leaving = account.person.leaving.unwrap();
        let due = berlin(later(leaving.last_day, 2), 0);
        leaving.shut > due
    };
    let leavers = || identity.accounts.iter().filter(|account| account.person.leaving.is_some());
    assert_eq!((leavers().count(), leavers().filter(open).count()), (4, 1));
    let late = leavers().find(open).unwrap();
    let planted = Story::of(at(1, 1, 0)).planted()[0];
    assert_eq!((late.status(planted.from), late.status(planted.to)), (Status::Active, Status::Deprovisioned));
}
