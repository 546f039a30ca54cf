//! A step that reads a file of the organisation: its columns, and what goes with such a file and nothing else.

use super::{
    Manifest, Verb,
    asks::Request,
    keys, parts,
    yaml::{Faults, Section, Spot},
};
use crate::collect::{
    outcome::Rule,
    register::{SIGNED_BY, SIGNING_KEY},
    table::{Column, Is},
    template::Template,
};
use observance_record::population::Outcome;

/// Most columns of a file.
const COLUMNS_MAX: usize = 64;
/// Keys of a step that say how a server is asked.
const OF_SERVERS: [&str; 13] = [
    "for_each",
    "safe_post",
    "body",
    "form",
    "variables",
    "query",
    "headers",
    "decode",
    "lists",
    "paginate",
    "nested",
    "outcomes",
    "window",
];
/// The address that stands for the file, which the configuration names.
pub(super) const ADDRESS: &str = "file:";
/// What a file comes to, whichever it is.
const OUTCOMES: [(u16, Outcome); 4] = [
    (200, Outcome::Present),
    (401, Outcome::Unauthenticated),
    (403, Outcome::Forbidden),
    (404, Outcome::Hidden),
];

pub(super) fn request(section: &Section<'_>, faults: &mut Faults) -> Request {
    for spot in OF_SERVERS.iter().filter_map(|name| section.get(name)) {
        faults.add(spot, "it beside table", "a key that goes with a file");
    }
    Request { path: Some(Template::named("/table")), verb: Some(Verb::Get), ..Request::default() }
}

pub(super) fn columns(spot: &Spot<'_>, faults: &mut Faults) -> Vec<Column> {
    let members = spot.members(faults);
    if members.is_empty() || members.len() > COLUMNS_MAX {
        faults.add(spot, format!("{} columns", members.len()), "1 to 64 columns");
    }
    let read = |(name, spot): (&str, Spot<'_>)| {
        let section = spot.section(faults, &keys::COLUMN.names());
        let need = section.get("need").and_then(|spot| spot.truth(faults)).unwrap_or(false);
        let is = section.need(faults, "is").and_then(|spot| is(spot, faults))?;
        Some(Column { name: name.to_owned(), is, need })
    };
    members.into_iter().filter_map(read).collect()
}

fn is(spot: &Spot<'_>, faults: &mut Faults) -> Option<Is> {
    if spot.is_list() {
        return Some(Is::OneOf(parts::texts(spot, faults)));
    }
    let expected = "text, words, email, account, date, instant, number, truth, or a list of words";
    spot.read(faults, expected, |text| match text {
        "text" => Some(Is::Text),
        "words" => Some(Is::Words),
        "email" => Some(Is::Email),
        "account" => Some(Is::Account),
        "date" => Some(Is::Date),
        "instant" => Some(Is::Instant),
        "number" => Some(Is::Number),
        "truth" => Some(Is::Truth),
        _ => None,
    })
}

pub(super) fn outcomes() -> Vec<Rule> {
    let rule = |(status, outcome)| Rule { status: vec![status], headers: Vec::new(), body: None, outcome };
    OUTCOMES.into_iter().map(rule).collect()
}

/// A collector of files has nothing that goes with servers, and one of servers reads no file.
pub(super) fn agree(sections: &Section<'_>, faults: &mut Faults, files: bool, manifest: &mut Manifest) {
    if !files {
        for name in ["connection", "outcomes"] {
            sections.need(faults, name);
        }
    }
    if files != manifest.is_for_files() || files && manifest.steps.len() != 1 {
        let expected = "kind: FileCollector with one step, a table; no table in any other kind";
        faults.add(sections.spot(), "another", expected);
    }
    if !files {
        return;
    }
    for name in ["contract", "connection", "permissions", "conditional", "receipts", "outcomes"] {
        if let Some(spot) = sections.get(name) {
            faults.add(spot, "it beside a file", "a key that goes with a file");
        }
    }
    manifest.receipts.request_id = Some(SIGNING_KEY.to_owned());
    manifest.receipts.api_version = Some(SIGNED_BY.to_owned());
}
