//! A strict YAML file as a tree whose every value knows its line and its path, and readers that collect faults.
//!
//! It gives no meaning to a scalar: `no` and `1.10` stay the text that was written until a reader asks for a flag or a
//! number. Anchors, aliases, tags, repeated keys and second documents are refused. It knows no key of any file.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde_json::{Map, Number, Value as Json};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, options};

use super::fault::{Fault, Faults, nearest, shown};
use crate::secret::SecretRef;

/// Longest file, in bytes.
pub const BYTES_MAX: usize = 1 << 20;
/// Deepest nesting, of block and of flow collections each.
const DEPTH_MAX: usize = 32;
/// Most values in one file.
const NODES_MAX: usize = 100_000;
/// Longest key, in characters.
const KEY_CHARS_MAX: usize = 200;
/// Largest integer that every reader of JSON keeps (formats section 0).
const INTEGER_MAX: i64 = 1 << 53;

/// One value of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    line: usize,
    path: String,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
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

/// Reads the one document of a file. `None` if it is not YAML at all: then that alone is reported.
pub fn parse(text: &str, faults: &mut Faults) -> Option<Node> {
    let whole = |line, found: String, expected: &str| Fault {
        line,
        path: String::new(),
        found,
        expected: expected.to_owned(),
        hint: None,
    };
    if text.len() > BYTES_MAX {
        faults.push(whole(0, format!("{} bytes", text.len()), &format!("at most {BYTES_MAX} bytes")));
        return None;
    }
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        disallow_directives: true,
        strict_indentation: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut growing = Growing { events: Parser::new_from_str_with_options(text, options), nodes: 0, faults };
    match growing.document() {
        Ok(node) => Some(node),
        Err(Stop { line, found }) => {
            faults.push(whole(line, found, "one YAML document, at most 32 levels deep"));
            None
        }
    }
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
fn below(parent: &str, key: &str) -> String {
    let simple = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let key = if simple { super::fault::cut(key).into_owned() } else { shown(key) };
    if parent.is_empty() { key } else { format!("{parent}.{key}") }
}

/// Why the file cannot be read any further.
struct Stop {
    line: usize,
    found: String,
}

/// The tree while it grows out of the parser's events.
struct Growing<'t, 'f> {
    events: Parser<'t, StrInput<'t>>,
    nodes: usize,
    faults: &'f mut Faults,
}

impl<'t> Growing<'t, '_> {
    fn document(&mut self) -> Result<Node, Stop> {
        let (first, span) = self.next()?;
        let node = self.node(first, &span, String::new())?;
        match self.events.find(|event| !matches!(event, Ok((Event::DocumentEnd, _)))) {
            Some(Ok((Event::StreamEnd, _))) | None => Ok(node),
            Some(Ok((_, span))) => {
                Err(Stop { line: span.start.line(), found: "a second document".to_owned() })
            }
            Some(Err(error)) => Err(broken(&error)),
        }
    }

    /// The next event that stands for a node or the end of one.
    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        loop {
            let Some(event) = self.events.next() else {
                return Err(Stop { line: 0, found: "nothing".to_owned() });
            };
            let (event, span) = event.map_err(|error| broken(&error))?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::Comment(..) | Event::Anchor(..) => (),
                Event::StreamEnd | Event::DocumentEnd => {
                    return Err(Stop { line: 0, found: "an empty file".to_owned() });
                }
                event => return Ok((event, span)),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span, path: String) -> Result<Node, Stop> {
        self.nodes += 1;
        let line = span.start.line();
        if self.nodes > NODES_MAX {
            return Err(Stop { line, found: format!("more than {NODES_MAX} values") });
        }
        let decorated = match &event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(_, anchor, tag)
            | Event::MappingStart(_, anchor, tag) => *anchor != 0 || tag.is_some(),
            _ => false,
        };
        let value = match event {
            Event::Scalar(text, style, ..) => scalar(text.into_owned(), style),
            Event::SequenceStart(..) => self.list(&path)?,
            Event::MappingStart(..) => self.map(&path)?,
            _ => return Ok(self.refused(line, path, "an alias (*name)")),
        };
        if decorated {
            return Ok(self.refused(line, path, "an anchor (&name) or a tag (!name)"));
        }
        Ok(Node { line, path, value })
    }

    fn list(&mut self, path: &str) -> Result<Value, Stop> {
        let mut nodes = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::List(nodes));
            }
            nodes.push(self.node(event, &span, format!("{path}[{}]", nodes.len()))?);
        }
    }

    fn map(&mut self, path: &str) -> Result<Value, Stop> {
        let mut entries = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(entries));
            }
            let line = span.start.line();
            let key = self.node(event, &span, path.to_owned())?;
            let key = self.key(key);
            let (event, span) = self.next()?;
            let mut node = self.node(event, &span, below(path, key.as_deref().unwrap_or("?")))?;
            node.line = line;
            let Some(key) = key else { continue };
            if let Some(first) = lines.get(&key) {
                let found = format!("a key that line {first} has already");
                self.refused(line, node.path, &found);
                continue;
            }
            lines.insert(key.clone(), line);
            entries.push(Entry { key, node });
        }
    }

    /// The text of a key, if it is one.
    fn key(&mut self, node: Node) -> Option<String> {
        let line = node.line;
        match node.value {
            Value::Scalar { text, .. } if !text.is_empty() && text.chars().count() <= KEY_CHARS_MAX => {
                return Some(text);
            }
            Value::Refused => return None,
            Value::Scalar { .. } | Value::Nothing | Value::List(_) | Value::Map(_) => (),
        }
        self.refused(line, node.path, "a key that is empty, too long or not a text");
        None
    }

    fn refused(&mut self, line: usize, path: String, found: &str) -> Node {
        self.faults.push(Fault {
            line,
            path: path.clone(),
            found: found.to_owned(),
            expected: "plain keys and values, each written once where it is meant".to_owned(),
            hint: None,
        });
        Node { line, path, value: Value::Refused }
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Nothing;
    }
    Value::Scalar { text, plain }
}

