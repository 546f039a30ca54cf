//! Reads a source as a manifest says, and returns what was seen: exchanges, receipts, evidence, rows, and their claims.
//!
//! It stores, judges and records nothing, and never fails: what the world does wrong is an outcome with a reason.

mod ask;
mod body;
mod complete;
mod condition;
mod exchange;
mod graphql;
mod http;
mod limit;
mod link;
mod list;
mod manifest;
mod nested;
mod outcome;
mod page;
mod population;
mod project;
mod receipt;
mod redact;
mod scan;
mod spki;
mod template;
#[cfg(test)]
mod tests;
mod turn;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, stream};
use observance_record::{
    Digest, Instant, Item,
    item::ItemKey,
    population::{Membership, Outcome},
    verdict::Code,
};
use url::Url;

pub use self::{
    complete::{Claim, Proven},
    condition::Window,
    http::{Http, Route, RouteError},
    manifest::{Fault, Manifest},
    outcome::why,
    page::Artefact,
    population::Collected as Population,
};
use self::{
    exchange::{Known, Sent, Session},
    http::Headers,
    limit::Pace,
    list::{Env, Listing, read_list},
    manifest::Step,
};
use crate::{chance::Chance, clock::Clock, secret::Secret};

/// Runs after which a page that nobody asked for again is forgotten.
const KNOWN_FOR_RUNS: u64 = 3;
/// Most pages that are remembered for conditional requests.
const KNOWN_MAX: usize = 500_000;

/// One run, asked for.
#[derive(Debug)]
pub struct Request<'a> {
    /// Values of the manifest's parameters.
    pub params: &'a BTreeMap<String, String>,
    /// Where to read instead of the manifest's own address.
    pub base_url: Option<&'a str>,
    /// The credential.
    pub token: &'a Secret,
    /// Names the items.
    pub item_key: &'a ItemKey,
    /// [from, to), for steps that read a window.
    pub window: Option<Window>,
    /// The exchange rows of the last run of this collector and source that was recorded.
    pub prior: &'a BTreeMap<Item, Vec<u8>>,
    /// When the run began: what its rows speak about.
    pub started: Instant,
}

/// What one collector remembers of one source between runs. May be lost at any time; it is not evidence.
#[derive(Debug, Default)]
pub struct State {
    manifest: Option<Digest>,
    runs: u64,
    etags: HashMap<String, Known>,
}

/// How the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunResult {
    /// Every exchange may feed a verdict, every list is whole.
    Complete,
    /// Something could not be seen.
    Partial,
    /// No population has a row, and at least one list was not read.
    Failed,
}

/// What the credential may do, as the source said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privileges {
    /// Did the source say?
    pub seen: bool,
    /// Each scope.
    pub granted: BTreeSet<String>,
    /// How many of them are more than reading.
    pub write: u64,
}

/// How a source was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The base address.
    pub base_url: String,
    /// Is it another than the manifest's?
    pub overridden: bool,
    /// Hosts that were talked to.
    pub hosts: Vec<Host>,
    /// The proxy, without user and password.
    pub proxy: Option<String>,
    /// Digest of extra certificate authorities.
    pub extra_ca: Option<Digest>,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub host: String,
    /// SHA-256 of its SubjectPublicKeyInfo; none without TLS.
    pub spki: Option<Digest>,
}

/// What was seen.
#[derive(Debug)]
pub struct Collected {
    /// As requested.
    pub started: Instant,
    /// When the last answer was in.
    pub ended: Instant,
    /// In a word.
    pub result: RunResult,
    /// Why it is not complete.
    pub why: BTreeSet<Code>,
    /// Rows of the exchange table.
    pub exchanges: BTreeMap<Item, Vec<u8>>,
    /// JSON lines without their ends, in exchange order.
    pub receipts: Vec<Vec<u8>>,
    /// How many exchanges came to which outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// In the manifest's order.
    pub populations: Vec<Population>,
    /// Evidence that the prior rows do not name, each digest once.
    pub artefacts: Vec<Artefact>,
    /// Requests made, retries and redirects included.
    pub requests: u64,
    /// Bytes of bodies after decompression.
    pub bytes: u64,
    /// Least and most of the source's clock minus ours.
    pub skew_ms: Option<(i64, i64)>,
    /// What the credential may do.
    pub privileges: Privileges,
    /// How the source was reached.
    pub channel: Channel,
}

