//! The statements with which apps and clients prove themselves: JSON Web Tokens (RFC 7519) signed with RS256, PS256
//! or ES256 (RFC 7518 sections 3.3 to 3.5).
//!
//! They are made by the same cryptography as TLS is. The key is read from its text for each signature, so that it lies in
//! memory only in the form that is wiped.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use observance_record::Instant;
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
    sign::SigningKey,
};
use serde_json::{Value, json};
use zeroize::Zeroize as _;

use crate::secret::Secret;

/// How far before now a statement begins, because the source's clock may be behind ours.
const BEFORE_MS: i64 = 60_000;
/// How long after now it holds; the vendor allows ten minutes from its beginning.
const AFTER_MS: i64 = 480_000;
/// Length of each half of an ES256 signature, in bytes.
const HALF_BYTES: usize = 32;

/// Why a key, or a certificate of it, is of no use. Never holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No private key in PEM.
    #[error("not a private key (PEM)")]
    Form,
    /// A key that does not sign with RS256, where nothing else is taken.
    #[error("not an RSA key of 2048 bits or more")]
    Kind,
    /// A key that signs neither with RS256 nor with ES256.
    #[error("neither an RSA key of 2048 bits or more nor one of the curve P-256")]
    Curve,
    /// No certificate in PEM.
    #[error("not a certificate (PEM)")]
    Certificate,
    /// A certificate of another key.
    #[error("a certificate of another key")]
    Stranger,
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSA with SHA-256.
    Rs256,
    /// RSA with SHA-256, its padding drawn by chance (PSS).
    Ps256,
    /// ECDSA of the curve P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// How this key signs.
    pub(super) fn of(key: &Secret) -> Result<Self, KeyError> {
        if sign(key, Self::Rs256, b"")?.is_some() {
            return Ok(Self::Rs256);
        }
        sign(key, Self::Es256, b"")?.map(|_signature| Self::Es256).ok_or(KeyError::Curve)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
        }
    }

    const fn scheme(self) -> SignatureScheme {
        match self {
            Self::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
            Self::Ps256 => SignatureScheme::RSA_PSS_SHA256,
            Self::Es256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        }
    }
}

/// Can this key sign with RS256, and so with PS256?
pub(super) fn check(key: &Secret) -> Result<(), KeyError> {
    sign(key, Algorithm::Rs256, b"")?.map(|_signature| ()).ok_or(KeyError::Kind)
}

/// What the issuer says now, signed with RS256.
pub(super) fn statement(key: &Secret, issuer: &str, now: Instant) -> Result<Secret, KeyError> {
    let claims = json!({ "iat": s(now.plus_ms(-BEFORE_MS)), "exp": s(now.plus_ms(AFTER_MS)), "iss": issuer });
    signed(key, Algorithm::Rs256, None, &claims)
}

/// An instant as a NumericDate (RFC 7519 section 2).
pub(super) const fn s(at: Instant) -> i64 {
    at.ms().div_euclid(1000)
}

/// Claims, signed; `by` is the parameter of the head that says with which of the issuer's keys, and its value.
pub(super) fn signed(
    key: &Secret,
    algorithm: Algorithm,
    by: Option<(&str, &str)>,
    claims: &Value,
) -> Result<Secret, KeyError> {
    let mut head = json!({ "alg": algorithm.name(), "typ": "JWT" });
    if let (Some(members), Some((name, value))) = (head.as_object_mut(), by) {
        members.insert(name.to_owned(), value.into());
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&head), part(claims));
    let signature = sign(key, algorithm, text.as_bytes())?.ok_or(KeyError::Curve)?;
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// The key, ready to sign; none if it is of a kind that is not known here.
pub(super) fn signing(key: &Secret) -> Result<Option<Arc<dyn SigningKey>>, KeyError> {
    let mut der =
        PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_malformed| KeyError::Form)?;
    let signing = any_supported_type(&der);
    der.zeroize();
    Ok(signing.ok())
}

/// A signature as a token has it; none if the key is of another kind.
fn sign(key: &Secret, algorithm: Algorithm, message: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
    let Some(signing) = signing(key)? else { return Ok(None) };
    let Some(signer) = signing.choose_scheme(&[algorithm.scheme()]) else { return Ok(None) };
    let signature = signer.sign(message).map_err(|_refused| KeyError::Curve)?;
    Ok(match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => Some(signature),
        Algorithm::Es256 => halves(&signature),
    })
}

/// The two numbers of an ECDSA signature (RFC 3279 section 2.2.3), one after the other as RFC 7518 section 3.4 has them.
fn halves(der: &[u8]) -> Option<Vec<u8>> {
    let [0x30, length, rest @ ..] = der else { return None };
    if usize::from(*length) != rest.len() {
        return None;
    }
    let (r, rest) = number(rest)?;
    let (s, rest) = number(rest)?;
    rest.is_empty().then(|| [r, s].concat())
}

/// A number from the front of DER, in as many bytes as a half has, and what follows.
fn number(der: &[u8]) -> Option<([u8; HALF_BYTES], &[u8])> {
    let [0x02, length, rest @ ..] = der else { return None };
    let (number, rest) = rest.split_at_checked(usize::from(*length))?;
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    let mut half = [0; HALF_BYTES];
    let at = HALF_BYTES.checked_sub(number.len())?;
    half.get_mut(at..)?.copy_from_slice(number);
    Some((half, rest))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::collect::tests::pki;

    #[test]
    fn openssl_verifies_what_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let key = pki::rsa_key(folder.path(), "app");
        let now = Instant::from_s(1_773_144_000);
        let token = statement(&key, "Iv23abc", now).unwrap();
        let (signed, signature) = token.expose().rsplit_once('.').unwrap();
        let (head, claims) = signed.split_once('.').unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(head).unwrap(), br#"{"alg":"RS256","typ":"JWT"}"#);
        let claims: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims, json!({ "iat": 1_773_143_940, "exp": 1_773_144_480, "iss": "Iv23abc" }));
        fs::write(folder.path().join("signed"), signed).unwrap();
        fs::write(folder.path().join("signature"), URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        pki::openssl(folder.path(), "rsa -in app.key -pubout -out app.pub");
        pki::openssl(folder.path(), "dgst -sha256 -verify app.pub -signature signature signed");
    }

    #[test]
    fn what_cannot_sign_is_told_without_the_key() {
        let folder = tempfile::tempdir().unwrap();
        pki::openssl(folder.path(), "genpkey -algorithm ed25519 -out ed.key");
        let ed = Secret::new(fs::read_to_string(folder.path().join("ed.key")).unwrap());
        assert_eq!(check(&ed), Err(KeyError::Kind));
        assert_eq!(check(&Secret::new("hush".to_owned())), Err(KeyError::Form));
        let pkcs8 = pki::rsa_key(folder.path(), "pkcs8");
        assert_eq!(check(&pkcs8), Ok(()));
        pki::openssl(folder.path(), "rsa -in pkcs8.key -traditional -out pkcs1.key");
        let pkcs1 = Secret::new(fs::read_to_string(folder.path().join("pkcs1.key")).unwrap());
        assert!(pkcs1.expose().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
        assert_eq!(check(&pkcs1), Ok(()));
    }
}
