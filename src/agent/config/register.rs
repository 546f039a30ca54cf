//! Sources that are files of the organisation, and `signers`: whose signatures under them count.
//!
//! It opens no file and checks no signature.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    fault::{Faults, nearest},
    node::{Fields, Node},
    reading::Reading,
    source::is_id,
};
use crate::sshsig::PublicKey;

/// Most signers.
const SIGNERS_MAX: usize = 100;
/// Most keys of one signer.
const KEYS_MAX: usize = 10;

/// A file that is read as a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// What its collector's id begins with.
    pub kind: String,
    /// Where it is.
    pub csv: PathBuf,
    /// Whose signature has to lie beside it; without one it is read unsigned, and every run says so.
    pub signed_by: Option<Signer>,
}

/// Somebody whose signature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The name in `signers`.
    pub name: String,
    /// His public keys, as OpenSSH writes them; any of them will do.
    pub keys: Vec<String>,
}

/// `signers: { people-lead: ssh-ed25519 AAAA.. }`, or a list of such keys.
pub(super) fn signers(
    fields: &mut Fields<'_>,
    reading: &mut Reading<'_>,
) -> Option<BTreeMap<String, Vec<String>>> {
    let Some(node) = fields.may("signers") else { return Some(BTreeMap::new()) };
    let expected = "public keys by name, as { people-lead: \"ssh-ed25519 AAAA..\" }";
    let entries = node.entries(expected, &mut reading.faults)?;
    if entries.len() > SIGNERS_MAX {
        node.refuse(expected, None, &mut reading.faults);
        return None;
    }
    let mut signers = BTreeMap::new();
    for entry in entries {
        if !is_id(&entry.key) {
            let expected = "a name of a-z, 0-9, - and _";
            entry.node.refuse_as("another name".to_owned(), expected, None, &mut reading.faults);
        } else if let Some(keys) = keys(&entry.node, reading) {
            signers.insert(entry.key.clone(), keys);
        }
    }
    (signers.len() == entries.len()).then_some(signers)
}

fn keys(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<String>> {
    let expected = "a public key of OpenSSH, as ssh-ed25519 AAAA..";
    let list =
        if node.is_list() { node.list(expected, &mut reading.faults)? } else { std::slice::from_ref(node) };
    if list.is_empty() || list.len() > KEYS_MAX {
        node.refuse("1 to 10 public keys", None, &mut reading.faults);
        return None;
    }
    let read: Vec<_> = list.iter().map(|node| key(node, expected, reading)).collect();
    read.into_iter().collect()
}

fn key(node: &Node, expected: &str, reading: &mut Reading<'_>) -> Option<String> {
    let text = node.text(expected, &mut reading.faults)?;
    let Some(key) = PublicKey::read(text) else {
        // somebody may have put the other half here
        let hint =
            "the line of the .pub file; ed25519 (also of a security key), P-256 and RSA can be checked";
        node.refuse_as("no such key (not shown)".to_owned(), expected, Some(hint), &mut reading.faults);
        return None;
    };
    reading.given(node.path(), &key.fingerprint());
    Some(text.to_owned())
}

pub(super) fn read(kind: &str, fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Register> {
    let csv = reading.path_or_none(fields, "csv", "a file as people.csv")?;
    let signers = reading.signers.clone();
    let signed_by = reading.or_none(
        fields,
        "signed_by",
        |signer: &Signer| signer.name.clone(),
        |node, faults| signer(node, &signers, faults),
    );
    Some(Register { kind: kind.to_owned(), csv: csv?, signed_by: signed_by? })
}

fn signer(node: &Node, signers: &BTreeMap<String, Vec<String>>, faults: &mut Faults) -> Option<Signer> {
    let expected = "a name that stands under signers";
    let name = node.text(expected, faults)?;
    let Some(keys) = signers.get(name) else {
        let near = nearest(name, signers.keys().map(String::as_str));
        let hint = near.map(|near| format!("did you mean {near}?"));
        node.refuse(expected, hint.as_deref(), faults);
        return None;
    };
    Some(Signer { name: name.to_owned(), keys: keys.clone() })
}
