//! How a step asks, how its list goes on, and what of it lies in a window.
//!
//! Types alone: `asks`, `documents` and `windows` make them, `ask` and `turn` act by them.

use super::Step;
use crate::collect::{
    body::Body,
    condition::Condition,
    ldap::{Scope, Shape},
    project::Path,
    template::Template,
};

/// How a source is asked. Every verb reads.
#[derive(Debug)]
pub(in crate::collect) enum Verb {
    /// GET.
    Get,
    /// POST of a body, to a path that the manifest declares to be one that reads.
    Post(Body),
    /// The same of a form: an object of texts.
    Form(Body),
    /// POST of a query document and its variables.
    GraphQl(Document),
    /// A search in a directory.
    Search(Box<Search>),
    /// Nothing is sent: the records are a list inside of the record in whose name it is asked.
    Inside(Path),
}

/// What is looked for in a directory.
#[derive(Debug)]
pub(in crate::collect) struct Search {
    /// Below which name; none: the root of the directory itself, which tells what it is.
    pub base: Option<Template>,
    /// How much of the tree.
    pub scope: Scope,
    /// Which entries.
    pub filter: Template,
    /// What is wanted of them.
    pub attributes: Vec<(String, Shape)>,
    /// Beginnings of names that may lie elsewhere.
    pub elsewhere: Vec<String>,
}

/// A GraphQL document that is one query.
#[derive(Debug)]
pub(in crate::collect) struct Document {
    /// As it is sent.
    pub text: String,
    /// Values of its variables: an object.
    pub variables: Body,
}

/// How a list goes on.
#[derive(Debug)]
pub(in crate::collect) struct Pages {
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
    pub(in crate::collect) fn is_by(&self, name: &str) -> bool {
        matches!(&self.turn, Turn::Cursor(cursor) if cursor.param == name)
    }
}

/// How the next page is found. A parameter stands in the query of a GET, in the body of a POST, among the variables of a
/// document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect) enum Turn {
    /// By the `Link` header's target of this relation.
    Link(String),
    /// By the address that stands there in the body.
    BodyLink(Path),
    /// By the place at which a directory says that a page ended (RFC 2696).
    Place,
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
pub(in crate::collect) struct Cursor {
    /// Where it stands.
    pub at: CursorIn,
    /// Where the body says whether there is more.
    pub more: Option<Path>,
    /// The parameter.
    pub param: String,
}

/// Where a cursor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect) enum CursorIn {
    /// In the body.
    Body(Path),
    /// In the last record of the page.
    LastRecord(Path),
}

/// What is taken for the end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) enum Stop {
    /// A page that names no further one.
    Terminal,
    /// A page without records.
    EmptyPage,
    /// A page with fewer records than were asked for.
    ShortPage,
}

impl Stop {
    /// What the record calls the proof.
    pub(in crate::collect) const fn proof(self) -> &'static str {
        match self {
            Self::Terminal => "terminal_page",
            Self::EmptyPage => "empty_page",
            Self::ShortPage => "short_page",
        }
    }
}

/// A list inside of a record.
#[derive(Debug)]
pub(in crate::collect) struct Nested {
    /// Where it stands in the record.
    pub at: Path,
    /// How it is gone on with; without, a row whose list is short is unknown.
    pub follow: Option<Follow>,
    /// It comes sorted by this value, newest first, and is wanted as far as the window reaches.
    pub stop: Option<Condition>,
}

/// How a list inside of a record is gone on with.
#[derive(Debug)]
pub(in crate::collect) struct Follow {
    /// Where the record has the id of the node that the list belongs to.
    pub id: Path,
    /// The document.
    pub text: String,
    /// Variables of the step's own request that it uses too.
    pub variables: Vec<String>,
    /// How its pages are read.
    pub ask: Step,
}

/// What of a list lies in the run's window.
#[derive(Debug)]
pub(in crate::collect) struct WindowPlan {
    /// Records come sorted by this value, newest first; once it is before the window, nothing further can lie in it.
    pub stop: Option<Condition>,
    /// Records that are kept: all must hold, or not be known.
    pub keep: Vec<Condition>,
    /// How far the source reaches back, nearest first, and what must be asked for to reach so far. Empty: all the way.
    pub reach: Vec<Reach>,
    /// How the source is asked for the window, if it takes its bounds.
    pub feed: Option<Feed>,
    /// How the list goes on in the next run, if it does.
    pub state: Option<State>,
    /// So long after an instant the source may still add what happened then.
    pub lag_ms: i64,
    /// How long the source keeps what happened.
    pub retention: Option<Retention>,
}

/// Where a list was, in a word that only the vendor understands. It stands in the body of a list's last page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect) struct State {
    /// Where in the body.
    pub at: Path,
    /// The parameter that it is asked for with; without, it is an address.
    pub param: Option<String>,
}

/// Parameters that bound what is asked for; they stand where a further page's parameter would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect) struct Feed {
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
pub(in crate::collect) enum Bound {
    /// RFC 3339, UTC, milliseconds.
    Rfc3339,
    /// Whole seconds since 1970, rounded down.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
}

/// How long a source keeps what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) struct Retention {
    /// What happened earlier is gone.
    pub within_ms: i64,
    /// What is read later than this is read late enough for somebody to be told.
    pub alarm_ms: i64,
}

/// One reach.
#[derive(Debug)]
pub(in crate::collect) struct Reach {
    /// From the run's start back.
    pub within_ms: i64,
    /// Query parameters that ask for it.
    pub query: Vec<(String, Template)>,
}
