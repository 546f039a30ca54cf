//! From entries of a directory to the JSON that paths speak about: an object for each, `dn` and the attributes that were asked for,
//! called and ordered as the manifest does. Pure.
//!
//! The values of an attribute have no order, so they are sorted: what did not change is the same bytes again. Nothing is left out
//! that came: an attribute of one text that has several is a list.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::message::Attribute;

/// The member with an entry's name.
pub(in crate::collect) const NAME: &str = "dn";
/// The list of entries in a body.
pub(in crate::collect) const ENTRIES: &str = "entries";
/// The list of addresses in a body at which parts of the tree lie.
pub(super) const ELSEWHERE: &str = "elsewhere";
/// Most parts of a security identifier behind its authority (MS-DTYP 2.4.2).
const SID_PARTS_MAX: usize = 15;

/// What the values of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::collect) enum Shape {
    /// One text.
    Text,
    /// Texts: a list, however many there are.
    Texts,
    /// Bytes, in base64.
    Base64,
    /// 16 bytes as Microsoft writes them (RFC 4122, the first three groups in the other order).
    Guid,
    /// A security identifier, `S-1-5-21-..`.
    Sid,
}

impl Shape {
    /// The words for them in a manifest.
    pub(in crate::collect) const WORDS: [&'static str; 5] = ["text", "texts", "base64", "guid", "sid"];

    /// By its word.
    pub(in crate::collect) fn read(word: &str) -> Option<Self> {
        let shapes = [Self::Text, Self::Texts, Self::Base64, Self::Guid, Self::Sid];
        Self::WORDS.iter().zip(shapes).find(|(known, _)| **known == word).map(|(_, shape)| shape)
    }

    fn value(self, bytes: &[u8]) -> Value {
        let read = match self {
            Self::Text | Self::Texts => std::str::from_utf8(bytes).ok().map(Value::from),
            Self::Base64 => return STANDARD.encode(bytes).into(),
            Self::Guid => guid(bytes).map(Value::from),
            Self::Sid => sid(bytes).map(Value::from),
        };
        // what is something else than it should be is told as it came
        read.unwrap_or_else(|| json!({ "base64": STANDARD.encode(bytes) }))
    }
}

/// An attribute of which only a part came (MS-ADTS 3.1.1.3.1.3.3): `member;range=0-1499`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// The entry.
    pub entry: String,
    /// Where it stands in the list of entries.
    pub at: usize,
    /// As the manifest calls the attribute.
    pub name: String,
    /// The first value that did not come.
    pub next: u64,
}

