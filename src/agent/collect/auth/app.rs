//! A GitHub App: its id, its private key, and where it is installed if that is known.
//!
//! It asks nobody anything; `mint` does.

use super::jwt::{self, KeyError};
use crate::secret::Secret;
use observance_record::Instant;

/// A GitHub App. Holds its key, which cannot be printed.
#[derive(Debug)]
pub struct GithubApp {
    id: String,
    key: Secret,
    installation: Option<u64>,
}

impl GithubApp {
    /// An app by its id (or client id) and its private key (PEM, RSA). Without an installation, that of the organisation
    /// is looked for.
    pub fn new(id: &str, key: Secret, installation: Option<u64>) -> Result<Self, KeyError> {
        jwt::check(&key)?;
        Ok(Self { id: id.to_owned(), key, installation })
    }

    /// The installation, if it is known.
    pub(super) const fn installation(&self) -> Option<u64> {
        self.installation
    }

    /// What proves at `now` that the app asks.
    pub(super) fn statement(&self, now: Instant) -> Result<Secret, KeyError> {
        jwt::statement(&self.key, &self.id, now)
    }
}
