//! `policies` and `owners`: which library judges, with which parameters, and who owns which control.
//!
//! It knows no Rego and no meaning of a parameter: `judge` refuses what a policy does not declare.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Map, Value as Json};

use super::{
    fault::nearest,
    node::{Fields, Node},
    reading::Reading,
};

/// Who owns a control that nobody was named for.
const NOBODY: &str = "unassigned";

/// Which policies judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// Where they lie.
    pub library: Library,
    /// Parameters that differ from a policy's own, by policy id.
    pub parameters: BTreeMap<String, Map<String, Json>>,
}

/// Where the policies lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Library {
    /// Those of this release.
    Default,
    /// A folder.
    Folder(PathBuf),
}

/// Who owns which control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    default: String,
    patterns: BTreeMap<String, String>,
}

impl Owners {
    /// The owner of a control or policy: the one named for it, else for the longest `PREFIX*`, else the default.
    pub fn of(&self, id: &str) -> &str {
        self.patterns
            .iter()
            .filter(|(pattern, _)| match pattern.strip_suffix('*') {
                Some(prefix) => id.starts_with(prefix),
                None => *pattern == id,
            })
            .max_by_key(|(pattern, _)| (!pattern.ends_with('*'), pattern.len()))
            .map_or(&self.default, |(_, owner)| owner)
    }
}

pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Policies> {
    let Some(node) = fields.may("policies") else {
        reading.defaulted("policies.library", "default");
        return Some(Policies { library: Library::Default, parameters: BTreeMap::new() });
    };
    let mut inner = node.fields("{ library: default, parameters: { ID: { .. } } }", &mut reading.faults)?;
    let library = match inner.may("library") {
        None => {
            reading.defaulted("policies.library", "default");
            Some(Library::Default)
        }
        Some(node) => library(node, reading),
    };
    let parameters = match inner.may("parameters") {
        None => Some(BTreeMap::new()),
        Some(node) => parameters(node, library.as_ref(), reading),
    };
    inner.done(&mut reading.faults);
    Some(Policies { library: library?, parameters: parameters? })
}

fn library(node: &Node, reading: &mut Reading<'_>) -> Option<Library> {
    let text = node.text("default, or a folder of policies", &mut reading.faults)?;
    let library = match text {
        "default" => Library::Default,
        path => Library::Folder(reading.resolve(path)),
    };
    match &library {
        Library::Default => reading.given("policies.library", "default"),
        Library::Folder(path) => reading.given("policies.library", &path.display().to_string()),
    }
    Some(library)
}

fn parameters(
    node: &Node,
    library: Option<&Library>,
    reading: &mut Reading<'_>,
) -> Option<BTreeMap<String, Map<String, Json>>> {
    let mut parameters = BTreeMap::new();
    for entry in node.entries("{ POLICY: { NAME: VALUE } }", &mut reading.faults)? {
        let ids = &reading.catalogue.policies;
        if library == Some(&Library::Default) && !ids.contains(&entry.key) {
            let hint = nearest(&entry.key, ids.iter().map(String::as_str))
                .map(|near| format!("did you mean {near}?"));
            let hint = hint.unwrap_or_else(|| "observance policy list".to_owned());
            let (what, expected) = ("an unknown policy".to_owned(), "the id of a policy that is shipped");
            entry.node.refuse_as(what, expected, Some(&hint), &mut reading.faults);
            continue;
        }
        let mut values = Map::new();
        for value in entry.node.entries("a map of parameters", &mut reading.faults).unwrap_or_default() {
            if let Some(json) = value.node.json(&mut reading.faults) {
                reading.given(value.node.path(), &json.to_string());
                values.insert(value.key.clone(), json);
            }
        }
        parameters.insert(entry.key.clone(), values);
    }
    Some(parameters)
}

pub(super) fn owners(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Owners> {
    let mut owners = Owners { default: NOBODY.to_owned(), patterns: BTreeMap::new() };
    let entries = match fields.may("owners") {
        None => &[],
        Some(node) => node.entries("{ default: NAME, \"GH-*\": NAME }", &mut reading.faults)?,
    };
    if !entries.iter().any(|entry| entry.key == "default") {
        reading.defaulted("owners.default", NOBODY);
    }
    for entry in entries {
        let Some(name) = reading.name(&entry.node, "an owner's name") else { continue };
        let star = entry.key.find('*');
        if entry.key == "default" {
            owners.default = name;
        } else if star.is_none_or(|at| at + 1 == entry.key.len()) {
            owners.patterns.insert(entry.key.clone(), name);
        } else {
            let found = "a * that is not the last character".to_owned();
            entry.node.refuse_as(found, "default, an id, or PREFIX*", None, &mut reading.faults);
        }
    }
    Some(owners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_owner_wins() {
        let patterns = [("GH-*", "platform"), ("GH-1*", "ten"), ("GH-10", "exact"), ("*", "all")];
        let patterns = patterns.map(|(pattern, owner)| (pattern.to_owned(), owner.to_owned())).into();
        let owners = Owners { default: "ciso".to_owned(), patterns };
        let of = |id| owners.of(id);
        assert_eq!(["GH-10", "GH-11", "GH-05", "ID-04"].map(of), ["exact", "ten", "platform", "all"]);
        let owners = Owners { default: "ciso".to_owned(), patterns: BTreeMap::new() };
        assert_eq!(owners.of("GH-05"), "ciso");
    }
}
