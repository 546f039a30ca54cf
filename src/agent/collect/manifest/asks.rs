//! What a step asks, and how its list goes on: the verb, its body, `paginate`.
//!
//! Nothing that could write is read here into a manifest: a POST says of itself that it reads.

use serde_json::Value;

use super::{
    Cursor, CursorIn, Document, Pages, Records, Stop, Turn, Verb, documents, keys, ldap, parts,
    steps::{Asks, Context, query},
    table,
    yaml::{Faults, Scalar, Section, Spot},
};
use crate::collect::{body::Body, decode::Decode, graphql::Asking, project::Path, template::Template};

/// Most pages that a list may declare.
const PAGES_MAX: u64 = 10_000;
/// Most records of a page that may be asked for.
const SIZE_MAX: u64 = 10_000;
const VERBS: [&str; 6] = ["get", "post", "graphql", "inside", "table", "ldap"];
/// Keys of a step that say how something is asked, or what came of asking.
const NOT_INSIDE: [&str; 14] = [
    "service",
    "safe_post",
    "body",
    "form",
    "variables",
    "query",
    "headers",
    "decode",
    "lists",
    "paginate",
    "records",
    "nested",
    "redact",
    "outcomes",
];
const TURNS: [&str; 6] = ["link", "body_link", "cursor", "page", "offset", "connection"];

/// What a step asks.
#[derive(Default)]
pub(super) struct Request {
    pub path: Option<Template>,
    pub verb: Option<Verb>,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(String, Template)>,
}

/// The path, the verb, the query.
pub(super) fn request(
    section: &Section<'_>,
    faults: &mut Faults,
    context: &Context<'_>,
    asks: &Asks,
) -> Request {
    let given: Vec<_> = VERBS.iter().filter_map(|verb| Some((*verb, section.get(verb)?))).collect();
    let [(verb, spot)] = given.as_slice() else {
        faults.add(
            section.spot(),
            format!("{} requests", given.len()),
            "exactly one of get, post, graphql, inside, table, ldap",
        );
        return Request::default();
    };
    if *verb == "table" {
        return table::request(section, faults);
    }
    if *verb == "ldap" {
        return ldap::request(section, spot, faults, context, asks);
    }
    if *verb == "inside" {
        return inside(section, spot, faults);
    }
    let path = address(spot, faults, context, asks);
    let only = |faults: &mut Faults, names: &[&str]| {
        for spot in names.iter().filter_map(|name| section.get(name)) {
            faults.add(spot, format!("it beside {verb}"), "a key that goes with the request");
        }
    };
    let headers =
        section.get("headers").map(|spot| own_headers(spot, faults, context, asks)).unwrap_or_default();
    let verb = match *verb {
        "get" => {
            only(faults, &["safe_post", "body", "form", "variables"]);
            Some(Verb::Get)
        }
        "post" => {
            only(faults, &["variables"]);
            let safe = section.need(faults, "safe_post").and_then(|spot| spot.truth(faults));
            if safe == Some(false) {
                faults.add(
                    section.spot(),
                    "a post that is not safe",
                    "safe_post: true: it reads and changes nothing",
                );
            }
            posted(section, faults, context, asks)
        }
        _ => {
            only(faults, &["safe_post", "body", "form"]);
            let verb = document(section, faults, context, asks).map(Verb::GraphQl);
            return Request { path, verb, query: Vec::new(), headers };
        }
    };
    let query = section.get("query").map(|spot| query(spot, faults, context, asks)).unwrap_or_default();
    Request { path, verb, query, headers }
}

/// What is posted: JSON, or a form.
fn posted(section: &Section<'_>, faults: &mut Faults, context: &Context<'_>, asks: &Asks) -> Option<Verb> {
    match (section.get("body"), section.get("form")) {
        (None, None) => Some(Verb::Post(Body::empty())),
        (Some(spot), None) => body(spot, faults, context, asks).map(Verb::Post),
        (None, Some(spot)) => {
            let fields = query(spot, faults, context, asks);
            Some(Verb::Form(Body::Map(
                fields.into_iter().map(|(name, text)| (name, Body::Text(text))).collect(),
            )))
        }
        (Some(_), Some(spot)) => {
            faults.add(spot, "it beside body", "body or form");
            None
        }
    }
}

