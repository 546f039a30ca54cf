//! Whoever asks AWS against a server on loopback: what is signed, what a session may do, what is left of it, and every way to
//! be refused. That signatures are right is checked by the published examples, and by a server that we did not write (`tests/aws.rs`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
};

use observance_record::population::Outcome;
use serde_json::{Value, json};

use super::{
    everything, run_for,
    scenarios::{Reply, Server, codes, exchange, reply},
};
use crate::{
    collect::{Auth, Aws, Collected, Http, Keys, Manifest, Role, Route, RunResult, State},
    secret::{Secret, SecretRef},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/auditor";
const POD: &str = "arn:aws:iam::123456789012:role/pod";

fn text() -> String {
    r#"
apiVersion: collectors/v1
kind: HttpCollector
metadata: { id: cloud.groups, version: 1, title: Groups, evidence: [population] }
connection: { base_url: "https://logs.{region}.amazonaws.com", params: [region], aws: { service: logs } }
permissions: { expect: [{ name: "logs:DescribeLogGroups", access: read }], reads: ["logs:Describe"] }
conditional: none
limits: { wait_ms: 300000, attempts_max: 3, rate: { no_header_wait_ms: 1000 } }
outcomes:
  - { status: 200, as: present }
  - { status: 400, body: ExpiredToken, as: unauthenticated }
  - { status: 403, as: forbidden }
  - { status: 500, as: retry }
steps:
  - id: account
    service: sts
    post: /
    safe_post: true
    form: { Action: GetCallerIdentity, Version: "2011-06-15" }
    decode: xml
    records: one
    project: [GetCallerIdentityResult.Account]
  - id: groups
    post: /
    safe_post: true
    headers: { x-amz-target: Logs_20140328.DescribeLogGroups, content-type: application/x-amz-json-1.1 }
    body: { limit: 50 }
    paginate: { cursor: { at: nextToken, param: nextToken } }
    records: { at: logGroups }
    key: arn
    project: [arn]
    complete: [terminal_page, unique_keys]
populations:
  groups: { type: group, of: groups, scope: account.GetCallerIdentityResult.Account, name: "{arn}" }
"#
    .to_owned()
}

fn manifest() -> Manifest {
    Manifest::read("cloud.groups", &text()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn role(external_id: Option<&str>) -> Role {
    Role { arn: ROLE.to_owned(), external_id: external_id.map(str::to_owned) }
}

fn keys() -> Keys {
    Keys::new("AKIDLASTS".to_owned(), Secret::new("hush-1".to_owned()), None)
}

/// Keys of the nth session, which ends so many seconds after the run began.
fn session(action: &str, nth: usize, life_s: i64) -> Reply {
    let ends = super::started().plus_ms(life_s * 1000);
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
         <AccessKeyId>ASIA{nth}</AccessKeyId><SecretAccessKey>hush-secret</SecretAccessKey>\
         <SessionToken>hush-session{nth}</SessionToken><Expiration>{ends}</Expiration></Credentials></{action}Result></{action}Response>"
    );
    reply(200, &[], body)
}

fn who() -> Reply {
    let body = "<R><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></R>";
    reply(200, &[], body)
}

/// A server of all services: sessions of so many seconds, two pages of groups.
async fn source(life_s: i64) -> Arc<Server> {
    Server::start(move |nth, _, server| {
        let posted = server.posted.lock().unwrap().last().cloned().unwrap_or_default();
        let field =
            |name: &str| posted.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        match field("Action") {
            Some("GetCallerIdentity") => who(),
            Some(action) => session(action, nth, life_s),
            None if posted.contains("nextToken") => reply(200, &[], r#"{"logGroups":[{"arn":"b"}]}"#),
            None => reply(200, &[], r#"{"logGroups":[{"arn":"a"}],"nextToken":"t"}"#),
        }
    })
    .await
}

async fn look(auth: Aws, server: &Server) -> Collected {
    let http = Http::new(&Route::default()).unwrap();
    let params = BTreeMap::from([("region".to_owned(), "eu-central-1".to_owned())]);
    let (way, nothing) = ((&http, Some(server.base.as_str())), (&BTreeMap::new(), &BTreeSet::new()));
    run_for(&params, &Auth::Aws(auth), &manifest(), way, (None, None), nothing, &mut State::default()).await
}

/// The header of each request, in order.
fn header(server: &Server, name: &str) -> Vec<String> {
    let log = server.log.lock().unwrap();
    let value =
        |headers: &axum::http::HeaderMap| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    log.iter().map(|(_, headers)| value(headers).unwrap_or_default()).collect()
}

fn forms(server: &Server) -> Vec<BTreeMap<String, String>> {
    let posted = server.posted.lock().unwrap();
    let form = |text: &String| url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    posted.iter().map(form).collect()
}

fn nothing_is_left(seen: &Collected) {
    let everything = everything(seen);
    assert!(!everything.contains("hush"), "{everything}");
}

#[tokio::test]
async fn keys_that_last_sign_each_request_for_its_service_and_are_never_sent() {
    let server = source(900).await;
    let seen = look(Aws::with_keys(keys(), None), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let signed = header(&server, "authorization");
    assert_eq!(signed.len(), 3);
    for (word, service) in signed.iter().zip(["sts", "logs", "logs"]) {
        let begins = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDLASTS/20260310/eu-central-1/{service}/aws4_request, SignedHeaders=content-type;host;x-amz-date"
        );
        assert!(word.starts_with(&begins), "{word}");
    }
    // two pages: what is posted is signed
    assert_ne!(signed[1], signed[2]);
    assert!(signed[1].contains(";x-amz-target,"), "{}", signed[1]);
    assert!(header(&server, "x-amz-security-token").iter().all(String::is_empty));
    nothing_is_left(&seen);
    assert!(!everything(&seen).contains("AKIDLASTS"));
}

#[tokio::test]
async fn a_role_is_assumed_for_what_is_expected_alone() {
    let server = source(900).await;
    let seen = look(Aws::with_keys(keys(), Some(role(Some("e-17")))), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    let form = &forms(&server)[0];
    let said = |name: &str| form.get(name).map(String::as_str);
    assert_eq!((said("Action"), said("RoleArn")), (Some("AssumeRole"), Some(ROLE)));
    assert_eq!((said("ExternalId"), said("DurationSeconds")), (Some("e-17"), Some("900")));
    assert_eq!(said("RoleSessionName"), Some("observance-cloud.groups"));
    let policy: Value = serde_json::from_str(said("Policy").unwrap()).unwrap();
    assert_eq!(
        policy["Statement"],
        json!([{ "Effect": "Allow", "Action": ["logs:DescribeLogGroups"], "Resource": "*" }])
    );
    let signed = header(&server, "authorization");
    assert!(signed[0].contains("AKIDLASTS/20260310/eu-central-1/sts/"), "{}", signed[0]);
    assert!(signed[1..].iter().all(|word| word.contains("Credential=ASIA0/")), "{signed:?}");
    assert!(header(&server, "x-amz-security-token")[1..].iter().all(|token| token == "hush-session0"));
    let row = exchange(&seen, "auth.token", "present");
    assert_eq!((&row["status"], &row["artefact"]), (&json!(200), &Value::Null));
    assert_eq!(seen.privileges.granted, BTreeSet::from(["logs:DescribeLogGroups".to_owned()]));
    assert_eq!((seen.privileges.seen, seen.privileges.write), (true, 0));
    nothing_is_left(&seen);
}

#[tokio::test]
async fn an_outside_identity_goes_through_its_role_to_another_by_a_token_that_is_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let token = || SecretRef::File(path.to_str().unwrap().to_owned());
    for further in [None, Some(role(None))] {
        fs::write(&path, "hush-jwt\n").unwrap();
        let server = source(900).await;
        let last = further.is_some();
        let auth = Aws::with_web_identity(token(), if last { POD } else { ROLE }.to_owned(), further);
        let seen = look(auth, &server).await;
        assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
        let forms = forms(&server);
        assert_eq!(forms[0]["Action"], "AssumeRoleWithWebIdentity");
        assert_eq!(forms[0]["WebIdentityToken"], "hush-jwt");
        assert_eq!(forms[0]["RoleArn"], if last { POD } else { ROLE });
        let signed = header(&server, "authorization");
        assert_eq!(signed[0], "", "nobody is known yet, so nobody signs");
        if last {
            // on the way it may do one thing alone
            let policy: Value = serde_json::from_str(&forms[0]["Policy"]).unwrap();
            assert_eq!(
                policy["Statement"],
                json!([{ "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ROLE }])
            );
            assert_eq!((forms[1]["Action"].as_str(), forms[1]["RoleArn"].as_str()), ("AssumeRole", ROLE));
            assert!(signed[1].contains("Credential=ASIA0/"), "{}", signed[1]);
            exchange(&seen, "auth.through", "present");
        }
        exchange(&seen, "auth.token", "present");
        nothing_is_left(&seen);
    }
    fs::remove_file(&path).unwrap();
    let server = source(900).await;
    let seen = look(Aws::with_web_identity(token(), ROLE.to_owned(), None), &server).await;
    let row = exchange(&seen, "groups", Outcome::Unauthenticated.as_str());
    assert_eq!((&row["why"], server.log.lock().unwrap().len()), (&json!("auth.key"), 0));
}

#[tokio::test]
async fn a_session_that_ends_is_followed_by_another() {
    // the source refuses the first session's keys once
    let server = Server::start(|nth, _, server| {
        let posted = server.posted.lock().unwrap().last().cloned().unwrap_or_default();
        let first =
            header(server, "authorization").last().is_some_and(|word| word.contains("Credential=ASIA0/"));
        match (posted.contains("Action=AssumeRole"), posted.contains("Action=Get"), first) {
            (true, ..) => session("AssumeRole", nth, 900),
            (_, true, _) => who(),
            (.., true) => reply(400, &[], r#"{"__type":"ExpiredTokenException"}"#),
            _ => reply(200, &[], r#"{"logGroups":[{"arn":"a"}]}"#),
        }
    })
    .await;
    let seen = look(Aws::with_keys(keys(), Some(role(None))), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    assert_eq!(forms(&server).iter().filter(|form| form.contains_key("RoleArn")).count(), 2);
    // keys that last are asked for once
    let server = Server::start(|_, _, _| reply(400, &[], r#"{"__type":"ExpiredTokenException"}"#)).await;
    let seen = look(Aws::with_keys(keys(), None), &server).await;
    assert_eq!((seen.result, server.log.lock().unwrap().len()), (RunResult::Failed, 2));
}

#[tokio::test]
async fn whoever_refuses_a_session_is_the_outcome_of_every_exchange() {
    let error = |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
    for (status, body, outcome, why) in [
        (403, error("AccessDenied"), Outcome::Forbidden, "auth.permissions"),
        (403, error("RegionDisabledException"), Outcome::Forbidden, "auth.permissions"),
        (403, error("InvalidClientTokenId"), Outcome::Unauthenticated, "auth.refused"),
        (403, error("SignatureDoesNotMatch"), Outcome::Unauthenticated, "auth.refused"),
        (403, error("ExpiredToken"), Outcome::Unauthenticated, "auth.refused"),
        (400, error("Throttling"), Outcome::Throttled, "auth.unavailable"),
        (429, "slower".to_owned(), Outcome::Throttled, "auth.unavailable"),
        (503, "no".to_owned(), Outcome::Retry, "auth.unavailable"),
        (400, error("PackedPolicyTooLarge"), Outcome::Error, "outcome.unmatched"),
        (200, "<html>".to_owned(), Outcome::Error, "body.malformed"),
        (200, "<R><AssumeRoleResult/></R>".to_owned(), Outcome::Error, "auth.malformed"),
    ] {
        let what = format!("{status} {body}");
        let server = Server::start(move |_, _, _| reply(status, &[], body.clone())).await;
        let seen = look(Aws::with_keys(keys(), Some(role(None))), &server).await;
        assert_eq!(seen.result, RunResult::Failed, "{what}");
        for step in ["account", "groups"] {
            let row = exchange(&seen, step, outcome.as_str());
            assert_eq!((&row["why"], &row["status"]), (&json!(why), &json!(0)), "{what}");
        }
        nothing_is_left(&seen);
    }
}

#[tokio::test]
async fn what_should_have_been_signed_is_told_back_with_the_session_and_kept_nowhere() {
    let server = Server::start(|nth, _, server| {
        let posted = server.posted.lock().unwrap().last().cloned().unwrap_or_default();
        if posted.contains("Action=AssumeRole") {
            return session("AssumeRole", nth, 900);
        }
        let told = "ExpiredToken: the canonical request was 'POST x-amz-security-token:hush-session1'";
        reply(400, &[], json!({ "message": told }).to_string())
    })
    .await;
    let seen = look(Aws::with_keys(keys(), Some(role(None))), &server).await;
    assert_eq!(seen.outcomes.get(&Outcome::Unauthenticated), Some(&2));
    nothing_is_left(&seen);
}

#[test]
fn what_only_goes_together_is_a_fault_where_it_does_not() {
    let read = |from: &str, to: &str| {
        assert!(text().contains(from), "{from}");
        Manifest::read("cloud.groups", &text().replace(from, to))
    };
    for (from, to) in [
        ("params: [region]", "params: []"),
        (", aws: { service: logs }", ""),
        ("service: logs", "service: Logs"),
        ("logs:DescribeLogGroups\"", "logs:*\""),
        ("logs:DescribeLogGroups\"", "logs:DeleteLogGroup\""),
        (
            "permissions: { expect: [{ name: \"logs:DescribeLogGroups\", access: read }], reads: [\"logs:Describe\"] }",
            "",
        ),
        ("https://logs.{region}.amazonaws.com", "https://logs.{region}"),
        ("https://logs.{region}.amazonaws.com", "https://{region}.com"),
        ("https://logs.{region}.amazonaws.com", "https://logs-{region}.amazonaws.com"),
        ("https://logs.{region}.amazonaws.com", "https://logs.{other}.amazonaws.com"),
        ("https://logs.{region}.amazonaws.com", "https://logs.amazonaws.com/{region}"),
        ("aws: { service: logs }", "aws: { service: logs }, auth: { token_path: /t }"),
    ] {
        assert!(read(from, to).is_err(), "{to} instead of {from}");
    }
    let read = read("https://logs.{region}.amazonaws.com", "https://logs.amazonaws.com").unwrap();
    assert_eq!(read.address(&BTreeMap::new()).as_deref(), Some("https://logs.amazonaws.com"));
    let of = |region: &str| manifest().address(&BTreeMap::from([("region".to_owned(), region.to_owned())]));
    assert_eq!(of("eu-central-1").as_deref(), Some("https://logs.eu-central-1.amazonaws.com"));
    for wrong in ["evil.example/", "a.b", ""] {
        assert_eq!(of(wrong), None, "{wrong}");
    }
}
