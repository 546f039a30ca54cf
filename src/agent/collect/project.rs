//! Turns one record of a source into the part of a row that we keep, and into the few values that steps ask for.
//!
//! Keys come in the manifest's order, number tokens as received, strings as RFC 8785 escapes them. A key that the source
//! leaves out is left out; a null that it states stays a null, because "no" and "not said" differ.

use std::fmt;

use super::{
    expr::Expr,
    scan::{Kind, Value, push_text},
};

/// A dotted path through objects: `user.id`. Arrays on the way are passed through, element by element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path {
    parts: Vec<String>,
    /// Further values that are one only together with this one.
    with: Vec<Path>,
}

/// Stands between values that are one only together, as between the parameters of an exchange (formats section 3).
const BETWEEN: char = '\u{1f}';

impl Path {
    /// Reads `a.b.c`, a dot inside of a key written `\.`; `None` if a part is empty.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts: Vec<String> = Vec::new();
        let mut inside = false;
        for part in text.split('.') {
            let (part, dot) = part.strip_suffix('\\').map_or((part, false), |part| (part, true));
            match parts.last_mut().filter(|_| inside) {
                Some(last) => last.extend([".", part]),
                None => parts.push(part.to_owned()),
            }
            inside = dot;
        }
        parts
            .iter()
            .all(|part| !part.is_empty() && !part.contains(char::is_whitespace))
            .then_some(Self { parts, with: Vec::new() })
    }

    /// Several values as one, in this order; `None` if there are not several.
    pub(super) fn joined(paths: Vec<Self>) -> Option<Self> {
        let mut paths = paths.into_iter();
        let (first, with) = (paths.next()?, paths.collect::<Vec<_>>());
        (!with.is_empty()).then_some(Self { with, ..first })
    }

    /// Each path that it is made of.
    pub(super) fn each(&self) -> impl Iterator<Item = String> {
        let parts: Vec<_> = self.parts.iter().map(|part| part.replace('.', "\\.")).collect();
        std::iter::once(parts.join(".")).chain(self.with.iter().map(ToString::to_string))
    }

    /// Is it made of several?
    pub(super) fn is_joined(&self) -> bool {
        !self.with.is_empty()
    }

    /// Its parts, outermost first.
    pub(super) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The value at the path, through objects alone.
    pub(super) fn find<'t>(&self, record: Value<'t>) -> Option<Value<'t>> {
        self.parts.iter().try_fold(record, |value, part| value.get(part))
    }

    /// What stands at the path.
    pub(super) fn mark(&self, record: Value<'_>) -> Mark {
        if self.with.is_empty() {
            return self.alone(record);
        }
        let marks: Vec<_> = std::iter::once(self.alone(record))
            .chain(self.with.iter().map(|path| path.mark(record)))
            .collect();
        // a value that holds what stands between them could be taken for two
        let words: Option<Vec<&str>> =
            marks.iter().map(|mark| mark.word().filter(|word| !word.contains(BETWEEN))).collect();
        words.map_or(Mark::Missing, |words| Mark::Text(words.join(&BETWEEN.to_string()).into()))
    }

    fn alone(&self, record: Value<'_>) -> Mark {
        let Some(value) = self.find(record) else { return Mark::Missing };
        match value.kind() {
            Kind::Null => Mark::Null,
            Kind::Bool => Mark::Bool(value.raw() == "true"),
            Kind::Number => Mark::Number(value.raw().into()),
            Kind::Plain | Kind::Escaped => Mark::Text(value.text().unwrap_or_default().into()),
            Kind::List | Kind::Object => Mark::Compound,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each().collect::<Vec<_>>().join(", "))
    }
}

/// One value that a condition, a template, a key or a count asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// The path is not there.
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// The number's token, verbatim.
    Number(Box<str>),
    /// The characters.
    Text(Box<str>),
    /// An array or object: never equal to anything.
    Compound,
}

impl Mark {
    /// What a template or a key writes for it; nothing for what is not one value.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Number(word) | Self::Text(word) => Some(word),
            Self::Missing | Self::Null | Self::Bool(_) | Self::Compound => None,
        }
    }

    /// A whole number that is not negative.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::Number(token) => token.parse().ok(),
            Self::Missing | Self::Null | Self::Bool(_) | Self::Text(_) | Self::Compound => None,
        }
    }
}

