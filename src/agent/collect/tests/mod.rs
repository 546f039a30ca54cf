//! The collector as a whole: its catalogue of cases, real recordings, and the scenarios in which peers fail.

mod app;
mod aws;
mod bounds;
mod catalogue;
mod client;
mod conditional;
mod directory;
mod fuzz;
mod graphql;
mod inside;
mod limited;
mod manifests;
mod paging;
pub(super) mod pki;
mod proofs;
mod recordings;
mod reference;
mod resume;
mod scenarios;
mod tls;
mod windows;
mod written;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::Mutex,
};

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use super::http::{Answer, Ask, Broken, Headers};
use super::{Auth, Bodies, Collected, Http, Manifest, Request, State, Window, collect};
use crate::{chance::Chance, clock::Clock, secret::Secret};
use observance_record::{Instant, item::ItemKey, table::Rows};

/// The repository's own collectors.
#[expect(clippy::disallowed_methods, reason = "cargo says so where the repository is")]
pub(super) fn collectors() -> PathBuf {
    // asked when it runs: the same binary then tests a folder that it was not built from
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    PathBuf::from(root).join("collectors")
}

/// `system/name` of every folder that holds a manifest.
pub(super) fn every_collector() -> Vec<String> {
    let folders = |of: PathBuf| std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = folders(collectors())
        .filter(|system| system.is_dir())
        .flat_map(folders)
        .filter(|folder| folder.join("collector.yaml").is_file())
        .map(|folder| folder.strip_prefix(collectors()).unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// A shipped manifest.
pub(super) fn shipped(name: &str) -> Manifest {
    let path = collectors().join(name).join("collector.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    Manifest::read(&path.display().to_string(), &text).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

pub(super) fn started() -> Instant {
    "2026-03-10T12:00:00.000Z".parse().unwrap()
}

/// One run with the organisation `acme`, on a clock that stands still unless the collector waits.
pub(super) async fn run(
    manifest: &Manifest,
    http: &Http,
    base_url: Option<&str>,
    window: Option<Window>,
    prior: &Rows,
    state: &mut State,
) -> Collected {
    let token = Auth::Bearer(Secret::new("ghp_hush".to_owned()));
    run_as(&token, manifest, (http, base_url), (window, None), prior, state).await
}

/// The same, whoever asks.
pub(super) async fn run_as(
    auth: &Auth,
    manifest: &Manifest,
    (http, base_url): (&Http, Option<&str>),
    (window, bodies): (Option<Window>, Option<&dyn Bodies>),
    prior: &Rows,
    state: &mut State,
) -> Collected {
    run_behind(auth, manifest, (http, base_url), (window, bodies), (prior, &BTreeSet::new()), state).await
}

/// The same, where the last run did not read these populations whole.
pub(super) async fn run_behind(
    auth: &Auth,
    manifest: &Manifest,
    (http, base_url): (&Http, Option<&str>),
    (window, bodies): (Option<Window>, Option<&dyn Bodies>),
    (prior, behind): (&Rows, &BTreeSet<String>),
    state: &mut State,
) -> Collected {
    let params = BTreeMap::from([("org".to_owned(), "acme".to_owned())]);
    run_for(&params, auth, manifest, (http, base_url), (window, bodies), (prior, behind), state).await
}

/// The same, of what these parameters name.
pub(super) async fn run_for(
    params: &BTreeMap<String, String>,
    auth: &Auth,
    manifest: &Manifest,
    (http, base_url): (&Http, Option<&str>),
    (window, bodies): (Option<Window>, Option<&dyn Bodies>),
    (prior, behind): (&Rows, &BTreeSet<String>),
    state: &mut State,
) -> Collected {
    let busy = Clock::simulated(started()).busy();
    let clock = busy.clock();
    let request = Request {
        params,
        base_url,
        auth,
        item_key: &ItemKey::new([7; 32]),
        window,
        begins: &BTreeMap::new(),
        behind,
        prior,
        bodies,
        started: started(),
    };
    let seen = collect(manifest, &request, state, http, clock, &Chance::seeded(1)).await;
    assert!(!format!("{seen:?}").contains("ghp_hush"), "the token must not leave the collector");
    seen
}

/// All that a run leaves, as text: for what must stand in none of it.
pub(super) fn everything(seen: &Collected) -> String {
    let rows = seen.exchanges.values().map(|row| row.to_vec()).chain(seen.receipts.iter().cloned());
    let bodies = seen.bodies.artefacts().unwrap();
    let bodies = bodies.iter().map(|body| body.bytes().to_vec());
    let all: Vec<Vec<u8>> = rows.chain(bodies).collect();
    format!("{seen:?}{}", String::from_utf8_lossy(&all.concat()))
}

/// The rows of a population, by name.
pub(super) fn rows(seen: &Collected, population: usize) -> Vec<Value> {
    let mut rows: Vec<Value> =
        seen.populations[population].rows.values().map(|row| serde_json::from_slice(row).unwrap()).collect();
    rows.sort_by_key(|row| row["_name"].as_str().unwrap().to_owned());
    rows
}

/// The hosts of the shipped collectors' own addresses.
const OURS: [&str; 2] = ["api.github.com", "okta.example"];

type Answers = Box<dyn Fn(&Url, Ask<'_>) -> Value + Send + Sync>;

/// Answers without a network.
pub(super) struct Script {
    answers: Answers,
    /// Other hosts that are the source's own.
    hosts: Vec<String>,
}

impl Script {
    /// `{ "/path?query": answer | [answer, ...] }`, an answer being `{ status, headers?, body? | broken? }`, the last
    /// one for ever. Where one address is asked for several things, a blank and what is posted stands behind it, or the value of
    /// the header that says what is asked for.
    pub(super) fn new(answers: &Value) -> Self {
        let one = |answer: &Value| {
            let list = answer.as_array().map(|list| list.iter().rev().cloned().collect());
            list.unwrap_or_else(|| vec![answer.clone()])
        };
        let answers = answers.as_object().unwrap().iter().map(|(url, answer)| (url.clone(), one(answer)));
        let answers: Mutex<HashMap<String, Vec<Value>>> = Mutex::new(answers.collect());
        Self::asked(move |url, ask| {
            let mut answers = answers.lock().unwrap();
            let key = path_and_query(url);
            let posted = ask.body.map(|body| String::from_utf8_lossy(body).into_owned());
            let meant = ["x-amz-target", "range"].map(|name| ask.headers.get(name).map(str::to_owned));
            let further =
                meant.into_iter().chain([posted]).flatten().map(|further| format!("{key} {further}"));
            let known = further.chain([key.clone()]).find(|key| answers.contains_key(key));
            let left = known.and_then(|key| answers.get_mut(&key));
            let left = left.unwrap_or_else(|| panic!("nothing is scripted for {key}"));
            if left.len() > 1 { left.pop().unwrap() } else { left[0].clone() }
        })
    }

    /// The same, where the source's own hosts are others; answers of them are named without them.
    pub(super) fn on<'h>(self, hosts: impl IntoIterator<Item = &'h str>) -> Self {
        Self { hosts: hosts.into_iter().map(str::to_owned).collect(), ..self }
    }

    /// From what is asked, and posted, to its answer.
    pub(super) fn of(answers: impl Fn(&Url, Option<&[u8]>) -> Value + Send + Sync + 'static) -> Self {
        Self::asked(move |url, ask| answers(url, ask.body))
    }

    fn asked(answers: impl Fn(&Url, Ask<'_>) -> Value + Send + Sync + 'static) -> Self {
        Self { answers: Box::new(answers), hosts: Vec::new() }
    }

    pub(super) fn answer(&self, url: &Url, ask: Ask<'_>) -> Result<Answer, Broken> {
        let is_own = |host: &str| match self.hosts.as_slice() {
            [] => OURS.contains(&host),
            own => own.iter().any(|own| own == host),
        };
        // a file has no host, and is nobody else's
        let ours = url.host_str().map_or(url.scheme() == "file", is_own);
        let mut url = url.clone();
        if ours && url.has_host() {
            url.set_host(Some(OURS[0])).unwrap();
        }
        let shown = ask.headers.get("authorization");
        assert_eq!(shown, ours.then_some("Bearer ghp_hush"), "nobody else may learn who asks");
        let answer = (self.answers)(&url, ask);
        if answer["broken"] == "truncated" {
            return Err(Broken::Truncated);
        }
        Ok(answer_of(&answer))
    }
}

/// What scripts call an address; those of other hosts begin with the host.
pub(super) fn path_and_query(url: &Url) -> String {
    if url.scheme() == "file" {
        return "/table".to_owned();
    }
    let host = url.host_str().filter(|host| !OURS.contains(host)).unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{host}{}{query}", url.path())
}

/// An answer from its JSON form; a body that is text is taken as it is.
pub(super) fn answer_of(answer: &Value) -> Answer {
    let mut pairs = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        pairs.push((name.to_ascii_lowercase(), value.as_str().unwrap().to_owned()));
    }
    let body = &answer["body"];
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let body = body.as_str().map_or(text, str::to_owned);
    Answer {
        status: u16::try_from(answer["status"].as_u64().unwrap()).unwrap(),
        headers: Headers::of(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap(),
        body: Bytes::from(body),
    }
}