/// An entry as JSON, and what of it has to be asked for yet.
pub(super) fn object(
    (name, at): (&str, usize),
    found: &[Attribute<'_>],
    wanted: &[(String, Shape)],
) -> Result<(Map<String, Value>, Vec<Cut>), Unreadable> {
    let mut entry = Map::from_iter([(NAME.to_owned(), Value::from(name))]);
    let mut cuts = Vec::new();
    for (attribute, shape) in wanted {
        let mut values = Vec::new();
        let mut there = false;
        for (called, bytes) in found {
            let Some(range) = part_of(called, attribute)? else { continue };
            if range.first.is_some_and(|first| first != 0) {
                return Err(Unreadable);
            }
            there |= !bytes.is_empty();
            values.extend(bytes.iter().map(|bytes| shape.value(bytes)));
            if let Some(next) = range.next {
                cuts.push(Cut { entry: name.to_owned(), at, name: attribute.clone(), next });
            }
        }
        if there {
            entry.insert(attribute.clone(), shaped(*shape, values));
        }
    }
    Ok((entry, cuts))
}

/// Further values of an attribute of which a part came before, and how it goes on; nothing if this is not the part that was asked
/// for.
pub(super) fn go_on(
    entry: &mut Map<String, Value>,
    cut: &Cut,
    found: &[Attribute<'_>],
    wanted: &[(String, Shape)],
) -> Option<Range> {
    let shape = wanted.iter().find(|(name, _)| *name == cut.name).map(|(_, shape)| *shape)?;
    let (range, bytes) =
        found.iter().find_map(|(called, bytes)| Some((part_of(called, &cut.name).ok()??, bytes)))?;
    if range.first != Some(cut.next) || range.next.is_some_and(|next| next <= cut.next) {
        return None;
    }
    let mut values = match entry.remove(&cut.name) {
        Some(Value::Array(values)) => values,
        earlier => earlier.into_iter().collect(),
    };
    values.extend(bytes.iter().map(|bytes| shape.value(bytes)));
    // at its place, whichever attribute was asked for first
    let shaped = shaped(shape, values);
    let mut rest: Map<String, Value> = std::mem::take(entry);
    for name in std::iter::once(NAME).chain(wanted.iter().map(|(name, _)| name.as_str())) {
        if name == cut.name {
            entry.insert(name.to_owned(), shaped.clone());
        } else if let Some(value) = rest.remove(name) {
            entry.insert(name.to_owned(), value);
        }
    }
    Some(range)
}

fn shaped(shape: Shape, mut values: Vec<Value>) -> Value {
    values.sort_by_cached_key(Value::to_string);
    let several = values.len() > 1 || shape == Shape::Texts;
    if several { Value::Array(values) } else { values.pop().unwrap_or(Value::Null) }
}

/// What came under a name is no part of any attribute that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Which values of an attribute came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The first that did; nothing where all did at once.
    pub first: Option<u64>,
    /// The first that did not; nothing at the end.
    pub next: Option<u64>,
}

/// Is it this attribute? By case alone it is no other (RFC 4512 section 2.5); perhaps it is a range of it.
fn part_of(called: &str, attribute: &str) -> Result<Option<Range>, Unreadable> {
    if called.eq_ignore_ascii_case(attribute) {
        return Ok(Some(Range { first: None, next: None }));
    }
    let Some((name, option)) = called.rsplit_once(';') else { return Ok(None) };
    let range = option.get(..6).filter(|word| word.eq_ignore_ascii_case("range=")).and(option.get(6..));
    match range.filter(|_| name.eq_ignore_ascii_case(attribute)) {
        Some(range) => range_of(range).map(Some).ok_or(Unreadable),
        None => Ok(None),
    }
}

/// `0-1499`, or `1500-*` at the end.
fn range_of(text: &str) -> Option<Range> {
    let (first, last) = text.split_once('-')?;
    let next = if last == "*" { None } else { Some(last.parse::<u64>().ok()?.checked_add(1)?) };
    Some(Range { first: Some(first.parse().ok()?), next })
}

fn guid(bytes: &[u8]) -> Option<String> {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, rest @ ..] = bytes else { return None };
    (rest.len() == 6).then(|| {
        let hex = |bytes: &[u8]| hex::encode(bytes);
        [hex(&[*a3, *a2, *a1, *a0]), hex(&[*b1, *b0]), hex(&[*c1, *c0]), hex(&[*d0, *d1]), hex(rest)]
            .join("-")
    })
}

