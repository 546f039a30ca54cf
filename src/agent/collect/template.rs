//! Fills `{org}` and `{repo.name}` into addresses and labels: substitution and percent-encoding, nothing else.
//!
//! It does not know what the names stand for; who fills a template looks them up.

use std::borrow::Cow;

use super::project::Path;

/// Text with places to fill.
#[derive(Debug, Clone)]
pub(super) struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Slot(Slot),
}

/// One place: `{name}` or `{alias.path}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// The record that is meant; none: the run's parameter in an address, the row's own record in a label.
    pub alias: Option<String>,
    /// The parameter's name or the path in the record.
    pub path: Path,
}

/// Why a template cannot be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfilled {
    /// The value is not there, or is not text or a number.
    Missing,
    /// The value would change the address it stands in (`.`, `..`), or holds a control character.
    Unsafe,
}

impl Template {
    /// Reads the places; `{{` and `}}` are braces; a name before the first dot that is in `aliases` means that record.
    pub(super) fn read(source: &str, aliases: &[&str]) -> Result<Self, &'static str> {
        let (mut parts, mut text) = (Vec::new(), String::new());
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, found) = rest.split_at(at);
            let (brace, after) = found.split_at(1);
            text.push_str(before);
            if let Some(after) = after.strip_prefix(brace) {
                text.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err("a } without its {");
            }
            let (slot, after) = after.split_once('}').ok_or("a { without its }")?;
            let slot = Slot::read(slot, aliases).ok_or("a place that is not {name} or {alias.path}")?;
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Slot(slot));
            rest = after;
        }
        text.push_str(rest);
        parts.push(Part::Text(text));
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The name of an address that code makes: nothing of it is filled.
    pub(super) fn named(source: &str) -> Self {
        Self { source: source.to_owned(), parts: Vec::new() }
    }

    /// As it stands in the manifest.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Its places, in order.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().filter_map(|part| match part {
            Part::Slot(slot) => Some(slot),
            Part::Text(_) => None,
        })
    }

    /// Fills it for an address: every value percent-encoded, every value also appended to `values`.
    pub(super) fn fill<'v>(
        &self,
        values: &mut Vec<String>,
        look_up: impl Fn(&Slot) -> Option<Cow<'v, str>>,
    ) -> Result<String, Unfilled> {
        let mut out = String::with_capacity(self.source.len() + 32);
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Slot(slot) => {
                    let value = look_up(slot).ok_or(Unfilled::Missing)?;
                    if matches!(value.as_ref(), "" | "." | "..") || value.contains(char::is_control) {
                        return Err(Unfilled::Unsafe);
                    }
                    encode(&mut out, &value);
                    values.push(value.into_owned());
                }
            }
        }
        Ok(out)
    }

    /// The place that is all of it.
    pub(super) fn only_slot(&self) -> Option<&Slot> {
        match self.parts.as_slice() {
            [Part::Text(before), Part::Slot(slot), Part::Text(after)]
                if before.is_empty() && after.is_empty() =>
            {
                Some(slot)
            }
            _ => None,
        }
    }

    /// Fills it as it is, for a place from which no value can break out; every value also appended to `values`.
    pub(super) fn plain(
        &self,
        values: &mut Vec<String>,
        look_up: impl Fn(&Slot) -> Option<String>,
    ) -> Result<String, Unfilled> {
        self.escaped(values, look_up, |_, value| Some(value.to_owned()))
    }

    /// Fills it for a place with rules of its own: `escape` is given what stands before a value, and the value; nothing of it may
    /// stand there if it gives nothing. Every value is also appended to `values`.
    pub(super) fn escaped(
        &self,
        values: &mut Vec<String>,
        look_up: impl Fn(&Slot) -> Option<String>,
        escape: impl Fn(&str, &str) -> Option<String>,
    ) -> Result<String, Unfilled> {
        let mut out = String::with_capacity(self.source.len() + 32);
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Slot(slot) => {
                    let value = look_up(slot).ok_or(Unfilled::Missing)?;
                    let escaped = escape(&out, &value).filter(|_| !value.contains(char::is_control));
                    out.push_str(&escaped.ok_or(Unfilled::Unsafe)?);
                    values.push(value);
                }
            }
        }
        Ok(out)
    }

    /// Fills it for people: values as they are, nothing where there is none.
    pub(super) fn label<'v>(&self, look_up: impl Fn(&Slot) -> Option<Cow<'v, str>>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Slot(slot) => out.push_str(&look_up(slot).unwrap_or_default()),
            }
        }
        out
    }
}

impl Slot {
    fn read(text: &str, aliases: &[&str]) -> Option<Self> {
        let aliased = text.split_once('.').filter(|(alias, _)| aliases.contains(alias));
        let (alias, path) = aliased.map_or((None, text), |(alias, path)| (Some(alias.to_owned()), path));
        let legal = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        Path::read(path).filter(|_| path.chars().all(legal)).map(|path| Self { alias, path })
    }
}

/// RFC 3986 section 2.3: all but the unreserved characters are encoded, so that no value can leave its place.
pub(super) fn encode(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, value: &str) -> Result<String, Unfilled> {
        let template = Template::read(template, &["repo"]).unwrap();
        template.fill(&mut Vec::new(), |_| Some(Cow::Owned(value.to_owned())))
    }

    #[test]
    fn a_value_cannot_leave_its_place() {
        assert_eq!(fill("/repos/{org}/x", "a b").unwrap(), "/repos/a%20b/x");
        assert_eq!(fill("/b/{repo.default_branch}", "release/1?x#é").unwrap(), "/b/release%2F1%3Fx%23%C3%A9");
        for unsafe_value in ["..", ".", "", "a\nb", "a\u{1f}b"] {
            assert_eq!(fill("/repos/{org}/x", unsafe_value), Err(Unfilled::Unsafe));
        }
    }

    #[test]
    fn places_name_a_record_or_a_parameter() {
        let template = Template::read("/{org}/{repo.owner.id}", &["repo"]).unwrap();
        let slots: Vec<_> = template.slots().map(|s| (s.alias.as_deref(), s.path.to_string())).collect();
        assert_eq!(slots, [(None, "org".to_owned()), (Some("repo"), "owner.id".to_owned())]);
        let braces = Template::read("{{app=\"{org}\"}}", &[]).unwrap();
        assert_eq!(braces.label(|_| Some("x".into())), "{app=\"x\"}");
        for wrong in ["{", "}", "{}", "{a b}", "a}{b}", "{a..b}", "{{a}", "{a}}", "{{{"] {
            assert!(Template::read(wrong, &[]).is_err(), "{wrong}");
        }
    }
}
