//! What a step that sends a GraphQL document must declare: every list in it, and how each is gone on with.
//!
//! A list that the document asks for and the manifest does not declare is a fault: it could be cut short without a word.

use std::collections::BTreeSet;

use super::{
    Cursor, CursorIn, Document, Follow, Nested, Pages, Records, Step, Stop, Turn, Verb, keys, parts, windows,
    yaml::{Faults, Section, Spot},
};
use crate::collect::{
    body::Body,
    graphql::{Asking, FOLLOW_AFTER},
    project::Path,
    redact,
};

/// Most pages that go on with one list of one record.
const FOLLOW_PAGES_MAX: u64 = 1000;

/// The cursor, the end and the count of the connection whose nodes are the step's records.
pub(super) fn connection(records: Option<&Records>, variable: &str) -> Option<(Cursor, Path)> {
    let Some(Records::At(path)) = records else { return None };
    let (last, connection) = path.parts().split_last()?;
    if !matches!(last.as_str(), "nodes" | "edges") {
        return None;
    }
    let inside = |rest: &str| Path::read(&format!("{}.{rest}", connection.join(".")));
    let cursor = Cursor {
        at: CursorIn::Body(inside("pageInfo.endCursor")?),
        more: Some(inside("pageInfo.hasNextPage")?),
        param: variable.to_owned(),
    };
    Some((cursor, inside("totalCount")?))
}

/// Holds a step against its document, and makes what goes on with the lists inside of its records.
pub(super) fn complete(section: &Section<'_>, faults: &mut Faults, step: &mut Step) {
    let nested = section.get("nested");
    let counts = step.pages.as_ref().is_some_and(|pages| pages.total.is_some());
    let Verb::GraphQl(document) = &step.verb else {
        if counts || nested.is_some() {
            faults.add(section.spot(), "connection or nested without a document", "graphql and query");
        }
        return;
    };
    // a document that cannot be read is a fault already
    let Ok(asking) = Asking::read(&document.text) else { return };
    variables(section, faults, step, document, &asking);
    let base = match &step.records {
        Records::At(path) => path.parts().get(1..).unwrap_or_default().to_vec(),
        Records::One | Records::List | Records::Count(_) => Vec::new(),
    };
    let own = base.split_last().filter(|(last, _)| matches!(last.as_str(), "nodes" | "edges"));
    let own = own.map(|(_, own)| own.to_vec());
    let mut declared = Vec::new();
    for spot in nested.map(|spot| spot.list(faults)).unwrap_or_default() {
        let one = Inside { step, asking: &asking, base: &base };
        declared.extend(one.read(&spot, faults));
    }
    for connection in asking.connections() {
        let lacks = asking.lacks(&connection);
        if !lacks.is_empty() {
            let found = format!("{} without {}", connection.join("."), lacks.join(", "));
            faults.add(section.spot(), found, "a list that says how far it goes");
        }
        if own.as_ref() == Some(&connection) {
            let by = step.pages.as_ref().filter(|_| counts).and_then(|pages| match &pages.turn {
                Turn::Cursor(cursor) => Some(cursor.param.as_str()),
                Turn::Link(_) | Turn::BodyLink(_) | Turn::Place | Turn::Page { .. } | Turn::Offset { .. } => {
                    None
                }
            });
            if !by.is_some_and(|variable| asking.goes_on_by(&connection, variable)) {
                let found = format!("{} without after: of its own", connection.join("."));
                faults.add(
                    section.spot(),
                    found,
                    "paginate: { connection: variable }, and after: $variable in the query",
                );
            }
        } else if !declared.iter().any(|(_, path)| *path == connection) {
            faults.add(
                section.spot(),
                format!("the list {}", connection.join(".")),
                "a line of nested for it",
            );
        }
    }
    step.nested = declared.into_iter().map(|(nested, _)| nested).collect();
}

fn variables(
    section: &Section<'_>,
    faults: &mut Faults,
    step: &Step,
    document: &Document,
    asking: &Asking<'_>,
) {
    let mut given: BTreeSet<&str> = BTreeSet::new();
    if let Body::Map(map) = &document.variables {
        given.extend(map.iter().map(|(name, _)| name.as_str()));
    }
    if let Some(pages) = &step.pages {
        given.extend(pages.size.iter().map(|(name, _)| name.as_str()));
        match &pages.turn {
            Turn::Cursor(Cursor { param, .. }) | Turn::Page { param, .. } | Turn::Offset { param, .. } => {
                given.insert(param);
            }
            Turn::Link(_) | Turn::BodyLink(_) | Turn::Place => {}
        }
    }
    let known: BTreeSet<&str> = asking.variables().map(|(name, _)| name).collect();
    for name in given.difference(&known) {
        faults.add(section.spot(), format!("a value for ${name}"), "a variable that the query declares");
    }
    // what a page is asked for with is not given at first, so it may not be required
    let first =
        |name: &str| given.contains(name) && !step.pages.as_ref().is_some_and(|pages| pages.is_by(name));
    for (name, _) in asking.variables().filter(|(name, required)| *required && !first(name)) {
        faults.add(section.spot(), format!("no value for ${name}"), "a value in variables");
    }
}

