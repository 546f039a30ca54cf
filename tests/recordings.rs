//! What GitHub really answered about one organisation, from the first request to the bundle: what the recordings prove is
//! known, everything else is unknown and says why, and nothing passes that they do not prove.
//!
//! A request that nobody recorded is answered with a status that means nothing. The recordings stay where they are; the
//! golden file holds counts and our own words, nothing of theirs.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    fs,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, Response},
};
use observance::{
    clock::Clock,
    run::{Setup, Shared},
    store::{Location, connect},
};
use observance_record::population::{Membership, Outcome};
use serde_json::Value;

use crate::support::{
    data, golden,
    life::{Record, Seen, at, every, live, setup, words},
};

const ORG: &str = "hub4j-test-org";
const COLLECTORS: [&str; 3] = ["github.branch_rules", "github.changes", "github.members"];
/// What is said where nothing is recorded.
const NOT_RECORDED: &str = "nobody recorded an answer to this";
/// Entries of a page when nobody asks for a size.
const PAGE: usize = 30;
/// About the connection, not about the answer.
const HOPS: [&str; 4] = ["transfer-encoding", "content-length", "content-encoding", "connection"];

/// Answers to GET requests about the organisation, by path and query, in the order in which they were recorded.
type Recorded = HashMap<String, Vec<Value>>;

fn recorded() -> Option<Recorded> {
    let lines = fs::read_to_string(data::folder("recordings")?.join("github.jsonl")).unwrap();
    let mut recorded = Recorded::new();
    for line in lines.lines() {
        let recording: Value = serde_json::from_str(line).unwrap();
        let url = recording["url"].as_str().unwrap();
        let ours = url.starts_with(&format!("/orgs/{ORG}")) || url.starts_with(&format!("/repos/{ORG}/"));
        let is_template = ["headers", "body"].iter().any(|part| recording[part].to_string().contains("{{"));
        if recording["method"] == "GET" && ours && !is_template {
            recorded.entry(url.to_owned()).or_default().push(recording);
        }
    }
    Some(recorded)
}

/// The recording that answers a request: the same path and query. A list that was whole on a page of the usual size is
/// whole on a larger one too, so `per_page` may be absent from the recording.
fn find<'a>(recorded: &'a Recorded, asked: &str, variant: usize) -> Option<&'a Value> {
    let pick = |all: &'a Vec<Value>| all.get(variant % all.len());
    if let Some(exact) = recorded.get(asked) {
        return pick(exact);
    }
    let (path, query) = asked.split_once('?')?;
    let rest: Vec<&str> = query.split('&').filter(|pair| *pair != "per_page=100").collect();
    let without = format!("{path}?{}", rest.join("&"));
    let found = pick(recorded.get(without.trim_end_matches('?'))?)?;
    let list: Vec<Value> = serde_json::from_str(found["body"].as_str()?).ok()?;
    let has_link = found["headers"].as_object()?.keys().any(|name| name.eq_ignore_ascii_case("link"));
    (list.len() < PAGE && !has_link).then_some(found)
}

fn reply(found: Option<&Value>) -> Response<Body> {
    let Some(found) = found else {
        return Response::builder().status(501).body(NOT_RECORDED.into()).unwrap();
    };
    let status = u16::try_from(found["status"].as_u64().unwrap()).unwrap();
    let mut response = Response::new(Body::from(found["body"].as_str().unwrap_or_default().to_owned()));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in found["headers"].as_object().unwrap() {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let name: HeaderName = name.parse().unwrap();
        for value in values.iter().filter(|_| !HOPS.contains(&name.as_str())) {
            response
                .headers_mut()
                .append(name.clone(), HeaderValue::from_str(value.as_str().unwrap()).unwrap());
        }
    }
    response
}

/// What was asked, and whether it was recorded.
type Asked = Arc<Mutex<BTreeMap<String, bool>>>;

/// Serves the recordings; of several answers to one request always the one numbered `variant`.
async fn replay(recorded: Arc<Recorded>, variant: usize) -> (String, Asked) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    let answer = move |request: Request| {
        assert_eq!(request.method(), Method::GET);
        let path = request.uri().path_and_query().unwrap().as_str().to_owned();
        let found = find(&recorded, &path, variant);
        log.lock().unwrap().insert(path, found.is_some());
        let reply = reply(found);
        async move { reply }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    (base_url, asked)
}