/// Headers of a step; who asks is never among them.
fn own_headers(
    spot: &Spot<'_>,
    faults: &mut Faults,
    context: &Context<'_>,
    asks: &Asks,
) -> Vec<(String, Template)> {
    // the names are held to the same as the connection's
    parts::headers(spot, faults);
    let headers = query(spot, faults, context, asks);
    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

/// How the answers are written.
pub(super) fn decode(section: &Section<'_>, faults: &mut Faults) -> Decode {
    if let Some(spot) = section.get("table") {
        return Decode::Table(table::columns(spot, faults));
    }
    let lists = section.get("lists").map(|spot| parts::paths(spot, faults));
    let decode = section.get("decode").and_then(|spot| {
        spot.read(faults, "json, ndjson, csv or xml", |text| match text {
            "json" => Some(Decode::Json),
            "ndjson" => Some(Decode::Lines),
            "csv" => Some(Decode::Csv),
            "xml" => Some(Decode::Xml { lists: lists.clone().unwrap_or_default() }),
            _ => None,
        })
    });
    let decode = decode.unwrap_or_default();
    if let (Some(spot), false) = (section.get("lists"), matches!(decode, Decode::Xml { .. })) {
        faults.add(spot, "lists without xml", "decode: xml");
    }
    decode
}

/// A list of another step's record: nothing that goes with a request goes with it.
fn inside(section: &Section<'_>, spot: &Spot<'_>, faults: &mut Faults) -> Request {
    for name in NOT_INSIDE {
        if let Some(spot) = section.get(name) {
            faults.add(spot, "it beside inside", "a key that goes with a list that was read");
        }
    }
    let Some(path) = parts::path(spot, faults) else { return Request::default() };
    let shown = Template::named(&path.to_string());
    Request { path: Some(shown), verb: Some(Verb::Inside(path)), ..Request::default() }
}

fn document(
    section: &Section<'_>,
    faults: &mut Faults,
    context: &Context<'_>,
    asks: &Asks,
) -> Option<Document> {
    let spot = section.need(faults, "query")?;
    let text = spot.text(faults)?;
    if let Err(found) = Asking::read(text) {
        faults.add(spot, found, "one GraphQL query");
    }
    let given = section.get("variables");
    let variables = given.map_or(Some(Body::empty()), |spot| {
        // its names are the document's variables
        spot.members(faults);
        body(spot, faults, context, asks)
    });
    Some(Document { text: text.to_owned(), variables: variables? })
}

fn address(spot: &Spot<'_>, faults: &mut Faults, context: &Context<'_>, asks: &Asks) -> Option<Template> {
    let template = parts::template(spot, faults, &context.names())?;
    let source = template.source();
    if !source.starts_with('/') || source.starts_with("//") || source.contains(['?', '#', '\\', ' ']) {
        faults.add(spot, spot.found(), "a path that begins with one / and has no query");
    }
    context.check(spot, faults, &template, asks);
    Some(template)
}

/// A JSON value, its texts with places.
pub(super) fn body(spot: &Spot<'_>, faults: &mut Faults, context: &Context<'_>, asks: &Asks) -> Option<Body> {
    let body = read_body(spot, faults, context);
    for template in body.iter().flat_map(Body::templates) {
        context.check(spot, faults, template, asks);
    }
    body
}

/// Depth is bounded by the reader of YAML.
fn read_body(spot: &Spot<'_>, faults: &mut Faults, context: &Context<'_>) -> Option<Body> {
    if spot.is_map() {
        let members = spot.members(faults);
        let read =
            |(name, spot): (&str, Spot<'_>)| Some((name.to_owned(), read_body(&spot, faults, context)?));
        return members.into_iter().map(read).collect::<Option<_>>().map(Body::Map);
    }
    if spot.is_list() {
        let list = spot.list(faults);
        return list
            .iter()
            .map(|spot| read_body(spot, faults, context))
            .collect::<Option<_>>()
            .map(Body::List);
    }
    match spot.scalar()? {
        Scalar::Null => Some(Body::Fixed(Value::Null)),
        Scalar::Bool(truth) => Some(Body::Fixed(truth.into())),
        Scalar::Number(number) => {
            let number = serde_json::from_str(&number).ok();
            if number.is_none() {
                faults.add(spot, spot.found(), "a number that JSON has");
            }
            number.map(Body::Fixed)
        }
        Scalar::Text(text) if text.is_empty() => Some(Body::Fixed(text.into())),
        Scalar::Text(_) => parts::template(spot, faults, &context.names()).map(Body::Text),
    }
}

/// `paginate`.
pub(super) fn pages(spot: &Spot<'_>, faults: &mut Faults, records: Option<&Records>) -> Option<Pages> {
    let section = spot.section(faults, &keys::PAGINATE.names());
    let given: Vec<_> = TURNS.iter().filter_map(|turn| Some((*turn, section.get(turn)?))).collect();
    let [(turn, at)] = given.as_slice() else {
        let expected = format!("exactly one of {}", TURNS.join(", "));
        faults.add(spot, format!("{} ways to the next page", given.len()), expected);
        return None;
    };
    let mut total = None;
    let turn = match *turn {
        "connection" => {
            let found =
                at.read(faults, "a variable, and records: { at: ....nodes or ....edges }", |variable| {
                    documents::connection(records, variable)
                });
            found.map(|(cursor, count)| {
                total = Some(count);
                Turn::Cursor(cursor)
            })
        }
        "link" => at.text(faults).map(|relation| Turn::Link(relation.to_owned())),
        "body_link" => parts::path(at, faults).map(Turn::BodyLink),
        "cursor" => cursor(at, faults).map(Turn::Cursor),
        "page" => counted(at, faults, 1).map(|(param, start)| Turn::Page { param, start }),
        _ => counted(at, faults, 0).map(|(param, start)| Turn::Offset { param, start }),
    };
    let size = section.get("size").and_then(|spot| {
        let section = spot.section(faults, &keys::SIZE.names());
        let param = section.need_text(faults, "param");
        Some((param, section.need(faults, "value")?.number(faults, 1..=SIZE_MAX)?))
    });
    let stop = stop(&section, faults, turn.as_ref(), size.is_some());
    Some(Pages {
        turn: turn?,
        stop: stop?,
        size,
        total,
        most: section.get("pages_max").and_then(|s| s.number(faults, 1..=PAGES_MAX)).unwrap_or(1000),
        cap: section.get("cap").and_then(|s| s.number(faults, 1..=u64::from(u32::MAX))),
    })
}

/// What is taken for the end: a page that names no further one, unless every page does, or none.
fn stop(section: &Section<'_>, faults: &mut Faults, turn: Option<&Turn>, sized: bool) -> Option<Stop> {
    let stop = section.get("stop").map_or(Some(Stop::Terminal), |spot| {
        spot.read(faults, "terminal, empty_page or short_page", |text| match text {
            "terminal" => Some(Stop::Terminal),
            "empty_page" => Some(Stop::EmptyPage),
            "short_page" => Some(Stop::ShortPage),
            _ => None,
        })
    })?;
    let counts = matches!(turn, Some(Turn::Page { .. } | Turn::Offset { .. }));
    let untold = match turn {
        Some(Turn::Cursor(cursor)) => matches!(cursor.at, CursorIn::LastRecord(_)) && cursor.more.is_none(),
        Some(Turn::Link(_) | Turn::BodyLink(_) | Turn::Place | Turn::Page { .. } | Turn::Offset { .. })
        | None => false,
    };
    let expected = match (stop, turn) {
        (Stop::Terminal, Some(_)) if counts || untold => {
            "stop: empty_page or short_page, as no page names the next"
        }
        (Stop::ShortPage, Some(Turn::Link(_) | Turn::BodyLink(_))) => "stop: terminal or empty_page",
        (Stop::ShortPage, Some(_)) if !sized => "a size, so that a page can be short",
        (Stop::EmptyPage, Some(Turn::Cursor(cursor))) if cursor.more.is_some() => {
            "stop: terminal, as more tells"
        }
        (Stop::Terminal | Stop::EmptyPage | Stop::ShortPage, _) => return Some(stop),
    };
    faults.add(section.spot(), format!("stop: {}", stop.proof()), expected);
    None
}

fn cursor(spot: &Spot<'_>, faults: &mut Faults) -> Option<Cursor> {
    let section = spot.section(faults, &keys::CURSOR.names());
    let get = |faults: &mut Faults, name: &str| -> Option<Path> { parts::path(section.get(name)?, faults) };
    let (body, last, more) = (get(faults, "at"), get(faults, "last"), get(faults, "more"));
    let param = section.need_text(faults, "param");
    let at = match (body, last) {
        (Some(path), None) => CursorIn::Body(path),
        (None, Some(path)) => CursorIn::LastRecord(path),
        (Some(_), Some(_)) | (None, None) => {
            faults.add(
                spot,
                "both or none of them",
                "at (a path in the body) or last (a path in the last record)",
            );
            return None;
        }
    };
    Some(Cursor { at, more, param })
}

fn counted(spot: &Spot<'_>, faults: &mut Faults, first: u64) -> Option<(String, u64)> {
    let section = spot.section(faults, &keys::COUNTED.names());
    let start = section.get("start").map_or(Some(first), |spot| spot.number(faults, 0..=1));
    Some((section.need_text(faults, "param"), start?))
}
