//! Asking whether something changed, by another token and without memory, against a source that makes its ETags as
//! GitHub does; and against sources that do not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use observance_record::{Digest, Instant, population::Outcome, table::Rows};
use serde_json::json;

use super::{
    run_as,
    scenarios::{Reply, Server, exchange, message, reply},
    started,
};
use crate::{
    collect::{Auth, Bodies, Collected, Http, Manifest, Route, RunResult, State},
    secret::Secret,
};

const REPOSITORIES: u64 = 20;

/// What a run sealed, and how often it was asked for.
#[derive(Debug, Default)]
struct Sealed(BTreeMap<Digest, Bytes>, Mutex<usize>);

impl Sealed {
    fn of(seen: &Collected) -> Self {
        let bodies = seen.bodies.artefacts().unwrap();
        let bodies = bodies.iter().map(|body| (body.digest(), body.bytes().to_vec().into()));
        Self(bodies.collect(), Mutex::default())
    }
}

impl Bodies for Sealed {
    fn body(&self, digest: Digest, since: Instant) -> BoxFuture<'_, Option<Bytes>> {
        assert_eq!(since, started());
        *self.1.lock().unwrap() += 1;
        std::future::ready(self.0.get(&digest).cloned()).boxed()
    }
}

/// The shipped collector, asking as it may and covering nothing.
fn manifest(more: impl Fn(String) -> String) -> Manifest {
    let path = super::collectors().join("github/branch_rules/collector.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let bare: Vec<&str> = text.lines().filter(|line| !line.contains("redact:")).collect();
    assert!(text.contains("\nconditional: github_etag\n") && bare.len() + 1 == text.lines().count());
    Manifest::read("x", &more(bare.join("\n"))).unwrap()
}

fn body(path: &str, page: u64) -> String {
    let repository = |id: u64| {
        json!({ "id": id, "name": format!("r{id}"), "full_name": format!("acme/r{id}"), "archived": false,
                "default_branch": "main" })
    };
    let half = REPOSITORIES / 2;
    match path {
        "/orgs/acme" => {
            json!({ "id": 77, "login": "acme", "public_repos": REPOSITORIES, "total_private_repos": 0 })
        }
        path if path.ends_with("/protection") => {
            json!({ "url": path, "enforce_admins": { "enabled": true } })
        }
        path if path.contains("/rules/") => json!([{ "type": "deletion", "ruleset_id": 1, "path": path }]),
        _ if page == 1 => (1..=half).map(repository).collect(),
        _ => (half + 1..=REPOSITORIES).map(repository).collect(),
    }
    .to_string()
}

/// How a source answers: with links beside 304, and by which ETag.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Github,
    WithoutLinks,
    Random,
}

async fn source(way: Way) -> Arc<Server> {
    Server::start(move |nth, path, server| {
        let headers = server.log.lock().unwrap().last().unwrap().1.clone();
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        let body = body(bare, if query.ends_with("page=2") { 2 } else { 1 });
        let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let text = format!("{}:{}:{body}", value("accept").unwrap(), value("authorization").unwrap());
        let etag = match way {
            Way::Github | Way::WithoutLinks => format!("\"{}\"", Digest::of(text.as_bytes()).to_hex()),
            Way::Random => format!("\"{nth}\""),
        };
        let more = bare.ends_with("/repos") && !query.ends_with("page=2");
        let link = format!("<{}{path}&page=2>; rel=\"next\"", server.base);
        let mut pairs = vec![("etag", etag.as_str())];
        let unchanged = value("if-none-match").as_deref() == Some(etag.as_str());
        if more && !(unchanged && way == Way::WithoutLinks) {
            pairs.push(("link", link.as_str()));
        }
        let answered: Reply = if unchanged { message(304, &pairs, "") } else { reply(200, &pairs, body) };
        answered
    })
    .await
}

