//! What every reader may know of a row without knowing its population: the reserved keys, which begin with `_`.
//!
//! All other keys are the source's, and only policies read them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{digest::Item, population::Outcome, time::Instant};

/// A row that is not a JSON object, or whose reserved keys are not what they must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row: {0}")]
pub struct RowError(String);

/// The reserved keys of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Reserved {
    /// What people call the item, now.
    #[serde(rename = "_name")]
    pub name: Option<String>,
    /// When the event happened; only rows of event populations have it.
    #[serde(rename = "_at")]
    pub at: Option<Instant>,
    /// The item whose event this is (the repository of a change).
    #[serde(rename = "_of")]
    pub of: Option<Item>,
    /// Steps of this row whose outcome was neither `present` nor `unchanged`.
    #[serde(rename = "_outcomes", default)]
    pub outcomes: BTreeMap<String, Outcome>,
}

impl Reserved {
    /// Reads them from a row's bytes.
    pub fn read(row: &[u8]) -> Result<Self, RowError> {
        serde_json::from_slice(row).map_err(|e| RowError(e.to_string()))
    }

    /// Was the row seen whole?
    pub fn is_whole(&self) -> bool {
        self.outcomes.values().all(|outcome| outcome.feeds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_keys_are_read_and_others_passed_over() {
        let row =
            br#"{"_name":"acme/web","_outcomes":{"protection":"forbidden"},"id":7,"size":1.5,"x":null}"#;
        let reserved = Reserved::read(row).unwrap();
        assert_eq!(reserved.name.as_deref(), Some("acme/web"));
        assert!(!reserved.is_whole());
        assert!(Reserved::read(br#"{"_outcomes":{"protection":"absent"}}"#).unwrap().is_whole());
        assert!(Reserved::read(br#"{"_at":"yesterday"}"#).is_err());
        assert!(Reserved::read(b"[]").is_err());
    }
}
