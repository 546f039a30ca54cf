//! Reads a `Link` header (RFC 8288 section 3) for the page that follows.
//!
//! A header that cannot be read is a fault, never "the last page". Whether a link may be followed is not decided here.

/// Longest header that is read, in bytes.
const BYTES_MAX: usize = 16_384;

/// A `Link` header that is not of the form of RFC 8288.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link header cannot be read")]
pub(super) struct Malformed;

/// The target of the first link with this relation; `None` if the header has none.
pub(super) fn target<'a>(header: &'a str, relation: &str) -> Result<Option<&'a str>, Malformed> {
    if header.len() > BYTES_MAX {
        return Err(Malformed);
    }
    let mut found = None;
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<').and_then(|r| r.split_once('>')).ok_or(Malformed)?;
        let (relates, after) = parameters(after.trim_start(), relation)?;
        if relates && found.is_none() {
            found = Some(target.trim());
        }
        rest = after;
    }
    Ok(found)
}

/// Reads the parameters of one link; returns whether its `rel` names the relation, and what follows the comma.
fn parameters<'a>(mut rest: &'a str, relation: &str) -> Result<(bool, &'a str), Malformed> {
    let mut relates = None;
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start();
        let (name, value, after) = parameter_of(parameter)?;
        if name.eq_ignore_ascii_case("rel") && relates.is_none() {
            relates = Some(value.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case(relation)));
        }
        rest = after.trim_start();
    }
    let after = match rest.strip_prefix(',') {
        Some(after) => after.trim_start(),
        None if rest.is_empty() => rest,
        None => return Err(Malformed),
    };
    Ok((relates.unwrap_or(false), after))
}

fn parameter_of(text: &str) -> Result<(&str, &str, &str), Malformed> {
    let end = text.find([';', ',', '=']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.strip_prefix('=') else { return Ok((name.trim(), "", rest)) };
    let value = value.trim_start();
    if let Some(quoted) = value.strip_prefix('"') {
        let (inside, after) = quoted.split_once('"').ok_or(Malformed)?;
        // an escaped quote would make the cut wrong; no relation needs one
        return if inside.contains('\\') { Err(Malformed) } else { Ok((name.trim(), inside, after)) };
    }
    let end = value.find([';', ',']).unwrap_or(value.len());
    let (value, after) = value.split_at(end);
    Ok((name.trim(), value.trim(), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_next_page_among_others() {
        let github = "<https://api.github.com/x?page=1>; rel=\"prev\", <https://api.github.com/x?page=3>; rel=\"next\"";
        assert_eq!(target(github, "next"), Ok(Some("https://api.github.com/x?page=3")));
        assert_eq!(target("</a,b;c>;rel=next", "next"), Ok(Some("/a,b;c")));
        assert_eq!(target("<a>; title=\"x, <b>; rel=next\"; rel=\"last Next\"", "next"), Ok(Some("a")));
        assert_eq!(target("<a>; rel=last", "next"), Ok(None));
        assert_eq!(target("", "next"), Ok(None));
    }

    #[test]
    fn a_broken_header_is_a_fault_and_not_the_last_page() {
        for wrong in ["https://x; rel=next", "<a; rel=next", "<a>; rel=\"next", "<a> rel=next", "<a>, x"] {
            assert_eq!(target(wrong, "next"), Err(Malformed), "{wrong}");
        }
        assert_eq!(target(&"<a>;rel=x,".repeat(4000), "next"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn never_panics(header in any::<String>(), relation in "[a-z]{0,5}") {
            let _found = target(&header, &relation);
        }

        #[test]
        fn a_written_link_is_found(
            before in proptest::collection::vec("[a-z0-9/?=&]{1,20}", 0..4),
            next in "[a-z0-9/?=&]{1,20}",
        ) {
            let mut links: Vec<String> = before.iter().map(|url| format!("<{url}>; rel=\"prev\"")).collect();
            links.push(format!("<{next}>; rel=\"next\""));
            let header = links.join(", ");
            prop_assert_eq!(target(&header, "next"), Ok(Some(next.as_str())));
        }
    }
}
