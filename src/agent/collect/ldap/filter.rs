//! Search filters as people write them (RFC 4515) and as they are sent (RFC 4511 section 4.5.1.7).
//!
//! A value that is put into a filter is escaped before the filter is read, so it cannot become a part of it.

use super::ber::{OCTETS, SEQUENCE, value, values};

/// Deepest nesting of brackets.
const DEPTH_MAX: usize = 16;
/// Longest filter, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// `dnAttributes` of an extensible match, where it is true.
const TRUE: u8 = 0xff;

/// A value, so that it stands for itself and nothing else (RFC 4515 section 3).
pub(super) fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '(' => out.push_str("\\28"),
            ')' => out.push_str("\\29"),
            '*' => out.push_str("\\2a"),
            '\\' => out.push_str("\\5c"),
            '\0' => out.push_str("\\00"),
            other => out.push(other),
        }
    }
    out
}

/// The filter as it is sent, or what is wrong with it.
pub(in crate::collect) fn read(text: &str) -> Result<Vec<u8>, &'static str> {
    if text.len() > TEXT_BYTES_MAX {
        return Err("a filter that is too long");
    }
    match filter(text, DEPTH_MAX)? {
        (sent, "") => Ok(sent),
        _ => Err("something after the last bracket of the filter"),
    }
}

type Read<'t> = Result<(Vec<u8>, &'t str), &'static str>;

fn filter(text: &str, depth: usize) -> Read<'_> {
    let inside = text.strip_prefix('(').ok_or("no ( where a filter begins")?;
    let depth = depth.checked_sub(1).ok_or("a filter that is nested too deep")?;
    let (sent, rest) = match inside.as_bytes().first() {
        Some(b'&') => set(0xa0, inside.get(1..).unwrap_or_default(), depth)?,
        Some(b'|') => set(0xa1, inside.get(1..).unwrap_or_default(), depth)?,
        Some(b'!') => {
            let (inner, rest) = filter(inside.get(1..).unwrap_or_default(), depth)?;
            (value(0xa2, &inner), rest)
        }
        _ => {
            let at = inside.find([')', '(']).ok_or("a ( without its )")?;
            let (one, rest) = inside.split_at(at);
            (item(one)?, rest)
        }
    };
    Ok((sent, rest.strip_prefix(')').ok_or("a ( without its )")?))
}

fn set(tag: u8, text: &str, depth: usize) -> Read<'_> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while rest.starts_with('(') {
        let (part, after) = filter(rest, depth)?;
        parts.push(part);
        rest = after;
    }
    if parts.is_empty() { Err("nothing behind & or |") } else { Ok((values(tag, &parts), rest)) }
}

/// `attr=value`, with one of the signs before `=`.
fn item(text: &str) -> Result<Vec<u8>, &'static str> {
    let (left, right) = text.split_once('=').ok_or("no = in a filter")?;
    if let Some(left) = left.strip_suffix(':') {
        return extensible(left, right);
    }
    let signs = [('>', 0xa5), ('<', 0xa6), ('~', 0xa8)];
    let sign = signs.iter().find_map(|(sign, tag)| Some((left.strip_suffix(*sign)?, *tag)));
    let (name, tag) = sign.unwrap_or((left, 0xa3));
    let name = attribute(name)?.as_bytes();
    if tag != 0xa3 || !right.contains('*') {
        return Ok(values(tag, &[value(OCTETS, name), value(OCTETS, &unescape(right)?)]));
    }
    if right == "*" {
        return Ok(value(0x87, name));
    }
    substrings(name, right)
}

fn substrings(name: &[u8], text: &str) -> Result<Vec<u8>, &'static str> {
    let last = text.split('*').count().saturating_sub(1);
    let mut parts = Vec::new();
    for (i, part) in text.split('*').enumerate().filter(|(_, part)| !part.is_empty()) {
        let tag = if i == 0 {
            0x80
        } else if i == last {
            0x82
        } else {
            0x81
        };
        parts.push(value(tag, &unescape(part)?));
    }
    if parts.is_empty() {
        return Err("nothing between * and *");
    }
    Ok(values(0xa4, &[value(OCTETS, name), values(SEQUENCE, &parts)]))
}

