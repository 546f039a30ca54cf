//! The annotation of a policy's entry package: what it judges, what it needs, what it serves (contract 1).
//!
//! It does not read Rego. Unknown keys are faults, and all faults of an annotation come back at once.

use std::collections::BTreeSet;

use observance_record::verdict::Empty;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::{
    fault::Fault,
    yaml::{self, Kind, Node},
};

/// Most names in one list of an annotation.
const NAMES_MAX: usize = 64;
/// Longest `row.missing.<field>` that is still a code leaves this much for the field.
const FIELD_BYTES_MAX: usize = 52;

/// How bad a failure is; decides how loudly it is told, never the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To be looked at.
    Low,
    /// To be fixed in time.
    Medium,
    /// To be fixed now.
    High,
    /// To be fixed before anything else.
    Critical,
}

impl Severity {
    /// The word that a policy says it by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a row must have been seen with before it may be believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The steps whose outcome matters; `None` = all of them.
    pub steps: Option<BTreeSet<String>>,
    /// Keys (dotted) that the row must hold; without one the item is unknown `row.missing.<field>`.
    pub fields: BTreeSet<String>,
}

/// The annotation of an entry package.
#[derive(Debug, Clone)]
pub struct Meta {
    /// The policy's id, `GH-05`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What is judged and what is not, for people.
    pub description: String,
    /// The population that is judged.
    pub population: String,
    /// Further populations that it reads, the optional ones last.
    pub joined: Vec<String>,
    /// Those of them without which it is asked too, where no collector in force yields them.
    pub optional: BTreeSet<String>,
    /// The controls that it serves.
    pub controls: Vec<String>,
    /// What an empty population means.
    pub empty: Empty,
    /// How bad a failure is.
    pub severity: Severity,
    /// Its parameters and their defaults.
    pub parameters: Map<String, Value>,
    /// What a row must have been seen with.
    pub needs: Needs,
    /// The population of what may pass through the hole while an item fails.
    pub exposure: Option<String>,
    /// The annotation as it was written, which the policy's digest binds.
    pub(crate) document: Value,
}

/// Reads the annotation `text`, whose first line is line `first` of `file`.
pub(crate) fn read(file: &str, first: u32, text: &str) -> Result<Meta, Vec<Fault>> {
    let mut faults = Vec::new();
    match yaml::read(text) {
        Ok(node) => {
            let meta = top(&mut Section::open(&node, "", file, first, &mut faults), &node);
            if faults.is_empty() { meta.ok_or(faults) } else { Err(faults) }
        }
        Err((line, what)) => Err(vec![Fault::at(file, first.saturating_add(line) - 1, what).key("METADATA")]),
    }
}

fn top(section: &mut Section<'_, '_>, node: &Node) -> Option<Meta> {
    let title = section.text("title");
    let description = section.text("description");
    section.only("scope", "package");
    let custom = section.take("custom");
    section.close();
    let Some(custom) = custom else {
        section.miss("custom", "a map that holds `contract: 1`");
        return None;
    };
    let mut custom = section.inner("custom", custom);
    custom.contract();
    let mut joined = custom.names("joined", "_").unwrap_or_default();
    let optional = custom.names("optional", "_").unwrap_or_default();
    if let Some(twice) = optional.iter().find(|name| joined.contains(name)) {
        custom.fault(custom.line, "optional", format!("names {twice}, which is joined already"));
    }
    joined.extend(optional.iter().cloned());
    let meta = Meta {
        id: custom.name("id", "-").unwrap_or_default(),
        population: custom.name("population", "_").unwrap_or_default(),
        joined,
        optional: optional.into_iter().collect(),
        controls: custom.needed("controls", |s, key| s.names(key, "-.")).unwrap_or_default(),
        empty: custom.word("empty", &EMPTY).unwrap_or_default(),
        severity: custom.word("severity", &SEVERITY).unwrap_or(Severity::Medium),
        parameters: custom.parameters(),
        needs: custom.needs(),
        exposure: custom.take("exposure").and_then(|at| custom.a_name("exposure", at, "_")),
        title: title.unwrap_or_default(),
        description: description.unwrap_or_default(),
        document: Value::Null,
    };
    custom.close();
    match node.value.json() {
        Ok(document) => Some(Meta { document, ..meta }),
        Err(what) => {
            if section.faults.is_empty() {
                section.wrong("", node, &what);
            }
            None
        }
    }
}