/// One list of a step, and the record in whose name it was asked: (instance of that step, record of its list).
pub(crate) struct Instance {
    parent: Option<(usize, usize)>,
    env: Option<Arc<Env>>,
    listing: Listing,
}

/// Runs a manifest once. Dropping the future is safe: what `state` remembers stays true.
pub async fn collect(
    manifest: &Manifest,
    request: &Request<'_>,
    state: &mut State,
    http: &Http,
    clock: &Clock,
    chance: &Chance,
) -> Collected {
    if state.manifest != Some(manifest.digest) {
        *state = State { manifest: Some(manifest.digest), ..State::default() };
    }
    let base_url = request.base_url.unwrap_or(&manifest.connection.base_url).trim_end_matches('/');
    let session = Url::parse(base_url).ok().map(|base| Session {
        manifest,
        http,
        clock,
        chance,
        pace: Pace::new(clock, &manifest.limits, request.started),
        base,
        headers: Headers::outgoing(&manifest.connection.headers, request.token),
        item_key: request.item_key,
        params: request.params,
        window: request.window,
        started: request.started,
        prior: request.prior,
        etags: &state.etags,
        granted: Mutex::default(),
    });
    let mut done: Vec<Vec<Instance>> = Vec::new();
    if let Some(session) = &session {
        for step in &manifest.steps {
            let instances = run_step(session, step, &done).await;
            done.push(instances);
        }
    }
    let populations: Vec<_> = manifest
        .populations
        .iter()
        .map(|population| {
            population::assemble(
                manifest,
                &done,
                population,
                request.item_key,
                (request.window, request.started),
            )
        })
        .collect();
    let (requests, bytes) = session.as_ref().map(|session| session.pace.totals()).unwrap_or_default();
    let mut collected = Collected {
        started: request.started,
        ended: clock.now(),
        result: RunResult::Complete,
        why: BTreeSet::new(),
        exchanges: BTreeMap::new(),
        receipts: Vec::new(),
        outcomes: BTreeMap::new(),
        populations,
        artefacts: Vec::new(),
        requests,
        bytes,
        skew_ms: None,
        privileges: session.as_ref().map(privileges).unwrap_or_default(),
        channel: channel(http, base_url, manifest, session.as_ref()),
    };
    drop(session);
    let known = collected.gather(done);
    collected.conclude();
    if request.window.is_some_and(|(from, _)| manifest.is_near_retention(request.started.ms_since(from))) {
        // what was seen is no worse for it, but the next window may come too late
        collected.why.extend(why::WINDOW_NEAR_RETENTION.parse::<Code>());
    }
    state.remember(known);
    collected
}

/// Asks a step: once, or for each record of the step it goes through; in the plan's order, some at the same time.
async fn run_step(session: &Session<'_>, step: &Step, done: &[Vec<Instance>]) -> Vec<Instance> {
    let Some(each) = &step.each else {
        return vec![Instance { parent: None, env: None, listing: read_list(session, step, None).await }];
    };
    let Some(of) = session.manifest.steps.get(each.step) else { return Vec::new() };
    let mut asked = Vec::new();
    for (i, instance) in done.get(each.step).map(Vec::as_slice).unwrap_or_default().iter().enumerate() {
        for (r, record) in instance.listing.records.iter().enumerate() {
            let holds =
                |c: &condition::Condition| c.holds(record.mark(of, &c.path), session.window) != Some(false);
            if each.when.iter().all(holds) {
                let env = Env {
                    alias: each.alias.clone(),
                    step: each.step,
                    record: Arc::clone(record),
                    outer: instance.env.clone(),
                };
                asked.push((Some((i, r)), Arc::new(env)));
            }
        }
    }
    stream::iter(asked)
        .map(|(parent, env)| async move {
            let listing = read_list(session, step, Some(&env)).await;
            Instance { parent, env: Some(env), listing }
        })
        .buffered(session.manifest.limits.concurrency)
        .collect()
        .await
}

