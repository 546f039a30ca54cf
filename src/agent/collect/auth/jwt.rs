//! The statement with which an app proves itself: a JSON Web Token (RFC 7519) signed with RS256 (RFC 7518 section 3.3).
//!
//! It is made by the same cryptography as TLS is. The key is read from its text for each signature, so that it lies in
//! memory only in the form that is wiped.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use observance_record::Instant;
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
    sign::SigningKey,
};
use serde_json::json;
use zeroize::Zeroize as _;

use crate::secret::Secret;

/// How far before now a statement begins, because the source's clock may be behind ours.
const BEFORE_MS: i64 = 60_000;
/// How long after now it holds; the vendor allows ten minutes from its beginning.
const AFTER_MS: i64 = 480_000;
/// {"alg":"RS256","typ":"JWT"}
const HEAD: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";

/// Why a key cannot sign. Never holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No private key in PEM.
    #[error("not a private key (PEM)")]
    Form,
    /// A key that does not sign with RS256.
    #[error("not an RSA key of 2048 bits or more")]
    Kind,
}

/// Can this key sign?
pub(super) fn check(key: &Secret) -> Result<(), KeyError> {
    sign(key, b"").map(|_signature| ())
}

/// What the issuer says now, signed.
pub(super) fn statement(key: &Secret, issuer: &str, now: Instant) -> Result<Secret, KeyError> {
    let s = |at: Instant| at.ms().div_euclid(1000);
    let claims = json!({ "iat": s(now.plus_ms(-BEFORE_MS)), "exp": s(now.plus_ms(AFTER_MS)), "iss": issuer });
    let text = format!("{HEAD}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = sign(key, text.as_bytes())?;
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn sign(key: &Secret, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut der =
        PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_malformed| KeyError::Form)?;
    let signing = any_supported_type(&der);
    der.zeroize();
    let signing: std::sync::Arc<dyn SigningKey> = signing.map_err(|_refused| KeyError::Kind)?;
    let signer = signing.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or(KeyError::Kind)?;
    signer.sign(message).map_err(|_refused| KeyError::Kind)
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
