//! Reads a source as a manifest says, and returns what was seen: exchanges, receipts, evidence, rows, and their claims.
//!
//! It stores, judges and records nothing, and never fails: what the world does wrong is an outcome with a reason.

mod ask;
mod auth;
mod body;
mod complete;
mod condition;
mod conditional;
mod decode;
mod exchange;
mod expr;
mod graphql;
mod http;
mod inside;
mod kept;
mod ldap;
mod limit;
mod link;
pub mod lint;
mod list;
mod manifest;
mod nested;
mod ours;
mod outcome;
mod outline;
mod page;
mod population;
mod project;
mod reach;
mod receipt;
mod redact;
mod register;
mod resume;
mod scan;
mod spans;
mod spki;
mod table;
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
    Digest, Instant,
    item::ItemKey,
    pack::Spool,
    population::{Membership, Outcome},
    table::Rows,
    verdict::Code,
};
use url::Url;

use self::{
    auth::Door,
    exchange::Session,
    kept::{Kept, Known},
    ldap::Line,
    limit::Pace,
    list::{Env, Listing, read_list},
    manifest::Step,
    spans::Spans,
};
pub use self::{
    auth::{Auth, Aws, Client, GithubApp, KeyError, Keys, Privileges, Role},
    complete::{Claim, Proven},
    condition::Window,
    conditional::Bodies,
    http::{Http, Route, RouteError},
    ldap::{Bind, Directory},
    manifest::{
        Evidence, Fault, Manifest, Schedule, reference as manifest_reference, schema as manifest_schema,
    },
    outcome::why,
    outline::{Place, PopulationOutline, StepOutline},
    population::Collected as Population,
    reach::{Network, Reach},
    register::{Look, Register, Signer},
    table::TableFault,
};
use crate::{chance::Chance, clock::Clock, secret};

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
    /// Who asks.
    pub auth: &'a Auth,
    /// Names the items.
    pub item_key: &'a ItemKey,
    /// [from, to), for steps that read a window.
    pub window: Option<Window>,
    /// Where in it a population's own window begins, by name; at its beginning unless given.
    pub begins: &'a BTreeMap<String, Instant>,
    /// Populations whose last reading was not whole.
    pub behind: &'a BTreeSet<String>,
    /// The exchange rows of the last run of this collector and source that was recorded.
    pub prior: &'a Rows,
    /// Gives back the bodies that those rows name, for manifests that can ask by them.
    pub bodies: Option<&'a dyn Bodies>,
    /// When the run began: what its rows speak about.
    pub started: Instant,
}

/// What one collector remembers of one source between runs. May be lost at any time; it is not evidence.
#[derive(Debug, Default)]
pub struct State {
    manifest: Option<Digest>,
    runs: u64,
    /// By the digest of the address.
    etags: HashMap<Digest, Box<Known>>,
    computed: conditional::Tally,
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
    /// SHA-256 of the last certificate of the chain it sent; none without TLS.
    pub root: Option<Digest>,
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
    pub exchanges: Rows,
    /// JSON lines without their ends, in exchange order.
    pub receipts: Vec<Vec<u8>>,
    /// How many exchanges came to which outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// In the manifest's order.
    pub populations: Vec<Population>,
    /// Evidence that the prior rows do not name, each digest once.
    pub bodies: Spool,
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
    let (base_url, own) = place(manifest, request);
    let session = Url::parse(&base_url).ok().filter(|base| may_be_read(base, http)).map(|base| Session {
        beside: manifest.beside(request.params, request.base_url.map(|_| &base)),
        manifest,
        http,
        clock,
        chance,
        pace: Pace::new(clock, &manifest.limits, request.started),
        base,
        door: Door::new(request.auth),
        item_key: request.item_key,
        params: request.params,
        spans: Spans::new(manifest, request.window, (request.begins, request.behind)),
        started: request.started,
        prior: request.prior,
        etags: &state.etags,
        bodies: request.bodies,
        computed: Mutex::new(state.computed),
        spool: Mutex::default(),
        granted: Mutex::default(),
        line: Line::default(),
        hosts: Mutex::default(),
    });
    let done = run_steps(session.as_ref()).await;
    let (requests, bytes) = session.as_ref().map(|session| session.pace.totals()).unwrap_or_default();
    let mut collected = Collected {
        started: request.started,
        ended: clock.now(),
        result: RunResult::Complete,
        why: BTreeSet::new(),
        exchanges: Rows::new(),
        receipts: Vec::new(),
        outcomes: BTreeMap::new(),
        populations: assemble(manifest, request, &done),
        bodies: Spool::default(),
        requests,
        bytes,
        skew_ms: None,
        privileges: session.as_ref().map(Session::privileges).unwrap_or_default(),
        channel: channel(http, &base_url, own.as_deref(), session.as_ref()),
    };
    let restarted = done.iter().flatten().any(|instance| instance.listing.restarted);
    let mut first = Vec::new();
    if let Some(session) = session {
        first.extend(session.door.sent().into_iter().map(|sent| session.kept(sent)));
        state.computed = session.computed.into_inner().unwrap_or_else(PoisonError::into_inner);
        session.line.end().await;
        collected.bodies = session.spool.into_inner().unwrap_or_else(PoisonError::into_inner);
    }
    let known = collected.gather(first, done);
    collected.conclude(manifest, request);
    // nothing was missed for these; but why all was read again, and what nobody answers for, should be known
    let told = [(restarted, why::STATE_LOST), (http.is_unsigned(), why::REGISTER_UNSIGNED)];
    let code = |(holds, why): (bool, &str)| why.parse::<Code>().ok().filter(|_| holds);
    collected.why.extend(told.into_iter().filter_map(code));
    state.remember(known);
    collected
}