async fn watch(recorded: &Arc<Recorded>, variant: usize) -> (Record, Shared, BTreeMap<String, bool>) {
    let clock = Clock::simulated(at("03-10T11:58"));
    let (base_url, asked) = replay(Arc::clone(recorded), variant).await;
    let mut setup: Setup = setup(&base_url, &COLLECTORS);
    every(&mut setup, "0 12 * * *");
    for source in setup.sources.values_mut() {
        Arc::get_mut(source).unwrap().params.insert("org".to_owned(), ORG.to_owned());
    }
    let (setup, objects) = (Arc::new(setup), connect(&Location::Memory, None).unwrap());
    live(&setup, (Arc::clone(&objects), None), (&clock, 1), at("03-10T12:10")).await.unwrap();
    let record = Record::read(objects, &setup).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    (record, setup, asked)
}

/// What is known, in our own words.
fn describe(record: &Record, seen: &Seen<'_>, out: &mut String) {
    let run = seen.run;
    writeln!(out, "  {}: {:?} {:?}", run.schedule.as_deref().unwrap(), run.result, words(&run.why)).unwrap();
    for (outcome, n) in &run.exchanges.by {
        writeln!(out, "    exchanges {}: {n}", outcome.as_str()).unwrap();
    }
    for population in &run.populations {
        writeln!(
            out,
            "    population {}: {} rows, {} of them not seen whole, membership {:?}, horizon {:?} {:?}",
            population.name,
            population.table.n,
            population.items_unknown,
            population.membership,
            population.horizon,
            words(&population.why),
        )
        .unwrap();
    }
    for policy in &seen.said {
        writeln!(
            out,
            "    policy {}: judged {:?} {:?}; passed {}, failed {}, unknown {}, not applicable {}",
            policy.policy,
            policy.judged,
            words(&policy.why),
            policy.passed,
            policy.failed,
            policy.unknown,
            policy.not_applicable,
        )
        .unwrap();
        let column = record.ledger.policies()[&policy.policy].column.as_ref();
        let mut reasons = BTreeMap::<String, u64>::new();
        for result in column.iter().flat_map(|column| column.results.values()) {
            *reasons.entry(format!("{} {}", result.state(), result.codes_joined())).or_default() += 1;
        }
        for (reason, n) in reasons {
            writeln!(out, "      {n} rows {reason}").unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_passes_that_the_recordings_do_not_prove() {
    let Some(recorded) = recorded() else { return };
    let recorded = Arc::new(recorded);
    let variants = recorded[&format!("/orgs/{ORG}")].len();
    let mut known = String::new();
    for variant in 0..variants {
        let (record, setup, asked) = watch(&recorded, variant).await;
        writeln!(known, "answer {} about the organisation", variant + 1).unwrap();
        for (path, found) in &asked {
            writeln!(known, "  {} {path}", if *found { "recorded" } else { "not recorded" }).unwrap();
        }
        for collector in COLLECTORS {
            let runs = record.runs(collector);
            assert_eq!(runs.len(), 1, "{collector}");
            describe(&record, &runs[0], &mut known);
            assert_proved(&runs[0], &asked);
        }
        record.assert_accounted();
        record.assert_verifies(&setup);
    }
    golden::check("recordings/known.txt", known.as_bytes());
}

/// A list that nobody recorded is not whole, what nobody recorded counts as an error and never as absent, and a policy
/// passes nothing unless all that its collector asked for was recorded.
fn assert_proved(seen: &Seen<'_>, asked: &BTreeMap<String, bool>) {
    let by = |outcome| seen.run.exchanges.by.get(&outcome).copied().unwrap_or(0);
    assert_eq!(by(Outcome::Absent) + by(Outcome::NotApplicable) + by(Outcome::Hidden), 0);
    let has_error = by(Outcome::Error) > 0;
    assert!(asked.values().any(|found| !found) && has_error, "each collector asks for something unrecorded");
    assert_eq!(seen.passed(), 0);
    let repositories = ["repositories", "changes", "bypasses"];
    for population in seen.run.populations.iter().filter(|p| repositories.contains(&p.name.as_str())) {
        assert_ne!(population.membership, Membership::Complete, "nobody recorded the list of repositories");
        assert_eq!(population.table.n, 0);
    }
}
