//! A collector's manifest: what is read from a source, in which order, within which limits, and what comes of it.
//!
//! This file holds the model; `read` makes it from YAML and is the only way to one. Nothing here touches the network.

mod asks;
mod documents;
mod parts;
mod populations;
mod read;
mod steps;
mod windows;
mod yaml;

use observance_record::Digest;

pub use self::yaml::Fault;
use super::{
    body::Body,
    condition::Condition,
    outcome,
    project::{Path, Projection},
    redact,
    template::Template,
};

/// A manifest without faults.
#[derive(Debug)]
pub struct Manifest {
    pub(super) digest: Digest,
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) title: String,
    pub(super) connection: Connection,
    pub(super) permissions: Permissions,
    pub(super) limits: Limits,
    pub(super) receipts: Receipts,
    pub(super) outcomes: Vec<outcome::Rule>,
    pub(super) steps: Vec<Step>,
    pub(super) populations: Vec<Population>,
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

    /// Where it reads unless the request says otherwise.
    pub fn base_url(&self) -> &str {
        &self.connection.base_url
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

    /// The populations it yields, as (name, item type, does it read a window?).
    pub fn yields(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.populations.iter().map(|p| (p.name.as_str(), p.kind.as_str(), self.windowed(p)))
    }

    /// How long after an instant a source may still add what happened then: the longest of its streams.
    pub(super) fn lag_ms(&self) -> i64 {
        self.plans().map(|plan| plan.lag_ms).max().unwrap_or(0)
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

/// Where and as what the source is asked.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Default base address, without a slash at its end.
    pub base_url: String,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// Names of the request's parameters.
    pub params: Vec<String>,
}

/// What the credential may do, as declared and as seen.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    /// (name, access) that have to be granted.
    pub expect: Vec<(String, String)>,
    /// Response header that lists what is granted.
    pub granted: Option<String>,
    /// A granted scope that begins with none of these may write.
    pub reads: Vec<String>,
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
    /// Requests left.
    pub remaining: Option<String>,
    /// When the count starts anew, in seconds since 1970.
    pub reset: Option<String>,
    /// Seconds to wait, or an HTTP date.
    pub retry_after: Option<String>,
    /// The first wait when the source names none; doubled from one to the next.
    pub no_header_wait_ms: i64,
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
    /// The path.
    pub path: Template,
    /// The query, in the manifest's order.
    pub query: Vec<(String, Template)>,
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
    /// The values of a record that anything in the manifest asks for.
    pub marks: Vec<Path>,
    /// Lists inside of a record that the source pages too.
    pub nested: Vec<Nested>,
    /// Does somebody need a record as it was received?
    pub raw: bool,
}

/// A list inside of a record.
#[derive(Debug)]
pub(super) struct Nested {
    /// Where it stands in the record.
    pub at: Path,
    /// How it is gone on with; without, a row whose list is short is unknown.
    pub follow: Option<Follow>,
}

/// How a list inside of a record is gone on with.
#[derive(Debug)]
pub(super) struct Follow {
    /// Where the record has the id of the node that the list belongs to.
    pub id: Path,
    /// The document.
    pub text: String,
    /// Variables of the step's own request that it uses too.
    pub variables: Vec<String>,
    /// How its pages are read.
    pub ask: Step,
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
}

/// How a source is asked. Every verb reads.
#[derive(Debug)]
pub(super) enum Verb {
    /// GET.
    Get,
    /// POST of a body, to a path that the manifest declares to be one that reads.
    Post(Body),
    /// POST of a query document and its variables.
    GraphQl(Document),
}

/// A GraphQL document that is one query.
#[derive(Debug)]
pub(super) struct Document {
    /// As it is sent.
    pub text: String,
    /// Values of its variables: an object.
    pub variables: Body,
}

