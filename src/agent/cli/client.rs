//! From a configured client of OAuth 2.0 to one that can ask: its secret, its key and its certificate, or the statement of
//! somebody else.
//!
//! It asks nobody for a token.

use super::setup::{Found, bounded, chain};
use crate::{
    collect::{self, KeyError},
    config::client::{Certificate, Client, Known, Proof},
    secret::Secret,
};

/// Largest file of a certificate.
const CERTIFICATE_BYTES_MAX: u64 = 65_536;

/// The client of a source.
pub(super) fn client(name: &str, client: &Client, found: &mut Found) -> Option<collect::Client> {
    let hint = "put it into that variable or file, never into this one";
    let id = &client.id;
    match &client.proof {
        Proof::Secret(secret) => {
            let at = ["sources", name, "client", "secret"];
            let secret = found.secret(&at, secret, &format!("the secret of the client; {hint}"))?;
            Some(collect::Client::with_secret(id, secret))
        }
        Proof::Key { key, known } => {
            let at = ["sources", name, "client", "key"];
            let key = found.secret(&at, key, &format!("the private key of the client; {hint}"))?;
            signer(name, id, key, known.as_ref(), found)
        }
        Proof::Assertion(at) => match collect::Client::with_statement(id, at.clone()) {
            Ok(client) => Some(client),
            Err(error) => {
                let hint = "the file into which whoever signs for this client writes each new statement";
                let path = ["sources", name, "client", "assertion"];
                found.push(&path, chain(&error), "a statement that can be read", Some(hint.to_owned()));
                None
            }
        },
    }
}

fn signer(
    name: &str,
    id: &str,
    key: Secret,
    known: Option<&Known>,
    found: &mut Found,
) -> Option<collect::Client> {
    let made = match known {
        None => collect::Client::with_key(id, key, None),
        Some(Known::Id(key_id)) => collect::Client::with_key(id, key, Some(key_id)),
        Some(Known::Certificate(at)) => {
            collect::Client::with_certificate(id, key, &certificate(name, at, found)?)
        }
    };
    let error = match made {
        Ok(client) => return Some(client),
        Err(error) => error,
    };
    let (key, expected, hint) = match error {
        KeyError::Form | KeyError::Kind | KeyError::Curve => {
            let hint = "openssl genrsa 2048 makes one; give the source its public half";
            ("key", "the client's private key", hint)
        }
        KeyError::Certificate | KeyError::Stranger => {
            let hint = "openssl req -x509 -key KEY.pem -subj /CN=observance -days 365 makes one; give it to the source";
            ("certificate", "the certificate of the client's key", hint)
        }
    };
    found.push(&["sources", name, "client", key], error.to_string(), expected, Some(hint.to_owned()));
    None
}

/// What lies there; whether it is a certificate is seen with the key.
fn certificate(name: &str, at: &Certificate, found: &mut Found) -> Option<Vec<u8>> {
    let path = ["sources", name, "client", "certificate"];
    match at {
        Certificate::Secret(at) => {
            let hint = "the certificate of the client's key (PEM); it is no secret, and may be a file";
            found.secret(&path, at, hint).map(|secret| secret.expose().as_bytes().to_vec())
        }
        Certificate::File(file) => match bounded(file, CERTIFICATE_BYTES_MAX) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let what = format!("{}: {error}", file.display());
                found.push(&path, what, "the file of a certificate (PEM)", None);
                None
            }
        },
    }
}
