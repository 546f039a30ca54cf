//! A collector's manifest: what is read from a source, in which order, within which limits, and what comes of it.
//!
//! This file holds the model; `read` makes it from YAML and is the only way to one. Nothing here touches the network.

mod asks;
mod auth;
mod aws;
mod documents;
pub(super) mod keys;
mod ldap;
mod parts;
mod populations;
mod proofs;
mod read;
mod rights;
mod schedule;
pub(super) mod schema;
mod steps;
mod table;
mod turns;
mod windows;
mod yaml;

use std::collections::BTreeSet;

use observance_record::Digest;

pub(super) use self::auth::{SecretIn, TokenAt, TokenErrand};
pub(super) use self::aws::{Aws, REGION, STS};
pub(super) use self::rights::Permissions;
pub(super) use self::turns::{
    Bound, Cursor, CursorIn, Document, Feed, Follow, Nested, Pages, Reach, Retention, Search, State, Stop,
    Turn, Verb, WindowPlan,
};
pub use self::{
    schema::{reference, schema},
    yaml::Fault,
};
pub(super) use super::project::Projection;
use super::{
    condition::Condition,
    decode::Decode,
    expr::Expr,
    outcome,
    project::Path,
    redact,
    table::{Column, TableFault, rows},
    template::Template,
};

/// A manifest without faults.
#[derive(Debug)]
pub struct Manifest {
    pub(super) digest: Digest,
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) title: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) schedule: Schedule,
    pub(super) connection: Connection,
    pub(super) permissions: Permissions,
    pub(super) conditional: Conditional,
    pub(super) limits: Limits,
    pub(super) receipts: Receipts,
    pub(super) outcomes: Vec<outcome::Rule>,
    pub(super) steps: Vec<Step>,
    pub(super) populations: Vec<Population>,
    /// Steps that are not asked, because nobody wants what rests on them.
    pub(super) left_out: BTreeSet<usize>,
}

impl Manifest {
    /// SHA-256 of the file as read.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// `github.branch_rules`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The author's own count of versions.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What it reads, in a line for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What kinds of evidence it gives.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// When it runs unless the configuration says otherwise.
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The kind of source that it reads, such as `github`.
    pub fn kind(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// Where it reads unless the request says otherwise, as it stands in the file.
    pub fn base_url(&self) -> &str {
        &self.connection.base_url
    }

    /// Does it read a file?
    pub fn is_for_files(&self) -> bool {
        self.columns().is_some()
    }

    /// How many rows such a file has, or all that is wrong with it, by line.
    pub(super) fn table_rows(&self, body: &[u8]) -> Result<usize, Vec<TableFault>> {
        let columns = self.columns().unwrap_or_default();
        rows(columns, body, None).map(|rows| rows.len())
    }

    /// The head of a file that it reads, as a template for people.
    pub fn table_head(&self) -> Option<String> {
        let names = self.columns()?.iter().map(|column| column.name.as_str());
        Some(names.collect::<Vec<_>>().join(","))
    }

    fn columns(&self) -> Option<&[Column]> {
        self.steps.iter().find_map(|step| match &step.decode {
            Decode::Table(columns) => Some(columns.as_slice()),
            Decode::Json | Decode::Lines | Decode::Csv | Decode::Xml { .. } => None,
        })
    }

    /// The parameters that a request must give.
    pub fn params(&self) -> &[String] {
        &self.connection.params
    }

    /// What the credential must be granted, as (name, access).
    pub fn permissions(&self) -> &[(String, String)] {
        &self.permissions.expect
    }

    /// What each step needs beyond that, in words, for whoever has to grant it: (step, need).
    pub fn needs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.steps.iter().filter_map(|step| Some((step.id.as_str(), step.needs.as_deref()?)))
    }

    /// What each step's source does not tell, in words, for whoever reads the evidence: (step, caveat).
    pub fn caveats(&self) -> impl Iterator<Item = (&str, &str)> {
        self.steps.iter().filter_map(|step| Some((step.id.as_str(), step.caveat.as_deref()?)))
    }

    /// The populations it yields, as (name, item type, does it read a window?).
    pub fn yields(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.populations.iter().map(|p| (p.name.as_str(), p.kind.as_str(), self.windowed(p)))
    }

    /// How long after an instant a source may still add what happened then: the longest of a population's lists.
    pub(super) fn lag_ms(&self, population: &Population) -> i64 {
        let steps = std::iter::once(population.step).chain(population.joins.iter().map(|join| join.step));
        let plans = steps.filter_map(|step| self.steps.get(step)?.window.as_ref());
        plans.map(|plan| plan.lag_ms).max().unwrap_or(0)
    }

