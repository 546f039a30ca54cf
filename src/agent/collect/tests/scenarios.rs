//! The scenarios in which other tools were seen to fail, against a server on loopback.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Response, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use observance_record::{
    population::{Horizon, Membership, Outcome},
    verdict::Code,
};
use serde_json::{Value, json};

use super::{rows, run, shipped};
use crate::collect::{Collected, Http, Manifest, Route, RunResult, State, collect};

const REPOS: &str = "/orgs/acme/repos?type=all&sort=full_name&per_page=100";
/// 400,002 bytes of JSON, gzipped.
const BOMB: &str = "H4sIAAAAAAACA+3BQREAAAwCoCrr5a1/DVv4AnIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAw8AX2hp9UghoGAA==";

/// A server that answers from a function of (how often this was asked before, path and query, headers), and its log.
pub(super) struct Server {
    pub base: String,
    pub log: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    /// What was posted, in order.
    pub posted: Mutex<Vec<String>>,
}

pub(super) type Reply = Response<Body>;

impl Server {
    pub async fn start(reply: impl Fn(usize, &str, &Server) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = Arc::new(Self { base, log: Arc::default(), posted: Mutex::default() });
        let asked = Mutex::new(HashMap::<String, usize>::new());
        let shared = Arc::new((reply, asked, Arc::clone(&server)));
        let answer = move |request: Request| {
            let shared = Arc::clone(&shared);
            async move {
                let (reply, asked, server) = shared.as_ref();
                let path = request.uri().path_and_query().unwrap().as_str().to_owned();
                server.log.lock().unwrap().push((path.clone(), request.headers().clone()));
                if request.method() == axum::http::Method::POST {
                    let body = axum::body::to_bytes(request.into_body(), 65_536).await.unwrap();
                    server.posted.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
                }
                let nth = {
                    let mut asked = asked.lock().unwrap();
                    let nth = asked.entry(path.clone()).or_default();
                    *nth += 1;
                    *nth - 1
                };
                reply(nth, &path, server)
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
        server
    }

    pub fn asked(&self, path: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }

    pub fn conditional(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(_, h)| h.contains_key("if-none-match")).map(|(path, _)| path.clone()).collect()
    }
}

pub(super) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut reply = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        reply = reply.header(*name, *value);
    }
    let reply = reply.header("date", "Tue, 10 Mar 2026 12:00:00 GMT");
    reply.header("content-type", "application/json").body(body.into()).unwrap()
}

pub(super) fn message(status: u16, headers: &[(&str, &str)], text: &str) -> Reply {
    reply(status, headers, json!({ "message": text }).to_string())
}

fn repository(id: u64) -> Value {
    json!({ "id": id, "name": format!("r{id}"), "full_name": format!("acme/r{id}"), "archived": false,
            "default_branch": "main" })
}

/// A small organisation of three repositories, in which everything may be seen.
pub(super) fn acme(path: &str) -> Reply {
    match path {
        "/orgs/acme" => {
            let org = json!({ "id": 77, "login": "acme", "public_repos": 3, "total_private_repos": 0,
                              "two_factor_requirement_enabled": true });
            reply(200, &[("etag", "\"org\"")], org.to_string())
        }
        REPOS => {
            let list = json!([repository(1), repository(2), repository(3)]);
            reply(200, &[("etag", "\"repos\"")], list.to_string())
        }
        path if path.contains("/rules/") => reply(200, &[("etag", "\"rules\"")], "[]"),
        path if path.ends_with("/protection") => message(404, &[], "Branch not protected"),
        path if path.contains("/members") => {
            reply(200, &[], json!([{ "id": 1, "login": "ann" }]).to_string())
        }
        _ => message(500, &[], "nothing there"),
    }
}

async fn look(manifest: &Manifest, server: &Server) -> Collected {
    let http = Http::new(&Route::default()).unwrap();
    run(manifest, &http, Some(&server.base), None, &BTreeMap::new(), &mut State::default()).await
}

