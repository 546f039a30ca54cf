//! `client`: who asks as a client of OAuth 2.0, and what proves it. It fetches no secret and opens no certificate.

use std::{fmt, path::PathBuf};

use super::{
    node::{Fields, Node},
    other::VALUE_BYTES_MAX,
    reading::Reading,
    source::secret,
};
use crate::secret::SecretRef;

/// What a client may be.
const FORMS: &str = "{ id: .., key: secret://.. }, { id: .., key: secret://.., certificate: FILE }, \
                     { id: .., secret: secret://.. } or { id: .., assertion: secret://file/.. }";

/// A client of OAuth 2.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// How it proves itself.
    pub proof: Proof,
}

/// How a client proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// By a secret.
    Secret(SecretRef),
    /// By signing with a private key (PEM).
    Key {
        /// The key.
        key: SecretRef,
        /// By what the source knows it, where that must be said.
        known: Option<Known>,
    },
    /// By what somebody else signs for it: a file that is read anew each time.
    Assertion(SecretRef),
}

/// By what a source knows a client's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// By an id.
    Id(String),
    /// By a certificate (PEM), which is no secret.
    Certificate(Certificate),
}

/// Where a certificate is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// In a file.
    File(PathBuf),
    /// Where secrets are.
    Secret(SecretRef),
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Secret(at) => at.fmt(f),
        }
    }
}

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Client> {
    let mut fields = node.fields(FORMS, &mut reading.faults)?;
    let id = fields.must("id", "the client's id", &mut reading.faults).and_then(|node| {
        let id = node.read("an id of visible characters", &mut reading.faults, visible)?;
        reading.given(node.path(), &id);
        Some(id)
    });
    let known = known(&mut fields, reading);
    let given = [fields.may("secret"), fields.may("key"), fields.may("assertion")];
    if let Some(second) = given.iter().flatten().nth(1) {
        let hint = "a key never leaves this machine: where there is one, keep it";
        let expected = "one of key, assertion and secret";
        second.refuse_as("a second proof".to_owned(), expected, Some(hint), &mut reading.faults);
        return None;
    }
    let proof = match given {
        [Some(node), ..] => secret(node, reading).map(Proof::Secret),
        [_, Some(node), _] => {
            let key = secret(node, reading);
            key.zip(known.clone()).map(|(key, known)| Proof::Key { key, known })
        }
        [.., Some(node)] => assertion(node, reading).map(Proof::Assertion),
        [None, None, None] => {
            let expected = "the client's private key (or its secret, or the assertion of somebody else), as \
                            secret://file/PATH or secret://env/NAME";
            fields.must("key", expected, &mut reading.faults)?;
            None
        }
    };
    if matches!(proof, Some(Proof::Secret(_) | Proof::Assertion(_)))
        && let Some(node) = fields.may("key_id").or_else(|| fields.may("certificate"))
    {
        node.refuse_as("without a key".to_owned(), "this with key alone", None, &mut reading.faults);
        return None;
    }
    fields.done(&mut reading.faults);
    known?;
    Some(Client { id: id?, proof: proof? })
}

/// The outer `None` only after a fault.
#[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
fn known(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Option<Known>> {
    let key_id = reading.or_none(fields, "key_id", String::clone, |node, faults| {
        node.read("an id of visible characters", faults, visible)
    });
    let certificate = certificate(fields, reading);
    match (key_id?, certificate?) {
        (Some(_), Some(_)) => {
            if let Some(node) = fields.may("certificate") {
                let expected = "key_id or certificate: a source knows a key by one of them";
                node.refuse_as("beside key_id".to_owned(), expected, None, &mut reading.faults);
            }
            None
        }
        (Some(id), None) => Some(Some(Known::Id(id))),
        (None, Some(certificate)) => Some(Some(Known::Certificate(certificate))),
        (None, None) => Some(None),
    }
}

/// A file, or a secret: some keep both halves in one place.
#[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
fn certificate(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Option<Certificate>> {
    let folder = reading.resolve("");
    let read = |text: &str| {
        if text.starts_with("secret://") {
            return text.parse().ok().map(Certificate::Secret);
        }
        (!text.contains('\0')).then(|| Certificate::File(folder.join(text)))
    };
    reading.or_none(fields, "certificate", Certificate::to_string, |node, faults| {
        node.read("the file of a certificate (PEM), or secret://file/PATH", faults, read)
    })
}

/// Only a file can change while the agent runs.
fn assertion(node: &Node, reading: &mut Reading<'_>) -> Option<SecretRef> {
    let at = secret(node, reading)?;
    if matches!(at, SecretRef::File(_)) {
        return Some(at);
    }
    let hint = "such a statement ends soon; whoever signs it writes the next one into the same file";
    let found = "a variable of the environment, which never changes".to_owned();
    node.refuse_as(found, "secret://file/PATH", Some(hint), &mut reading.faults);
    None
}

fn visible(text: &str) -> Option<String> {
    let whole = text.len() <= VALUE_BYTES_MAX && text.bytes().all(|b| (b'!'..=b'~').contains(&b));
    whole.then(|| text.to_owned())
}