    /// The longest of them all.
    pub fn longest_lag_ms(&self) -> i64 {
        self.plans().map(|plan| plan.lag_ms).max().unwrap_or(0)
    }

    /// How far back its sources can be asked, if that ends: the shortest of its streams.
    pub fn reaches_back_ms(&self) -> Option<i64> {
        let furthest = |plan: &WindowPlan| {
            let kept = plan.retention.map(|retention| retention.within_ms);
            kept.into_iter().chain(plan.reach.last().map(|reach| reach.within_ms)).min()
        };
        self.plans().filter_map(furthest).min()
    }

    /// Has a window that began so long ago lost a good part of the time in which it can be read?
    pub(super) fn is_near_retention(&self, back_ms: i64) -> bool {
        self.plans().filter_map(|plan| plan.retention).any(|retention| back_ms > retention.alarm_ms)
    }

    fn plans(&self) -> impl Iterator<Item = &WindowPlan> {
        self.steps.iter().filter_map(|step| step.window.as_ref())
    }

    /// Does the population speak about a window: its own step or one it joins reads one.
    pub(super) fn windowed(&self, population: &Population) -> bool {
        let reads = |step: &usize| self.steps.get(*step).is_some_and(|step| step.window.is_some());
        std::iter::once(&population.step).chain(population.joins.iter().map(|join| &join.step)).any(reads)
    }
}

/// A kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// How something is set.
    Configuration,
    /// What there is.
    Population,
    /// What happened.
    Activity,
}

/// When a collector runs unless the configuration says otherwise; times in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// Random delay of each slot, in seconds, at most.
    pub jitter_s: u32,
    /// How late a run may begin before its slot is missed, in seconds.
    pub grace_s: u32,
    /// Longest time without an observation before the state is unknown, in seconds.
    pub max_gap_s: u32,
    /// The vendor's webhook events upon which it also runs at once.
    pub events: Vec<String>,
}

/// Where and as what the source is asked.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Default base address, without a slash at its end.
    pub base_url: String,
    /// Further hosts that a redirect or a next page may lead to; they are never told who asks.
    pub allow_hosts: Vec<String>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// Names of the request's parameters.
    pub params: Vec<String>,
    /// How a client comes to a token.
    pub auth: Option<TokenErrand>,
    /// As whose its requests are signed, if they are.
    pub aws: Option<Aws>,
}

/// How the source is asked whether something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Conditional {
    /// By the ETags that it gave to the same credential.
    #[default]
    Etag,
    /// Also by ETags that are computed from the sealed body, as GitHub makes them.
    GithubEtag,
    /// By the instants of the last change that it gave, in whole seconds.
    LastModified,
    /// Not at all: the source's ETags cannot be trusted.
    Never,
}

/// The bounds of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    /// Requests at the same time.
    pub concurrency: usize,
    /// Requests of the run, retries and redirects included.
    pub requests_max: u64,
    /// Bytes of bodies of the run, after decompression.
    pub bytes_max: u64,
    /// Duration of the run.
    pub wall_ms: i64,
    /// Waiting for rate limits and retries, together.
    pub wait_ms: i64,
    /// Attempts at one exchange.
    pub attempts_max: u32,
    /// Bytes of one body, after decompression.
    pub body_bytes_max: u64,
    /// How the source tells its rate limits.
    pub rate: Rate,
}

/// How the source tells its rate limits: header names, lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rate {
    /// Requests in all.
    pub limit: Option<String>,
    /// Requests left.
    pub remaining: Option<String>,
    /// When the count starts anew.
    pub reset: Option<String>,
    /// In which unit it says so.
    pub reset_unit: ResetUnit,
    /// Has each path its own limit?
    pub by_path: bool,
    /// This share of the limit is left to others, in thousandths.
    pub reserve_permille: u64,
    /// Seconds to wait, or an HTTP date.
    pub retry_after: Option<String>,
    /// The first wait when the source names none; doubled from one to the next.
    pub no_header_wait_ms: i64,
}

/// The unit of a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ResetUnit {
    /// Seconds since 1970.
    #[default]
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds from the answer on.
    Seconds,
}

/// Which headers a receipt keeps: names, lower case.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// The vendor's id of the request.
    pub request_id: Option<String>,
    /// The version of the interface that answered.
    pub api_version: Option<String>,
    /// Rate headers.
    pub rate: Vec<String>,
}

