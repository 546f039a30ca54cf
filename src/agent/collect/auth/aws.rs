//! Who asks AWS: keys, or the identity that the place it runs in gives it, and the role that each run assumes.
//!
//! It asks nobody anything; `assume` does. Keys that belong to the machine are not looked for: what asks is what is configured.

use crate::secret::SecretRef;

use super::sigv4::Keys;

/// Whoever asks, by keys that end with each run if there is a role.
#[derive(Debug)]
pub struct Aws {
    begins: Begins,
    role: Option<Role>,
}

/// A role that is assumed for each run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name among all: `arn:aws:iam::123456789012:role/observance`.
    pub arn: String,
    /// What its owner agreed on with whoever assumes it.
    pub external_id: Option<String>,
}

/// How the first keys are had.
#[derive(Debug)]
pub(super) enum Begins {
    /// They are configured.
    Keys(Keys),
    /// For a token that somebody else signed, who is believed there: it is read anew each time, as it ends and is replaced.
    Web {
        /// Where it is.
        token: SecretRef,
        /// The role that it is good for.
        role: String,
    },
}

impl Aws {
    /// Keys, and the role that they assume.
    pub const fn with_keys(keys: Keys, role: Option<Role>) -> Self {
        Self { begins: Begins::Keys(keys), role }
    }

    /// An outside identity, the role that it is good for, and perhaps another that is assumed from there.
    pub const fn with_web_identity(token: SecretRef, role: String, further: Option<Role>) -> Self {
        Self { begins: Begins::Web { token, role }, role: further }
    }

    /// How it begins.
    pub(super) const fn begins(&self) -> &Begins {
        &self.begins
    }

    /// What is assumed then.
    pub(super) const fn role(&self) -> Option<&Role> {
        self.role.as_ref()
    }

    /// May another attempt have other keys?
    pub(super) const fn renews(&self) -> bool {
        matches!(self.begins, Begins::Web { .. }) || self.role.is_some()
    }
}