/// `attr:dn:rule:=value`; the attribute, `dn` and the rule may be missing, but not attribute and rule both.
fn extensible(left: &str, right: &str) -> Result<Vec<u8>, &'static str> {
    let mut parts = left.split(':');
    let name = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    let by_dn = rest.first() == Some(&"dn");
    if by_dn {
        rest.remove(0);
    }
    let rule = match rest.as_slice() {
        [] => None,
        [rule] => Some(attribute(rule)?),
        _ => return Err("more than one matching rule"),
    };
    let name = if name.is_empty() { None } else { Some(attribute(name)?) };
    if name.is_none() && rule.is_none() {
        return Err("neither an attribute nor a matching rule");
    }
    let mut sent = Vec::new();
    sent.extend(rule.map(|rule| value(0x81, rule.as_bytes())));
    sent.extend(name.map(|name| value(0x82, name.as_bytes())));
    sent.push(value(0x83, &unescape(right)?));
    sent.extend(by_dn.then(|| value(0x84, &[TRUE])));
    Ok(values(0xa9, &sent))
}

/// The name or number of an attribute, with its options.
fn attribute(text: &str) -> Result<&str, &'static str> {
    if is_attribute(text) { Ok(text) } else { Err("what is no name of an attribute") }
}

/// Is it the name or number of an attribute, perhaps with options?
pub(in crate::collect) fn is_attribute(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-;_".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.len() <= 256 && text.chars().all(legal)
}

fn unescape(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(byte.ok_or("a \\ without two hexadecimal digits")?);
        rest = after.get(2..).unwrap_or_default();
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn filters_are_sent_as_the_standard_says() {
        // RFC 4511: equalityMatch [3], present [7], substrings [4], extensibleMatch [9]
        assert_eq!(read("(cn=a)").unwrap(), [0xa3, 7, 4, 2, b'c', b'n', 4, 1, b'a']);
        assert_eq!(read("(cn=*)").unwrap(), [0x87, 2, b'c', b'n']);
        assert_eq!(read("(cn=a*b*c)").unwrap(), b"\xa4\x0f\x04\x02cn\x30\x09\x80\x01a\x81\x01b\x82\x01c");
        assert_eq!(read("(n>=1)").unwrap(), b"\xa5\x06\x04\x01n\x04\x011");
        assert_eq!(
            read("(&(a=1)(!(b=2)))").unwrap(),
            b"\xa0\x12\xa3\x06\x04\x01a\x04\x011\xa2\x08\xa3\x06\x04\x01b\x04\x012"
        );
        assert_eq!(read("(m:1.2:=x)").unwrap(), b"\xa9\x0b\x81\x031.2\x82\x01m\x83\x01x");
        assert_eq!(read("(m:dn:=x)").unwrap(), b"\xa9\x09\x82\x01m\x83\x01x\x84\x01\xff");
        assert_eq!(read("(cn=\\2a\\C3\\a9)").unwrap(), b"\xa3\x09\x04\x02cn\x04\x03*\xc3\xa9");
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}(a=1){}", "(!".repeat(16), ")".repeat(16));
        for wrong in [
            "",
            "cn=a",
            "(cn=a",
            "(cn=a))",
            "(&)",
            "(cn)",
            "(=a)",
            "(c n=a)",
            "(cn=a\\2)",
            "(cn=\\zz)",
            "(:=x)",
            "(a:b:c:=x)",
            "(cn=**)",
            &deep,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_value_can_leave_its_place(value: String) {
            let sent = read(&format!("(cn={})", escape(&value))).unwrap();
            prop_assert_eq!(sent, values(0xa3, &[super::value(OCTETS, b"cn"), super::value(OCTETS, value.as_bytes())]));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[()&|!=*:\\\\a-f0-9<>~]{0,64}") {
            drop(read(&text));
        }
    }
}
