//! What the source said of the credential and of the limits that hold for it.
//!
//! It reads receipts, and asks nothing.

use std::collections::BTreeMap;

use observance_record::Instant;
use serde::{Deserialize, Serialize};

use crate::{run::once::Seen, text::visible};

/// What the credential may do, as far as the source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Did the source name its rights?
    pub named: bool,
    /// Those that are more than reading.
    pub writes: u64,
    /// All that were named.
    pub rights: Vec<String>,
    /// When it ends, in the source's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// What is left of the limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Requests left.
    pub left: u64,
    /// Of how many.
    pub of: u64,
    /// When it begins anew.
    pub until: Option<Instant>,
}

#[derive(Deserialize)]
struct Receipt {
    #[serde(default)]
    rate: BTreeMap<String, String>,
}

/// What all runs say of the token together.
pub fn token(seen: &[Seen<'_>]) -> Token {
    let said = seen.iter().map(|one| &one.collected.privileges).filter(|one| one.seen);
    let expires = seen.iter().find_map(|one| one.collected.privileges.expires.clone());
    let mut token = Token { named: false, writes: 0, rights: Vec::new(), expires };
    for privileges in said {
        token.named = true;
        token.writes = token.writes.max(privileges.write);
        token.rights.extend(privileges.granted.iter().cloned());
    }
    token.rights.sort();
    token.rights.dedup();
    token
}

impl Token {
    /// In words, for one line.
    pub fn words(&self) -> String {
        let rights = match (self.named, self.writes) {
            (false, _) => "token: names no rights (fine-grained, or an app's)".to_owned(),
            (true, 0) => "token: read-only".to_owned(),
            (true, n) => {
                let rights = self.rights.join(", ");
                format!("token: may WRITE ({n} of its rights: {rights}); a read-only one sees as much")
            }
        };
        let expires = self.expires.as_ref().map(|at| format!(" · ends {}", visible(at)));
        rights + &expires.unwrap_or_default()
    }
}

/// The limit as the newest receipt has it.
pub fn limit(seen: &[Seen<'_>]) -> Option<Limit> {
    let receipts = seen.iter().rev().flat_map(|one| one.collected.receipts.iter().rev());
    receipts.filter_map(|line| serde_json::from_slice::<Receipt>(line).ok()).find_map(|receipt| {
        let ending = |end: &str| {
            let (_, value) = receipt.rate.iter().find(|(name, _)| name.ends_with(end))?;
            value.parse::<u64>().ok()
        };
        let until = ending("-reset").and_then(|s| i64::try_from(s).ok()).map(Instant::from_s);
        Some(Limit { left: ending("-remaining")?, of: ending("-limit")?, until })
    })
}