struct Look<'a> {
    manifest: &'a Manifest,
    server: &'a Server,
    token: &'a str,
    prior: &'a Rows,
    sealed: Option<&'a Sealed>,
}

impl Look<'_> {
    async fn at(&self, state: &mut State) -> Collected {
        let http = Http::new(&Route::default()).unwrap();
        let auth = Auth::Bearer(Secret::new(self.token.to_owned()));
        let bodies = self.sealed.map(|sealed| sealed as &dyn Bodies);
        let way = (&http, Some(self.server.base.as_str()));
        run_as(&auth, self.manifest, way, (None, bodies), self.prior, state).await
    }
}

fn unchanged(seen: &Collected) -> u64 {
    seen.outcomes.get(&Outcome::Unchanged).copied().unwrap_or_default()
}

fn assert_same(seen: &Collected, first: &Collected) {
    assert_eq!((seen.result, seen.bodies.len()), (RunResult::Complete, 0));
    assert_eq!(seen.exchanges, first.exchanges);
    assert_eq!(seen.populations[0].rows, first.populations[0].rows);
    assert_eq!(seen.populations[0].rows.len(), 20);
}

#[tokio::test]
async fn an_unchanged_estate_is_not_sent_again_to_another_token_or_to_a_new_agent() {
    // pages of ten, so that the list of repositories has two full ones
    let manifest = manifest(|text| {
        text.replace("per_page, value: 100 }, pages_max: 1000", "per_page, value: 10 }, pages_max: 1000")
    });
    let (server, none) = (source(Way::Github).await, BTreeMap::new());
    let first = Look { manifest: &manifest, server: &server, token: "ghp_one", prior: &none, sealed: None };
    let mut state = State::default();
    let first = first.at(&mut state).await;
    assert_eq!((first.result, first.exchanges.len(), unchanged(&first)), (RunResult::Complete, 43, 0));
    let sealed = Sealed::of(&first);
    let look = |token| Look {
        manifest: &manifest,
        server: &server,
        token,
        prior: &first.exchanges,
        sealed: Some(&sealed),
    };
    // a new agent with a new token: only the full last page is read anew, since another could follow it
    let mut new = State::default();
    let second = look("ghp_two").at(&mut new).await;
    assert_eq!((unchanged(&second), second.requests), (42, 43));
    assert_same(&second, &first);
    // the same agent and token: what it remembers is enough, also to know that this page has to be read
    let reads = *sealed.1.lock().unwrap();
    let third = look("ghp_two").at(&mut new).await;
    assert_eq!((unchanged(&third), *sealed.1.lock().unwrap()), (42, reads));
    assert_same(&third, &first);
    // another token within one life
    let fourth = look("ghp_three").at(&mut state).await;
    assert_eq!(unchanged(&fourth), 42);
    assert_same(&fourth, &first);
    // what changed since is read
    let lost = Sealed::default();
    let lost = Look { sealed: Some(&lost), ..look("ghp_four") };
    let fifth = lost.at(&mut State::default()).await;
    assert_eq!(unchanged(&fifth), 0);
    assert_same(&fifth, &first);
}

#[tokio::test]
async fn a_page_whose_next_one_is_not_told_is_read() {
    let manifest = manifest(|text| text);
    let (server, none) = (source(Way::WithoutLinks).await, BTreeMap::new());
    let first = Look { manifest: &manifest, server: &server, token: "ghp_one", prior: &none, sealed: None };
    let first = first.at(&mut State::default()).await;
    let sealed = Sealed::of(&first);
    let second = Look {
        manifest: &manifest,
        server: &server,
        token: "ghp_two",
        prior: &first.exchanges,
        sealed: Some(&sealed),
    };
    let second = second.at(&mut State::default()).await;
    assert_eq!((unchanged(&second), second.requests), (42, 44), "the first page of two is asked for twice");
    assert_same(&second, &first);
    let receipts: Vec<_> = second.receipts.iter().map(|line| String::from_utf8_lossy(line)).collect();
    let again = r#""attempts":[{"status":304,"o":"unchanged","wait_ms":0}]"#;
    assert_eq!(receipts.iter().filter(|line| line.contains(again)).count(), 1, "{receipts:#?}");
}