/// A syntax fault; the parser's words name characters and structure, they repeat no value.
fn broken(error: &serde_saphyr::granit_parser::ScanError) -> Stop {
    Stop { line: error.marker().line(), found: format!("broken YAML ({})", error.info()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<(usize, String, String)> {
        let mut faults = Faults::new("f.yaml");
        let node = parse(text, &mut faults);
        assert!(node.is_none() || !faults.is_empty(), "{text:?} has no fault");
        faults
            .sorted()
            .into_iter()
            .map(|fault| (fault.line, fault.path.clone(), fault.found.clone()))
            .collect()
    }

    fn read(text: &str) -> (Node, Faults) {
        let mut faults = Faults::new("f.yaml");
        let node = parse(text, &mut faults).unwrap();
        (node, faults)
    }

    #[test]
    fn lines_and_paths_are_those_of_the_file() {
        let (root, mut faults) =
            read("a:\n  b: [1,\n      two]\n  \"GH-*\": x\n# c\nd:\n  - e: 1\n  -\n    f: 2\n");
        let mut fields = root.fields("", &mut faults).unwrap();
        let a = fields.may("a").unwrap();
        let [b, gh] = a.entries("", &mut faults).unwrap() else { panic!() };
        let list = b.node.list("", &mut faults).unwrap();
        let d = fields.may("d").unwrap().list("", &mut faults).unwrap();
        let place = |node: &Node| (node.line(), node.path().to_owned());
        assert_eq!(place(a), (1, "a".into()));
        assert_eq!(place(&list[1]), (3, "a.b[1]".into()));
        assert_eq!(place(&gh.node), (4, "a.\"GH-*\"".into()));
        assert_eq!(place(&d[1].entries("", &mut faults).unwrap()[0].node), (9, "d[1].f".into()));
        fields.done(&mut faults);
        assert!(faults.is_empty());
    }

    #[test]
    fn what_yaml_can_do_and_a_strict_file_may_not_is_refused() {
        assert_eq!(
            faults_of("a: 1\nb: 2\na: 3\n"),
            [(3, "a".into(), "a key that line 1 has already".into())]
        );
        assert_eq!(
            faults_of("a: &x 1\nb: *x\n"),
            [
                (1, "a".into(), "an anchor (&name) or a tag (!name)".into()),
                (2, "b".into(), "an alias (*name)".into())
            ]
        );
        assert_eq!(faults_of("a: !!str 1\n").len(), 1);
        assert_eq!(faults_of("a: *nobody\n").len(), 1);
        assert_eq!(faults_of("? [a]\n: 1\n").len(), 1);
        assert_eq!(faults_of("a: 1\n---\nb: 2\n").len(), 1);
        assert_eq!(faults_of("").len(), 1);
        assert_eq!(faults_of("# nothing\n").len(), 1);
        assert_eq!(faults_of("a: [1, 2\nb: 3\n").len(), 1);
        assert_eq!(faults_of("%YAML 1.2\n---\na: 1\n").len(), 1);
    }

    #[test]
    fn a_bomb_is_refused_before_it_grows() {
        assert_eq!(faults_of(&"[".repeat(100_000)).len(), 1);
        assert_eq!(faults_of(&"x".repeat(BYTES_MAX + 1)).len(), 1);
        assert_eq!(faults_of(&format!("[{}]", "1,".repeat(NODES_MAX))).len(), 1);
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