fn sid(bytes: &[u8]) -> Option<String> {
    let [revision, parts, rest @ ..] = bytes else { return None };
    let (authority, rest) = rest.split_at_checked(6)?;
    let authority = authority.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let whole = usize::from(*parts) <= SID_PARTS_MAX && rest.len() == 4 * usize::from(*parts);
    whole.then(|| {
        let number = |part: &[u8]| part.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let parts = rest.chunks(4).map(|part| format!("-{}", number(part)));
        format!("S-{revision}-{authority}{}", parts.collect::<String>())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(names: &[(&str, Shape)]) -> Vec<(String, Shape)> {
        names.iter().map(|(name, shape)| ((*name).to_owned(), *shape)).collect()
    }

    #[test]
    fn an_entry_is_called_and_ordered_as_the_manifest_does() {
        let wanted = wanted(&[
            ("uid", Shape::Text),
            ("memberOf", Shape::Texts),
            ("mail", Shape::Text),
            ("photo", Shape::Base64),
            ("objectGUID", Shape::Guid),
            ("objectSid", Shape::Sid),
            ("cn", Shape::Text),
        ]);
        let id: Vec<u8> = (0..16).collect();
        let sid = [
            1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xf4, 1, 0,
            0,
        ];
        let found: Vec<Attribute<'_>> = vec![
            ("memberof", vec![b"cn=b"]),
            ("MAIL", vec![b"b@x", b"a@x"]),
            ("UID", vec![b"ann"]),
            ("cn", vec![b"\xff"]),
            ("objectguid", vec![&id]),
            ("objectSid", vec![&sid]),
            ("photo", vec![b"\0\x01"]),
            ("other", vec![b"x"]),
            ("uid;lang-de", vec![b"anna"]),
        ];
        let (entry, cuts) = object(("uid=ann", 0), &found, &wanted).unwrap();
        assert!(cuts.is_empty());
        assert_eq!(
            Value::Object(entry).to_string(),
            r#"{"dn":"uid=ann","uid":"ann","memberOf":["cn=b"],"mail":["a@x","b@x"],"photo":"AAE=","objectGUID":"03020100-0504-0706-0809-0a0b0c0d0e0f","objectSid":"S-1-5-21-1-2-4294967295-500","cn":{"base64":"/w=="}}"#
        );
    }

    #[test]
    fn ranges_are_put_together_and_no_other_part_is_taken() {
        let wanted = wanted(&[("member", Shape::Texts), ("cn", Shape::Text)]);
        // a directory that cuts says the attribute once more, empty
        let found: Vec<Attribute<'_>> =
            vec![("cn", vec![b"g"]), ("member", vec![]), ("member;range=0-1", vec![b"b", b"a"])];
        for torn in ["member;range=1-*", "member;range=0-x", "member;range=0-18446744073709551615"] {
            assert_eq!(object(("cn=g", 3), &[(torn, vec![b"b"])], &wanted), Err(Unreadable), "{torn}");
        }
        let (mut entry, cuts) = object(("cn=g", 3), &found, &wanted).unwrap();
        let cut = Cut { entry: "cn=g".to_owned(), at: 3, name: "member".to_owned(), next: 2 };
        assert_eq!(cuts, std::slice::from_ref(&cut));
        assert_eq!(go_on(&mut entry.clone(), &cut, &[("member;range=3-*", vec![b"c"])], &wanted), None);
        assert_eq!(go_on(&mut entry.clone(), &cut, &[("member", vec![b"c"])], &wanted), None);
        assert_eq!(go_on(&mut entry.clone(), &cut, &[("member;range=2-1", vec![])], &wanted), None);
        let whole = Range { first: Some(2), next: None };
        assert_eq!(go_on(&mut entry, &cut, &[("member;Range=2-*", vec![b"0"])], &wanted), Some(whole));
        assert_eq!(Value::Object(entry).to_string(), r#"{"dn":"cn=g","member":["0","a","b"],"cn":"g"}"#);
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic_and_none_is_lost(bytes: Vec<u8>, called in "member(;range=[0-9*-]{0,30})?") {
            for shape in [Shape::Text, Shape::Texts, Shape::Base64, Shape::Guid, Shape::Sid] {
                prop_assert!(!shape.value(&bytes).is_null());
                let found = vec![(called.as_str(), vec![&bytes[..], &bytes[..]])];
                let Ok((entry, _)) = object(("cn=g", 0), &found, &wanted(&[("member", shape)])) else {
                    prop_assert!(called != "member");
                    continue;
                };
                let values = entry.get("member").and_then(Value::as_array).map(Vec::len);
                prop_assert!(values == Some(2) || values.is_none() && called != "member");
            }
        }
    }
}
