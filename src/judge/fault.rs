//! What is wrong with a policy or its parameters, and where.
//!
//! It finds nothing itself: the rooms that read collect all faults and hand them back at once.

use std::fmt;

/// One fault: where it stands, what was found, and what a person does next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file's path inside the policy; empty where it is not about a file (given parameters).
    pub file: String,
    /// Line, from 1; 0 where it is about the whole file.
    pub line: u32,
    /// Key path (`custom.empty`) or rule; empty where there is none.
    pub key: String,
    /// What was found and what was expected.
    pub what: String,
    /// The next step; empty where `what` already says it.
    pub hint: &'static str,
}

impl Fault {
    /// A fault without key and hint.
    pub(crate) fn at(file: &str, line: u32, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, key: String::new(), what: what.into(), hint: "" }
    }

    /// The same, at this key path or rule.
    pub(crate) fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// The same, with a next step.
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}", self.file)?;
            if self.line > 0 {
                write!(f, ":{}", self.line)?;
            }
            f.write_str(": ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, " (hint: {})", self.hint) }
    }
}
