//! A GitHub App against a server on loopback: what it asks for, what is left of it, and every way to be refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use observance_record::population::Outcome;
use serde_json::{Value, json};

use super::{
    everything, pki, run_as,
    scenarios::{Reply, Server, acme, codes, exchange, message, reply},
    shipped,
};
use crate::{
    collect::{Auth, Collected, GithubApp, Http, Manifest, Route, RunResult, State},
    secret::Secret,
};

const INSTALLATION: &str = "/orgs/acme/installation";
const TOKENS: &str = "/app/installations/9/access_tokens";
const PROTECTION: &str = "/repos/acme/r2/branches/main/protection";

fn key() -> Secret {
    static KEY: OnceLock<String> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        pki::rsa_key(folder.path(), "app").expose().to_owned()
    });
    Secret::new(key.clone())
}

fn app() -> Auth {
    Auth::GithubApp(GithubApp::new("1234", key(), None).unwrap())
}

fn installation() -> Reply {
    let rights = json!({ "metadata": "read", "administration": "write", "contents": "write" });
    reply(200, &[("etag", "\"i\"")], json!({ "id": 9, "permissions": rights }).to_string())
}

/// Which token of the run, from 1.
fn token(nth: usize, expires_at: &str) -> Reply {
    let body = json!({ "token": format!("ghs_hush{nth}"), "expires_at": expires_at });
    reply(201, &[("etag", "\"of-the-token\"")], body.to_string())
}

/// What was sent as authorization with the last request.
fn shown(server: &Server) -> String {
    let log = server.log.lock().unwrap();
    log.last().unwrap().1["authorization"].to_str().unwrap().to_owned()
}