/// One line of `project`.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Which value.
    pub path: Path,
    /// Keep only the lines of a string that begin so (ASCII case does not matter): the rest of it is not needed.
    pub lines: Option<String>,
    /// Not a value of the record, but the answer to this: `path` is only its name, of one part.
    pub expr: Option<Expr>,
}

/// An include-list of paths, ready to be applied.
#[derive(Debug, Clone, Default)]
pub(super) struct Projection(Vec<Field>);

#[derive(Debug, Clone)]
struct Field {
    name: String,
    keep: Keep,
}

#[derive(Debug, Clone)]
enum Keep {
    Whole,
    Lines(String),
    Answer(Expr),
    Inside(Vec<Field>),
}

impl Projection {
    /// Adds a line; refuses one that overlaps an earlier one.
    pub(super) fn add(&mut self, wanted: Wanted) -> Result<(), Path> {
        let Wanted { path, lines, expr } = wanted;
        let keep = expr.map(Keep::Answer).or(lines.map(Keep::Lines)).unwrap_or(Keep::Whole);
        if insert(&mut self.0, path.parts(), keep) { Ok(()) } else { Err(path) }
    }

    /// The outermost keys that it may write.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|field| field.name.as_str())
    }

    /// Every path of the source that it may write, in its order.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        push_paths(&self.0, "", &mut out);
        out
    }

    /// Appends the members of one record, without braces.
    pub(super) fn write(&self, record: Value<'_>, out: &mut Vec<u8>) {
        write_members(&self.0, record, out);
    }
}

fn push_paths(fields: &[Field], above: &str, out: &mut Vec<String>) {
    for field in fields {
        let path = if above.is_empty() { field.name.clone() } else { format!("{above}.{}", field.name) };
        match &field.keep {
            Keep::Inside(inside) => push_paths(inside, &path, out),
            Keep::Whole | Keep::Lines(_) => out.push(path),
            // it has a name of ours, not of the source
            Keep::Answer(_) => {}
        }
    }
}

fn insert(fields: &mut Vec<Field>, parts: &[String], keep: Keep) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    let found = fields.iter_mut().find(|field| field.name == *first);
    match (found, rest.is_empty()) {
        (None, true) => fields.push(Field { name: first.clone(), keep }),
        (None, false) => {
            let mut inside = Vec::new();
            insert(&mut inside, rest, keep);
            fields.push(Field { name: first.clone(), keep: Keep::Inside(inside) });
        }
        (Some(Field { keep: Keep::Inside(inside), .. }), false) => return insert(inside, rest, keep),
        (Some(_), _) => return false,
    }
    true
}

fn write_members(fields: &[Field], record: Value<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    for field in fields {
        let before = out.len();
        if before > start {
            out.push(b',');
        }
        push_text(out, &field.name);
        out.push(b':');
        if !write_field(field, record, out) {
            out.truncate(before);
        }
    }
}

/// Appends the value; false if there is none.
fn write_field(field: &Field, record: Value<'_>, out: &mut Vec<u8>) -> bool {
    if let Keep::Answer(expr) = &field.keep {
        return expr.write(record, out);
    }
    let value = record.get(&field.name);
    if let Some(value) = value {
        write_kept(&field.keep, value, out);
    }
    value.is_some()
}

fn write_kept(keep: &Keep, value: Value<'_>, out: &mut Vec<u8>) {
    match (keep, value.kind()) {
        (Keep::Inside(_) | Keep::Lines(_), Kind::List) => {
            write_list(value, out, |element, out| write_kept(keep, element, out));
        }
        (Keep::Inside(fields), Kind::Object) => {
            out.push(b'{');
            write_members(fields, value, out);
            out.push(b'}');
        }
        (Keep::Lines(prefix), Kind::Plain | Kind::Escaped) => {
            let text = value.text().unwrap_or_default();
            let lines: Vec<_> = text.lines().map(str::trim).filter(|line| begins(line, prefix)).collect();
            push_text(out, &lines.join("\n"));
        }
        // what is not of the expected kind is kept as it is, so that nobody takes it for absent
        (Keep::Whole | Keep::Inside(_) | Keep::Lines(_) | Keep::Answer(_), _) => write_whole(value, out),
    }
}

fn begins(line: &str, prefix: &str) -> bool {
    line.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn write_whole(value: Value<'_>, out: &mut Vec<u8>) {
    match value.kind() {
        Kind::Null | Kind::Bool | Kind::Number | Kind::Plain => out.extend_from_slice(value.raw().as_bytes()),
        Kind::Escaped => push_text(out, &value.text().unwrap_or_default()),
        Kind::List => write_list(value, out, write_whole),
        Kind::Object => {
            out.push(b'{');
            for (i, (key, member)) in value.members().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_whole(key, out);
                out.push(b':');
                write_whole(member, out);
            }
            out.push(b'}');
        }
    }
}

