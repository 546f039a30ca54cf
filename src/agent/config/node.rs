//! A value of a strict YAML file that knows its line and its path, and readers that collect faults.
//!
//! It gives no meaning to a scalar: `no` and `1.10` stay the text that was written until a reader asks for a flag or a
//! number. It knows no key of any file and no YAML; `tree` makes it.

use std::ops::RangeInclusive;

use serde_json::{Map, Number, Value as Json};

use super::fault::{Fault, Faults, nearest, shown};
use crate::secret::SecretRef;

/// Largest integer that every reader of JSON keeps (formats section 0).
const INTEGER_MAX: i64 = 1 << 53;

/// One value of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Empty, `~` or `null`.
    Nothing,
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Already a fault; readers say nothing more about it.
    Refused,
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key as written.
    pub key: String,
    /// What it holds.
    pub node: Node,
}

impl Node {
    /// The line on which it begins, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Its path, as `sources.github.token` or `approvers[1]`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reports what stands here as not what was `expected`.
    pub fn refuse(&self, expected: &str, hint: Option<&str>, faults: &mut Faults) {
        self.refuse_as(self.found(), expected, hint, faults);
    }

    /// Reports with other words for what was found: for values that must not be repeated.
    pub fn refuse_as(&self, found: String, expected: &str, hint: Option<&str>, faults: &mut Faults) {
        if self.value != Value::Refused {
            faults.push(Fault {
                line: self.line,
                path: self.path.clone(),
                found,
                expected: expected.to_owned(),
                hint: hint.map(str::to_owned),
            });
        }
    }

    /// The text of a scalar that is not empty.
    pub fn text(&self, expected: &str, faults: &mut Faults) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !text.trim().is_empty() => Some(text),
            Value::Scalar { .. } | Value::Nothing | Value::List(_) | Value::Map(_) | Value::Refused => {
                self.refuse(expected, None, faults);
                None
            }
        }
    }

    /// A scalar that `read` understands; `expected` says what that is.
    pub fn read<T>(
        &self,
        expected: &str,
        faults: &mut Faults,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.text(expected, faults)?);
        if value.is_none() {
            self.refuse(expected, None, faults);
        }
        value
    }

    /// One word of a closed set; the nearest one is the hint.
    pub fn word<'w>(&self, words: &[&'w str], faults: &mut Faults) -> Option<&'w str> {
        let expected = format!("one of {}", words.join(", "));
        let text = self.text(&expected, faults)?;
        let word = words.iter().copied().find(|word| *word == text);
        if word.is_none() {
            let hint = nearest(text, words.iter().copied()).map(|word| format!("did you mean {word}?"));
            self.refuse(&expected, hint.as_deref(), faults);
        }
        word
    }

    /// An unquoted whole number within the range.
    pub fn integer(&self, range: RangeInclusive<i64>, faults: &mut Faults) -> Option<i64> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let plain = matches!(self.value, Value::Scalar { plain: true, .. });
        self.read(&expected, faults, |text| integer(text).filter(|n| plain && range.contains(n)))
    }

    /// An unquoted `true` or `false`.
    pub fn flag(&self, faults: &mut Faults) -> Option<bool> {
        let plain = matches!(self.value, Value::Scalar { plain: true, .. });
        self.read("true or false", faults, |text| text.parse().ok().filter(|_| plain))
    }

    /// A reference to a secret. A value written here instead is refused and never repeated.
    pub fn secret(&self, faults: &mut Faults) -> Option<SecretRef> {
        let expected = "secret://env/NAME or secret://file/PATH";
        let Value::Scalar { text, .. } = &self.value else {
            self.refuse(expected, None, faults);
            return None;
        };
        let reference = text.parse().ok();
        if reference.is_none() {
            let hint = "put the secret into an environment variable or a file and name that here; \
                        if this file was shared, replace the secret";
            self.refuse_as(
                "a value written into the file (not shown)".to_owned(),
                expected,
                Some(hint),
                faults,
            );
        }
        reference
    }

    /// The members of a list.
    pub fn list(&self, expected: &str, faults: &mut Faults) -> Option<&[Self]> {
        if let Value::List(nodes) = &self.value {
            return Some(nodes);
        }
        self.refuse(expected, None, faults);
        None
    }

    /// The entries of a map whose keys people choose.
    pub fn entries(&self, expected: &str, faults: &mut Faults) -> Option<&[Entry]> {
        if let Value::Map(entries) = &self.value {
            return Some(entries);
        }
        self.refuse(expected, None, faults);
        None
    }

    /// The fields of a map whose keys are known; end with [`Fields::done`].
    pub fn fields(&self, expected: &str, faults: &mut Faults) -> Option<Fields<'_>> {
        let entries = self.entries(expected, faults)?;
        Some(Fields { node: self, entries, asked: Vec::new() })
    }

    /// Whether it is a map.
    pub const fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Whether it is a list.
    pub const fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// The value as JSON: unquoted `true`, `false` and whole numbers become such, every other scalar is text.
    pub fn json(&self, faults: &mut Faults) -> Option<Json> {
        match &self.value {
            Value::Scalar { text, plain } => self.json_scalar(text, *plain, faults),
            Value::List(nodes) => {
                let read: Vec<_> = nodes.iter().map(|node| node.json(faults)).collect();
                read.into_iter().collect::<Option<_>>().map(Json::Array)
            }
            Value::Map(entries) => {
                let read: Vec<_> =
                    entries.iter().map(|entry| Some((entry.key.clone(), entry.node.json(faults)?))).collect();
                read.into_iter().collect::<Option<Map<_, _>>>().map(Json::Object)
            }
            Value::Nothing | Value::Refused => {
                self.refuse("text, a whole number, true, false, a list or a map", None, faults);
                None
            }
        }
    }

    fn json_scalar(&self, text: &str, plain: bool, faults: &mut Faults) -> Option<Json> {
        if !plain {
            return Some(Json::String(text.to_owned()));
        }
        if let Ok(flag) = text.parse::<bool>() {
            return Some(Json::Bool(flag));
        }
        if let Some(n) = integer(text) {
            return Some(Json::Number(Number::from(n)));
        }
        if text.parse::<f64>().is_ok() {
            let hint = "quote it if it is a text; fractions cannot be compared exactly, use a smaller unit";
            self.refuse("a whole number of at most 2^53", Some(hint), faults);
            return None;
        }
        Some(Json::String(text.to_owned()))
    }

    /// What stands here, for a fault.
    fn found(&self) -> String {
        match &self.value {
            Value::Nothing | Value::Refused => "nothing".to_owned(),
            Value::Scalar { text, .. } => shown(text),
            Value::List(nodes) => format!("a list of {}", nodes.len()),
            Value::Map(entries) => format!("a map of {}", entries.len()),
        }
    }
}