/// The records in which lists are declared.
struct Inside<'s> {
    step: &'s Step,
    asking: &'s Asking<'s>,
    base: &'s [String],
}

impl Inside<'_> {
    /// One line of `nested`, and where the document selects its list.
    fn read(&self, spot: &Spot<'_>, faults: &mut Faults) -> Option<(Nested, Vec<String>)> {
        let section = spot.section(faults, &keys::NESTED.names());
        let at = section.need(faults, "at").and_then(|spot| parts::path(spot, faults))?;
        // a single record is the whole body, which begins with `data`
        let single = self.step.records == Records::One;
        let inside = at.parts().get(usize::from(single)..).unwrap_or_default();
        let path: Vec<String> = self.base.iter().chain(inside).cloned().collect();
        if !self.asking.connections().contains(&path) {
            faults.add(spot, spot_of(&path), "a list of the query (nodes or edges)");
            return None;
        }
        let on = section.get("on").and_then(|spot| spot.text(faults));
        let mut follow = match on {
            Some(on) => Some(self.follow(&section, faults, (&at, &path), on)?),
            None => None,
        };
        let stop = section.get("stop_when").and_then(|spot| parts::condition(spot, faults));
        if let (Some(stop), Some(follow)) = (&stop, &mut follow) {
            follow.ask.marks.push(stop.path.clone());
            follow.ask.window = Some(windows::until(stop.clone()));
        }
        Some((Nested { at, follow, stop }, path))
    }

    fn follow(
        &self,
        section: &Section<'_>,
        faults: &mut Faults,
        (at, path): (&Path, &[String]),
        on: &str,
    ) -> Option<Follow> {
        let (key, above) = at.parts().split_last()?;
        let inside: Vec<String> = above.iter().cloned().chain(["id".to_owned()]).collect();
        let id = section
            .get("id")
            .map_or_else(|| Path::read(&inside.join(".")), |spot| parts::path(spot, faults))?;
        let inner = above.iter().any(|part| matches!(part.as_str(), "nodes" | "edges"));
        if inner && !id.parts().starts_with(above) {
            faults.add(
                section.spot(),
                format!("id: {id}"),
                "an id beside the list, as it is inside of a list",
            );
        }
        let skip = usize::from(self.step.records == Records::One);
        let place = |path: &Path| -> Vec<String> {
            self.base.iter().chain(path.parts().get(skip..).unwrap_or_default()).cloned().collect()
        };
        if !self.asking.selects(&place(&id)) {
            faults.add(section.spot(), format!("no {id} in the query"), "the node's id beside the list");
        }
        let selects = |name: &str| {
            let inside: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
            self.asking.selects(&inside)
        };
        if selects("nodes") && selects("edges") {
            faults.add(section.spot(), "nodes and edges", "one of them, so that none stays short");
        }
        let name = on.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let made = if name { self.asking.follow_up(path, on) } else { Err(format!("on: {on:?}")) };
        let made = match made {
            Ok(made) => made,
            Err(found) => {
                faults.add(
                    section.spot(),
                    found,
                    "a list that can be read on: first, a node type's name, no after",
                );
                return None;
            }
        };
        let elements = if selects("nodes") { "nodes" } else { "edges" };
        let ask = self.step_of(at, key, elements, made.text.clone())?;
        Some(Follow { id, text: made.text, variables: made.variables, ask })
    }

    /// The step that goes on: the same rules, the same address, what is covered there covered here.
    fn step_of(&self, at: &Path, key: &str, elements: &str, text: String) -> Option<Step> {
        let records = Records::At(Path::read(&format!("data.node.{key}.{elements}"))?);
        let (cursor, _) = connection(Some(&records), FOLLOW_AFTER)?;
        let prefix: Vec<&String> = match &self.step.records {
            Records::At(path) => path.parts().iter().chain(at.parts()).collect(),
            Records::One | Records::List | Records::Count(_) => at.parts().iter().collect(),
        };
        let moved = |rule: &redact::Rule| {
            let mut parts = rule.parts.iter();
            let inside = prefix.iter().all(|part| parts.next() == Some(*part));
            let there = ["data", "node", key].into_iter().map(str::to_owned).chain(parts.cloned()).collect();
            let parts = if inside { there } else { rule.parts.clone() };
            redact::Rule { parts, ..rule.clone() }
        };
        let id = format!("{}.{at}", self.step.id);
        let verb = Verb::GraphQl(Document { text, variables: Body::empty() });
        Some(Step {
            pages: Some(Pages {
                turn: Turn::Cursor(cursor),
                stop: Stop::Terminal,
                size: None,
                total: None,
                most: FOLLOW_PAGES_MAX,
                cap: None,
            }),
            records,
            redact: self.step.redact.iter().map(moved).collect(),
            raw: true,
            ..Step::bare(id, verb, self.step.path.clone(), self.step.outcomes.clone())
        })
    }
}

fn spot_of(path: &[String]) -> String {
    format!("{}, which is none", path.join("."))
}
