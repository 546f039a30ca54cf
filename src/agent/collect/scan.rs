//! Reads a JSON body into a tape of byte ranges, so that values can be found, copied or replaced where they stand.
//!
//! It keeps every byte: numbers are never turned into numbers, strings are decoded only when asked for. It refuses what
//! two readers could read differently: repeated keys, lone surrogates, control characters, bytes that are not UTF-8.

use std::borrow::Cow;

/// Deepest nesting that is read (formats section 11).
pub(super) const DEPTH_MAX: usize = 64;
/// Most values of one body; a page of 100 repositories has about 13,000.
pub(super) const NODES_MAX: usize = 1 << 20;
/// Up to this many keys of one object are compared pair by pair, more are sorted first.
const KEYS_PAIRWISE_MAX: usize = 16;

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// Not JSON, cut short, or not UTF-8.
    #[error("the body is not JSON")]
    Syntax,
    /// One object names a key twice.
    #[error("an object of the body repeats a key")]
    Repeated,
    /// Deeper than [`DEPTH_MAX`] or more values than [`NODES_MAX`].
    #[error("the body is too deep or has too many values")]
    Size,
    /// A table that is not as its columns say.
    #[error("the table is not as its columns say")]
    Table,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number token.
    Number,
    /// A string without escapes: its bytes are its characters.
    Plain,
    /// A string with escapes.
    Escaped,
    /// An array.
    List,
    /// An object; its members follow as key, value, key, value.
    Object,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    start: usize,
    end: usize,
    /// Index of the first node that is not inside this one.
    after: usize,
}

/// One body, read.
#[derive(Debug)]
pub(super) struct Tape<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

/// One value of a tape. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'t> {
    tape: &'t Tape<'t>,
    at: usize,
}

impl<'a> Tape<'a> {
    /// Reads one JSON value and nothing after it but white space.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Flaw> {
        let Ok(text) = std::str::from_utf8(body) else { return Err(Flaw::Syntax) };
        let mut reader =
            Reader { text, bytes: body, at: 0, nodes: Vec::with_capacity(body.len() / 24), keys: Vec::new() };
        reader.space();
        reader.value(0)?;
        reader.space();
        if reader.at == body.len() { Ok(Self { text, nodes: reader.nodes }) } else { Err(Flaw::Syntax) }
    }

    /// The outermost value.
    pub(super) fn root(&self) -> Value<'_> {
        Value { tape: self, at: 0 }
    }
}

impl<'t> Value<'t> {
    /// What it is.
    pub(super) fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its bytes as received.
    pub(super) fn raw(self) -> &'t str {
        let node = self.node();
        self.tape.text.get(node.start..node.end).unwrap_or_default()
    }

    /// Where those bytes stand in the body.
    pub(super) fn range(self) -> std::ops::Range<usize> {
        let node = self.node();
        node.start..node.end
    }

    /// The characters of a string.
    pub(super) fn text(self) -> Option<Cow<'t, str>> {
        let inside = || self.raw().get(1..self.raw().len() - 1).unwrap_or_default();
        match self.kind() {
            Kind::Plain => Some(Cow::Borrowed(inside())),
            Kind::Escaped => Some(Cow::Owned(decode(inside()))),
            Kind::Null | Kind::Bool | Kind::Number | Kind::List | Kind::Object => None,
        }
    }

    /// The member of this name, if this is an object that has one.
    pub(super) fn get(self, key: &str) -> Option<Value<'t>> {
        self.members().find(|(name, _)| name.is_text(key)).map(|(_, value)| value)
    }

    /// Key and value of each member, in the source's order; nothing unless this is an object.
    pub(super) fn members(self) -> impl Iterator<Item = (Value<'t>, Value<'t>)> {
        let mut inside = self.children(Kind::Object);
        std::iter::from_fn(move || Some((inside.next()?, inside.next()?)))
    }

    /// Each element; nothing unless this is an array.
    pub(super) fn elements(self) -> impl Iterator<Item = Value<'t>> {
        self.children(Kind::List)
    }

    fn children(self, kind: Kind) -> impl Iterator<Item = Value<'t>> {
        let node = self.node();
        let end = if node.kind == kind { node.after } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let here = (at < end).then_some(Value { tape: self.tape, at })?;
            at = here.node().after;
            Some(here)
        })
    }

    fn is_text(self, wanted: &str) -> bool {
        match self.kind() {
            Kind::Plain => {
                let node = self.node();
                node.end - node.start == wanted.len() + 2 && self.raw().get(1..=wanted.len()) == Some(wanted)
            }
            Kind::Escaped => self.text().is_some_and(|text| text == wanted),
            Kind::Null | Kind::Bool | Kind::Number | Kind::List | Kind::Object => false,
        }
    }

    fn node(self) -> Node {
        // a Value is only made with an index of its own tape
        self.tape.nodes.get(self.at).copied().unwrap_or(Node {
            kind: Kind::Null,
            start: 0,
            end: 0,
            after: usize::MAX,
        })
    }
}

