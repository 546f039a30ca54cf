//! How a list goes on: from a page to what is asked for the next, or to the end that was seen.
//!
//! It sends nothing. That nothing says where to go on is the end only where the manifest says that it is; whatever cannot
//! be read is a fault, never "the last page".

use serde_json::Value as Json;

use super::{
    ask::Asked,
    exchange::Session,
    http::Headers,
    ldap, link,
    manifest::{Cursor, CursorIn, Pages, Records, Step, Stop, Turn},
    outcome::why,
    project::Path,
    scan::{Kind, Value},
};

/// Longest cursor that is followed, in bytes.
const CURSOR_BYTES_MAX: usize = 8192;
/// The member of a search that says where its page before ended.
const PLACE: &str = "place";

/// What a page says of the one that follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Lead {
    /// It names none.
    #[default]
    None,
    /// It lies at this address, absolute or relative to its own.
    Link(String),
    /// It is asked for with this value.
    Cursor(Json),
}

/// What an answer says about the list it is a page of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Where it goes on.
    pub lead: Lead,
    /// How many records the whole list has.
    pub total: Option<u64>,
    /// Where the next run goes on, if the page says and the manifest asks.
    pub state: Option<Box<Lead>>,
}

/// How far the reading of a list has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// Pages that were read.
    pub pages: u64,
    /// Records that they had.
    pub records: u64,
    /// Records of the last of them.
    pub last: u64,
}

/// What a header says.
pub(super) fn of_headers(pages: &Pages, headers: &Headers) -> Result<Lead, &'static str> {
    if pages.turn == Turn::Place {
        // a directory that does not page says nothing, and may have cut the list anywhere
        let place = headers.get(ldap::NEXT).ok_or(why::LINK_MALFORMED)?;
        return Ok(if place.is_empty() { Lead::None } else { Lead::Cursor(place.into()) });
    }
    let Turn::Link(relation) = &pages.turn else { return Ok(Lead::None) };
    if !headers.has("link") {
        return Ok(Lead::None);
    }
    let header = headers.joined("link").ok_or(why::LINK_MALFORMED)?;
    let target = link::target(&header, relation).map_err(|_malformed| why::LINK_MALFORMED)?;
    Ok(target.map_or(Lead::None, |target| Lead::Link(target.to_owned())))
}

