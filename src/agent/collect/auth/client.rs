//! A client of OAuth 2.0: its id, and the secret or the private key with which it proves itself.
//!
//! It asks nobody anything; `grant` does.

use observance_record::Instant;
use serde_json::json;

use super::jwt::{self, Algorithm, KeyError};
use crate::secret::Secret;

/// How long before now an assertion was made, and how long after now it holds: five minutes in all (RFC 7523 section 3).
const BEFORE_MS: i64 = 30_000;
const AFTER_MS: i64 = 240_000;

/// A client. Holds its secret or its key, which cannot be printed.
#[derive(Debug)]
pub struct Client {
    id: String,
    proof: Proof,
}

/// How a client proves itself.
#[derive(Debug)]
pub(super) enum Proof {
    /// By a secret that the source knows too.
    Secret(Secret),
    /// By signing (RFC 7523).
    Key(Signer),
}

/// What a client signs with.
#[derive(Debug)]
pub(super) struct Signer {
    key: Secret,
    key_id: Option<String>,
    algorithm: Algorithm,
}

impl Client {
    /// A client that shows a secret.
    pub fn with_secret(id: &str, secret: Secret) -> Self {
        Self { id: id.to_owned(), proof: Proof::Secret(secret) }
    }

    /// A client that signs with its private key (PEM, RSA or P-256), which the source knows by `key_id`.
    pub fn with_key(id: &str, key: Secret, key_id: Option<&str>) -> Result<Self, KeyError> {
        let algorithm = Algorithm::of(&key)?;
        let proof = Proof::Key(Signer { key, key_id: key_id.map(str::to_owned), algorithm });
        Ok(Self { id: id.to_owned(), proof })
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// How it proves itself.
    pub(super) const fn proof(&self) -> &Proof {
        &self.proof
    }
}

impl Signer {
    /// What proves at `now`, once, to whom the token is asked of that this client asks.
    pub(super) fn assertion(&self, id: &str, to: &str, once: &str, now: Instant) -> Result<Secret, KeyError> {
        let (since, until) = (jwt::s(now.plus_ms(-BEFORE_MS)), jwt::s(now.plus_ms(AFTER_MS)));
        let claims = json!({ "iss": id, "sub": id, "aud": to, "iat": since, "exp": until, "jti": once });
        jwt::signed(&self.key, self.algorithm, self.key_id.as_deref(), &claims)
    }

    /// What is itself the grant of a token in somebody's name (RFC 7523 section 2.1).
    pub(super) fn grant(
        &self,
        (id, subject, scope): (&str, &str, &str),
        to: &str,
        now: Instant,
    ) -> Result<Secret, KeyError> {
        let (since, until) = (jwt::s(now.plus_ms(-BEFORE_MS)), jwt::s(now.plus_ms(AFTER_MS)));
        let claims =
            json!({ "iss": id, "sub": subject, "scope": scope, "aud": to, "iat": since, "exp": until });
        jwt::signed(&self.key, self.algorithm, self.key_id.as_deref(), &claims)
    }
}