/// Where it reads, and where the manifest would. An address that lacks a value stays as it is written, and is none that can be read.
fn place(manifest: &Manifest, request: &Request<'_>) -> (String, Option<String>) {
    let own = manifest.address(request.params);
    let base_url = request.base_url.or(own.as_deref()).unwrap_or(manifest.base_url());
    (base_url.trim_end_matches('/').to_owned(), own)
}

/// Encrypted, on this machine, or the file that is the source.
fn may_be_read(base: &Url, http: &Http) -> bool {
    secret::may_go_to(base) || base.scheme() == exchange::FILE || http.may_bind_at(base)
}

fn assemble(manifest: &Manifest, request: &Request<'_>, done: &[Vec<Instance>]) -> Vec<Population> {
    let spans = Spans::new(manifest, request.window, (request.begins, request.behind));
    let one = |of| {
        let window = spans.of_population(manifest, of);
        population::assemble(manifest, done, of, request.item_key, (window, request.started))
    };
    manifest.populations.iter().map(one).collect()
}

/// Asks every step that is wanted, in the manifest's order; none where nothing may be read.
async fn run_steps(session: Option<&Session<'_>>) -> Vec<Vec<Instance>> {
    let mut done: Vec<Vec<Instance>> = Vec::new();
    let Some(session) = session else { return done };
    for (at, step) in session.manifest.steps.iter().enumerate() {
        let wanted = !session.manifest.left_out.contains(&at);
        let instances = if wanted { run_step(session, step, &done).await } else { Vec::new() };
        done.push(instances);
    }
    done
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
            let holds = |c: &condition::Condition| {
                c.holds(record.mark(of, &c.path), session.window(of)) != Some(false)
            };
            let asked_for = |expr: &expr::Expr| *record.answer(of, expr) != project::Mark::Bool(false);
            if each.when.iter().all(holds) && each.ask.iter().all(asked_for) {
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
    // there are tens of thousands, so they are not moved while they come
    let mut instances = Vec::with_capacity(asked.len());
    let most = each.most.unwrap_or(usize::MAX);
    let mut coming = stream::iter(asked.into_iter().enumerate())
        .map(|(nth, (parent, env))| async move {
            let listing = match &step.verb {
                _ if nth >= most => list::left_out(session, step, &env),
                manifest::Verb::Inside(at) => {
                    let of = parent.and_then(|(i, _)| done.get(each.step)?.get(i));
                    inside::read(session, (step, at), (of, &env))
                }
                manifest::Verb::Get
                | manifest::Verb::Post(_)
                | manifest::Verb::Form(_)
                | manifest::Verb::Search(_)
                | manifest::Verb::GraphQl(_) => read_list(session, step, Some(&env)).await,
            };
            Instance { parent, env: Some(env), listing }
        })
        .buffered(session.manifest.limits.concurrency);
    while let Some(instance) = coming.next().await {
        instances.push(instance);
    }
    drop(coming);
    instances
}

impl Collected {
    /// Takes the exchanges apart, those for a credential `first`, then in the plan's order; what the next run may ask about
    /// conditionally.
    fn gather(&mut self, first: Vec<Kept>, done: Vec<Vec<Instance>>) -> Vec<(Digest, Box<Known>)> {
        let mut known = Vec::new();
        let lists = done.into_iter().flatten().flat_map(|instance| instance.listing.sent);
        for sent in first.into_iter().chain(lists) {
            if sent.is_told() {
                self.exchanges.insert(sent.item, sent.row);
                continue;
            }
            self.receipts.push(sent.line(self.receipts.len()));
            let Kept { item, outcome, row, skew_ms, known: page, .. } = sent;
            *self.outcomes.entry(outcome).or_default() += 1;
            if let Some(skew) = skew_ms {
                let (least, most) = self.skew_ms.unwrap_or((skew, skew));
                self.skew_ms = Some((least.min(skew), most.max(skew)));
            }
            if !outcome.feeds() {
                self.why.extend(format!("exchange.{}", outcome.as_str()).parse::<Code>());
            }
            self.exchanges.insert(item, row);
            known.extend(page);
        }
        known
    }

    fn conclude(&mut self, manifest: &Manifest, request: &Request<'_>) {
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
        let back_ms = request.window.map(|(from, _)| request.started.ms_since(from));
        if back_ms.is_some_and(|back_ms| manifest.is_near_retention(back_ms)) {
            // what was seen is no worse for it, but the next window may come too late
            self.why.extend(why::WINDOW_NEAR_RETENTION.parse::<Code>());
        }
    }
}

impl State {
    fn remember(&mut self, known: Vec<(Digest, Box<Known>)>) {
        self.runs += 1;
        let runs = self.runs;
        self.etags.retain(|_, page| page.run + KNOWN_FOR_RUNS > runs);
        let room = KNOWN_MAX.saturating_sub(self.etags.len());
        for (url, mut page) in known.into_iter().take(room) {
            page.run = runs;
            self.etags.insert(url, page);
        }
    }
}

fn channel(http: &Http, base_url: &str, own: Option<&str>, session: Option<&Session<'_>>) -> Channel {
    let mut hosts = BTreeSet::new();
    if let Some(session) = session {
        hosts.extend(session.base.host_str().map(str::to_owned));
        hosts.extend(session.hosts.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
    }
    let host = |host: String| Host { spki: http.spki(&host), root: http.root(&host), host };
    Channel {
        base_url: base_url.to_owned(),
        overridden: own.is_some_and(|own| base_url != own),
        hosts: hosts.into_iter().map(host).collect(),
        proxy: http.proxy().map(str::to_owned),
        extra_ca: http.extra_ca(),
    }
}