/// What a body says.
pub(super) fn of_body(step: &Step, root: Value<'_>) -> Result<Said, &'static str> {
    let state = state(step, root)?.map(Box::new);
    let Some(pages) = &step.pages else { return Ok(Said { state, ..Said::default() }) };
    let lead = match &pages.turn {
        Turn::Link(_) | Turn::Place | Turn::Page { .. } | Turn::Offset { .. } => Lead::None,
        Turn::BodyLink(path) => address(path, root)?,
        Turn::Cursor(cursor) => cursor_of(cursor, step, root)?,
    };
    let total = pages
        .total
        .as_ref()
        .map(|path| path.find(root).and_then(|total| total.raw().parse().ok()).ok_or(why::BODY_SHAPE));
    Ok(Said { lead, total: total.transpose()?, state })
}

/// Where a body says that the next run goes on.
pub(super) fn state(step: &Step, root: Value<'_>) -> Result<Option<Lead>, &'static str> {
    let Some(state) = step.state() else { return Ok(None) };
    let lead = if state.param.is_some() { value(state.at.find(root))? } else { address(&state.at, root)? };
    Ok(Some(lead).filter(|lead| *lead != Lead::None))
}

/// The address at a path, if there is one.
fn address(path: &Path, root: Value<'_>) -> Result<Lead, &'static str> {
    match path.find(root).map(|value| (value.kind(), value.text())) {
        None | Some((Kind::Null, _)) => Ok(Lead::None),
        Some((_, Some(text))) if text.is_empty() => Ok(Lead::None),
        Some((_, Some(text))) => Ok(Lead::Link(text.into_owned())),
        Some((_, None)) => Err(why::LINK_MALFORMED),
    }
}

fn cursor_of(cursor: &Cursor, step: &Step, root: Value<'_>) -> Result<Lead, &'static str> {
    let more = cursor.more.as_ref().map(|path| path.find(root).map(Value::raw));
    match more {
        // XML has texts alone
        Some(Some("false" | "\"false\"")) => return Ok(Lead::None),
        None | Some(Some("true" | "\"true\"")) => {}
        // whether there is more must then be said
        Some(Some(_) | None) => return Err(why::LINK_MALFORMED),
    }
    let found = match &cursor.at {
        CursorIn::Body(path) => path.find(root),
        CursorIn::LastRecord(path) => last(step, root).and_then(|record| path.find(record)),
    };
    let lead = value(found)?;
    let missing = lead == Lead::None && more.is_some();
    if missing { Err(why::LINK_MALFORMED) } else { Ok(lead) }
}

/// A value that a list is gone on with, if there is one.
fn value(found: Option<Value<'_>>) -> Result<Lead, &'static str> {
    let found = found.filter(|value| value.kind() != Kind::Null && value.raw() != "\"\"");
    match found.map(|value| (value.kind(), value.raw())) {
        None => Ok(Lead::None),
        Some((Kind::Number | Kind::Plain | Kind::Escaped | Kind::List, raw))
            if raw.len() <= CURSOR_BYTES_MAX =>
        {
            serde_json::from_str(raw).map(Lead::Cursor).map_err(|_malformed| why::LINK_MALFORMED)
        }
        Some(_) => Err(why::LINK_MALFORMED),
    }
}

fn last<'t>(step: &Step, root: Value<'t>) -> Option<Value<'t>> {
    match &step.records {
        Records::One | Records::Count(_) => Some(root),
        Records::List => root.elements().last(),
        Records::At(path) => path.find(root)?.elements().last(),
    }
}

/// What is asked for next; nothing if the end was seen, or why the list breaks off.
pub(super) fn follow(
    session: &Session<'_>,
    step: &Step,
    asked: &Asked,
    lead: &Lead,
    progress: Progress,
) -> Result<Option<Asked>, &'static str> {
    // one answer is all there is
    let Some(pages) = &step.pages else { return Ok(None) };
    let ended = match pages.stop {
        Stop::Terminal => *lead == Lead::None,
        Stop::EmptyPage => progress.last == 0,
        Stop::ShortPage => pages.size.as_ref().is_some_and(|(_, size)| progress.last < *size),
    };
    if ended {
        return Ok(None);
    }
    let mut next = asked.clone();
    let (param, value) = match (&pages.turn, lead) {
        (Turn::Link(_) | Turn::BodyLink(_), Lead::Link(target)) => {
            return linked(session, asked, target).map(Some);
        }
        (Turn::Cursor(cursor), Lead::Cursor(value)) => (cursor.param.as_str(), value.clone()),
        (Turn::Place, Lead::Cursor(value)) => (PLACE, value.clone()),
        (Turn::Page { param, start }, _) => (param.as_str(), start.saturating_add(progress.pages).into()),
        // by what came, not by what was asked for: a source may give fewer than it was asked for
        (Turn::Offset { param, start }, _) => (param.as_str(), start.saturating_add(progress.records).into()),
        // the end was to be seen in another way, and nothing says where to go on
        (Turn::Link(_) | Turn::BodyLink(_) | Turn::Cursor(_) | Turn::Place, _) => {
            return Err(why::PAGE_END_UNSEEN);
        }
    };
    next.set(&step.verb, param, value).map_err(|_unfit| why::LINK_MALFORMED)?;
    Ok(Some(next))
}

/// The page at an address that the source named, which may be asked only where the manifest allows it.
pub(super) fn linked(session: &Session<'_>, asked: &Asked, target: &str) -> Result<Asked, &'static str> {
    let url = asked.url.join(target).map_err(|_malformed| why::LINK_MALFORMED)?;
    if session.may_go(&url) { Ok(Asked { url, ..asked.clone() }) } else { Err(why::LINK_OTHER_HOST) }
}
