//! Distinguished names (RFC 4514): a value that is put into one, and whether a text is one.
//!
//! It compares no names: how values match is the directory's business.

use std::fmt::Write as _;

use super::filter::is_attribute;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 8192;

/// A value, so that it stands for itself (RFC 4514 section 2.4). Every character that could mean something is written as its byte.
pub(super) fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (i, c) in value.chars().enumerate() {
        let at_edge = c == ' ' && (i == 0 || i == last) || c == '#' && i == 0;
        if at_edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' | '\0') {
            // writing to memory does not fail
            let _written = write!(out, "\\{:02x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Is it a name of at least one part, each of the form `attribute=value`?
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && !text.contains(char::is_control)
        && parts(text).is_some_and(|parts| parts.into_iter().all(is_part))
}

/// The parts of a name, as they are written; nothing if an escape does not end.
fn parts(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' | '+' => {
                parts.push(text.get(start..i)?);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (!escaped).then_some(parts)
}

fn is_part(part: &str) -> bool {
    let Some((name, value)) = part.trim_start().split_once('=') else { return false };
    let mut escaped = false;
    let plain = value.chars().all(|c| {
        let fine = escaped || !matches!(c, '"' | ';' | '<' | '>');
        escaped = c == '\\' && !escaped;
        fine
    });
    is_attribute(name.trim_end()) && !value.trim().is_empty() && plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_told_from_what_is_none() {
        for name in [
            "dc=example,dc=org",
            "CN=Doe\\, Ann,OU=People,DC=ad",
            "cn=a+sn=b,o=c",
            "CN=a\\;b\\\\\\<c,DC=x",
            "2.5.4.3=x",
            "cn=\\20x\\20",
        ] {
            assert!(is_name(name), "{name}");
        }
        for wrong in ["", "example", "dc=", "dc=a,,dc=b", "dc=a\\", "=a", "dc=a;dc=b", "dc=a\nb", "d c=a"] {
            assert!(!is_name(wrong), "{wrong}");
        }
        assert_eq!(escape(" a,b=c+\"d\\#"), "\\20a\\2cb\\3dc\\2b\\22d\\5c#");
    }

    proptest! {
        #[test]
        fn no_value_can_leave_its_place(value in "[ -~]{1,20}") {
            prop_assume!(!value.trim().is_empty());
            let name = format!("cn={},dc=x", escape(&value));
            prop_assert_eq!(parts(&name).unwrap().len(), 2);
            prop_assert!(is_name(&name));
        }
    }
}
