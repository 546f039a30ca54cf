//! Looks a manifest over before it is believed: against what is never to be collected, and against the vendor's own
//! description of its interface, where there is one.
//!
//! It reads no file and asks no source. What the description does not tell is said to be unchecked, never held to be right.

mod contract;
mod never;

use serde_json::Value;

use super::{Manifest, StepOutline};

/// One thing that was found in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line in the file, from 1; 0 if the place is not known.
    pub line: u64,
    /// The step.
    pub step: String,
    /// How bad it is.
    pub weight: Weight,
    /// What is wrong, on what.
    pub what: String,
    /// What to do, or why it matters.
    pub hint: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The description does not tell: a cut-down one may lack it.
    Unchecked,
    /// Against the description, or against the rules.
    Fault,
}

/// Everything that is found in a manifest, by line; `text` is the file that it was read from. The second is how many
/// steps could be held against the description.
pub fn lint(manifest: &Manifest, text: &str, description: Option<&Value>) -> (Vec<Finding>, usize) {
    let steps = manifest.step_outlines();
    let mut found = Vec::new();
    let mut checked = 0;
    for step in &steps {
        let mut notes = never::check(step);
        // what sends nothing, or asks a directory, has nothing to be held against
        if let Some(description) = description.filter(|_| !matches!(step.verb, "INSIDE" | "SEARCH")) {
            let (wrong, known) = contract::check(step, description);
            checked += usize::from(known);
            notes.extend(wrong);
        }
        found.extend(notes.into_iter().map(|note| Finding {
            line: line(text, &step.id, &note.word),
            step: step.id.clone(),
            weight: note.weight,
            what: note.what,
            hint: note.hint,
        }));
    }
    found.sort_by_key(|finding| finding.line);
    (found, checked)
}

/// A finding that does not know its line yet.
struct Note {
    weight: Weight,
    /// A word that stands on the line.
    word: String,
    what: String,
    hint: String,
}

impl Note {
    fn fault(word: &str, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { weight: Weight::Fault, word: word.to_owned(), what: what.into(), hint: hint.into() }
    }
}

/// The line of `word` in the step `id`, else the step's own.
fn line(text: &str, id: &str, word: &str) -> u64 {
    let names = |line: &str| {
        let rest = line.trim_start().trim_start_matches("- ").trim_start_matches("{ ");
        rest.strip_prefix("id:").is_some_and(|rest| rest.split([' ', ',', '#']).any(|part| part == id))
    };
    let begins = |line: &str| line.trim_start().starts_with("- id:") || line.starts_with("populations:");
    let lines = || (1_u64..).zip(text.lines());
    let Some((first, _)) = lines().find(|(_, line)| names(line)) else { return 0 };
    let inside = lines().skip_while(|(n, _)| *n < first).take_while(|(n, line)| *n == first || !begins(line));
    let code = |line: &str| line.split(" #").next().unwrap_or_default().to_owned();
    let has = |line: &str| {
        let part =
            |c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '/' || c == '{' || c == '}');
        word.contains(part) && line.contains(word) || line.split(part).any(|token| token == word)
    };
    inside.into_iter().find(|(_, line)| has(&code(line))).map_or(first, |(n, _)| n)
}

/// Does a path of a manifest fit a pattern, where `{}` stands for any one part and a last `**` for all that follow?
fn fits(path: &str, pattern: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        match (wanted, parts.next()) {
            ("**", Some(_)) => return true,
            ("{}", Some(_)) => {}
            (literal, Some(part)) if literal == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

/// The path with what is filled in at run time replaced by `{}`.
fn pattern(step: &StepOutline) -> String {
    let part = |part: &str| if part.contains('{') { "{}".to_owned() } else { part.to_owned() };
    step.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
