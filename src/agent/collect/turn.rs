//! How a list goes on: from a page to what is asked for the next, or to the end that was seen.
//!
//! It sends nothing. That nothing says where to go on is the end only where the manifest says that it is; whatever cannot
//! be read is a fault, never "the last page".

use serde_json::Value as Json;

use super::{
    ask::Asked,
    exchange::Session,
    http::Headers,
    link,
    manifest::{Cursor, CursorIn, Pages, Records, Step, Stop, Turn},
    outcome::why,
    scan::{Kind, Value},
};

/// Longest cursor that is followed, in bytes.
const CURSOR_BYTES_MAX: usize = 8192;

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
    let Some(pages) = &step.pages else { return Ok(Said::default()) };
    let lead = match &pages.turn {
        Turn::Link(_) | Turn::Page { .. } | Turn::Offset { .. } => Lead::None,
        Turn::BodyLink(path) => match path.find(root).map(|value| (value.kind(), value.text())) {
            None | Some((Kind::Null, _)) => Lead::None,
            Some((_, Some(text))) if text.is_empty() => Lead::None,
            Some((_, Some(text))) => Lead::Link(text.into_owned()),
            Some((_, None)) => return Err(why::LINK_MALFORMED),
        },
        Turn::Cursor(cursor) => cursor_of(cursor, step, root)?,
    };
    let total = pages
        .total
        .as_ref()
        .map(|path| path.find(root).and_then(|total| total.raw().parse().ok()).ok_or(why::BODY_SHAPE));
    Ok(Said { lead, total: total.transpose()? })
}

fn cursor_of(cursor: &Cursor, step: &Step, root: Value<'_>) -> Result<Lead, &'static str> {
    let more = cursor.more.as_ref().map(|path| path.find(root).map(Value::raw));
    match more {
        Some(Some("false")) => return Ok(Lead::None),
        None | Some(Some("true")) => {}
        // whether there is more must then be said
        Some(Some(_) | None) => return Err(why::LINK_MALFORMED),
    }
    let found = match &cursor.at {
        CursorIn::Body(path) => path.find(root),
        CursorIn::LastRecord(path) => last(step, root).and_then(|record| path.find(record)),
    };
    let found = found.filter(|value| value.kind() != Kind::Null && value.raw() != "\"\"");
    let lead = match found.map(|value| (value.kind(), value.raw())) {
        None => Lead::None,
        Some((Kind::Number | Kind::Plain | Kind::Escaped | Kind::List, raw))
            if raw.len() <= CURSOR_BYTES_MAX =>
        {
            Lead::Cursor(serde_json::from_str(raw).map_err(|_malformed| why::LINK_MALFORMED)?)
        }
        Some(_) => return Err(why::LINK_MALFORMED),
    };
    let missing = lead == Lead::None && more.is_some();
    if missing { Err(why::LINK_MALFORMED) } else { Ok(lead) }
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
            let url = asked.url.join(target).map_err(|_malformed| why::LINK_MALFORMED)?;
            return if session.may_go(&url) {
                Ok(Some(Asked { url, ..next }))
            } else {
                Err(why::LINK_OTHER_HOST)
            };
        }
        (Turn::Cursor(cursor), Lead::Cursor(value)) => (&cursor.param, value.clone()),
        (Turn::Page { param, start }, _) => (param, start.saturating_add(progress.pages).into()),
        // by what came, not by what was asked for: a source may give fewer than it was asked for
        (Turn::Offset { param, start }, _) => (param, start.saturating_add(progress.records).into()),
        // the end was to be seen in another way, and nothing says where to go on
        (Turn::Link(_) | Turn::BodyLink(_) | Turn::Cursor(_), _) => return Err(why::PAGE_END_UNSEEN),
    };
    next.set(&step.verb, param, value).map_err(|_unfit| why::LINK_MALFORMED)?;
    Ok(Some(next))
}
