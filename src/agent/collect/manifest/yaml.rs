//! A strict reading of YAML into a tree that knows its lines, and the cursor with which a manifest is taken apart.
//!
//! No anchors, no aliases, no merge keys, no repeated keys. Every fault is kept and the reading goes on, so that an
//! author sees all of them at once.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

/// Largest manifest, in bytes.
const BYTES_MAX: usize = 262_144;
/// Deepest nesting of a manifest.
const DEPTH_MAX: usize = 32;

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {path}: found {found}, expected {expected}")]
pub struct Fault {
    /// The file, as the caller names it.
    pub file: String,
    /// Line, from 1; 0 if the place is not known.
    pub line: u64,
    /// Where in the manifest: `steps[2].outcomes[0].as`; `(file)` for the whole.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: String,
}

/// A value and the line it begins on.
#[derive(Debug, Clone)]
pub(super) struct Node {
    line: u64,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

/// The scalars that conditions compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scalar {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// Text.
    Text(String),
}

/// Reads a file whose outermost value is a mapping.
pub(super) fn read(file: &str, text: &str) -> Result<Node, Fault> {
    let whole = |line, found: String, expected: &str| Fault {
        file: file.to_owned(),
        line,
        path: "(file)".to_owned(),
        found,
        expected: expected.to_owned(),
    };
    if text.len() > BYTES_MAX {
        return Err(whole(0, format!("{} bytes", text.len()), "at most 262144 bytes"));
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_merge_keys: 0, max_depth: DEPTH_MAX, max_documents: 1 },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let found: String = error.to_string().lines().next().unwrap_or_default().chars().take(200).collect();
        whole(line, found, "one YAML document without anchors, aliases or repeated keys")
    })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Value>::deserialize(from)?;
        Ok(Self { line: referenced.line(), value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ValueVisitor(PhantomData))
    }
}

struct ValueVisitor(PhantomData<Value>);

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = from.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = from.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

/// Collects what is wrong.
#[derive(Debug)]
pub(super) struct Faults {
    file: String,
    list: Vec<Fault>,
}

impl Faults {
    /// None so far.
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    /// Takes one more.
    pub(super) fn add(&mut self, spot: &Spot<'_>, found: impl Into<String>, expected: impl Into<String>) {
        let path = if spot.path.is_empty() { "(file)" } else { &spot.path };
        self.push(spot.node.line, path.to_owned(), found.into(), expected.into());
    }

    /// All of them, by line.
    pub(super) fn into_vec(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|fault| fault.line);
        self.list
    }

    fn push(&mut self, line: u64, path: String, found: String, expected: String) {
        self.list.push(Fault { file: self.file.clone(), line, path, found, expected });
    }
}

/// A place in the tree.
#[derive(Debug, Clone)]
pub(super) struct Spot<'n> {
    node: &'n Node,
    path: String,
}

impl<'n> Spot<'n> {
    /// The outermost value.
    pub(super) const fn root(node: &'n Node) -> Self {
        Self { node, path: String::new() }
    }

    /// Its text; numbers and truth values are not text, they must be quoted.
    pub(super) fn text(&self, faults: &mut Faults) -> Option<&'n str> {
        match &self.node.value {
            Value::Text(text) if !text.is_empty() => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => {
                faults.add(self, self.found(), "text (quote numbers)");
                None
            }
        }
    }

    /// Its text read as something.
    pub(super) fn read<T>(
        &self,
        faults: &mut Faults,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(faults)?;
        let value = read(text);
        if value.is_none() {
            faults.add(self, self.found(), expected);
        }
        value
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, faults: &mut Faults, bounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = match &self.node.value {
            Value::Number(number) => number.parse().ok().filter(|number| bounds.contains(number)),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
        };
        if number.is_none() {
            faults.add(
                self,
                self.found(),
                format!("a whole number from {} to {}", bounds.start(), bounds.end()),
            );
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn truth(&self, faults: &mut Faults) -> Option<bool> {
        match self.scalar() {
            Some(Scalar::Bool(truth)) => Some(truth),
            Some(Scalar::Null | Scalar::Number(_) | Scalar::Text(_)) | None => {
                faults.add(self, self.found(), "true or false");
                None
            }
        }
    }

    /// Any scalar.
    pub(super) fn scalar(&self) -> Option<Scalar> {
        match &self.node.value {
            Value::Null => Some(Scalar::Null),
            Value::Bool(truth) => Some(Scalar::Bool(*truth)),
            Value::Number(number) => Some(Scalar::Number(number.clone())),
            Value::Text(text) => Some(Scalar::Text(text.clone())),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Is it a mapping (and not a scalar or list)?
    pub(super) const fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Is it a list?
    pub(super) const fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// Its elements.
    pub(super) fn list(&self, faults: &mut Faults) -> Vec<Spot<'n>> {
        match &self.node.value {
            Value::List(list) => list
                .iter()
                .enumerate()
                .map(|(i, node)| Spot { node, path: format!("{}[{i}]", self.path) })
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                faults.add(self, self.found(), "a list");
                Vec::new()
            }
        }
    }

    /// Its members, in the order of the file, whatever their names.
    pub(super) fn members(&self, faults: &mut Faults) -> Vec<(&'n str, Spot<'n>)> {
        match &self.node.value {
            Value::Map(map) => {
                map.iter().map(|(key, node)| (key.value.as_str(), self.member(key, node))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                faults.add(self, self.found(), "a mapping");
                Vec::new()
            }
        }
    }

    /// Its members by name: `known` ones may be taken, any other is a fault.
    pub(super) fn section(&self, faults: &mut Faults, known: &[&str]) -> Section<'n> {
        let members = self.members(faults);
        for (name, spot) in &members {
            if !known.contains(name) {
                faults.add(spot, format!("the key {:?}", cut(name)), format!("one of {}", known.join(", ")));
            }
        }
        Section { spot: self.clone(), members }
    }

    /// A short rendering of what stands there.
    pub(super) fn found(&self) -> String {
        match &self.node.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => number.clone(),
            Value::Text(text) => format!("{:?}", cut(text)),
            Value::List(list) => format!("a list of {}", list.len()),
            Value::Map(map) => format!("a mapping of {}", map.len()),
        }
    }

    fn member(&self, key: &Spanned<String>, node: &'n Node) -> Self {
        let path =
            if self.path.is_empty() { key.value.clone() } else { format!("{}.{}", self.path, key.value) };
        Spot { node, path }
    }
}

/// A mapping whose keys are known.
#[derive(Debug)]
pub(super) struct Section<'n> {
    spot: Spot<'n>,
    members: Vec<(&'n str, Spot<'n>)>,
}

impl<'n> Section<'n> {
    /// The member of this name, if there is one.
    pub(super) fn get(&self, name: &str) -> Option<&Spot<'n>> {
        self.members.iter().find(|(key, _)| *key == name).map(|(_, spot)| spot)
    }

    /// The member of this name; a fault if there is none.
    pub(super) fn need(&self, faults: &mut Faults, name: &str) -> Option<&Spot<'n>> {
        let found = self.get(name);
        if found.is_none() {
            faults.add(&self.spot, format!("no {name}"), format!("the key {name}"));
        }
        found
    }

    /// The text of a member that must be there; empty text stands for a fault that was noted.
    pub(super) fn need_text(&self, faults: &mut Faults, name: &str) -> String {
        self.need(faults, name).and_then(|spot| spot.text(faults)).unwrap_or_default().to_owned()
    }

    /// Where the mapping itself stands.
    pub(super) const fn spot(&self) -> &Spot<'n> {
        &self.spot
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
