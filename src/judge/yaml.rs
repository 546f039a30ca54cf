//! YAML as a tree that remembers its lines, so that every fault of a document is reported at once and in place.
//!
//! It knows no schema. Repeated keys, broken indentation and documents beyond the reader's budget are refused.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// A value and where it stands.
pub(crate) type Node = Spanned<Kind>;

/// What stands there.
#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Integer(i64),
    /// A float, or an integer outside 64 bits: nothing here takes one.
    Unfit(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

/// Largest whole number that every reader of JSON holds exactly (RFC 8785).
const WHOLE_MAX: u64 = 1 << 53;

impl Kind {
    /// The name of the kind, for faults.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Unfit(_) => "a number that is not whole or too large",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The same as JSON; an error names what canonical JSON cannot hold.
    pub(crate) fn json(&self) -> Result<Value, String> {
        match self {
            Self::Null => Err("nothing stands here; leave the key out".to_owned()),
            Self::Bool(yes) => Ok(Value::from(*yes)),
            Self::Integer(n) if n.unsigned_abs() <= WHOLE_MAX => Ok(Value::from(*n)),
            Self::Integer(n) => Err(format!("{n} is beyond 2^53")),
            Self::Unfit(n) => Err(format!("{n} is not a whole number within 2^53")),
            Self::Text(text) => Ok(Value::from(text.as_str())),
            Self::List(nodes) => nodes.iter().map(|node| node.value.json()).collect(),
            Self::Map(fields) => {
                let one = |(key, node): &(Spanned<String>, Node)| {
                    if !key.value.is_ascii() {
                        return Err(format!("key {:?} is not ASCII", key.value));
                    }
                    Ok((key.value.clone(), node.value.json()?))
                };
                fields.iter().map(one).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }
}

/// Reads one document. The error is a line (from 1) and what is wrong there.
pub(crate) fn read(text: &str) -> Result<Node, (u32, String)> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let line = error.location().map_or(1, |place| line(place.line()));
        (line, error.to_string().lines().next().unwrap_or_default().to_owned())
    })
}

/// The line of a node.
pub(crate) fn line_of<T>(node: &Spanned<T>) -> u32 {
    line(node.referenced.line())
}

fn line(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(yes))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Kind, E> {
        Ok(Kind::Integer(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Kind, E> {
        Ok(i64::try_from(n).map_or_else(|_| Kind::Unfit(n.to_string()), Kind::Integer))
    }

    fn visit_i128<E>(self, n: i128) -> Result<Kind, E> {
        Ok(Kind::Unfit(n.to_string()))
    }

    fn visit_u128<E>(self, n: u128) -> Result<Kind, E> {
        Ok(Kind::Unfit(n.to_string()))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Kind, E> {
        Ok(Kind::Unfit(n.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Kind, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = from.next_element()? {
            nodes.push(node);
        }
        Ok(Kind::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Kind, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = from.next_entry()? {
            fields.push(field);
        }
        Ok(Kind::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_and_repeated_keys_refused() {
        let node = read("a: 1\nb:\n  c: [x, 1.5]\n").unwrap();
        let Kind::Map(fields) = &node.value else { panic!("{node:?}") };
        assert_eq!(line_of(&fields[1].0), 2);
        assert!(node.value.json().unwrap_err().contains("1.5"));
        assert_eq!(read("a: 1\na: 2\n").unwrap_err().0, 2);
    }
}