/// Appends a string with its quotes, escaped as RFC 8785 section 3.2.2.2 says.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut clean = 0;
    for (i, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..=31 => 0,
            _ => continue,
        };
        out.extend_from_slice(text.as_bytes().get(clean..i).unwrap_or_default());
        clean = i + 1;
        if short == 0 {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(&[b'\\', short]);
        }
    }
    out.extend_from_slice(text.as_bytes().get(clean..).unwrap_or_default());
    out.push(b'"');
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    /// Keys of the objects that are open, innermost last.
    keys: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<(), Flaw> {
        if depth > DEPTH_MAX || self.nodes.len() >= NODES_MAX {
            return Err(Flaw::Size);
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string(),
            Some(b't') => self.word("true", Kind::Bool),
            Some(b'f') => self.word("false", Kind::Bool),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) | None => Err(Flaw::Syntax),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Flaw> {
        let (open, outer) = (self.open(Kind::Object), self.keys.len());
        if !self.closes(b'}') {
            loop {
                self.keys.push(self.nodes.len());
                self.string()?;
                self.space();
                self.expect(b':')?;
                self.space();
                self.value(depth + 1)?;
                if self.ends(b'}')? {
                    break;
                }
            }
        }
        self.close(open);
        let repeated = self.repeated(outer);
        self.keys.truncate(outer);
        if repeated { Err(Flaw::Repeated) } else { Ok(()) }
    }

    fn list(&mut self, depth: usize) -> Result<(), Flaw> {
        let open = self.open(Kind::List);
        if !self.closes(b']') {
            loop {
                self.value(depth + 1)?;
                if self.ends(b']')? {
                    break;
                }
            }
        }
        self.close(open);
        Ok(())
    }

    fn string(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        self.expect(b'"')?;
        let mut kind = Kind::Plain;
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    kind = Kind::Escaped;
                    self.escape()?;
                }
                0..=31 => return Err(Flaw::Syntax),
                _ => {}
            }
        }
        self.leaf(kind, start);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.hex4()? {
                0xd800..=0xdbff => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    if (0xdc00..=0xdfff).contains(&self.hex4()?) { Ok(()) } else { Err(Flaw::Syntax) }
                }
                0xdc00..=0xdfff => Err(Flaw::Syntax),
                _ => Ok(()),
            },
            _ => Err(Flaw::Syntax),
        }
    }

    fn hex4(&mut self) -> Result<u32, Flaw> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16).ok_or(Flaw::Syntax)?;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.leaf(Kind::Number, start);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(Flaw::Syntax) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), Flaw> {
        let start = self.at;
        if self.text.get(start..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            self.leaf(kind, start);
            Ok(())
        } else {
            Err(Flaw::Syntax)
        }
    }

    fn open(&mut self, kind: Kind) -> usize {
        self.nodes.push(Node { kind, start: self.at, end: 0, after: 0 });
        self.at += 1;
        self.space();
        self.nodes.len() - 1
    }

    fn close(&mut self, open: usize) {
        let (end, after) = (self.at, self.nodes.len());
        if let Some(node) = self.nodes.get_mut(open) {
            (node.end, node.after) = (end, after);
        }
    }

    fn leaf(&mut self, kind: Kind, start: usize) {
        let after = self.nodes.len() + 1;
        self.nodes.push(Node { kind, start, end: self.at, after });
    }

    /// Is the container empty?
    fn closes(&mut self, with: u8) -> bool {
        let closes = self.peek() == Some(with);
        self.at += usize::from(closes);
        closes
    }

    /// After an element: does the container end (true) or go on (false)?
    fn ends(&mut self, with: u8) -> Result<bool, Flaw> {
        self.space();
        let byte = self.next()?;
        if byte == with {
            return Ok(true);
        }
        self.space();
        if byte == b',' { Ok(false) } else { Err(Flaw::Syntax) }
    }

    fn repeated(&self, outer: usize) -> bool {
        let keys = self.keys.get(outer..).unwrap_or_default();
        let mut names: Vec<Cow<'_, str>> = Vec::new();
        let name = |key: &usize| self.key(*key);
        if keys.len() <= KEYS_PAIRWISE_MAX {
            return keys.iter().enumerate().any(|(i, a)| keys.iter().take(i).any(|b| name(a) == name(b)));
        }
        names.extend(keys.iter().map(name));
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    }

    fn key(&self, at: usize) -> Cow<'a, str> {
        let Some(node) = self.nodes.get(at) else { return Cow::Borrowed("") };
        let inside = self.text.get(node.start + 1..node.end - 1).unwrap_or_default();
        if node.kind == Kind::Escaped { Cow::Owned(decode(inside)) } else { Cow::Borrowed(inside) }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, Flaw> {
        let byte = self.peek().ok_or(Flaw::Syntax)?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Flaw> {
        if self.next()? == byte { Ok(()) } else { Err(Flaw::Syntax) }
    }
}

