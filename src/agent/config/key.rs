//! `key`: where the log's keys are. The keys themselves are read by the room `key`.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    fault::Faults,
    node::{Fields, Node},
    reading::Reading,
};
use crate::secret::SecretRef;

const EXPECTED: &str =
    "a folder made by observance key new, or { signing, item, salts } as secret references";
/// Most epochs of salts.
const SALTS_MAX: usize = 1000;

/// Where the log's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A folder with mode 0700 that holds `signing.pem`, `item.key` and `salt-<epoch>.key`.
    Folder(PathBuf),
    /// One secret each, for orchestrators that mount or inject them.
    Secrets {
        /// The Ed25519 key, PKCS#8 PEM.
        signing: SecretRef,
        /// The key of pseudonyms, 64 hex.
        item: SecretRef,
        /// The key of salts of each epoch, 64 hex.
        salts: BTreeMap<u32, SecretRef>,
    },
}

pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<KeySource> {
    let node = fields.must("key", EXPECTED, &mut reading.faults)?;
    if node.is_map() {
        let source = secrets(node, &mut reading.faults)?;
        reading.given("key", "one secret each");
        return Some(source);
    }
    let folder = folder(node, reading)?;
    reading.given("key", &folder.display().to_string());
    Some(KeySource::Folder(folder))
}

/// A path, or `secret://file/PATH` for the same; anything that is not clearly a path is not repeated.
fn folder(node: &Node, reading: &mut Reading<'_>) -> Option<PathBuf> {
    let text = node.text(EXPECTED, &mut reading.faults)?;
    let (found, hint) = match text.parse() {
        Ok(SecretRef::File(path)) => return Some(PathBuf::from(path)),
        Ok(reference @ SecretRef::Env(_)) => (
            reference.to_string(),
            "one variable cannot hold three keys: name them as { signing: .., item: .., salts: { 1: .. } }",
        ),
        Err(_) if is_path(text) => return Some(reading.resolve(text)),
        Err(_) => ("a value that is no path (not shown)".to_owned(), "a key is never written into this file"),
    };
    node.refuse_as(found, EXPECTED, Some(hint), &mut reading.faults);
    None
}

/// Whether the text is surely a path and no key: a short line in which a folder is named.
fn is_path(text: &str) -> bool {
    let folder = text.contains('/') || text.len() <= 32;
    folder && !text.contains(['\n', '\0', '=', '+']) && !text.contains("://")
}

fn secrets(node: &Node, faults: &mut Faults) -> Option<KeySource> {
    let mut fields = node.fields(EXPECTED, faults)?;
    let signing = fields.must("signing", "secret://...", faults).and_then(|node| node.secret(faults));
    let item = fields.must("item", "secret://...", faults).and_then(|node| node.secret(faults));
    let salts = fields.must("salts", "{ 1: secret://... }", faults).and_then(|node| salts(node, faults));
    fields.done(faults);
    Some(KeySource::Secrets { signing: signing?, item: item?, salts: salts? })
}

fn salts(node: &Node, faults: &mut Faults) -> Option<BTreeMap<u32, SecretRef>> {
    let expected = "{ EPOCH: secret://... }, epochs counted from 1";
    let entries = node.entries(expected, faults)?;
    if entries.is_empty() || entries.len() > SALTS_MAX {
        node.refuse(expected, None, faults);
        return None;
    }
    let mut salts = BTreeMap::new();
    for entry in entries {
        let epoch = entry.key.parse::<u32>().ok().filter(|n| *n > 0 && n.to_string() == entry.key);
        let Some(epoch) = epoch else {
            entry.node.refuse_as("a key that is no epoch".to_owned(), expected, None, faults);
            continue;
        };
        if let Some(reference) = entry.node.secret(faults) {
            salts.insert(epoch, reference);
        }
    }
    Some(salts)
}
