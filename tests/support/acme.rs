//! A source with as many repositories, members and merged changes as a test asks for; it counts what it is asked.
//!
//! What changes, and when, is the test's decision. Faults are not its business: the demonstration's company has them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Response, StatusCode, header},
};
use observance::clock::Clock;
use observance_record::{Digest, Instant};

use super::corpus;

/// Entries of a page, as GitHub has them at most.
const PAGE: u64 = 100;

/// What the source has.
#[derive(Debug, Clone)]
pub(crate) struct Estate {
    pub(crate) repositories: u64,
    pub(crate) members: u64,
    /// Changes merged in each repository, all at this instant.
    pub(crate) merged: (u64, Instant),
    /// From this instant on the rules of so many repositories are others.
    pub(crate) changes: Option<(Instant, u64)>,
    /// Incompressible bytes in the rules of each repository.
    pub(crate) noise: usize,
}

/// The source, served until the runtime ends.
pub(crate) struct Acme {
    estate: Estate,
    clock: Clock,
    base_url: String,
    asked: Mutex<BTreeMap<&'static str, Asked>>,
}

/// How often something was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    pub(crate) requests: u64,
    /// Of these: answered 304.
    pub(crate) unchanged: u64,
}

impl Acme {
    pub(crate) async fn serve(estate: Estate, clock: Clock) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let acme = Arc::new(Self { estate, clock, base_url, asked: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&acme));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        acme
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What was asked since the last call, by kind.
    pub(crate) fn take_asked(&self) -> BTreeMap<&'static str, Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn page(&self, path: &str, query: &str) -> Page {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let value = |key: &str| {
            query.split('&').filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v)
        };
        let page = value("page").map_or(1, |page| page.parse().unwrap());
        let list = |kind, n: u64, one: &dyn Fn(u64) -> String| {
            let last = (page * PAGE).min(n);
            let body: Vec<String> = ((page - 1) * PAGE..last).map(one).collect();
            let next = (last < n).then(|| {
                let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("page=")).collect();
                format!("<{}{path}?{}&page={}>; rel=\"next\"", self.base_url, rest.join("&"), page + 1)
            });
            Page { kind, status: 200, body: format!("[{}]", body.join(",")), next }
        };
        let of = |name: &str| name.rsplit('-').next().unwrap().parse::<u64>().unwrap();
        match parts.as_slice() {
            ["orgs", _] => Page::one(
                "organisation",
                format!(
                    "{{\"id\":7,\"login\":\"acme\",\"public_repos\":0,\"total_private_repos\":{},\
                     \"two_factor_requirement_enabled\":true}}",
                    self.estate.repositories
                ),
            ),
            ["orgs", _, "repos"] => {
                list("repositories", self.estate.repositories, &|i| corpus::repository(i, 0))
            }
            ["orgs", _, "members"] if value("filter") == Some("2fa_disabled") => list("no_2fa", 0, &member),
            ["orgs", _, "members"] => list("members", self.estate.members, &member),
            ["repos", _, name, "rules", ..] => Page::one("rules", self.rules(of(name))),
            ["repos", _, name, "branches", _, "protection"] if of(name) % 2 == 0 => {
                let base = format!("https://api.source.example/repos/acme/{name}");
                Page::one("protection", corpus::protection(&base, of(name)))
            }
            ["repos", _, _, "branches", _, "protection"] => Page {
                status: 404,
                ..Page::one("protection", "{\"message\":\"Branch not protected\"}".into())
            },
            ["repos", _, name, "pulls"] => {
                let (n, at) = self.estate.merged;
                let merged = self.clock.now() >= at;
                list("pulls", if merged { n } else { 0 }, &|k| pull(of(name) * 10 + k, at))
            }
            ["repos", _, _, "pulls", number, "reviews"] => Page::one("reviews", review(number)),
            ["repos", _, _, "pulls", number, "commits"] => Page::one("commits", commit(number)),
            ["repos", _, _, "rulesets", "rule-suites"] => list("rule_suites", 0, &member),
            other => panic!("nobody serves {other:?}"),
        }
    }

    fn rules(&self, i: u64) -> String {
        let differs = self.estate.changes.is_some_and(|(at, n)| i < n && self.clock.now() >= at);
        let noise = corpus::noise(i + 1, self.estate.noise);
        format!(
            "[{{\"type\":\"deletion\",\"ruleset_id\":1,\"ruleset_source\":\"acme\",\"ruleset_source_type\":\"Organization\"}},\
             {{\"type\":\"pull_request\",\"ruleset_id\":1,\"ruleset_source\":\"acme\",\"ruleset_source_type\":\"Organization\",\
             \"parameters\":{{\"required_approving_review_count\":{}}},\"_links\":\"{noise}\"}}]",
            if differs { 2 } else { 1 },
        )
    }
}

