//! Replaces values of a body, by byte ranges, before anything is hashed, kept or looked at (formats section 4).
//!
//! Every byte outside the ranges stays as received; a body that no rule hits is returned as it came.

use std::{borrow::Cow, fmt, ops::Range};

use observance_record::item::ItemKey;

use super::scan::{Kind, Tape, Value};

/// What stands in a value's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cover {
    /// `null`.
    Drop,
    /// `"[masked]"`.
    Mask,
    /// `"hmac:<item>"`: the same value has the same pseudonym everywhere in the estate. The type is named by the rule.
    Hmac(String),
    /// `"len:<n>"`: characters of a string, bytes of anything else.
    Length,
}

/// Which values: a dotted path from the outermost value, arrays passed through; a leading `**` is any depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// What to put there.
    pub cover: Cover,
    /// The path's parts.
    pub parts: Vec<String>,
    /// Only values in which this stands, as the source wrote them or as they read.
    pub having: Option<String>,
}

impl Rule {
    /// A list of named values has one place for what is a person's address and what is the name of a role.
    fn is_for(&self, value: Value<'_>) -> bool {
        self.having.as_ref().is_none_or(|words| {
            value.raw().contains(words) || value.text().is_some_and(|text| text.contains(words))
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.parts.join(".");
        match &self.cover {
            Cover::Drop => write!(f, "drop {path}"),
            Cover::Mask => write!(f, "mask {path}"),
            Cover::Hmac(kind) => write!(f, "hmac {path} as {kind}"),
            Cover::Length => write!(f, "length {path}"),
        }?;
        self.having.as_ref().map_or(Ok(()), |words| write!(f, " having {words}"))
    }
}

/// The body with its values covered; borrowed when no rule hit.
pub(super) fn redact<'a>(body: &'a [u8], tape: &Tape<'_>, rules: &[Rule], key: &ItemKey) -> Cow<'a, [u8]> {
    let mut hits: Vec<(Range<usize>, String)> = Vec::new();
    for rule in rules {
        visit(tape.root(), &rule.parts, &mut |value| {
            each(value, &rule.cover, &mut |value| {
                if rule.is_for(value) {
                    hits.push((value.range(), covered(&rule.cover, value, key)));
                }
            });
        });
    }
    if hits.is_empty() {
        return Cow::Borrowed(body);
    }
    // outermost first; what lies inside a covered value, or is hit twice, is covered already
    hits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut out = Vec::with_capacity(body.len());
    let mut done = 0;
    for (range, cover) in hits {
        if range.start < done {
            continue;
        }
        out.extend_from_slice(body.get(done..range.start).unwrap_or_default());
        out.extend_from_slice(cover.as_bytes());
        done = range.end;
    }
    out.extend_from_slice(body.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// Depth is bounded by the scanner's.
fn visit<'t>(value: Value<'t>, parts: &[String], hit: &mut dyn FnMut(Value<'t>)) {
    let Some((first, rest)) = parts.split_first() else { return hit(value) };
    for element in value.elements() {
        visit(element, parts, hit);
    }
    if first == "**" {
        visit(value, rest, hit);
        for (_, member) in value.members() {
            visit(member, parts, hit);
        }
    } else if let Some(member) = value.get(first) {
        visit(member, rest, hit);
    }
}

/// Somebody with two addresses is known by either, so a list has a pseudonym for each of its values. Depth is bounded as above.
fn each<'t>(value: Value<'t>, cover: &Cover, hit: &mut dyn FnMut(Value<'t>)) {
    if matches!(cover, Cover::Hmac(_)) && value.kind() == Kind::List {
        value.elements().for_each(|element| each(element, cover, hit));
    } else {
        hit(value);
    }
}

fn covered(cover: &Cover, value: Value<'_>, key: &ItemKey) -> String {
    let text = value.text();
    if matches!(cover, Cover::Hmac(_)) && (value.kind() == Kind::Null || text.as_deref() == Some("")) {
        // nobody's address is not an address that many have
        return value.raw().to_owned();
    }
    match cover {
        Cover::Drop => "null".to_owned(),
        Cover::Mask => "\"[masked]\"".to_owned(),
        Cover::Length => {
            let n = text.map_or(value.raw().len(), |text| text.chars().count());
            format!("\"len:{n}\"")
        }
        Cover::Hmac(kind) => {
            let natural = text.unwrap_or(Cow::Borrowed(value.raw()));
            let natural = if kind == "person" { natural.trim().to_lowercase() } else { natural.into_owned() };
            // a value with a zero byte has no pseudonym, so it is masked
            key.item(kind, "*", &natural)
                .map_or_else(|_| "\"[masked]\"".to_owned(), |item| format!("\"hmac:{item}\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(cover: Cover, path: &str) -> Rule {
        Rule { cover, parts: path.split('.').map(str::to_owned).collect(), having: None }
    }

    fn apply(body: &str, rules: &[Rule]) -> String {
        let tape = Tape::read(body.as_bytes()).unwrap();
        String::from_utf8(redact(body.as_bytes(), &tape, rules, &ItemKey::new([1; 32])).into_owned()).unwrap()
    }

    #[test]
    fn every_other_byte_stays() {
        let body = r#"[ {"a" : "x\u0041", "b":{"c": [1, 2]}} , {"b":{"c":"yé"}, "a":7e1} ]"#;
        assert_eq!(
            apply(body, &[rule(Cover::Length, "a"), rule(Cover::Drop, "b.c")]),
            r#"[ {"a" : "len:2", "b":{"c": null}} , {"b":{"c":null}, "a":"len:3"} ]"#
        );
        assert_eq!(apply(body, &[rule(Cover::Mask, "**.c")]).matches("[masked]").count(), 2);
        assert_eq!(apply(body, &[rule(Cover::Mask, "c"), rule(Cover::Drop, "a.b")]), body);
    }

    #[test]
    fn the_outer_of_two_hits_wins() {
        let rules = [rule(Cover::Mask, "b.c"), rule(Cover::Drop, "b"), rule(Cover::Mask, "b")];
        assert_eq!(apply(r#"{"b":{"c":1},"d":2}"#, &rules), r#"{"b":null,"d":2}"#);
    }

    #[test]
    fn a_person_has_one_pseudonym() {
        let rules = [rule(Cover::Hmac("person".into()), "e")];
        let one = apply(r#"{"e":"A@Example.org"}"#, &rules);
        assert_eq!(one, apply(r#"{"e":"a@example.org"}"#, &rules));
        assert!(one.starts_with(r#"{"e":"hmac:"#) && one.len() == 6 + 5 + 32 + 2, "{one}");
    }

    #[test]
    fn a_person_with_several_addresses_is_known_by_each() {
        let rules = [rule(Cover::Hmac("person".into()), "e")];
        let one = apply(r#"{"e":"a@example.org"}"#, &rules);
        let pseudonym = &one[5..one.len() - 1];
        let both = apply(r#"{"e":["b@example.org", "A@example.org"]}"#, &rules);
        assert!(both.ends_with(&format!(", {pseudonym}]}}")) && !both.contains('@'), "{both}");
        assert_eq!(apply(r#"{"e":[]}"#, &rules), r#"{"e":[]}"#);
    }

    #[test]
    fn nobody_has_no_pseudonym_that_many_would_share() {
        let body = r#"[{"e":null},{"e":""},{"e":"a@example.org"},{"e":" "},{}]"#;
        let covered = apply(body, &[rule(Cover::Hmac("person".into()), "e")]);
        let parts: Vec<&str> = covered.split("},{").collect();
        assert_eq!((parts[0], parts[1], parts[4]), (r#"[{"e":null"#, r#""e":"""#, "}]"));
        assert!(parts[2].starts_with(r#""e":"hmac:"#), "{covered}");
        // what is not empty is somebody's, whatever it says
        assert!(parts[3].starts_with(r#""e":"hmac:"#) && parts[3] != parts[2], "{covered}");
        // other covers hide that there is nothing
        assert_eq!(apply(r#"{"e":null}"#, &[rule(Cover::Mask, "e")]), r#"{"e":"[masked]"}"#);
    }

    #[test]
    fn only_values_that_have_the_words_are_covered_however_they_are_written() {
        let addresses = Rule { having: Some("@".into()), ..rule(Cover::Mask, "v") };
        let body = r#"[{"v":"a@b.example"},{"v":"a\u0040b.example"},{"v":"ROLE"},{"v":["x","c@d"]},{"v":7}]"#;
        let covered = r#"[{"v":"[masked]"},{"v":"[masked]"},{"v":"ROLE"},{"v":"[masked]"},{"v":7}]"#;
        assert_eq!(apply(body, std::slice::from_ref(&addresses)), covered);
        assert_eq!(addresses.to_string(), "mask v having @");
    }

    proptest! {
        #[test]
        fn bytes_outside_the_ranges_are_unchanged(
            values in proptest::collection::vec(("[abc]", "[ \n]{0,3}", any::<String>()), 1..8),
        ) {
            let objects: Vec<String> = values
                .iter()
                .map(|(key, space, text)| format!("{{{space}\"{key}\"{space}:{space}{}{space}}}", serde_json::json!(text)))
                .collect();
            let body = format!("[{}]", objects.join(" ,"));
            let wanted: Vec<String> = values
                .iter()
                .map(|(key, space, text)| {
                    let text = if key == "b" { "null".to_owned() } else { serde_json::json!(text).to_string() };
                    format!("{{{space}\"{key}\"{space}:{space}{text}{space}}}")
                })
                .collect();
            prop_assert_eq!(apply(&body, &[rule(Cover::Drop, "b")]), format!("[{}]", wanted.join(" ,")));
        }
    }
}