#[tokio::test]
async fn a_source_that_makes_its_etags_otherwise_is_soon_left_in_peace() {
    let manifest = manifest(|text| text);
    let (server, none) = (source(Way::Random).await, BTreeMap::new());
    let first = Look { manifest: &manifest, server: &server, token: "ghp_one", prior: &none, sealed: None };
    let first = first.at(&mut State::default()).await;
    let sealed = Sealed::of(&first);
    let second = Look {
        manifest: &manifest,
        server: &server,
        token: "ghp_two",
        prior: &first.exchanges,
        sealed: Some(&sealed),
    };
    let mut state = State::default();
    assert_same(&second.at(&mut state).await, &first);
    let asked = server.conditional().len();
    assert!((8..16).contains(&asked), "eight misses, and what was on its way: {asked}");
    let third = Look { token: "ghp_three", ..second };
    assert_same(&third.at(&mut state).await, &first);
    assert_eq!(server.conditional().len(), asked);
}

#[tokio::test]
async fn what_was_covered_or_not_opted_for_is_not_asked_about() {
    let covered = manifest(|text| {
        text.replace(
            "    records: one\n    outcomes:",
            "    records: one\n    redact: [{ drop: url }]\n    outcomes:",
        )
    });
    let plain = manifest(|text| text.replace("conditional: github_etag", "conditional: etag"));
    for (manifest, expected) in [(&covered, 22), (&plain, 0)] {
        let (server, none) = (source(Way::Github).await, BTreeMap::new());
        let first = Look { manifest, server: &server, token: "ghp_one", prior: &none, sealed: None };
        let first = first.at(&mut State::default()).await;
        assert!(exchange(&first, "protection", "present")["artefact"].is_object());
        let sealed = Sealed::of(&first);
        let second = Look {
            manifest,
            server: &server,
            token: "ghp_two",
            prior: &first.exchanges,
            sealed: Some(&sealed),
        };
        let second = second.at(&mut State::default()).await;
        assert_eq!(unchanged(&second), expected + u64::from(expected > 0));
        assert_same(&second, &first);
    }
}

