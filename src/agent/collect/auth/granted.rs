//! What a credential may do: as the source says with its answers, and as an app's installation or a client is granted.
//!
//! It judges no right: those beyond reading are counted, and the count is a finding for whoever reads the run.

use std::{collections::BTreeSet, sync::PoisonError};

use crate::collect::{exchange::Session, http::Headers};

/// Scopes that are kept of what a credential is granted.
const SCOPES_MAX: usize = 100;
/// Longest word on when a credential ends, in bytes.
const EXPIRES_BYTES_MAX: usize = 64;

/// What the credential may do, as the source said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privileges {
    /// Did the source say?
    pub seen: bool,
    /// Each scope.
    pub granted: BTreeSet<String>,
    /// How many of them are more than reading, or are forbidden by the manifest.
    pub write: u64,
    /// When the credential ends, in the source's own words, if it says.
    pub expires: Option<String>,
}

/// What the source said that the credential may do.
#[derive(Debug, Default)]
pub(in crate::collect) struct Granted {
    last: String,
    /// Was it said at all?
    pub seen: bool,
    /// Each scope.
    pub scopes: BTreeSet<String>,
    /// When it ends, in the source's words.
    pub expires: Option<String>,
}

impl Granted {
    fn add<'s>(&mut self, scopes: impl Iterator<Item = &'s str>) {
        let words = scopes.map(str::trim).filter(|scope| !scope.is_empty());
        let room = SCOPES_MAX.saturating_sub(self.scopes.len());
        self.scopes.extend(words.take(room).map(str::to_owned));
    }
}

impl Session<'_> {
    /// What the run's credential may do.
    pub(in crate::collect) fn privileges(&self) -> Privileges {
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        let permissions = &self.manifest.permissions;
        let rights = self.door.rights();
        let write = granted.scopes.iter().filter(|scope| permissions.writes(scope)).count()
            + rights.values().filter(|access| access.as_str() != "read").count();
        let of_app = rights.iter().map(|(name, access)| format!("{name}:{access}"));
        Privileges {
            seen: granted.seen || !rights.is_empty(),
            granted: granted.scopes.iter().cloned().chain(of_app).collect(),
            write: u64::try_from(write).unwrap_or(u64::MAX),
            expires: granted.expires.clone(),
        }
    }

    /// Hears what an answer says of the credential.
    pub(in crate::collect) fn note_granted(&self, headers: &Headers) {
        let permissions = &self.manifest.permissions;
        let get = |name: &Option<String>| name.as_ref().and_then(|name| headers.get(name));
        if let Some(expires) = get(&permissions.expires).filter(|at| at.len() <= EXPIRES_BYTES_MAX) {
            let mut noted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.expires = Some(expires.to_owned());
        }
        let Some(scopes) = get(&permissions.granted) else { return };
        let mut noted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.seen && noted.last == scopes {
            return;
        }
        noted.seen = true;
        scopes.clone_into(&mut noted.last);
        noted.add(scopes.split(','));
    }

    /// Hears what a client is granted.
    pub(super) fn note_scopes<'s>(&self, scopes: impl Iterator<Item = &'s str>) {
        let mut noted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.seen = true;
        noted.add(scopes);
    }
}