/// One kind of request.
#[derive(Debug)]
pub(super) struct Step {
    /// Its name in the manifest and in exchanges.
    pub id: String,
    /// How it is asked.
    pub verb: Verb,
    /// Another service of AWS that it is asked of.
    pub service: Option<String>,
    /// The path.
    pub path: Template,
    /// The query, in the manifest's order.
    pub query: Vec<(String, Template)>,
    /// Headers of its own, beside the connection's.
    pub headers: Vec<(String, Template)>,
    /// How its answers are written.
    pub decode: Decode,
    /// Asked once per record of an earlier step.
    pub each: Option<Each>,
    /// How further pages are found.
    pub pages: Option<Pages>,
    /// One record, or a list of them?
    pub records: Records,
    /// The immutable id of a record.
    pub key: Option<Path>,
    /// What is kept of a record.
    pub projection: Projection,
    /// Fields that a record must have for the credential to be enough.
    pub require: Vec<Path>,
    /// What is covered before anything else happens.
    pub redact: Vec<redact::Rule>,
    /// Its own rules, before the manifest's.
    pub outcomes: Vec<outcome::Rule>,
    /// What of it lies in the run's window.
    pub window: Option<WindowPlan>,
    /// What its completeness rests on.
    pub complete: Vec<Proof>,
    /// In words: what a credential needs for it.
    pub needs: Option<String>,
    /// In words: what the source does not tell.
    pub caveat: Option<String>,
    /// The values of a record that anything in the manifest asks for.
    pub marks: Vec<Path>,
    /// The expressions that anything in the manifest asks a record.
    pub exprs: Vec<Expr>,
    /// Lists inside of a record that the source pages too.
    pub nested: Vec<Nested>,
    /// Does somebody need a record as it was received?
    pub raw: bool,
}

impl Step {
    /// How it goes on in the next run, if it does.
    pub(super) fn state(&self) -> Option<&State> {
        self.window.as_ref()?.state.as_ref()
    }
}

/// A fan-out.
#[derive(Debug)]
pub(super) struct Each {
    /// Index of the step whose records are gone through.
    pub step: usize,
    /// What templates call the record.
    pub alias: String,
    /// All must hold, or not be known.
    pub when: Vec<Condition>,
    /// None may answer false.
    pub ask: Vec<Expr>,
    /// Records that it is asked for at most.
    pub most: Option<usize>,
}

/// Where the records of a body are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Records {
    /// The body is one record.
    One,
    /// The body is a list of records.
    List,
    /// A member of the body is the list.
    At(Path),
    /// The body, or a member of it, is a number: how many there are. Its record has the one member `count`.
    Count(Option<Path>),
}

/// What the completeness of a list rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// The last page was seen.
    TerminalPage,
    /// No record came twice.
    UniqueKeys,
    /// What another step says is the number of records.
    Equals {
        /// Index of the other step: one record, no fan-out.
        from: usize,
        /// What it says.
        says: Says,
        /// How far apart the two may be; unless they are equal, the count proves nothing.
        tolerance: u64,
    },
    /// Each page states how many records the list has.
    Total {
        /// Where in the body.
        at: Path,
    },
    /// Each page states it in a header.
    HeaderTotal {
        /// The header, lower case.
        name: String,
    },
    /// A request of its own states it.
    CountRequest {
        /// Index of the step with `records: count`; asked as often as this one, or once if this one is.
        step: usize,
    },
}

/// How a step says how many records another has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    /// The sum of its fields.
    Sum(Vec<Path>),
    /// The answer to an expression.
    Answer(Expr),
}

/// Rows for one kind of thing.
#[derive(Debug)]
pub(super) struct Population {
    /// Its name.
    pub name: String,
    /// The item type.
    pub kind: String,
    /// Index of the step whose records are the rows.
    pub step: usize,
    /// Where the source's immutable id stands: step and path. Without one its things are the same in every source.
    pub scope: Option<(usize, Path)>,
    /// How people call a row.
    pub label: Template,
    /// When an event happened.
    pub at: Option<Path>,
    /// What is put beside the record.
    pub joins: Vec<Join>,
    /// If this field of this step's record can be seen, the credential sees everything.
    pub horizon: Option<(usize, Path)>,
}

/// One joined part of a row.
#[derive(Debug)]
pub(super) struct Join {
    /// Its key in the row.
    pub name: String,
    /// Index of the step.
    pub step: usize,
    /// How a row finds its part.
    pub how: JoinHow,
}

/// How a row finds its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JoinHow {
    /// All records, as a list: those of this row's own exchanges, or of the step's only ones.
    List,
    /// The one record.
    One,
    /// The record whose key equals this value of the row.
    On(Path),
    /// Whether there is a record whose key equals this value of the row.
    Flag(Path),
}