#[tokio::test]
async fn where_a_body_says_how_its_list_goes_on_it_says_so_again_and_a_post_is_not_asked_about() {
    let get = "get: /things\n    paginate: { cursor: { at: next, param: after } }";
    let post = "post: /things\n    safe_post: true\n    paginate: { body_link: next }";
    let counted = "get: /things\n    paginate: { page: { param: after }, stop: empty_page }";
    let headed = "get: /things\n    paginate: { cursor: { at: next, param: after } }\n    \
                  complete: [{ header_total: x-total }]";
    for (request, requests, expected) in [(get, 3, 3), (counted, 4, 4), (post, 3, 1), (headed, 3, 1)] {
        let text = format!(
            "apiVersion: collectors/v1\nkind: HttpCollector\n\
             metadata: {{ id: test.things, version: 1, title: Things, evidence: [population] }}\n\
             connection: {{ base_url: \"https://api.github.com\", params: [org] }}\nconditional: github_etag\n\
             outcomes: [{{ status: 200, as: present }}, {{ status: 304, as: unchanged }}]\n\
             steps:\n  - {{ id: org, get: \"/org\", records: one, project: [id] }}\n  - id: things\n    {request}\n    \
             records: {{ at: items }}\n    key: id\n    project: [id]\n\
             populations: {{ things: {{ type: thing, of: things, scope: org.id, name: \"{{id}}\" }} }}\n"
        );
        let manifest = Manifest::read("x", &text).unwrap();
        let server = Server::start(|_, path, server| {
            let headers = server.log.lock().unwrap().last().unwrap().1.clone();
            let body = match path {
                "/org" => json!({ "id": 9 }),
                "/things" | "/things?after=1" => json!({ "items": [{ "id": 1 }], "next": "2" }),
                "/things?after=2" | "/2" => json!({ "items": [{ "id": 2 }], "next": null }),
                _ => json!({ "items": [], "next": null }),
            };
            let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            let text = format!("{}:{}:{body}", value("accept").unwrap(), value("authorization").unwrap());
            let etag = format!("\"{}\"", Digest::of(text.as_bytes()).to_hex());
            let pairs = [("etag", etag.as_str()), ("x-total", "2")];
            if value("if-none-match").is_some_and(|given| given == etag) {
                message(304, &pairs[..1], "")
            } else {
                reply(200, &pairs, body.to_string())
            }
        })
        .await;
        let none = BTreeMap::new();
        let first =
            Look { manifest: &manifest, server: &server, token: "ghp_one", prior: &none, sealed: None };
        let first = first.at(&mut State::default()).await;
        let sealed = Sealed::of(&first);
        let (prior, sealed) = (&first.exchanges, Some(&sealed));
        let second = Look { manifest: &manifest, server: &server, token: "ghp_two", prior, sealed };
        let second = second.at(&mut State::default()).await;
        assert_eq!(
            (first.requests, second.requests, unchanged(&second)),
            (requests, requests, expected),
            "{request}"
        );
        assert_eq!((&second.exchanges, second.bodies.len()), (&first.exchanges, 0), "{request}");
        assert_eq!(
            (second.populations[0].rows.len(), &second.populations[0].rows),
            (2, &first.populations[0].rows)
        );
        let stated =
            |seen: &Collected| seen.populations[0].claim.proofs.first().and_then(|proof| proof.stated);
        assert_eq!((stated(&second), stated(&first).is_some()), (stated(&first), request == headed));
    }
}

#[tokio::test]
async fn a_source_is_asked_by_what_the_manifest_says_and_by_nothing_else() {
    const CHANGED: &str = "Tue, 10 Mar 2026 10:00:00 GMT";
    for (way, header, expected) in [
        ("etag", Some("if-none-match"), Outcome::Unchanged),
        ("last_modified", Some("if-modified-since"), Outcome::Unchanged),
        ("none", None, Outcome::Present),
    ] {
        let manifest =
            manifest(|text| text.replace("conditional: github_etag", &format!("conditional: {way}")));
        let server = Server::start(|_, path, server| {
            let headers = server.log.lock().unwrap().last().unwrap().1.clone();
            let pairs = [("etag", "\"e\""), ("last-modified", CHANGED)];
            let given = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
            if given("if-none-match", "\"e\"") || given("if-modified-since", CHANGED) {
                return message(304, &pairs, "");
            }
            let (bare, query) = path.split_once('?').unwrap_or((path, ""));
            reply(200, &pairs, body(bare, if query.ends_with("page=2") { 2 } else { 1 }))
        })
        .await;
        let (none, mut state) = (BTreeMap::new(), State::default());
        let first =
            Look { manifest: &manifest, server: &server, token: "ghp_one", prior: &none, sealed: None };
        let first = first.at(&mut state).await;
        server.log.lock().unwrap().clear();
        let again = Look {
            manifest: &manifest,
            server: &server,
            token: "ghp_one",
            prior: &first.exchanges,
            sealed: None,
        };
        let again = again.at(&mut state).await;
        assert!(again.outcomes.get(&expected).is_some_and(|n| *n > 1), "{way}: {:?}", again.outcomes);
        let log = server.log.lock().unwrap();
        let sent = |name: &str| log.iter().any(|(_, headers)| headers.contains_key(name));
        for name in ["if-none-match", "if-modified-since"] {
            assert_eq!(sent(name), header == Some(name), "{way}: {name}");
        }
    }
}