/// The characters of a string whose escapes were checked when it was read.
fn decode(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => out.push(decode_unit(&mut chars)),
            Some(plain) => out.push(plain),
            None => {}
        }
    }
    out
}

fn decode_unit(chars: &mut std::str::Chars<'_>) -> char {
    let mut four = || chars.by_ref().take(4).fold(0, |code, c| code * 16 + c.to_digit(16).unwrap_or(0));
    let high = four();
    if !(0xd800..=0xdbff).contains(&high) {
        return char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    chars.next();
    chars.next();
    let low = chars.by_ref().take(4).fold(0, |code, c| code * 16 + c.to_digit(16).unwrap_or(0));
    let code = 0x10000 + ((high - 0xd800) << 10) + low.saturating_sub(0xdc00);
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes a value back, compact, from the tape alone.
    fn rebuild(value: Value<'_>, out: &mut String) {
        match value.kind() {
            Kind::Object => {
                out.push('{');
                for (i, (key, value)) in value.members().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    out.push_str(key.raw());
                    out.push(':');
                    rebuild(value, out);
                }
                out.push('}');
            }
            Kind::List => {
                out.push('[');
                for (i, value) in value.elements().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    rebuild(value, out);
                }
                out.push(']');
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::Plain | Kind::Escaped => out.push_str(value.raw()),
        }
    }

    #[test]
    fn finds_values_and_keeps_their_bytes() {
        let body = br#" {"a" : {"b\u0020c": [1.50e+3, -0, "x\"y", "\ud83d\ude00"]}, "d":null } "#;
        let tape = Tape::read(body).unwrap();
        let list: Vec<_> = tape.root().get("a").unwrap().get("b c").unwrap().elements().collect();
        assert_eq!(list[0].raw(), "1.50e+3");
        assert_eq!(list[2].text().unwrap(), "x\"y");
        assert_eq!(list[3].text().unwrap(), "😀");
        assert_eq!(tape.root().get("d").unwrap().kind(), Kind::Null);
        assert!(tape.root().get("e").is_none());
        assert_eq!(&body[list[0].range()], b"1.50e+3");
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for twice in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":1}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#] {
            assert_eq!(Tape::read(twice.as_bytes()).unwrap_err(), Flaw::Repeated, "{twice}");
        }
        let many: Vec<String> = (0..40).map(|i| format!("\"k{}\":0", i % 39)).collect();
        assert_eq!(Tape::read(format!("{{{}}}", many.join(",")).as_bytes()).unwrap_err(), Flaw::Repeated);
        for wrong in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":}",
            "01",
            "1.",
            "-",
            "nul",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"a\nb\"",
            "[1] 2",
            "{\"a\" 1}",
            "\u{feff}{}",
            "NaN",
            "'a'",
            "{a:1}",
        ] {
            assert_eq!(Tape::read(wrong.as_bytes()).unwrap_err(), Flaw::Syntax, "{wrong}");
        }
        assert_eq!(Tape::read(b"\"\xff\"").unwrap_err(), Flaw::Syntax);
        assert_eq!(Tape::read("[".repeat(100).as_bytes()).unwrap_err(), Flaw::Size);
    }

    #[test]
    fn strings_are_escaped_as_rfc_8785() {
        let mut out = Vec::new();
        push_text(&mut out, "a\u{8}\t\n\u{c}\r\"\\/\u{1}\u{1f}é\u{7f}😀");
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\\b\\t\\n\\f\\r\\\"\\\\/\\u0001\\u001fé\u{7f}😀\"");
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_another_writes(value in json()) {
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                let tape = Tape::read(text.as_bytes()).unwrap();
                let mut back = String::new();
                rebuild(tape.root(), &mut back);
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&back).unwrap(), value.clone());
            }
        }

        #[test]
        fn a_string_reads_back(text in any::<String>()) {
            let mut out = Vec::new();
            push_text(&mut out, &text);
            let tape = Tape::read(&out).unwrap();
            prop_assert_eq!(tape.root().text().unwrap(), text.as_str());
        }

        #[test]
        fn takes_nothing_that_serde_refuses(text in "[\\[\\]{}\",:0-9a-fnrtul\\\\eE.+ -]{0,24}") {
            if Tape::read(text.as_bytes()).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }
}
