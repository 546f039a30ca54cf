//! Lists inside of records: is each of them whole, and how is one gone on with that is not?
//!
//! A list that stays short is never passed over: the record says so, and its row is unknown.

use std::sync::Arc;

use observance_record::{Item, population::Outcome};
use serde_json::{Map, Value as Json, json};

use super::{
    ask::Asked,
    condition::{Condition, Window, instant},
    exchange::{Sent, Session},
    graphql::{FOLLOW_AFTER, FOLLOW_ID},
    kept::Kept,
    list::{Listing, read_from},
    manifest::{Follow, Nested, Step},
    outcome::why,
    page::{Record, record},
    scan::{Kind, Tape, Value},
};

/// One list, as it stands in a record.
pub(super) struct List<'t> {
    /// Records that it has, as the source counts.
    total: u64,
    /// Those that came.
    pub nodes: Value<'t>,
    /// Are there more?
    more: bool,
    /// Where they begin.
    after: Option<Value<'t>>,
}

impl<'t> List<'t> {
    pub(super) fn read(value: Value<'t>) -> Option<Self> {
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

    pub(super) fn is_whole(&self) -> bool {
        u64::try_from(self.nodes.elements().count()).is_ok_and(|n| n == self.total)
    }

    /// Is it sorted, newest first, and does it reach past the window? Without a window it cannot.
    pub(super) fn is_past(&self, stop: &Condition, window: Option<Window>) -> bool {
        let (mut last, mut past) = (None, false);
        for node in self.nodes.elements() {
            let mark = stop.path.mark(node);
            let Some(at) = instant(&mark).filter(|at| last.is_none_or(|last| *at <= last)) else {
                return false;
            };
            last = Some(at);
            past |= stop.holds(&mark, window) == Some(true);
        }
        past
    }
}

/// What keeps a record from having been seen whole: a list of it that is short. Of those lists that were gone on with,
/// `followed` says how that ended.
pub(super) fn flaws(
    step: &Step,
    record: Value<'_>,
    followed: &[(usize, Outcome)],
) -> Result<Vec<Outcome>, &'static str> {
    let mut flaws = Vec::new();
    for (i, nested) in step.nested.iter().enumerate() {
        let mut ends = followed.iter().filter(|(at, _)| *at == i).map(|(_, outcome)| *outcome);
        let ended = ends.clone().find(|outcome| !outcome.feeds()).or_else(|| ends.next());
        let mut short = false;
        let mut unread = false;
        visit(record, nested.at.parts(), &mut |value| match List::read(value) {
            // how far a list reaches that is wanted for a window, its own step says
            Some(_) if nested.stop.is_some() => {}
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
    step.nested.iter().filter(|nested| nested.follow.is_some()).any(|nested| {
        let mut open = false;
        visit(record, nested.at.parts(), &mut |value| {
            open |= List::read(value).is_some_and(|list| list.more);
        });
        open
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
            // outer lists stand before those inside of them, so what was gone on with is gone through too
            for nth in 0..lists(&text, nested) {
                let place = Place { nested, follow, nth };
                let Some((id, first)) = first(asked, place, (&text, session.window(step))) else { continue };
                let name = |page| item(&follow.ask, &id, page);
                // a follow-up has no lists of its own to go on with, so this ends
                let listing: Listing = Box::pin(read_from(session, &follow.ask, first, &name)).await;
                let whole = listing.whole && listing.outcome == Outcome::Present;
                followed.push((i, if whole { Outcome::Present } else { worst(listing.outcome) }));
                let more: Vec<&str> = listing.records.iter().filter_map(|one| one.raw.as_deref()).collect();
                text = splice(&text, place, &more).unwrap_or(text);
                exchanges.extend(listing.sent);
            }
        }
        let wanted = step.nested.iter().fold(text, |text, nested| cut(text, nested, session.window(step)));
        if !followed.is_empty() || one.raw.as_deref().is_some_and(|raw| raw.len() > wanted.len()) {
            *one = again(step, &wanted, &followed, one);
        }
    }
    sent.records = records.into();
    exchanges
}

/// A list that broke off in the middle, or that is said not to be there although it began, is not one that was seen.
const fn worst(outcome: Outcome) -> Outcome {
    if outcome.feeds() { Outcome::Error } else { outcome }
}

/// One of the lists that stand at a path: there are several where the path leads through a list.
#[derive(Clone, Copy)]
struct Place<'s> {
    nested: &'s Nested,
    follow: &'s Follow,
    nth: usize,
}

impl Place<'_> {
    /// The list, and the id of the node that it belongs to.
    fn find<'t>(&self, root: Value<'t>) -> Option<(List<'t>, Value<'t>)> {
        let (key, above) = self.nested.at.parts().split_last()?;
        let owner = owners(root, above).into_iter().nth(self.nth)?;
        let id = match self.follow.id.parts().strip_prefix(above) {
            Some(beside) => beside.iter().try_fold(owner, |value, part| value.get(part)),
            None => self.follow.id.find(root),
        };
        Some((List::read(owner.get(key)?)?, id?))
    }
}