/// A source that hands out tokens of an hour and believes `believes(nth token, path)`.
async fn source(believes: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Arc<Server> {
    Server::start(move |nth, path, server| match path {
        INSTALLATION => installation(),
        TOKENS => token(nth + 1, "2026-03-10T13:00:00Z"),
        path => match shown(server).strip_prefix("Bearer ghs_hush") {
            Some(which) if believes(which, path) => acme(path),
            Some(_) | None => message(401, &[], "Bad credentials"),
        },
    })
    .await
}

async fn look(manifest: &Manifest, server: &Server) -> Collected {
    let http = Http::new(&Route::default()).unwrap();
    let way = (&http, Some(server.base.as_str()));
    run_as(&app(), manifest, way, (None, None), &BTreeMap::new(), &mut State::default()).await
}

#[tokio::test]
async fn a_token_may_read_what_the_manifest_expects_and_is_left_nowhere() {
    let server = source(|_, _| true).await;
    let manifest = shipped("github/branch_rules");
    let seen = look(&manifest, &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let asked: Value = serde_json::from_str(&server.posted.lock().unwrap()[0]).unwrap();
    assert_eq!(asked, json!({ "permissions": { "administration": "read", "metadata": "read" } }));
    // the rights of the installation are wider than the token, and two of them are findings
    assert_eq!((seen.privileges.seen, seen.privileges.write), (true, 2));
    let granted = BTreeSet::from(["administration:write", "contents:write", "metadata:read"]);
    assert!(seen.privileges.granted.iter().map(String::as_str).eq(granted));
    let everything = everything(&seen);
    for hush in ["ghs_hush", "of-the-token", "eyJhbGci", "PRIVATE"] {
        assert!(!everything.contains(hush), "{hush} in {everything}");
    }
    let minted = exchange(&seen, "auth.token", "present");
    assert_eq!((&minted["status"], &minted["artefact"]), (&json!(201), &Value::Null));
    assert_eq!(minted["url"], "/app/installations/{installation}/access_tokens");
    assert!(exchange(&seen, "auth.installation", "present")["artefact"]["sha256"].is_string());
    assert_eq!((seen.receipts.len(), seen.exchanges.len()), (10, 10), "two of them for the token");
    // a second run mints again, and nothing of the table changes for it
    let http = Http::new(&Route::default()).unwrap();
    let way = (&http, Some(server.base.as_str()));
    let second = run_as(&app(), &manifest, way, (None, None), &seen.exchanges, &mut State::default()).await;
    assert_eq!((&second.exchanges, second.bodies.len()), (&seen.exchanges, 0));
    assert_eq!(server.asked(TOKENS), 2);
}

#[tokio::test]
async fn a_known_installation_is_asked_about_by_its_number() {
    let server = Server::start(|nth, path, _| match path {
        "/app/installations/9" => installation(),
        TOKENS => token(nth + 1, "2026-03-10T13:00:00Z"),
        path => acme(path),
    })
    .await;
    let auth = Auth::GithubApp(GithubApp::new("1234", key(), Some(9)).unwrap());
    let http = Http::new(&Route::default()).unwrap();
    let way = (&http, Some(server.base.as_str()));
    let manifest = shipped("github/branch_rules");
    let seen = run_as(&auth, &manifest, way, (None, None), &BTreeMap::new(), &mut State::default()).await;
    assert_eq!(seen.result, RunResult::Complete);
    assert_eq!(server.asked(INSTALLATION), 0);
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_not_for_ever() {
    // the first token dies on the way
    let server = source(|which, path| which != "1" || path != PROTECTION).await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    assert_eq!((seen.result, codes(&seen), server.asked(TOKENS)), (RunResult::Complete, vec![], 2));
    let receipts: Vec<_> = seen.receipts.iter().map(|line| String::from_utf8_lossy(line)).collect();
    let attempts = r#""attempts":[{"status":401,"o":"unauthenticated","wait_ms":0}]"#;
    assert_eq!(receipts.iter().filter(|line| line.contains(attempts)).count(), 1, "{receipts:#?}");
    // no token is believed
    let server = source(|_, _| false).await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    assert_eq!((seen.result, server.asked(TOKENS)), (RunResult::Failed, 4));
    assert_eq!(exchange(&seen, "org", "unauthenticated")["status"], 401);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    // a minute's life, and a limit that is waited for longer than that; the clock starts at 2026-03-10T12:00:00Z
    let limit = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1773144100")];
    let server = Server::start(move |nth, path, _| match path {
        INSTALLATION => installation(),
        TOKENS => token(nth + 1, "2026-03-10T12:01:00Z"),
        PROTECTION if nth == 0 => message(403, &limit, "API rate limit exceeded"),
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    assert_eq!((seen.result, server.asked(TOKENS)), (RunResult::Complete, 2));
}

#[tokio::test]
async fn whoever_refuses_a_token_is_the_outcome_of_every_exchange() {
    type Answer = fn(&str) -> Option<Reply>;
    let cases: [(Answer, Outcome, &str); 7] = [
        (
            |path| (path == INSTALLATION).then(|| message(401, &[], "A JSON web token could not be decoded")),
            Outcome::Unauthenticated,
            "auth.refused",
        ),
        (
            |path| (path == INSTALLATION).then(|| message(404, &[], "Not Found")),
            Outcome::Forbidden,
            "auth.not_installed",
        ),
        (
            |path| {
                let suspended = json!({ "id": 9, "permissions": { "metadata": "read" }, "suspended_at": "2026-01-01T00:00:00Z" });
                (path == INSTALLATION).then(|| reply(200, &[], suspended.to_string()))
            },
            Outcome::Forbidden,
            "auth.suspended",
        ),
        (
            |path| {
                (path == INSTALLATION).then(|| reply(200, &[], r#"{"id":9,"permissions":{"issues":"read"}}"#))
            },
            Outcome::Forbidden,
            "auth.permissions",
        ),
        (
            |path| (path == TOKENS).then(|| message(422, &[], "The permissions requested are not granted")),
            Outcome::Forbidden,
            "auth.permissions",
        ),
        (
            |path| (path == TOKENS).then(|| reply(201, &[], r#"{"token":"ghs_hush"}"#)),
            Outcome::Error,
            "auth.malformed",
        ),
        (
            |path| (path == TOKENS).then(|| message(502, &[], "Bad Gateway")),
            Outcome::Retry,
            "auth.unavailable",
        ),
    ];
    for (answer, outcome, why) in cases {
        let server = Server::start(move |_, path, _| {
            answer(path).unwrap_or_else(|| if path == INSTALLATION { installation() } else { acme(path) })
        })
        .await;
        let seen = look(&shipped("github/branch_rules"), &server).await;
        assert_eq!(seen.result, RunResult::Failed, "{why}");
        for step in ["org", "repos"] {
            let row = exchange(&seen, step, outcome.as_str());
            assert_eq!((&row["why"], &row["status"]), (&json!(why), &json!(0)), "{why}");
        }
        assert_eq!(server.asked("/orgs/acme"), 0, "{why}: nothing may be asked without a credential");
        assert!(!everything(&seen).contains("ghs_hush"), "{why}");
    }
}