impl Collected {
    /// A run that could not begin: nothing was asked and nothing seen.
    pub fn nothing(started: Instant) -> Self {
        Self {
            started,
            ended: started,
            result: RunResult::Failed,
            why: BTreeSet::new(),
            exchanges: BTreeMap::new(),
            receipts: Vec::new(),
            outcomes: BTreeMap::new(),
            populations: Vec::new(),
            artefacts: Vec::new(),
            requests: 0,
            bytes: 0,
            skew_ms: None,
            privileges: Privileges::default(),
            channel: Channel {
                base_url: String::new(),
                overridden: false,
                hosts: Vec::new(),
                proxy: None,
                extra_ca: None,
            },
        }
    }

    /// Takes the exchanges apart, in the plan's order; what the next run may ask about conditionally.
    fn gather(&mut self, done: Vec<Vec<Instance>>) -> Vec<(String, Known)> {
        let mut known = Vec::new();
        let mut digests = BTreeSet::new();
        for sent in done.into_iter().flatten().flat_map(|instance| instance.listing.sent) {
            let Sent { item, outcome, row, artefact, receipt, known: page, .. } = sent;
            self.receipts.push(receipt.line(self.receipts.len()));
            *self.outcomes.entry(outcome).or_default() += 1;
            if let Some(skew) = receipt.skew_ms() {
                let (least, most) = self.skew_ms.unwrap_or((skew, skew));
                self.skew_ms = Some((least.min(skew), most.max(skew)));
            }
            if !outcome.feeds() {
                self.why.extend(format!("exchange.{}", outcome.as_str()).parse::<Code>());
            }
            self.exchanges.insert(item, row);
            self.artefacts.extend(artefact.filter(|artefact| digests.insert(artefact.digest)));
            known.extend(page);
        }
        known
    }

    fn conclude(&mut self) {
        let whole = |population: &Population| population.claim.membership == Membership::Complete;
        for population in &self.populations {
            self.why.extend(population.claim.why.iter().cloned());
        }
        let rows = self.populations.iter().any(|population| !population.rows.is_empty());
        let all_whole = self.populations.iter().all(whole);
        self.result = match (self.why.is_empty() && all_whole, rows || all_whole) {
            (true, _) => RunResult::Complete,
            (false, true) => RunResult::Partial,
            (false, false) => RunResult::Failed,
        };
    }
}

impl State {
    fn remember(&mut self, known: Vec<(String, Known)>) {
        self.runs += 1;
        let runs = self.runs;
        self.etags.retain(|_, page| page.run + KNOWN_FOR_RUNS > runs);
        let room = KNOWN_MAX.saturating_sub(self.etags.len());
        self.etags.extend(known.into_iter().take(room).map(|(url, page)| (url, Known { run: runs, ..page })));
    }
}

fn privileges(session: &Session<'_>) -> Privileges {
    let granted = session.granted.lock().unwrap_or_else(PoisonError::into_inner);
    let reads = &session.manifest.permissions.reads;
    let writes = |scope: &&String| !reads.iter().any(|prefix| scope.starts_with(prefix.as_str()));
    let write = granted.scopes.iter().filter(writes).count();
    Privileges {
        seen: granted.seen,
        granted: granted.scopes.clone(),
        write: u64::try_from(write).unwrap_or(u64::MAX),
    }
}

fn channel(http: &Http, base_url: &str, manifest: &Manifest, session: Option<&Session<'_>>) -> Channel {
    let host = session.and_then(|session| session.base.host_str());
    Channel {
        base_url: base_url.to_owned(),
        overridden: base_url != manifest.connection.base_url,
        hosts: host.map(|host| Host { host: host.to_owned(), spki: http.spki(host) }).into_iter().collect(),
        proxy: http.proxy().map(str::to_owned),
        extra_ca: http.extra_ca(),
    }
}