const EMPTY: [(&str, Empty); 4] = [
    ("unknown", Empty::Unknown),
    ("passed", Empty::Passed),
    ("failed", Empty::Failed),
    ("not_applicable", Empty::NotApplicable),
];

const SEVERITY: [(&str, Severity); 4] = [
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

/// One map of the annotation; what is not taken from it by the end is an unknown key.
struct Section<'a, 'f> {
    fields: Vec<(&'a Spanned<String>, &'a Node)>,
    known: Vec<&'static str>,
    path: String,
    line: u32,
    file: &'f str,
    first: u32,
    faults: &'f mut Vec<Fault>,
}

impl<'a, 'f> Section<'a, 'f> {
    fn open(node: &'a Node, path: &str, file: &'f str, first: u32, faults: &'f mut Vec<Fault>) -> Self {
        let line = yaml::line_of(node);
        let mut section =
            Self { fields: Vec::new(), known: Vec::new(), path: path.to_owned(), line, file, first, faults };
        match &node.value {
            Kind::Map(fields) => section.fields = fields.iter().map(|(key, node)| (key, node)).collect(),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Integer(_)
            | Kind::Unfit(_)
            | Kind::Text(_)
            | Kind::List(_) => {
                section.expected("", node, "a map");
            }
        }
        section
    }

    fn inner(&mut self, key: &str, node: &'a Node) -> Section<'a, '_> {
        let path = self.at(key);
        Section::open(node, &path, self.file, self.first, self.faults)
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() || key.is_empty() {
            format!("{}{key}", self.path)
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn fault(&mut self, line: u32, key: &str, what: String) {
        let key = self.at(key);
        self.faults
            .push(Fault::at(self.file, self.first.saturating_add(line).saturating_sub(1), what).key(key));
    }

    fn wrong(&mut self, key: &str, node: &Node, what: &str) {
        self.fault(yaml::line_of(node), key, what.to_owned());
    }

    fn expected(&mut self, key: &str, node: &Node, expected: &str) {
        self.fault(yaml::line_of(node), key, format!("found {}, expected {expected}", node.value.name()));
    }

    fn miss(&mut self, key: &str, expected: &str) {
        self.fault(self.line, key, format!("is missing, expected {expected}"));
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        let at = self.fields.iter().position(|(name, _)| name.value == key)?;
        Some(self.fields.swap_remove(at).1)
    }

    fn needed<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        if !self.fields.iter().any(|(name, _)| name.value == key) {
            self.miss(key, "a value");
        }
        read(self, key)
    }

    fn close(&mut self) {
        for (key, _) in std::mem::take(&mut self.fields) {
            let known = self.known.join(", ");
            self.fault(yaml::line_of(key), &key.value, format!("is not a key here, expected one of {known}"));
        }
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        let Some(node) = self.take(key) else {
            self.miss(key, "a text");
            return None;
        };
        match &node.value {
            Kind::Text(text) if !text.trim().is_empty() => return Some(text.clone()),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Integer(_)
            | Kind::Unfit(_)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_) => {}
        }
        self.expected(key, node, "a text that is not empty");
        None
    }

    fn only(&mut self, key: &'static str, word: &str) {
        if let Some(node) = self.take(key)
            && !matches!(&node.value, Kind::Text(text) if text == word)
        {
            self.expected(key, node, &format!("`{word}`"));
        }
    }

    fn contract(&mut self) {
        match self.take("contract") {
            Some(node) if matches!(node.value, Kind::Integer(1)) => {}
            Some(node) => self.expected("contract", node, "1"),
            None => self.miss("contract", "1"),
        }
    }

    /// A name of ASCII letters, digits and the characters of `more`.
    fn name(&mut self, key: &'static str, more: &str) -> Option<String> {
        let node = self.take(key);
        if node.is_none() {
            self.miss(key, "a name");
        }
        self.a_name(key, node?, more)
    }

    fn a_name(&mut self, key: &str, node: &Node, more: &str) -> Option<String> {
        let legal = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        match &node.value {
            Kind::Text(text) if (1..=64).contains(&text.len()) && text.chars().all(legal) => {
                return Some(text.clone());
            }
            Kind::Text(text) => {
                self.wrong(key, node, &format!("{text:?} is not a name (letters, digits, {more:?})"));
            }
            Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Unfit(_) | Kind::List(_) | Kind::Map(_) => {
                self.expected(key, node, "a name");
            }
        }
        None
    }

    fn names(&mut self, key: &'static str, more: &str) -> Option<Vec<String>> {
        let node = self.take(key)?;
        match &node.value {
            Kind::List(nodes) if nodes.len() <= NAMES_MAX => {
                let names: Vec<_> = nodes.iter().filter_map(|node| self.a_name(key, node, more)).collect();
                if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
                    self.wrong(key, node, "names one thing twice");
                }
                return Some(names);
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Integer(_)
            | Kind::Unfit(_)
            | Kind::Text(_)
            | Kind::List(_)
            | Kind::Map(_) => {
                self.expected(key, node, &format!("a list of at most {NAMES_MAX} names"));
            }
        }
        None
    }

    fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names = words.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let Some(node) = self.take(key) else {
            self.miss(key, &format!("one of {names}"));
            return None;
        };
        let found = words.iter().find(|(name, _)| matches!(&node.value, Kind::Text(text) if text == name));
        if found.is_none() {
            let written = if let Kind::Text(text) = &node.value {
                format!("{text:?}")
            } else {
                node.value.name().to_owned()
            };
            self.fault(yaml::line_of(node), key, format!("found {written}, expected one of {names}"));
        }
        found.map(|(_, word)| *word)
    }

    fn parameters(&mut self) -> Map<String, Value> {
        let mut defaults = Map::new();
        let Some(node) = self.take("parameters") else { return defaults };
        let mut inner = self.inner("parameters", node);
        for (key, node) in std::mem::take(&mut inner.fields) {
            match node.value.json() {
                Ok(value) if key.value.is_ascii() => drop(defaults.insert(key.value.clone(), value)),
                Ok(_) => inner.wrong(&key.value, node, "the name of a parameter is ASCII"),
                Err(what) => inner.wrong(&key.value, node, &what),
            }
        }
        defaults
    }

    fn needs(&mut self) -> Needs {
        let Some(node) = self.take("needs") else { return Needs::default() };
        let mut inner = self.inner("needs", node);
        let steps = inner.names("steps", "_-").map(BTreeSet::from_iter);
        let fields: BTreeSet<_> = inner.names("fields", "_.").unwrap_or_default().into_iter().collect();
        for field in &fields {
            if field.len() > FIELD_BYTES_MAX || field.bytes().any(|b| b.is_ascii_uppercase()) {
                inner.wrong("fields", node, &format!("{field:?} is too long or not lower case for a code"));
            }
        }
        inner.close();
        Needs { steps, fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "title: T\ndescription: D\ncustom:\n  contract: 1\n  id: GH-05\n  population: repositories\n  controls: [branch-rules]\n  empty: unknown\n  severity: high\n  parameters: {approvals: 1}\n  needs: {steps: [rules], fields: [head.sha]}\n";

    #[test]
    fn a_whole_annotation_is_read() {
        let meta = read("a.rego", 2, GOOD).unwrap();
        assert_eq!((meta.id.as_str(), meta.severity), ("GH-05", Severity::High));
        assert_eq!(meta.parameters["approvals"], 1);
        assert!(meta.needs.fields.contains("head.sha"));
    }

    #[test]
    fn all_faults_come_at_once_with_their_lines() {
        let text = GOOD
            .replace("title: T", "title: 3")
            .replace("empty: unknown", "empty: maybe")
            .replace("approvals: 1", "approvals: 1.5")
            .replace("severity: high", "severity: high\n  sevirity: low");
        let faults = read("a.rego", 2, &text).unwrap_err();
        let mut at: Vec<_> = faults.iter().map(|fault| (fault.line, fault.key.as_str())).collect();
        at.sort_unstable();
        assert_eq!(at[0], (2, "title"));
        assert!(at.contains(&(9, "custom.empty")), "{faults:?}");
        assert!(at.contains(&(11, "custom.sevirity")), "{faults:?}");
        assert!(at.contains(&(12, "custom.parameters.approvals")), "{faults:?}");
    }
}
