//! A client of OAuth 2.0 against a token endpoint on loopback: what it shows, what is left of it, and every way to be
//! refused. What it signs stands in `signed`, tokens of its own in `bound`.

mod bound;
mod signed;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use observance_record::population::Outcome;
use serde_json::{Value, json};

use super::{
    everything, pki, run_as,
    scenarios::{Reply, Server, codes, exchange, message, reply},
};
use crate::{
    collect::{
        Auth, Client, Collected, Http, Manifest, Route, RunResult, State, manifest::TokenAt,
        template::Template,
    },
    secret::Secret,
};

const TOKENS: &str = "/acme/oauth2/token";
const THINGS: &str = "/things?limit=2";
const MORE: &str = "/things?limit=2&after=b";

/// A source of things, with `auth` and further lines of `connection`.
fn manifest(auth: &str) -> Manifest {
    let text = format!(
        r#"
apiVersion: collectors/v1
kind: HttpCollector
metadata: {{ id: ids.things, version: 1, title: Things, evidence: [population] }}
connection: {{ base_url: "https://ids.example", params: [org], auth: {{ {auth} }} }}
permissions:
  expect: [{{ name: ids.things.read, access: read }}, {{ name: ids.orgs.read, access: read }}]
  reads: ["ids.things.read", "ids.orgs.read"]
  forbid: ["*.manage"]
limits:
  wait_ms: 300000
  attempts_max: 3
  rate: {{ remaining: x-left, reset: x-reset, retry_after: retry-after, no_header_wait_ms: 1000 }}
outcomes:
  - {{ status: 200, as: present }}
  - {{ status: 401, as: unauthenticated }}
  - {{ status: 403, as: forbidden }}
  - {{ status: 429, as: throttled }}
  - {{ status: [500, 502, 503, 504], as: retry }}
steps:
  - {{ id: org, get: "/org", records: one, project: [id] }}
  - id: things
    get: /things
    paginate: {{ link: next, size: {{ param: limit, value: 2 }} }}
    records: list
    key: id
    project: [id]
    complete: [terminal_page, unique_keys]
populations:
  things: {{ type: thing, of: things, scope: org.id, name: "{{id}}" }}
"#
    );
    Manifest::read("ids.things", &text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn usual() -> Manifest {
    manifest(r#"token_path: "/{org}/oauth2/token""#)
}

fn with_secret() -> Auth {
    Auth::Client(Client::with_secret("me:too", Secret::new("hush&1".to_owned())))
}

/// Which token of the run, from 1.
fn token(nth: usize, life_s: u64, scope: &str) -> Reply {
    let body = json!({ "access_token": format!("ey_hush{nth}"), "token_type": "Bearer",
                       "expires_in": life_s, "scope": scope });
    reply(200, &[("etag", "\"of-the-token\""), ("cache-control", "no-store")], body.to_string())
}

fn things(path: &str) -> Reply {
    match path {
        "/org" => reply(200, &[], r#"{"id":"o1"}"#),
        THINGS => {
            let next = format!("<{MORE}>; rel=\"next\"");
            reply(200, &[("link", next.as_str())], r#"[{"id":"a"},{"id":"b"}]"#)
        }
        MORE => reply(200, &[], r#"[{"id":"c"}]"#),
        _ => message(500, &[], "nothing there"),
    }
}

/// What was sent as authorization with the last request.
fn shown(server: &Server) -> String {
    let log = server.log.lock().unwrap();
    let header = log.last().unwrap().1.get("authorization");
    header.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

async fn source(believes: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Arc<Server> {
    Server::start(move |nth, path, server| match path {
        TOKENS => token(nth + 1, 3600, "ids.things.read ids.orgs.read"),
        path => match shown(server).strip_prefix("Bearer ey_hush") {
            Some(which) if believes(which, path) => things(path),
            Some(_) | None => message(401, &[], "invalid token"),
        },
    })
    .await
}

async fn look(auth: &Auth, manifest: &Manifest, server: &Server) -> Collected {
    let http = Http::new(&Route::default()).unwrap();
    let way = (&http, Some(server.base.as_str()));
    run_as(auth, manifest, way, (None, None), &BTreeMap::new(), &mut State::default()).await
}

/// The form that was posted first.
fn form(server: &Server) -> BTreeMap<String, String> {
    fields(&server.posted.lock().unwrap()[0])
}

/// The fields of a form.
fn fields(form: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

/// A part of a signed statement.
fn part(token: &str, nth: usize) -> Value {
    let part = token.split('.').nth(nth).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn claims(token: &str) -> Value {
    part(token, 1)
}

/// Has `openssl` check the signature of a statement by the public key `me.pub` of that folder.
fn verified(folder: &Path, token: &str, algorithm: &str) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    fs::write(folder.join("signed"), signed).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signature = if algorithm == "ES256" { asn1(&signature) } else { signature };
    fs::write(folder.join("signature"), signature).unwrap();
    let pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 ";
    let how = if algorithm == "PS256" { pss } else { "" };
    pki::openssl(folder, &format!("dgst -sha256 {how}-verify me.pub -signature signature signed"));
}

/// The two halves of a signature as `openssl` wants them.
fn asn1(halves: &[u8]) -> Vec<u8> {
    assert_eq!(halves.len(), 64);
    let number = |half: &[u8]| {
        let at = half.iter().position(|b| *b != 0).unwrap();
        let sign = half[at] > 127;
        let digits = [vec![0; usize::from(sign)], half[at..].to_vec()].concat();
        [vec![2, u8::try_from(digits.len()).unwrap()], digits].concat()
    };
    let both = [number(&halves[..32]), number(&halves[32..])].concat();
    [vec![0x30, u8::try_from(both.len()).unwrap()], both].concat()
}

#[tokio::test]
async fn a_secret_is_shown_where_tokens_are_given_and_the_token_is_left_nowhere() {
    let server = source(|_, _| true).await;
    let seen = look(&with_secret(), &usual(), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let scope = "ids.things.read ids.orgs.read".to_owned();
    let expected = [("grant_type", "client_credentials".to_owned()), ("scope", scope)];
    assert_eq!(form(&server), expected.map(|(name, value)| (name.to_owned(), value)).into());
    {
        let log = server.log.lock().unwrap();
        let (path, headers) = &log[0];
        assert_eq!(
            (path.as_str(), &headers["content-type"]),
            (TOKENS, &"application/x-www-form-urlencoded".parse().unwrap())
        );
        // each half is encoded as in a form, so that a colon in an id parts nothing
        let pair = headers["authorization"].to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(pair).unwrap(), b"me%3Atoo:hush%261");
    }
    assert!(seen.privileges.seen);
    let granted = BTreeSet::from(["ids.orgs.read", "ids.things.read"]);
    assert!(seen.privileges.granted.iter().map(String::as_str).eq(granted));
    assert_eq!(seen.privileges.write, 0);
    let everything = everything(&seen);
    for hush in ["hush", "of-the-token", "me%3Atoo"] {
        assert!(!everything.contains(hush), "{hush} in {everything}");
    }
    let row = exchange(&seen, "auth.token", "present");
    assert_eq!((&row["status"], &row["artefact"]), (&json!(200), &Value::Null));
    assert_eq!(row["url"], "/{org}/oauth2/token");
    assert_eq!((seen.receipts.len(), server.asked(TOKENS)), (4, 1), "one of four for the token");
}

#[tokio::test]
async fn a_secret_goes_into_the_form_where_the_manifest_says_so() {
    let server = source(|_, _| true).await;
    let auth = r#"token_path: "/{org}/oauth2/token", client_secret: post, scopes: [one, two.read],
        audience: "https://ids.example/{org}/", resource: "urn:{org}""#;
    let seen = look(&with_secret(), &manifest(auth), &server).await;
    assert_eq!(seen.result, RunResult::Complete);
    let form = form(&server);
    for (name, value) in [
        ("client_id", "me:too"),
        ("client_secret", "hush&1"),
        ("scope", "one two.read"),
        ("audience", "https://ids.example/acme/"),
        ("resource", "urn:acme"),
    ] {
        assert_eq!(form[name], value);
    }
    assert!(!server.log.lock().unwrap()[0].1.contains_key("authorization"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_and_not_for_ever() {
    // the first token dies on the way
    let server = source(|which, path| which != "1" || path != MORE).await;
    let seen = look(&with_secret(), &usual(), &server).await;
    assert_eq!((seen.result, codes(&seen), server.asked(TOKENS)), (RunResult::Complete, vec![], 2));
    // no token is believed
    let server = source(|_, _| false).await;
    let seen = look(&with_secret(), &usual(), &server).await;
    assert_eq!((seen.result, server.asked(TOKENS)), (RunResult::Failed, 4));
    assert_eq!(exchange(&seen, "org", "unauthenticated")["status"], 401);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    // half a minute's life, and a wait longer than that
    let server = Server::start(move |nth, path, _| match path {
        TOKENS => token(nth + 1, 20, ""),
        THINGS if nth == 0 => message(429, &[("retry-after", "60")], "slower"),
        path => things(path),
    })
    .await;
    let seen = look(&with_secret(), &usual(), &server).await;
    assert_eq!((seen.result, server.asked(TOKENS)), (RunResult::Complete, 2));
}

#[tokio::test]
async fn where_tokens_are_given_one_waits_as_everywhere() {
    let server = Server::start(move |nth, path, _| match (path, nth) {
        (TOKENS, 0) => message(429, &[("retry-after", "7")], "slower"),
        (TOKENS, 1) => message(502, &[], "Bad Gateway"),
        (TOKENS, _) => token(nth, 3600, "ids.things.read ids.things.manage"),
        (path, _) => things(path),
    })
    .await;
    let seen = look(&with_secret(), &usual(), &server).await;
    assert_eq!((seen.result, server.asked(TOKENS)), (RunResult::Complete, 3));
    let receipts: Vec<_> = seen.receipts.iter().map(|line| String::from_utf8_lossy(line)).collect();
    assert!(receipts[0].contains(r#"{"status":429,"o":"throttled","wait_ms":7000}"#), "{}", receipts[0]);
    // more was granted than was asked for
    assert_eq!((seen.privileges.seen, seen.privileges.write), (true, 1));
}

#[tokio::test]
async fn whoever_refuses_a_token_is_the_outcome_of_every_exchange() {
    let error = |code: &str| json!({ "error": code, "error_description": "hush" }).to_string();
    let malformed = [
        r#"{"access_token":"ey_hush","token_type":"mac"}"#.to_owned(),
        r#"{"access_token":"","token_type":"Bearer"}"#.to_owned(),
        r#"{"token_type":"Bearer"}"#.to_owned(),
    ];
    let mut cases = vec![
        (401, error("invalid_client"), Outcome::Unauthenticated, "auth.refused"),
        (400, error("invalid_client"), Outcome::Unauthenticated, "auth.refused"),
        (401, "no".to_owned(), Outcome::Unauthenticated, "auth.refused"),
        (400, error("invalid_scope"), Outcome::Forbidden, "auth.permissions"),
        (400, error("unauthorized_client"), Outcome::Forbidden, "auth.permissions"),
        (403, error("access_denied"), Outcome::Forbidden, "auth.permissions"),
        (400, error("invalid_request"), Outcome::Error, "outcome.unmatched"),
        (302, String::new(), Outcome::Error, "outcome.unmatched"),
        (404, "no".to_owned(), Outcome::Error, "auth.endpoint"),
        (429, "slower".to_owned(), Outcome::Throttled, "auth.unavailable"),
        (502, "Bad Gateway".to_owned(), Outcome::Retry, "auth.unavailable"),
        (200, "[]".to_owned(), Outcome::Error, "body.shape"),
        (200, "<html>".to_owned(), Outcome::Error, "body.malformed"),
        (
            200,
            r#"{"access_token":"ey\nhush","token_type":"Bearer"}"#.to_owned(),
            Outcome::Unauthenticated,
            "token.malformed",
        ),
    ];
    cases.extend(malformed.map(|body| (200, body, Outcome::Error, "auth.malformed")));
    for (status, body, outcome, why) in cases {
        let what = format!("{status} {body}");
        let server = Server::start(move |_, path, _| match path {
            TOKENS => reply(status, &[("location", "/elsewhere")], body.clone()),
            path => things(path),
        })
        .await;
        let seen = look(&with_secret(), &usual(), &server).await;
        assert_eq!(seen.result, RunResult::Failed, "{what}");
        for step in ["org", "things"] {
            let row = exchange(&seen, step, outcome.as_str());
            assert_eq!((&row["why"], &row["status"]), (&json!(why), &json!(0)), "{what}");
        }
        assert_eq!(
            server.asked("/org") + server.asked("/elsewhere"),
            0,
            "{what}: nothing may be asked without a token"
        );
        assert!(!everything(&seen).contains("hush"), "{what}");
    }
}

#[tokio::test]
async fn tokens_may_be_given_on_another_host_that_never_sees_one() {
    let elsewhere = Server::start(|nth, _, _| token(nth + 1, 3600, "ids.things.read")).await;
    let server = source(|_, _| true).await;
    let mut manifest = usual();
    let at = Template::read(&format!("{}/{{org}}/token", elsewhere.base), &[]).unwrap();
    manifest.connection.auth.as_mut().unwrap().at = TokenAt::Url(at);
    let seen = look(&with_secret(), &manifest, &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    assert_eq!((server.asked(TOKENS), elsewhere.asked("/acme/token")), (0, 1));
    assert_eq!(elsewhere.log.lock().unwrap().len(), 1, "nothing else is asked there");
    let log = server.log.lock().unwrap().clone();
    assert!(log.iter().all(|(_, headers)| headers["authorization"] == "Bearer ey_hush1"));
    assert!(!seen.channel.hosts.is_empty());
    // by http a secret goes to this machine alone
    let at = Template::read("http://login.example/{org}/token", &[]).unwrap();
    manifest.connection.auth.as_mut().unwrap().at = TokenAt::Url(at);
    let seen = look(&with_secret(), &manifest, &server).await;
    assert_eq!((seen.result, seen.requests), (RunResult::Failed, 0));
    assert_eq!(exchange(&seen, "org", "error")["why"], "value.unsafe");
}

#[tokio::test]
async fn a_client_asks_nobody_where_no_manifest_says_so() {
    let server = source(|_, _| true).await;
    let mut manifest = usual();
    manifest.connection.auth = None;
    let seen = look(&with_secret(), &manifest, &server).await;
    assert_eq!((seen.result, server.log.lock().unwrap().len()), (RunResult::Failed, 0));
    assert_eq!(exchange(&seen, "org", "error")["why"], "auth.endpoint");
}

#[test]
fn the_place_of_tokens_is_checked_before_anybody_goes_there() {
    let read = |auth: &str| {
        let text = format!(
            "connection: {{ base_url: \"https://ids.example\", params: [realm], auth: {{ {auth} }} }}"
        );
        let faults = Manifest::read("f", &text).unwrap_err();
        faults.iter().map(ToString::to_string).filter(|fault| fault.contains("auth")).collect::<Vec<_>>()
    };
    for good in [
        r#"token_path: "/{realm}/token""#,
        r#"token_url: "https://login.example/{realm}/token", scopes: [".default"]"#,
        "token_path: /t, scopes: expect, client_secret: post",
    ] {
        assert_eq!(read(good), Vec::<String>::new());
    }
    for wrong in [
        "scopes: expect",
        "token_path: /t, token_url: https://login.example/t",
        "token_path: t",
        "token_path: /t?x=1",
        r#"token_path: "/{org}/token""#,
        "token_url: http://login.example/t",
        "token_url: https://127.0.0.1/t",
        "token_url: https://localhost/t",
        r#"token_url: "https://{realm}.example/t""#,
        r#"token_url: "https://me@login.example/t""#,
        r#"token_path: /t, scopes: ["a b"]"#,
        "token_path: /t, scopes: []",
        "token_path: /t, scopes: some",
        "token_path: /t, client_secret: query",
        "token_path: /t, grant: password",
    ] {
        assert!(!read(wrong).is_empty(), "{wrong}");
    }
}
