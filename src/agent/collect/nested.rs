//! Lists inside of records: is each of them whole, and how is one gone on with that is not?
//!
//! A list that stays short is never passed over: the record says so, and its row is unknown.

use observance_record::{Item, population::Outcome};
use serde_json::{Map, Value as Json, json};

use super::{
    ask::Asked,
    exchange::{Sent, Session},
    graphql::{FOLLOW_AFTER, FOLLOW_ID},
    kept::Kept,
    list::{Listing, read_from},
    manifest::{Follow, Step},
    outcome::why,
    page::{Record, record},
    project::Path,
    scan::{Kind, Tape, Value},
};

/// One list, as it stands in a record.
struct List<'t> {
    /// Records that it has, as the source counts.
    total: u64,
    /// Those that came.
    nodes: Value<'t>,
    /// Are there more?
    more: bool,
    /// Where they begin.
    after: Option<Value<'t>>,
}

impl<'t> List<'t> {
    fn read(value: Value<'t>) -> Option<Self> {
        let page = value.get("pageInfo")?;
        Some(Self {
            total: value.get("totalCount")?.raw().parse().ok()?,
            nodes: value
                .get("nodes")
                .or_else(|| value.get("edges"))
                .filter(|nodes| nodes.kind() == Kind::List)?,
            more: page.get("hasNextPage")?.raw().parse().ok()?,
            after: page.get("endCursor").filter(|after| after.kind() != Kind::Null),
        })
    }

    fn is_whole(&self) -> bool {
        u64::try_from(self.nodes.elements().count()).is_ok_and(|n| n == self.total)
    }
}

/// What keeps a record from having been seen whole: a list of it that is short. Of those lists that were gone on with, `followed` says how that ended.
pub(super) fn flaws(
    step: &Step,
    record: Value<'_>,
    followed: &[(usize, Outcome)],
) -> Result<Vec<Outcome>, &'static str> {
    let mut flaws = Vec::new();
    for (i, nested) in step.nested.iter().enumerate() {
        let ended = followed.iter().find(|(at, _)| *at == i).map(|(_, outcome)| *outcome);
        let mut short = false;
        let mut unread = false;
        visit(record, nested.at.parts(), &mut |value| match List::read(value) {
            Some(list) => short |= !list.is_whole() || (list.more && ended.is_none()),
            // a list that is null is none, and stays null in the row
            None => unread |= value.kind() != Kind::Null,
        });
        if unread {
            return Err(why::BODY_SHAPE);
        }
        let outcome = ended.filter(|outcome| !outcome.feeds()).or(short.then_some(Outcome::Error));
        flaws.extend(outcome);
    }
    Ok(flaws)
}

/// May a list of this record be gone on with? Its bytes are then needed.
pub(super) fn is_open(step: &Step, record: Value<'_>) -> bool {
    step.nested.iter().any(|nested| {
        let list = nested.follow.as_ref().and_then(|_| nested.at.find(record)).and_then(List::read);
        list.is_some_and(|list| list.more)
    })
}

/// Goes on with the lists of a page's records; returns the exchanges that it took. Records: one page's.
pub(super) async fn go_on(
    session: &Session<'_>,
    step: &Step,
    asked: &Asked,
    sent: &mut Sent,
    item: &(dyn Fn(&Step, &str, u64) -> Item + Sync),
) -> Vec<Kept> {
    let mut exchanges = Vec::new();
    if step.nested.iter().all(|nested| nested.follow.is_none()) {
        return exchanges;
    }
    let mut records = sent.records.as_ref().clone();
    for one in &mut records {
        let Some(raw) = one.raw.clone() else { continue };
        let mut text = raw.into_string();
        let mut followed = Vec::new();
        for (i, nested) in step.nested.iter().enumerate() {
            let Some(follow) = &nested.follow else { continue };
            let Some((id, first)) = first(asked, &nested.at, follow, &text) else { continue };
            let name = |page| item(&follow.ask, &id, page);
            // a follow-up has no lists of its own to go on with, so this ends
            let listing: Listing = Box::pin(read_from(session, &follow.ask, first, &name)).await;
            let whole = listing.whole && listing.outcome == Outcome::Present;
            let ended = if whole { Outcome::Present } else { worst(listing.outcome) };
            let more: Vec<&str> = listing.records.iter().filter_map(|record| record.raw.as_deref()).collect();
            followed.push((i, ended));
            text = splice(&text, &nested.at, &more).unwrap_or(text);
            exchanges.extend(listing.sent);
        }
        if !followed.is_empty() {
            *one = again(step, &text, &followed, one);
        }
    }
    sent.records = records.into();
    exchanges
}

/// A list that broke off in the middle, or that is said not to be there although it began, is not one that was seen.
const fn worst(outcome: Outcome) -> Outcome {
    if outcome.feeds() { Outcome::Error } else { outcome }
}

/// The node's id, and what is asked first to go on with its list; nothing if it is whole.
fn first(asked: &Asked, at: &Path, follow: &Follow, text: &str) -> Option<(String, Asked)> {
    let tape = Tape::read(text.as_bytes()).ok()?;
    let list = at.find(tape.root()).and_then(List::read).filter(|list| list.more)?;
    let id = follow.id.find(tape.root())?.text()?.into_owned();
    let mut variables = Map::new();
    variables.insert(FOLLOW_ID.to_owned(), id.clone().into());
    variables.insert(FOLLOW_AFTER.to_owned(), serde_json::from_str(list.after?.raw()).ok()?);
    let given = asked.body.as_ref().map(|body| &body["variables"]);
    for name in &follow.variables {
        let value = given.and_then(|given| given.get(name));
        variables.extend(value.map(|value| (name.clone(), value.clone())));
    }
    let body = json!({ "query": follow.text, "variables": Json::Object(variables) });
    Some((id, Asked { url: asked.url.clone(), body: Some(body) }))
}

/// The record's text with more elements in its list.
fn splice(text: &str, at: &Path, more: &[&str]) -> Option<String> {
    let tape = Tape::read(text.as_bytes()).ok()?;
    let list = List::read(at.find(tape.root())?)?;
    let end = list.nodes.range().end.checked_sub(1)?;
    let comma = if list.nodes.elements().next().is_some() && !more.is_empty() { "," } else { "" };
    Some(format!("{}{comma}{}{}", text.get(..end)?, more.join(","), text.get(end..)?))
}

/// The record, made again; as it was, and known to be short, if it has become too large to be read.
fn again(
    step: &Step,
    text: &str,
    followed: &[(usize, Outcome)],
    before: &std::sync::Arc<Record>,
) -> std::sync::Arc<Record> {
    let made = Tape::read(text.as_bytes()).ok().and_then(|tape| record(step, tape.root(), followed).ok());
    made.unwrap_or_else(|| std::sync::Arc::clone(before))
}

/// Calls for every value at a path, arrays passed through. Depth is bounded by the scanner's.
fn visit<'t>(value: Value<'t>, parts: &[String], hit: &mut dyn FnMut(Value<'t>)) {
    let Some((first, rest)) = parts.split_first() else { return hit(value) };
    if value.kind() == Kind::List {
        for element in value.elements() {
            visit(element, parts, hit);
        }
    } else if let Some(member) = value.get(first) {
        visit(member, rest, hit);
    }
}