/// A map with known keys while it is read. Every key that is asked for is known; [`Fields::done`] refuses the others.
#[derive(Debug)]
#[must_use = "keys that nobody asked for are refused by `done`"]
pub struct Fields<'n> {
    node: &'n Node,
    entries: &'n [Entry],
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The value of a key that may be absent.
    pub fn may(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The value of a key that must be there.
    pub fn must(&mut self, key: &'static str, expected: &str, faults: &mut Faults) -> Option<&'n Node> {
        let node = self.may(key);
        if node.is_none() {
            faults.push(Fault {
                line: self.node.line,
                path: below(&self.node.path, key),
                found: "nothing".to_owned(),
                expected: expected.to_owned(),
                hint: None,
            });
        }
        node
    }

    /// The path that a key has or would have.
    pub fn path(&self, key: &str) -> String {
        below(&self.node.path, key)
    }

    /// Refuses every key that was not asked for, with the nearest known one as hint.
    pub fn done(self, faults: &mut Faults) {
        for Entry { key, node } in self.entries {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let hint = nearest(key, self.asked.iter().copied()).map(|near| format!("did you mean {near}?"));
            faults.push(Fault {
                line: node.line,
                path: node.path.clone(),
                found: "an unknown key".to_owned(),
                expected: format!("one of {}", self.asked.join(", ")),
                hint,
            });
        }
    }
}

/// A whole number as YAML and JSON agree to write it.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let ordinary =
        digits.bytes().all(|b| b.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
    text.parse().ok().filter(|n: &i64| ordinary && n.unsigned_abs() <= INTEGER_MAX.unsigned_abs())
}

/// `parent.key`, quoted where the key holds more than letters, digits, `-` and `_`.
pub(super) fn below(parent: &str, key: &str) -> String {
    let simple = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let key = if simple { super::fault::cut(key).into_owned() } else { shown(key) };
    if parent.is_empty() { key } else { format!("{parent}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::parse;

    fn read(text: &str) -> (Node, Faults) {
        let mut faults = Faults::new("f.yaml");
        let node = parse(text, &mut faults).unwrap();
        (node, faults)
    }

    #[test]
    fn scalars_mean_nothing_until_they_are_asked() {
        let (root, mut faults) = read("[no, 'true', 1.10, 007, null, 5, true]");
        let list = root.list("", &mut faults).unwrap();
        assert_eq!(list[0].text("", &mut faults), Some("no"));
        assert_eq!(list[2].text("", &mut faults), Some("1.10"));
        assert_eq!(list[5].integer(0..=5, &mut faults), Some(5));
        assert_eq!(list[6].flag(&mut faults), Some(true));
        assert!(faults.is_empty());
        assert_eq!(list[0].flag(&mut faults), None);
        assert_eq!(list[1].flag(&mut faults), None);
        assert_eq!(list[3].integer(0..=9, &mut faults), None);
        assert_eq!(list[4].text("", &mut faults), None);
        assert_eq!(list[5].integer(0..=4, &mut faults), None);
        assert_eq!(faults.sorted().len(), 5);
    }

    #[test]
    fn json_keeps_whole_numbers_and_refuses_fractions() {
        let (root, mut faults) = read("{a: 1, b: '1', c: [true, x], d: {e: -7}}");
        let json = root.json(&mut faults).unwrap();
        assert_eq!(json.to_string(), r#"{"a":1,"b":"1","c":[true,"x"],"d":{"e":-7}}"#);
        let (root, mut faults) = read("[1.5, 9007199254740993, null]");
        assert_eq!(root.json(&mut faults), None);
        assert_eq!(faults.sorted().len(), 3);
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_never_repeated() {
        let (root, mut faults) = read("{a: hunter2-in-the-file, b: secret://env/TOKEN, c: [hunter2]}");
        let mut fields = root.fields("", &mut faults).unwrap();
        for (key, good) in [("a", false), ("b", true), ("c", false)] {
            assert_eq!(fields.may(key).unwrap().secret(&mut faults).is_some(), good);
        }
        fields.done(&mut faults);
        assert_eq!(faults.sorted().len(), 2);
        assert!(!format!("{faults}{faults:?}").contains("hunter2"));
    }
}
