//! Proofs that whoever shows a token also holds the key that it was given for (DPoP, RFC 9449).
//!
//! The key is made for one token and lies in memory alone. It sends nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use observance_record::Instant;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::jwt;
use crate::{collect::http::Headers, secret::Secret};

/// The header in which a proof is shown.
pub(super) const HEADER: &str = "dpop";
/// What a source says that wants another proof.
pub(super) const ASKS: &str = "use_dpop_nonce";
/// The header in which a source says what the next proof must hold.
const NONCE: &str = "dpop-nonce";
/// Longest such word, in bytes.
const NONCE_BYTES_MAX: usize = 1_024;
/// Length of each coordinate of a public key, in bytes.
const HALF_BYTES: usize = 32;

/// Whoever proves: a key of its own, and what the sources said that proofs must hold.
pub(super) struct Prover {
    // the key and its signatures take their chance from the same place as TLS does
    random: SystemRandom,
    key: EcdsaKeyPair,
    jwk: Value,
    nonces: Mutex<BTreeMap<String, String>>,
}

impl std::fmt::Debug for Prover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prover(..)")
    }
}

impl Prover {
    /// A new key; none if there is no chance to be had.
    pub(super) fn new() -> Option<Self> {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok()?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).ok()?;
        // a point of the curve, not compressed: 4, x, y
        let (_, point) = key.public_key().as_ref().split_first()?;
        let (x, y) = point.split_at_checked(HALF_BYTES)?;
        let part = |half: &[u8]| URL_SAFE_NO_PAD.encode(half);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": part(x), "y": part(y) });
        Some(Self { random, key, jwk, nonces: Mutex::default() })
    }

    /// What proves one request, once; with a token also that it was given for this key.
    pub(super) fn proof(
        &self,
        (method, url): (&str, &Url),
        token: Option<&Secret>,
        (once, now): (&str, Instant),
    ) -> Option<Secret> {
        let mut to = url.clone();
        to.set_query(None);
        to.set_fragment(None);
        let mut claims = json!({ "jti": once, "htm": method, "htu": to.as_str(), "iat": jwt::s(now) });
        let members = claims.as_object_mut()?;
        if let Some(token) = token {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose().as_bytes()));
            members.insert("ath".to_owned(), hash.into());
        }
        if let Some(nonce) = self.nonces().get(&origin(url)) {
            members.insert("nonce".to_owned(), nonce.as_str().into());
        }
        let head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&head), part(&claims));
        let signature = self.key.sign(&self.random, text.as_bytes()).ok()?;
        Some(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    /// Hears what the next proof for this source must hold; was it something new?
    pub(super) fn hear(&self, url: &Url, headers: &Headers) -> bool {
        let Some(nonce) = headers.get(NONCE).filter(|nonce| nonce.len() <= NONCE_BYTES_MAX) else {
            return false;
        };
        let before = self.nonces().insert(origin(url), nonce.to_owned());
        before.as_deref() != Some(nonce)
    }

    fn nonces(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
