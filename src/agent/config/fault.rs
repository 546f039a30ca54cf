//! Faults of a file that people write: where, what was found, what was expected, and a hint.
//!
//! It collects and prints; what is a fault is decided by the readers. No fault ever holds a secret: see [`shown`].

use std::{borrow::Cow, fmt};

use crate::text::{distance, visible};

/// Faults beyond this many are counted, not kept.
const FAULTS_MAX: usize = 100;
/// Longest piece of a file that is repeated in a fault, in characters.
const SHOWN_CHARS_MAX: usize = 60;
/// How the tokens and keys begin that are most often pasted into the wrong place.
const SECRET_BEGINNINGS: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "AKIA",
    "ASIA",
    "glpat-",
    "sk-",
    "whsec_",
    "eyJ",
    "-----BEGIN",
];

/// One thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line in the file, from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// The path of the key, as `sources.github.token` or `approvers[1]`; empty for the whole file.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// The next step, if there is an obvious one.
    pub hint: Option<String>,
}

/// All faults of one file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    file: String,
    list: Vec<Fault>,
    more: usize,
}

impl Faults {
    /// No faults yet in `file` (its name as the person gave it).
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// Adds one; beyond a hundred they are only counted.
    pub fn push(&mut self, fault: Fault) {
        if self.list.len() < FAULTS_MAX {
            self.list.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Whether none was found.
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The faults, by line, then by path.
    pub fn sorted(&self) -> Vec<&Fault> {
        let mut sorted: Vec<&Fault> = self.list.iter().collect();
        sorted.sort_by(|a, b| (a.line, &a.path).cmp(&(b.line, &b.path)));
        sorted
    }

    /// `value` if it could be read and nothing was wrong, else the faults.
    pub fn or<T>(mut self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            None if self.is_empty() => {
                // a reader gave up without saying why: that is our fault, and it must not pass for a good file
                self.push(Fault {
                    line: 0,
                    path: String::new(),
                    found: "a file that was refused without a reason".to_owned(),
                    expected: "a reason".to_owned(),
                    hint: Some("please report this as a bug".to_owned()),
                });
                Err(self)
            }
            Some(_) | None => Err(self),
        }
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.sorted() {
            write!(f, "{}", visible(&self.file))?;
            if fault.line > 0 {
                write!(f, ":{}", fault.line)?;
            }
            let gap = if fault.path.is_empty() { "" } else { "  " };
            writeln!(f, "{gap}{}", visible(&fault.path))?;
            writeln!(f, "  found     {}", visible(&fault.found))?;
            writeln!(f, "  expected  {}", visible(&fault.expected))?;
            if let Some(hint) = &fault.hint {
                writeln!(f, "  hint: {}", visible(hint))?;
            }
        }
        let n = self.list.len() + self.more;
        write!(f, "{n} fault{} in {}", if n == 1 { "" } else { "s" }, visible(&self.file))?;
        if self.more > 0 { write!(f, ", the first {FAULTS_MAX} shown") } else { Ok(()) }
    }
}

/// A piece of the file as it may be repeated: quoted, cut, and not at all if it looks like a secret.
pub fn shown(text: &str) -> String {
    if SECRET_BEGINNINGS.iter().any(|beginning| text.trim_start().starts_with(beginning)) {
        return format!("a text of {} characters that looks like a secret (not shown)", text.chars().count());
    }
    format!("\"{}\"", cut(text))
}

/// The first characters of a long text.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    text.char_indices().nth(SHOWN_CHARS_MAX).map_or(Cow::Borrowed(text), |(at, _)| {
        Cow::Owned(format!("{}...", text.get(..at).unwrap_or_default()))
    })
}

/// The known word nearest to what was written, if it is near enough to be meant.
pub fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written = cut(written).to_lowercase();
    let near = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (distance(&written, &word.to_lowercase()), word))
        .filter(|(steps, _)| *steps <= near)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let known = ["organisation", "origin", "store"];
        assert_eq!(nearest("organization", known), Some("organisation"));
        assert_eq!(nearest("Orign", known), Some("origin"));
        assert_eq!(nearest("webhook", known), None);
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "")), (3, 3, 3));
    }

    #[test]
    fn what_looks_like_a_secret_is_not_repeated() {
        assert!(!shown("ghp_abcdefghijkl").contains("abc"));
        assert_eq!(shown("acme"), "\"acme\"");
        assert!(shown(&"x".repeat(10_000)).len() < 100);
    }

    #[test]
    fn a_refusal_without_a_reason_is_a_fault_itself() {
        assert_eq!(Faults::new("f").or(Some(1)), Ok(1));
        assert_eq!(Faults::new("f").or(None::<i32>).unwrap_err().sorted().len(), 1);
    }

    #[test]
    fn faults_beyond_the_limit_are_counted() {
        let mut faults = Faults::new("f");
        for line in 1..=103 {
            faults.push(Fault {
                line,
                path: String::new(),
                found: String::new(),
                expected: String::new(),
                hint: None,
            });
        }
        assert!(faults.to_string().ends_with("103 faults in f, the first 100 shown"));
    }
}
