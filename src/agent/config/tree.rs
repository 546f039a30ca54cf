//! A strict YAML file as a tree of nodes that know their place.
//!
//! Anchors, aliases, tags, directives, repeated keys and second documents are refused, so nothing in the file stands for
//! something elsewhere. It knows no key of any file; see `node` for the readers.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, options};

use super::{
    fault::{Fault, Faults},
    node::{Entry, Node, Value, below},
};

/// Longest file, in bytes.
pub const BYTES_MAX: usize = 1 << 20;
/// Deepest nesting, of block and of flow collections each.
const DEPTH_MAX: usize = 32;
/// Most values in one file.
const NODES_MAX: usize = 100_000;
/// Longest key, in characters.
const KEY_CHARS_MAX: usize = 200;

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

/// One step through the file: what begins or ends, and on which line.
struct Step {
    line: usize,
    kind: Kind,
    /// It carries an anchor or a tag.
    decorated: bool,
}

#[derive(PartialEq)]
enum Kind {
    Scalar(Value),
    List,
    Map,
    End,
    Alias,
}

impl Growing<'_, '_> {
    fn document(&mut self) -> Result<Node, Stop> {
        let first = self.next()?;
        let node = self.node(first, String::new())?;
        match self.events.find(|event| !matches!(event, Ok((Event::DocumentEnd, _)))) {
            Some(Ok((Event::StreamEnd, _))) | None => Ok(node),
            Some(Ok((_, span))) => {
                Err(Stop { line: span.start.line(), found: "a second document".to_owned() })
            }
            Some(Err(error)) => Err(broken(&error)),
        }
    }

    /// The next step; what only frames a document is passed over.
    fn next(&mut self) -> Result<Step, Stop> {
        for event in self.events.by_ref() {
            let (event, span) = event.map_err(|error| broken(&error))?;
            let (kind, decorated) = match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::Comment(..) | Event::Anchor(..) => {
                    continue;
                }
                Event::Scalar(text, style, anchor, tag) => {
                    (Kind::Scalar(scalar(text.into_owned(), style)), anchor != 0 || tag.is_some())
                }
                Event::SequenceStart(_, anchor, tag) => (Kind::List, anchor != 0 || tag.is_some()),
                Event::MappingStart(_, anchor, tag) => (Kind::Map, anchor != 0 || tag.is_some()),
                Event::SequenceEnd | Event::MappingEnd => (Kind::End, false),
                Event::Alias(_) | Event::UnresolvedAlias(_) => (Kind::Alias, false),
                Event::StreamEnd | Event::DocumentEnd | _ => break,
            };
            return Ok(Step { line: span.start.line(), kind, decorated });
        }
        Err(Stop { line: 0, found: "an empty file".to_owned() })
    }

    fn node(&mut self, step: Step, path: String) -> Result<Node, Stop> {
        let Step { line, kind, decorated } = step;
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Stop { line, found: format!("more than {NODES_MAX} values") });
        }
        let value = match kind {
            Kind::Scalar(value) => value,
            Kind::List => self.list(&path)?,
            Kind::Map => self.map(&path)?,
            Kind::Alias | Kind::End => return Ok(self.refused(line, path, "an alias (*name)")),
        };
        if decorated {
            return Ok(self.refused(line, path, "an anchor (&name) or a tag (!name)"));
        }
        Ok(Node { line, path, value })
    }

    fn list(&mut self, path: &str) -> Result<Value, Stop> {
        let mut nodes = Vec::new();
        loop {
            let step = self.next()?;
            if step.kind == Kind::End {
                return Ok(Value::List(nodes));
            }
            nodes.push(self.node(step, format!("{path}[{}]", nodes.len()))?);
        }
    }

    fn map(&mut self, path: &str) -> Result<Value, Stop> {
        let mut entries = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let step = self.next()?;
            if step.kind == Kind::End {
                return Ok(Value::Map(entries));
            }
            let line = step.line;
            let key = self.node(step, path.to_owned())?;
            let key = self.key(key);
            let step = self.next()?;
            let mut node = self.node(step, below(path, key.as_deref().unwrap_or("?")))?;
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
fn broken(error: &ScanError) -> Stop {
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
}
