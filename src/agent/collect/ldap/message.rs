//! The messages of LDAP that a reader needs (RFC 4511): bind, StartTLS, search, and what is answered; the control of paged
//! results (RFC 2696). Nothing here can write to a directory: no such request is known.
//!
//! It sends and receives nothing.

use super::ber::{
    BOOLEAN, ENUMERATED, INTEGER, Malformed, OCTETS, Reader, SEQUENCE, SET, number, value, values,
};

/// The control of paged results.
const PAGED: &str = "1.2.840.113556.1.4.319";
/// The extended operation that begins TLS (RFC 4511 section 4.14).
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// The version of the protocol.
const VERSION: u32 = 3;
/// The mechanism by which the certificate of the connection says who asks (RFC 4422 appendix A).
const EXTERNAL: &str = "EXTERNAL";
/// Aliases are not followed: what they point to is listed where it is.
const NEVER_DEREFERENCE: u32 = 0;
const FALSE: [u8; 1] = [0];
const TRUE: [u8; 1] = [0xff];

/// How much of the tree below its base a search looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::collect) enum Scope {
    /// The base alone.
    Base,
    /// What lies directly below it.
    One,
    /// The base and all below it.
    Sub,
}

impl Scope {
    /// As RFC 4516 writes it.
    pub(in crate::collect) const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::One => "one",
            Self::Sub => "sub",
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::Base => 0,
            Self::One => 1,
            Self::Sub => 2,
        }
    }
}

/// What is looked for.
pub(super) struct Look<'a> {
    pub base: &'a str,
    pub scope: Scope,
    /// As it is sent.
    pub filter: &'a [u8],
    /// Names of attributes; never all.
    pub attributes: &'a [&'a str],
    /// Seconds that the directory may take.
    pub seconds: u32,
    /// Entries of a page, and where the page before ended.
    pub page: Option<(u32, &'a [u8])>,
}

/// A result (RFC 4511 section 4.1.9), without what it says in words: that is a stranger's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    pub code: u16,
}

/// One attribute of an entry, as it came.
pub(super) type Attribute<'b> = (&'b str, Vec<&'b [u8]>);

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<'b> {
    /// To a bind.
    Bound(Done),
    /// To an extended operation, or unasked, that the connection ends.
    Extended(Done),
    /// An entry.
    Entry {
        /// Its name.
        name: &'b str,
        /// What may be seen of it.
        attributes: Vec<Attribute<'b>>,
    },
    /// A part of the tree lies at these addresses.
    Elsewhere(Vec<&'b str>),
    /// The end of a search, and where the page ended, if the directory pages.
    Found(Done, Option<&'b [u8]>),
    /// Something that goes on before the end and says nothing to a reader.
    Meanwhile,
}

/// A bind with a name and its password.
pub(super) fn bind_simple(id: u32, name: &str, password: &str) -> Vec<u8> {
    message(id, &bind(name, &value(0x80, password.as_bytes())), None)
}

/// A bind by the certificate that the connection was made with.
pub(super) fn bind_external(id: u32) -> Vec<u8> {
    message(id, &bind("", &values(0xa3, &[value(OCTETS, EXTERNAL.as_bytes()), value(OCTETS, b"")])), None)
}

fn bind(name: &str, proof: &[u8]) -> Vec<u8> {
    values(0x60, &[number(INTEGER, VERSION), value(OCTETS, name.as_bytes()), proof.to_vec()])
}

/// The wish that all that follows be encrypted.
pub(super) fn start_tls(id: u32) -> Vec<u8> {
    message(id, &values(0x77, &[value(0x80, START_TLS.as_bytes())]), None)
}

/// The end of the connection.
pub(super) fn unbind(id: u32) -> Vec<u8> {
    message(id, &value(0x42, &[]), None)
}

/// A search.
pub(super) fn search(id: u32, look: &Look<'_>) -> Vec<u8> {
    let names: Vec<_> = look.attributes.iter().map(|name| value(OCTETS, name.as_bytes())).collect();
    let request = values(
        0x63,
        &[
            value(OCTETS, look.base.as_bytes()),
            number(ENUMERATED, look.scope.number()),
            number(ENUMERATED, NEVER_DEREFERENCE),
            number(INTEGER, 0),
            number(INTEGER, look.seconds),
            value(BOOLEAN, &FALSE),
            look.filter.to_vec(),
            values(SEQUENCE, &names),
        ],
    );
    let control = look.page.map(|(size, place)| {
        let page = values(SEQUENCE, &[number(INTEGER, size), value(OCTETS, place)]);
        // critical: a directory that cannot page says so instead of giving what it likes
        values(SEQUENCE, &[value(OCTETS, PAGED.as_bytes()), value(BOOLEAN, &TRUE), value(OCTETS, &page)])
    });
    message(id, &request, control)
}

fn message(id: u32, operation: &[u8], control: Option<Vec<u8>>) -> Vec<u8> {
    let mut parts = vec![number(INTEGER, id), operation.to_vec()];
    parts.extend(control.map(|control| value(0xa0, &control)));
    values(SEQUENCE, &parts)
}

/// What one message says: its number, and the answer.
pub(super) fn read(bytes: &[u8]) -> Result<(u32, Answer<'_>), Malformed> {
    let mut outer = Reader::new(bytes);
    let mut parts = Reader::new(outer.of(SEQUENCE)?);
    let id = parts.number(INTEGER)?;
    let (tag, content) = parts.next()?;
    let controls = parts.may(0xa0)?;
    let mut inside = Reader::new(content);
    let answer = match tag {
        0x61 => Answer::Bound(done(&mut inside)?),
        0x64 => Answer::Entry { name: text(inside.of(OCTETS)?)?, attributes: attributes(&mut inside)? },
        0x65 => Answer::Found(done(&mut inside)?, controls.map(page).transpose()?.flatten()),
        0x73 => Answer::Elsewhere(addresses(&mut inside)?),
        0x78 => Answer::Extended(done(&mut inside)?),
        0x79 => Answer::Meanwhile,
        _ => return Err(Malformed),
    };
    Ok((id, answer))
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_other| Malformed)
}