/// How a list goes on.
#[derive(Debug)]
pub(super) struct Pages {
    /// How the next page is found.
    pub turn: Turn,
    /// What is taken for the end.
    pub stop: Stop,
    /// Parameter of the page size, and its value.
    pub size: Option<(String, u64)>,
    /// Where a page says how many records the whole list has; the list is not whole if it had another number.
    pub total: Option<Path>,
    /// Most pages of one list.
    pub most: u64,
    /// The source never returns more records than this, and does not say so.
    pub cap: Option<u64>,
}

impl Pages {
    /// Is a further page asked for with this parameter?
    pub(super) fn is_by(&self, name: &str) -> bool {
        matches!(&self.turn, Turn::Cursor(cursor) if cursor.param == name)
    }
}

/// How the next page is found. A parameter stands in the query of a GET, in the body of a POST, among the variables of a
/// document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// By the `Link` header's target of this relation.
    Link(String),
    /// By the address that stands there in the body.
    BodyLink(Path),
    /// By a value of this page.
    Cursor(Cursor),
    /// By the number of the page.
    Page {
        /// The parameter.
        param: String,
        /// The first page's number.
        start: u64,
    },
    /// By how many records were read.
    Offset {
        /// The parameter.
        param: String,
        /// The first record's number.
        start: u64,
    },
}

/// A value that the next page is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where it stands.
    pub at: CursorIn,
    /// Where the body says whether there is more.
    pub more: Option<Path>,
    /// The parameter.
    pub param: String,
}

/// Where a cursor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CursorIn {
    /// In the body.
    Body(Path),
    /// In the last record of the page.
    LastRecord(Path),
}

/// What is taken for the end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// A page that names no further one.
    Terminal,
    /// A page without records.
    EmptyPage,
    /// A page with fewer records than were asked for.
    ShortPage,
}

impl Stop {
    /// What the record calls the proof.
    pub(super) const fn proof(self) -> &'static str {
        match self {
            Self::Terminal => "terminal_page",
            Self::EmptyPage => "empty_page",
            Self::ShortPage => "short_page",
        }
    }
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
}

/// What of a list lies in the run's window.
#[derive(Debug)]
pub(super) struct WindowPlan {
    /// Records come sorted by this value, newest first; once it is before the window, nothing further can lie in it.
    pub stop: Option<Condition>,
    /// Records that are kept: all must hold, or not be known.
    pub keep: Vec<Condition>,
    /// How far the source reaches back, nearest first, and what must be asked for to reach so far. Empty: all the way.
    pub reach: Vec<Reach>,
    /// How the source is asked for the window, if it takes its bounds.
    pub feed: Option<Feed>,
    /// So long after an instant the source may still add what happened then.
    pub lag_ms: i64,
    /// How long the source keeps what happened.
    pub retention: Option<Retention>,
}

/// Parameters that bound what is asked for; they stand where a further page's parameter would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Feed {
    /// First instant.
    pub start: String,
    /// First instant that is not wanted; none: everything until now.
    pub end: Option<String>,
    /// How instants are written.
    pub bound: Bound,
    /// So much before the window is asked for too, because a source may sort by another time than the record's.
    pub overlap_ms: i64,
}

/// How an instant is written for a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// RFC 3339, UTC, milliseconds.
    Rfc3339,
    /// Whole seconds since 1970, rounded down.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
}

/// How long a source keeps what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retention {
    /// What happened earlier is gone.
    pub within_ms: i64,
    /// What is read later than this is read late enough for somebody to be told.
    pub alarm_ms: i64,
}

/// One reach.
#[derive(Debug)]
pub(super) struct Reach {
    /// From the run's start back.
    pub within_ms: i64,
    /// Query parameters that ask for it.
    pub query: Vec<(String, Template)>,
}

/// What the completeness of a list rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// The last page was seen.
    TerminalPage,
    /// No record came twice.
    UniqueKeys,
    /// The sum of another step's fields is the number of records.
    Equals {
        /// Index of the other step: one record, no fan-out.
        from: usize,
        /// Its fields.
        sum: Vec<Path>,
    },
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
    /// Where the source's immutable id stands: step and path.
    pub scope: (usize, Path),
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