/// What may have a list, in order: the same ones whatever is added to their lists.
fn owners<'t>(root: Value<'t>, above: &[String]) -> Vec<Value<'t>> {
    let mut owners = Vec::new();
    visit(root, above, &mut |value| match value.kind() {
        Kind::List => owners.extend(value.elements()),
        Kind::Null | Kind::Bool | Kind::Number | Kind::Plain | Kind::Escaped | Kind::Object => {
            owners.push(value);
        }
    });
    owners
}

/// How many lists may stand at this path.
fn lists(text: &str, nested: &Nested) -> usize {
    let above = nested.at.parts().split_last().map(|(_, above)| above).unwrap_or_default();
    Tape::read(text.as_bytes()).map_or(0, |tape| owners(tape.root(), above).len())
}

/// The node's id, and what is asked first to go on with its list; nothing if it is whole.
fn first(asked: &Asked, place: Place<'_>, (text, window): (&str, Option<Window>)) -> Option<(String, Asked)> {
    let tape = Tape::read(text.as_bytes()).ok()?;
    let (list, id) = place.find(tape.root()).filter(|(list, _)| list.more)?;
    let Place { nested, follow, .. } = place;
    if nested.stop.as_ref().is_some_and(|stop| window.is_none() || list.is_past(stop, window)) {
        return None;
    }
    let id = id.text()?.into_owned();
    let mut variables = Map::new();
    variables.insert(FOLLOW_ID.to_owned(), id.clone().into());
    variables.insert(FOLLOW_AFTER.to_owned(), serde_json::from_str(list.after?.raw()).ok()?);
    let given = asked.body.as_ref().map(|body| &body["variables"]);
    for name in &follow.variables {
        let value = given.and_then(|given| given.get(name));
        variables.extend(value.map(|value| (name.clone(), value.clone())));
    }
    let body = json!({ "query": follow.text, "variables": Json::Object(variables) });
    Some((id, Asked { url: asked.url.clone(), body: Some(body), headers: asked.headers.clone() }))
}

/// The record's text with more elements in its list.
fn splice(text: &str, place: Place<'_>, more: &[&str]) -> Option<String> {
    let tape = Tape::read(text.as_bytes()).ok()?;
    let (list, _) = place.find(tape.root())?;
    let end = list.nodes.range().end.checked_sub(1)?;
    let comma = if list.nodes.elements().next().is_some() && !more.is_empty() { "," } else { "" };
    Some(format!("{}{comma}{}{}", text.get(..end)?, more.join(","), text.get(end..)?))
}

/// The record's text without what lies beyond the first element that is past the window: it is kept until the run ends.
fn cut(text: String, nested: &Nested, window: Option<Window>) -> String {
    let kept = || {
        let stop = nested.stop.as_ref()?;
        let tape = Tape::read(text.as_bytes()).ok()?;
        let list =
            nested.at.find(tape.root()).and_then(List::read).filter(|list| list.is_past(stop, window))?;
        let is_past = |node: &Value<'_>| stop.holds(&stop.path.mark(*node), window) == Some(true);
        let last = list.nodes.elements().find(is_past)?.range().end;
        Some(format!("{}]{}", text.get(..last)?, text.get(list.nodes.range().end..)?))
    };
    kept().unwrap_or(text)
}

/// The record, made again; as it was, and known to be short, if it has become too large to be read.
fn again(step: &Step, text: &str, followed: &[(usize, Outcome)], before: &Arc<Record>) -> Arc<Record> {
    let made = Tape::read(text.as_bytes()).ok().and_then(|tape| record(step, tape.root(), followed).ok());
    let Some(mut made) = made else { return Arc::clone(before) };
    if let Some(made) = Arc::get_mut(&mut made) {
        made.flaws.extend(errors(step, before));
    }
    made
}

/// What the answer's errors said of a record: that stands, whatever was gone on with. They come after what its lists lacked.
fn errors(step: &Step, before: &Record) -> Vec<Outcome> {
    let tape = before.raw.as_deref().and_then(|raw| Tape::read(raw.as_bytes()).ok());
    let short = tape.and_then(|tape| flaws(step, tape.root(), &[]).ok()).map_or(0, |flaws| flaws.len());
    before.flaws.get(short..).unwrap_or_default().to_vec()
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