/// Its code; name and words of it have to be there, and are not kept.
fn done(inside: &mut Reader<'_>) -> Result<Done, Malformed> {
    let code = u16::try_from(inside.number(ENUMERATED)?).map_err(|_larger| Malformed)?;
    inside.of(OCTETS)?;
    inside.of(OCTETS)?;
    Ok(Done { code })
}

fn attributes<'b>(inside: &mut Reader<'b>) -> Result<Vec<Attribute<'b>>, Malformed> {
    let mut list = Reader::new(inside.of(SEQUENCE)?);
    let mut attributes = Vec::new();
    while !list.is_empty() {
        let mut one = Reader::new(list.of(SEQUENCE)?);
        let name = text(one.of(OCTETS)?)?;
        let mut set = Reader::new(one.of(SET)?);
        let mut found = Vec::new();
        while !set.is_empty() {
            found.push(set.of(OCTETS)?);
        }
        attributes.push((name, found));
    }
    Ok(attributes)
}

fn addresses<'b>(inside: &mut Reader<'b>) -> Result<Vec<&'b str>, Malformed> {
    let mut addresses = Vec::new();
    while !inside.is_empty() {
        addresses.push(text(inside.of(OCTETS)?)?);
    }
    Ok(addresses)
}

/// Where the page ended, empty at the end of the list; nothing if the directory says nothing of pages.
fn page(controls: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let mut list = Reader::new(controls);
    while !list.is_empty() {
        let mut one = Reader::new(list.of(SEQUENCE)?);
        let name = one.of(OCTETS)?;
        one.may(BOOLEAN)?;
        if name == PAGED.as_bytes() {
            let mut inside = Reader::new(Reader::new(one.of(OCTETS)?).of(SEQUENCE)?);
            inside.number(INTEGER)?;
            return inside.of(OCTETS).map(Some);
        }
    }
    Ok(None)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message of a directory.
    pub(in crate::collect::ldap) fn said(id: u32, operation: &[u8], control: Option<Vec<u8>>) -> Vec<u8> {
        message(id, operation, control)
    }

    /// A result under a tag.
    pub(in crate::collect::ldap) fn result(tag: u8, code: u32) -> Vec<u8> {
        values(tag, &[number(ENUMERATED, code), value(OCTETS, b""), value(OCTETS, b"said in words")])
    }

    /// An entry.
    pub(in crate::collect::ldap) fn entry(name: &str, attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
        let one = |(name, found): &(&str, &[&[u8]])| {
            let found: Vec<_> = found.iter().map(|bytes| value(OCTETS, bytes)).collect();
            values(SEQUENCE, &[value(OCTETS, name.as_bytes()), values(SET, &found)])
        };
        let list: Vec<_> = attributes.iter().map(one).collect();
        values(0x64, &[value(OCTETS, name.as_bytes()), values(SEQUENCE, &list)])
    }

    /// Where a page ended.
    pub(in crate::collect::ldap) fn ended(place: &[u8]) -> Vec<u8> {
        let page = values(SEQUENCE, &[number(INTEGER, 0), value(OCTETS, place)]);
        values(SEQUENCE, &[value(OCTETS, PAGED.as_bytes()), value(OCTETS, &page)])
    }

    #[test]
    fn requests_are_written_as_the_standard_says() {
        assert_eq!(
            bind_simple(1, "cn=a", "pw"),
            b"\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x04cn=a\x80\x02pw"
        );
        assert_eq!(unbind(2), b"\x30\x05\x02\x01\x02\x42\x00");
        assert_eq!(bind_external(1)[5..].first(), Some(&0x60));
        let look = Look {
            base: "dc=x",
            scope: Scope::Sub,
            filter: &[0x87, 1, b'a'],
            attributes: &["cn"],
            seconds: 5,
            page: Some((2, b"c")),
        };
        let sent = search(3, &look);
        let mut parts = Reader::new(Reader::new(&sent).of(SEQUENCE).unwrap());
        assert_eq!(parts.number(INTEGER), Ok(3));
        let expected = b"\x04\x04dc=x\x0a\x01\x02\x0a\x01\x00\x02\x01\x00\x02\x01\x05\x01\x01\x00\x87\x01a\x30\x04\x04\x02cn";
        assert_eq!(parts.of(0x63).unwrap(), expected);
        assert!(parts.of(0xa0).unwrap().ends_with(b"\x01\x01\xff\x04\x08\x30\x06\x02\x01\x02\x04\x01c"));
    }

    #[test]
    fn answers_are_read() {
        let sent = said(2, &entry("cn=a", &[("cn", &[b"a", b"\xff"]), ("x", &[])]), None);
        let attributes = vec![("cn", vec![&b"a"[..], &b"\xff"[..]]), ("x", vec![])];
        assert_eq!(read(&sent), Ok((2, Answer::Entry { name: "cn=a", attributes })));
        let other = values(SEQUENCE, &[value(OCTETS, b"1.2.3"), value(BOOLEAN, &TRUE)]);
        let sent = said(2, &result(0x65, 4), Some([other, ended(b"here")].concat()));
        assert_eq!(read(&sent), Ok((2, Answer::Found(Done { code: 4 }, Some(b"here")))));
        assert_eq!(read(&said(0, &result(0x78, 52), None)), Ok((0, Answer::Extended(Done { code: 52 }))));
        let there = said(2, &values(0x73, &[value(OCTETS, b"ldap://b/dc=b")]), None);
        assert_eq!(read(&there), Ok((2, Answer::Elsewhere(vec!["ldap://b/dc=b"]))));
        for wrong in [said(2, &result(0x69, 0), None), said(2, &value(0x65, &[]), None), vec![0x30, 0]] {
            assert_eq!(read(&wrong), Err(Malformed));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, tag in 0x60_u8..0x7a) {
            drop(read(&bytes));
            drop(read(&said(1, &value(tag, &bytes), Some(bytes.clone()))));
            let mut cut = said(1, &entry("cn=a", &[("cn", &[&bytes])]), Some(ended(&bytes)));
            cut.truncate(bytes.len());
            drop(read(&cut));
        }
    }
}
