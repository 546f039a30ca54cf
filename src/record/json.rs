//! RFC 8785 canonical JSON, narrowed to what an entry may hold: no floats, no integer beyond 2^53, no nulls, no
//! repeated keys (formats section 0).
//!
//! It does not read what sources send: rows and bodies keep their own bytes.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Serialize, de::DeserializeOwned};

/// Deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;
/// Largest magnitude of an integer: beyond it readers disagree (RFC 8785 section 3.2.2.3, RFC 7493 section 2.2).
pub const INT_MAX: i64 = 1 << 53;

/// Why bytes are not what an entry may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("json: {what} at byte {at}")]
pub struct JsonError {
    /// What is wrong.
    pub what: Fault,
    /// Where it was noticed, in bytes from the start.
    pub at: usize,
}

/// What is wrong with a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the documentation")]
pub enum Fault {
    #[error("unexpected end")]
    End,
    #[error("unexpected byte")]
    Byte,
    #[error("a fraction or exponent, which an entry may not hold")]
    Float,
    #[error("an integer beyond 2^53")]
    Large,
    #[error("a null; an absent value is an absent key")]
    Null,
    #[error("a repeated key")]
    Repeated,
    #[error("nesting deeper than 64")]
    Deep,
    #[error("text that is not valid Unicode")]
    Unicode,
    #[error("bytes that are not in canonical form (RFC 8785)")]
    NotCanonical,
}

/// A value that an entry may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number within +-2^53.
    Int(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Members by name, each name once.
    Map(BTreeMap<String, Self>),
}

impl Value {
    /// Reads a JSON text in any spacing and member order; refuses what an entry may not hold.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| JsonError { what: Fault::Unicode, at: e.valid_up_to() })?;
        let mut reader = Reader { text: text.as_bytes(), at: 0 };
        let value = reader.value(0)?;
        reader.spaces();
        match reader.peek() {
            None => Ok(value),
            Some(_) => Err(reader.fault(Fault::Byte)),
        }
    }

    /// Reads bytes that must already be canonical.
    pub fn parse_canonical(bytes: &[u8]) -> Result<Self, JsonError> {
        let value = Self::parse(bytes)?;
        let canonical = value.to_canonical();
        if canonical == bytes {
            return Ok(value);
        }
        let at = canonical.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        Err(JsonError { what: Fault::NotCanonical, at })
    }

    /// The one way to write this value: members sorted by UTF-16 code units, no spaces, minimal escapes.
    pub fn to_canonical(&self) -> Vec<u8> {
        let mut out = String::new();
        self.write(&mut out);
        out.into_bytes()
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Int(n) => out.push_str(&n.to_string()),
            Self::Text(text) => write_text(text, out),
            Self::List(list) => {
                out.push('[');
                for (i, value) in list.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Map(map) => write_map(map, out),
        }
    }
}