pub(super) fn codes(seen: &Collected) -> Vec<&str> {
    seen.why.iter().map(Code::as_str).collect()
}

pub(super) fn exchange(seen: &Collected, step: &str, outcome: &str) -> Value {
    let mut rows = seen.exchanges.values().map(|row| serde_json::from_slice::<Value>(row).unwrap());
    rows.find(|row| row["step"] == step && row["outcome"] == outcome).unwrap()
}

#[tokio::test]
async fn s1_a_second_page_that_fails_for_ever_makes_the_list_partial() {
    let server = Server::start(|_, path, server| match path {
        REPOS => {
            let link = format!("<{}{REPOS}&page=2>; rel=\"next\"", server.base);
            reply(200, &[("link", link.as_str())], json!([repository(1), repository(2)]).to_string())
        }
        path if path.contains("page=2") => message(502, &[], "Server Error"),
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    let population = &seen.populations[0];
    assert_eq!((seen.result, population.claim.membership), (RunResult::Partial, Membership::Partial));
    assert_eq!(population.rows.len(), 2);
    assert!(codes(&seen).contains(&"page.retry"), "{:?}", seen.why);
    assert_eq!(server.asked(&format!("{REPOS}&page=2")), 4);
    let waits = seen.ended.ms_since(seen.started);
    assert!(
        (1750..=3500).contains(&waits),
        "three pauses, doubled each time, half of each by chance: {waits}"
    );
    let receipt: Value = serde_json::from_slice(&seen.receipts[2]).unwrap();
    assert_eq!(receipt["attempts"].as_array().unwrap().len(), 3);
    assert_eq!(receipt["attempts"][0]["status"], 502);
}

#[tokio::test]
async fn s2_a_field_that_is_missing_for_lack_of_scope_leaves_every_row_unknown() {
    let server = Server::start(|_, path, _| match path {
        "/orgs/acme" => reply(200, &[("x-oauth-scopes", "read:org, repo")], r#"{"id":77,"login":"acme"}"#),
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/members"), &server).await;
    let row = &rows(&seen, 0)[0];
    assert_eq!(row["_outcomes"], json!({ "org": "forbidden" }));
    assert_eq!((seen.populations[0].items_unknown, seen.populations[0].claim.horizon), (1, Horizon::Unknown));
    let org = exchange(&seen, "org", "forbidden");
    assert_eq!((&org["why"], &org["status"]), (&json!("field.missing"), &json!(200)));
    assert_eq!((seen.privileges.seen, seen.privileges.granted.len(), seen.privileges.write), (true, 2, 1));
}

#[tokio::test]
async fn s3_what_may_not_be_read_beside_one_row_leaves_the_others_alone() {
    let server = Server::start(|_, path, _| match path {
        "/repos/acme/r2/branches/main/protection" => {
            message(403, &[], "Resource not accessible by integration")
        }
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    let population = &seen.populations[0];
    assert_eq!((population.rows.len(), population.items_unknown), (3, 1));
    assert_eq!((population.claim.membership, population.claim.source_total), (Membership::Complete, Some(3)));
    let outcomes: Vec<_> = rows(&seen, 0).iter().map(|row| row["_outcomes"].clone()).collect();
    assert_eq!(outcomes[1], json!({ "protection": "forbidden" }));
    assert_eq!(outcomes[0], json!({ "protection": "absent" }));
}

#[tokio::test]
async fn s5_a_rate_limit_is_waited_for_within_the_budget() {
    // the collector's clock starts at 2026-03-10T12:00:00Z
    let limit = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1773144040")];
    let server = Server::start(move |nth, path, _| match path {
        "/repos/acme/r2/branches/main/protection" if nth == 0 => {
            message(403, &limit, "API rate limit exceeded")
        }
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    assert_eq!((seen.result, codes(&seen)), (RunResult::Complete, vec![]));
    assert_eq!(seen.ended.ms_since(seen.started), 41_000);
    assert_eq!(server.asked("/repos/acme/r2/branches/main/protection"), 2);
}

#[tokio::test]
async fn s6_a_limit_beyond_the_budget_ends_the_run_and_no_further_request_is_made() {
    let server = Server::start(|_, path, _| match path {
        REPOS => message(429, &[("retry-after", "86400")], "You have exceeded a secondary rate limit"),
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    assert_eq!((seen.result, seen.requests), (RunResult::Failed, 2));
    assert_eq!(seen.outcomes[&Outcome::Throttled], 1);
    assert!(codes(&seen).contains(&"page.throttled"), "{:?}", seen.why);
    assert_eq!(seen.ended, seen.started);
}

#[tokio::test]
async fn s14_a_next_page_on_another_host_gets_nothing() {
    let other = Server::start(|_, _, _| reply(200, &[], "[]")).await;
    let link = format!("<{}/orgs/acme/repos?page=2>; rel=\"next\"", other.base);
    let server = Server::start(move |_, path, _| match path {
        REPOS => reply(200, &[("link", link.as_str())], json!([repository(1)]).to_string()),
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    assert!(other.log.lock().unwrap().is_empty());
    let refused = exchange(&seen, "repos", "error");
    assert_eq!((&refused["why"], &refused["status"]), (&json!("link.other_host"), &json!(0)));
    assert_eq!(seen.populations[0].claim.membership, Membership::Partial);
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_host_and_recorded() {
    let other = Server::start(|_, _, _| reply(200, &[], "[]")).await;
    let away = format!("{}/rules", other.base);
    let server = Server::start(move |_, path, _| match path {
        "/repos/acme/r1/rules/branches/main?per_page=100" => {
            message(301, &[("location", "/repositories/1/rules")], "Moved Permanently")
        }
        "/repositories/1/rules" => reply(200, &[], r#"[{"type":"deletion"}]"#),
        "/repos/acme/r2/rules/branches/main?per_page=100" => {
            message(302, &[("location", away.as_str())], "Found")
        }
        "/repos/acme/r3/rules/branches/main?per_page=100" => {
            message(307, &[("location", path)], "Round and round")
        }
        path => acme(path),
    })
    .await;
    let seen = look(&shipped("github/branch_rules"), &server).await;
    assert!(other.log.lock().unwrap().is_empty());
    let rows = rows(&seen, 0);
    assert_eq!(rows[0]["rules"], json!([{ "type": "deletion" }]));
    assert_eq!(
        (&rows[1]["_outcomes"]["rules"], &rows[2]["_outcomes"]["rules"]),
        (&json!("error"), &json!("error"))
    );
    let receipt = seen.receipts.iter().map(|line| String::from_utf8(line.clone()).unwrap());
    assert!(
        receipt
            .into_iter()
            .any(|line| line.contains(r#""attempts":[{"status":301,"to":"/repositories/1/rules"}]"#))
    );
    let why: Vec<_> = seen.exchanges.values().map(|row| String::from_utf8(row.to_vec()).unwrap()).collect();
    assert!(
        why.iter().any(|row| row.contains("redirect.other_host"))
            && why.iter().any(|row| row.contains("redirect.many"))
    );
}

#[tokio::test]
async fn a_quiet_run_changes_no_row_and_stores_nothing() {
    let server = Server::start(|_, path, server| {
        let conditional = server.log.lock().unwrap().last().unwrap().1.get("if-none-match").cloned();
        match conditional {
            Some(etag) if acme(path).headers().get("etag") == Some(&etag) => message(304, &[], ""),
            Some(_) | None => acme(path),
        }
    })
    .await;
    let manifest = shipped("github/branch_rules");
    let http = Http::new(&Route::default()).unwrap();
    let mut state = State::default();
    let none = BTreeMap::new();
    let first = run(&manifest, &http, Some(&server.base), None, &none, &mut state).await;
    assert!(!first.bodies.is_empty() && server.conditional().is_empty());
    let second = run(&manifest, &http, Some(&server.base), None, &first.exchanges, &mut state).await;
    assert_eq!(second.outcomes[&Outcome::Unchanged], 2, "org and repos; [] has no record to remember");
    assert_eq!((&second.exchanges, second.bodies.len()), (&first.exchanges, 0));
    assert_eq!(second.populations[0].rows, first.populations[0].rows);
    // without memory everything is read again, and is the same
    let third =
        run(&manifest, &http, Some(&server.base), None, &first.exchanges, &mut State::default()).await;
    assert_eq!((&third.exchanges, third.bodies.len()), (&first.exchanges, 0));
    // without the sealed bytes nothing may be asked conditionally: 304 could not be proved
    let asked = server.conditional().len();
    let fourth = run(&manifest, &http, Some(&server.base), None, &none, &mut state).await;
    assert_eq!((server.conditional().len(), fourth.bodies.len()), (asked, first.bodies.len()));
}

#[tokio::test]
async fn a_full_last_page_is_read_anew_because_another_could_follow_it() {
    let server = Server::start(|_, path, _| acme(&path.replace("per_page=3", "per_page=100"))).await;
    let text =
        std::fs::read_to_string(super::collectors().join("github/branch_rules/collector.yaml")).unwrap();
    let manifest = Manifest::read("x", &text.replace("value: 100", "value: 3")).unwrap();
    let http = Http::new(&Route::default()).unwrap();
    let mut state = State::default();
    let first = run(&manifest, &http, Some(&server.base), None, &BTreeMap::new(), &mut state).await;
    assert_eq!(first.result, RunResult::Complete);
    run(&manifest, &http, Some(&server.base), None, &first.exchanges, &mut state).await;
    assert_eq!(server.conditional(), ["/orgs/acme"]);
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_a_large_one_is_too_large() {
    let server = Server::start(|_, path, _| match path {
        REPOS => reply(200, &[("content-encoding", "gzip")], STANDARD.decode(BOMB).unwrap()),
        path => acme(path),
    })
    .await;
    let text =
        std::fs::read_to_string(super::collectors().join("github/branch_rules/collector.yaml")).unwrap();
    let manifest = |bytes: u32| {
        let limit = format!("attempts_max: 4\n  body_bytes_max: {bytes}");
        Manifest::read("x", &text.replace("attempts_max: 4", &limit)).unwrap()
    };
    let seen = look(&manifest(400_001), &server).await;
    assert_eq!(exchange(&seen, "repos", "error")["why"], "too_large");
    let seen = look(&manifest(400_002), &server).await;
    assert_eq!(exchange(&seen, "repos", "present")["artefact"]["bytes"], 400_002);
}

#[tokio::test]
async fn nobody_there_is_a_failed_run_and_not_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let http = Http::new(&Route::default()).unwrap();
    let manifest = shipped("github/members");
    let seen = run(&manifest, &http, Some(&base), None, &BTreeMap::new(), &mut State::default()).await;
    assert_eq!(seen.result, RunResult::Failed);
    assert_eq!(seen.populations[0].claim.membership, Membership::Partial);
    assert!(codes(&seen).contains(&"net.connect"), "{:?}", seen.why);
    assert_eq!(exchange(&seen, "org", "retry")["status"], 0);
}

#[test]
fn a_run_can_be_moved_between_threads() {
    fn is_send<T: Send>(_: impl FnOnce() -> T) {}
    is_send(|| {
        let never = || -> crate::collect::Request<'static> { unreachable!() };
        async move {
            let (manifest, http) = (shipped("github/members"), Http::new(&Route::default()).unwrap());
            let (clock, chance) = (crate::clock::Clock::system(), crate::chance::Chance::system());
            collect(&manifest, &never(), &mut State::default(), &http, &clock, &chance).await
        }
    });
}