struct Page {
    kind: &'static str,
    status: u16,
    body: String,
    next: Option<String>,
}

impl Page {
    const fn one(kind: &'static str, body: String) -> Self {
        Self { kind, status: 200, body, next: None }
    }
}

async fn answer(State(acme): State<Arc<Acme>>, request: Request) -> Response<Body> {
    let page = acme.page(request.uri().path(), request.uri().query().unwrap_or_default());
    // as GitHub makes it: another token has another
    let value = |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
    let hashed = format!("{}:{}:{}", value(header::ACCEPT), value(header::AUTHORIZATION), page.body);
    let etag = format!("\"{}\"", Digest::of(hashed.as_bytes()).to_hex());
    let known =
        request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let unchanged = known && page.status == 200;
    let mut asked = acme.asked.lock().unwrap();
    let asked = asked.entry(page.kind).or_default();
    asked.requests += 1;
    asked.unchanged += u64::from(unchanged);
    let date = chrono::DateTime::from_timestamp_millis(acme.clock.now().ms()).unwrap();
    let mut response = Response::builder()
        .header(header::DATE, date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(header::ETAG, etag);
    if let Some(next) = page.next {
        response = response.header(header::LINK, next);
    }
    let (status, body) = if unchanged { (304, String::new()) } else { (page.status, page.body) };
    response.status(StatusCode::from_u16(status).unwrap()).body(Body::from(body)).unwrap()
}

fn member(i: u64) -> String {
    format!("{{\"id\":{},\"login\":\"member-{i}\",\"type\":\"User\",\"site_admin\":false}}", 9_000 + i)
}

fn pull(number: u64, at: Instant) -> String {
    let at = format!("{}Z", &at.to_string()[..19]);
    format!(
        "{{\"id\":{},\"number\":{number},\"state\":\"closed\",\"user\":{{\"id\":9001,\"login\":\"member-1\",\"type\":\"User\"}},\
         \"base\":{{\"ref\":\"main\"}},\"head\":{{\"sha\":\"{number:040x}\"}},\"merge_commit_sha\":\"{number:040x}\",\
         \"updated_at\":\"{at}\",\"merged_at\":\"{at}\"}}",
        50_000 + number,
    )
}

fn review(number: &str) -> String {
    format!(
        "[{{\"id\":{number},\"user\":{{\"id\":9002,\"type\":\"User\"}},\"state\":\"APPROVED\",\
         \"submitted_at\":\"2026-01-01T00:00:00Z\",\"commit_id\":\"{:040x}\",\"author_association\":\"MEMBER\"}}]",
        number.parse::<u64>().unwrap(),
    )
}

fn commit(number: &str) -> String {
    format!(
        "[{{\"sha\":\"{:040x}\",\"author\":{{\"id\":9001}},\"committer\":{{\"id\":9001}},\
         \"commit\":{{\"author\":{{\"email\":\"one@acme.example\"}},\"message\":\"change\"}}}}]",
        number.parse::<u64>().unwrap(),
    )
}