fn write_map(map: &BTreeMap<String, Value>, out: &mut String) {
    let mut members: Vec<_> = map.iter().collect();
    // a map is sorted by UTF-8 already; the two orders differ only where a character lies beyond the first plane
    if map.keys().any(|name| name.bytes().any(|byte| byte >= 0xf0)) {
        members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    out.push('{');
    for (i, (name, value)) in members.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

/// Writes a text with its quotes, escaped as RFC 8785 section 3.2.2.2 says.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{9}' => out.push_str("\\t"),
            '\u{a}' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\u{d}' => out.push_str("\\r"),
            c if c < ' ' => {
                // writing to a String cannot fail
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The canonical bytes of anything that serialises to what an entry may hold.
pub fn to_canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, JsonError> {
    let text = serde_json::to_vec(value).map_err(|_unserialisable| JsonError { what: Fault::Byte, at: 0 })?;
    Ok(Value::parse(&text)?.to_canonical())
}

/// A typed value from canonical bytes, which must be those that the value is written as. The type should refuse unknown
/// fields.
pub fn from_canonical<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, ReadError> {
    Value::parse_canonical(bytes)?;
    let value = serde_json::from_slice(bytes)?;
    // serde reads a list where an object belongs; one value has one spelling
    if to_canonical(&value)? == bytes { Ok(value) } else { Err(ReadError::Shape("another spelling".into())) }
}

/// Why bytes are not the typed value they should be.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not canonical JSON of the narrow kind.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Canonical, but a field is missing, unknown or of the wrong type.
    #[error("{0}")]
    Shape(String),
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    const fn fault(&self, what: Fault) -> JsonError {
        JsonError { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek().ok_or_else(|| self.fault(Fault::End))?;
        self.at = self.at.saturating_add(1);
        Ok(byte)
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > DEPTH_MAX {
            return Err(self.fault(Fault::Deep));
        }
        self.spaces();
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'n') => Err(self.fault(Fault::Null)),
            Some(b'-' | b'0'..=b'9') => self.int(),
            Some(_) => Err(self.fault(Fault::Byte)),
            None => Err(self.fault(Fault::End)),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, JsonError> {
        for &byte in word {
            if self.peek() != Some(byte) {
                return Err(self.fault(Fault::Byte));
            }
            self.at = self.at.saturating_add(1);
        }
        Ok(value)
    }

    fn map(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut map = BTreeMap::new();
        self.next()?;
        self.spaces();
        if self.peek() == Some(b'}') {
            self.next()?;
            return Ok(Value::Map(map));
        }
        loop {
            self.spaces();
            let name = self.string()?;
            self.spaces();
            self.word(b":", Value::Bool(true))?;
            let value = self.value(depth.saturating_add(1))?;
            if map.insert(name, value).is_some() {
                return Err(self.fault(Fault::Repeated));
            }
            if self.ends(b'}')? {
                return Ok(Value::Map(map));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut list = Vec::new();
        self.next()?;
        self.spaces();
        if self.peek() == Some(b']') {
            self.next()?;
            return Ok(Value::List(list));
        }
        loop {
            list.push(self.value(depth.saturating_add(1))?);
            if self.ends(b']')? {
                return Ok(Value::List(list));
            }
        }
    }

    /// After a member or element: a comma goes on, `close` ends.
    fn ends(&mut self, close: u8) -> Result<bool, JsonError> {
        self.spaces();
        match self.peek() {
            Some(b',') => self.next().map(|_| false),
            Some(byte) if byte == close => self.next().map(|_| true),
            Some(_) => Err(self.fault(Fault::Byte)),
            None => Err(self.fault(Fault::End)),
        }
    }

    fn int(&mut self) -> Result<Value, JsonError> {
        let from = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.next()?;
        }
        let leading_zero = self.peek() == Some(b'0');
        let mut n: i64 = 0;
        let digits_from = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            n = n.saturating_mul(10).saturating_add(i64::from(digit & 15));
            self.at = self.at.saturating_add(1);
        }
        let digits = self.at.saturating_sub(digits_from);
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(JsonError { what: Fault::Float, at: from });
        }
        if digits == 0 || (leading_zero && (digits > 1 || negative)) {
            return Err(JsonError { what: Fault::Byte, at: from });
        }
        if n > INT_MAX {
            return Err(JsonError { what: Fault::Large, at: from });
        }
        Ok(Value::Int(if negative { n.saturating_neg() } else { n }))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.word(b"\"", Value::Bool(true))?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => self.escape(&mut bytes)?,
                0..=0x1f => return Err(self.fault(Fault::Byte)),
                byte => bytes.push(byte),
            }
        }
        // the whole text is valid UTF-8, and escapes add only whole characters
        String::from_utf8(bytes).map_err(|_invalid| self.fault(Fault::Unicode))
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let byte = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'u' => {
                let c = self.unicode()?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.fault(Fault::Byte)),
        };
        out.push(byte);
        Ok(())
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = self.hex4()?;
        let lone = self.fault(Fault::Unicode);
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit).ok_or(lone);
        }
        self.word(b"\\u", Value::Bool(true))?;
        let low = self.hex4()?;
        let units = [unit, low].map(|u| u16::try_from(u).unwrap_or(0));
        char::decode_utf16(units).next().and_then(Result::ok).ok_or(lone)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut n = 0_u32;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16).ok_or_else(|| self.fault(Fault::Byte))?;
            n = n.saturating_mul(16).saturating_add(digit);
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> Fault {
        Value::parse(text.as_bytes()).unwrap_err().what
    }

    #[test]
    fn what_an_entry_may_not_hold_is_refused_by_name() {
        assert_eq!(fault("1.0"), Fault::Float);
        assert_eq!(fault("1e3"), Fault::Float);
        assert_eq!(fault("9007199254740993"), Fault::Large);
        assert_eq!(fault("99999999999999999999999"), Fault::Large);
        assert_eq!(fault("{\"a\":null}"), Fault::Null);
        assert_eq!(fault("{\"a\":1,\"\\u0061\":2}"), Fault::Repeated);
        assert_eq!(fault("\"\\ud800\""), Fault::Byte);
        assert_eq!(fault("\"\\udc00\""), Fault::Unicode);
        assert_eq!(fault("-0"), Fault::Byte);
        assert_eq!(fault("01"), Fault::Byte);
        assert_eq!(fault("{} {}"), Fault::Byte);
        assert_eq!(fault(&"[".repeat(70)), Fault::Deep);
    }

    #[test]
    fn members_sort_by_utf16() {
        let value = Value::parse("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"a\":[true,-3]}".as_bytes()).unwrap();
        assert_eq!(value.to_canonical(), "{\"a\":[true,-3],\"\u{1f600}\":2,\"\u{fb33}\":1}".as_bytes());
        assert_eq!(
            Value::parse_canonical(b"{ }").unwrap_err(),
            JsonError { what: Fault::NotCanonical, at: 1 }
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            (-INT_MAX..=INT_MAX).prop_map(Value::Int),
            any::<String>().prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_bytes_read_back(value in value()) {
            let bytes = value.to_canonical();
            prop_assert_eq!(Value::parse_canonical(&bytes), Ok(value.clone()));
            let other: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(to_canonical(&other).unwrap(), bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = Value::parse(&bytes) {
                prop_assert_eq!(Value::parse_canonical(&value.to_canonical()), Ok(value));
            }
        }
    }
}