fn write_list(value: Value<'_>, out: &mut Vec<u8>, mut write: impl FnMut(Value<'_>, &mut Vec<u8>)) {
    out.push(b'[');
    for (i, element) in value.elements().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(element, out);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::scan::Tape;

    fn project(lines: &[&str], body: &str) -> String {
        let mut projection = Projection::default();
        for line in lines {
            projection.add(Wanted { path: Path::read(line).unwrap(), lines: None, expr: None }).unwrap();
        }
        let mut out = Vec::new();
        projection.write(Tape::read(body.as_bytes()).unwrap().root(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keeps_the_manifests_order_and_the_sources_tokens() {
        let body =
            r#"{"b": {"y": 1.50, "x": "\u0041\/", "z": 3}, "a": [ {"k": 1, "l": 2}, {"l": 3} ], "n": null}"#;
        assert_eq!(
            project(&["n", "b.x", "b.y", "a.l", "gone"], body),
            r#""n":null,"b":{"x":"A/","y":1.50},"a":[{"l":2},{"l":3}]"#
        );
        assert_eq!(project(&["b"], body), r#""b":{"y":1.50,"x":"A/","z":3}"#);
    }

    #[test]
    fn several_values_are_one_only_if_each_is_there() {
        let key =
            Path::joined(vec![Path::read("repository.id").unwrap(), Path::read("number").unwrap()]).unwrap();
        let mark = |body: &str| key.mark(Tape::read(body.as_bytes()).unwrap().root());
        assert_eq!(mark(r#"{"repository":{"id":1},"number":23}"#), Mark::Text("1\u{1f}23".into()));
        assert_eq!(mark(r#"{"repository":{"id":12},"number":3}"#), Mark::Text("12\u{1f}3".into()));
        for body in [
            r#"{"number":3}"#,
            r#"{"repository":{"id":null},"number":3}"#,
            r#"{"repository":{"id":"1\u001f2"},"number":3}"#,
        ] {
            assert_eq!(mark(body), Mark::Missing, "{body}");
        }
        assert_eq!(Path::joined(vec![Path::read("id").unwrap()]), None);
    }

    #[test]
    fn null_and_absent_stay_different() {
        assert_eq!(project(&["user.id"], r#"{"user":null}"#), r#""user":null"#);
        assert_eq!(project(&["user.id"], r#"{"user":{}}"#), r#""user":{}"#);
        assert_eq!(project(&["user.id"], "{}"), "");
    }

    #[test]
    fn lines_keep_what_begins_so() {
        let mut projection = Projection::default();
        let lines = Some("co-authored-by:".into());
        let wanted = Wanted { path: Path::read("m").unwrap(), lines, expr: None };
        projection.add(wanted).unwrap();
        let tape = Tape::read(br#"{"m":"secret\n\nCo-authored-by: A <a@b>\n co-Authored-By: C"}"#).unwrap();
        let mut out = Vec::new();
        projection.write(tape.root(), &mut out);
        assert_eq!(out, br#""m":"Co-authored-by: A <a@b>\nco-Authored-By: C""#);
    }

    #[test]
    fn overlapping_lines_are_refused() {
        let mut projection = Projection::default();
        let mut add = |text: &str| {
            projection.add(Wanted { path: Path::read(text).unwrap(), lines: None, expr: None }).is_ok()
        };
        assert!(add("a.b") && add("a.c") && !add("a") && !add("a.b") && !add("a.b.d") && add("d"));
    }
    #[test]
    fn an_answer_has_a_name_of_its_own_or_is_left_out() {
        let mut projection = Projection::default();
        for (name, source) in [("teams", "[.teams[].slug]"), ("gone", ".teams | tonumber"), ("n", "1 + 1")] {
            let expr = Some(Expr::read(source).unwrap());
            projection.add(Wanted { path: Path::read(name).unwrap(), lines: None, expr }).unwrap();
        }
        let tape = Tape::read(br#"{"teams":[{"slug":"a"},{"slug":"\u0062"}]}"#).unwrap();
        let mut out = b"x".to_vec();
        projection.write(tape.root(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"x"teams":["a","b"],"n":2"#);
    }
}
