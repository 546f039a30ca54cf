//! A client's certificate: by which thumbprint a source knows it, and that it is of the client's own key.
//!
//! It trusts no certificate and reads nothing of it but its key: what one is worth, and until when, the source decides.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{
    pki_types::{CertificateDer, pem::PemObject as _},
    server::ParsedCertificate,
};
use sha2::{Digest as _, Sha256};

use super::jwt::{self, KeyError};
use crate::secret::Secret;

/// The SHA-256 of the first certificate of a text, as the parameter `x5t#S256` has it (RFC 7515 section 4.1.8).
pub(super) fn thumbprint(key: &Secret, pem: &[u8]) -> Result<String, KeyError> {
    let certificate = CertificateDer::from_pem_slice(pem).map_err(|_malformed| KeyError::Certificate)?;
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate));
    let read = ParsedCertificate::try_from(&certificate).map_err(|_unreadable| KeyError::Certificate)?;
    let signing = jwt::signing(key)?.ok_or(KeyError::Kind)?;
    match signing.public_key() {
        Some(own) if own == read.subject_public_key_info() => Ok(thumbprint),
        Some(_) => Err(KeyError::Stranger),
        None => Err(KeyError::Kind),
    }
}
