//! A client of OAuth 2.0: its id, and what it proves itself with: a secret, a private key, or a statement of somebody whom the
//! source believes.
//!
//! It asks nobody anything; `grant` does.

use observance_record::Instant;
use serde_json::{Value, json};

use super::{
    certificate,
    jwt::{self, Algorithm, KeyError},
};
use crate::secret::{Secret, SecretError, SecretRef};

/// How long before now an assertion was made, and how long after now it holds: five minutes in all (RFC 7523 section 3).
const BEFORE_MS: i64 = 30_000;
const AFTER_MS: i64 = 240_000;

/// How the head of a statement names a key that the source knows by an id (RFC 7515 section 4.1.4).
const KEY_ID: &str = "kid";
/// How it names one that the source knows by a certificate (RFC 7515 section 4.1.8).
const THUMBPRINT: &str = "x5t#S256";

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
    /// By what somebody else signs for it (RFC 7521 section 4.2), as it lies there at each time.
    Statement(SecretRef),
}

/// What a client signs with.
#[derive(Debug)]
pub(super) struct Signer {
    key: Secret,
    /// By what the source knows the key: a parameter of the head, and its value.
    by: Option<(&'static str, String)>,
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
        let by = key_id.map(|key_id| (KEY_ID, key_id.to_owned()));
        Ok(Self { id: id.to_owned(), proof: Proof::Key(Signer { key, by, algorithm }) })
    }

    /// A client that signs with its private key (PEM, RSA), which the source knows by a certificate (PEM): with PS256, as
    /// Microsoft Entra asks for.
    pub fn with_certificate(id: &str, key: Secret, certificate: &[u8]) -> Result<Self, KeyError> {
        jwt::check(&key)?;
        let by = Some((THUMBPRINT, certificate::thumbprint(&key, certificate)?));
        let proof = Proof::Key(Signer { key, by, algorithm: Algorithm::Ps256 });
        Ok(Self { id: id.to_owned(), proof })
    }

    /// A client that shows what somebody else signs for it, read anew each time: such a statement ends soon, and the next one
    /// takes its place. It must be there now.
    pub fn with_statement(id: &str, statement: SecretRef) -> Result<Self, SecretError> {
        statement.read()?;
        Ok(Self { id: id.to_owned(), proof: Proof::Statement(statement) })
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
        let claims =
            json!({ "iss": id, "sub": id, "aud": to, "iat": since, "nbf": since, "exp": until, "jti": once });
        self.signed(&claims)
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
        self.signed(&claims)
    }

    fn signed(&self, claims: &Value) -> Result<Secret, KeyError> {
        let by = self.by.as_ref().map(|(name, value)| (*name, value.as_str()));
        jwt::signed(&self.key, self.algorithm, by, claims)
    }
}
