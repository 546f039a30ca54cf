//! Files that entries name by plain digest, kept until an entry names them: policies, parameters, collectors.

use std::collections::BTreeMap;

use observance_record::{
    Digest,
    pack::{Artefact, Role},
};
use serde::Deserialize;

/// The files, by digest.
#[derive(Default)]
pub(super) struct Contents(BTreeMap<Digest, Vec<u8>>);

#[derive(Deserialize)]
struct Meta {
    files: BTreeMap<String, Digest>,
}

impl Contents {
    pub(super) fn take(&mut self, artefacts: &[Artefact]) {
        let kept = |artefact: &&Artefact| {
            matches!(artefact.role, Role::PolicyFile | Role::Manifest | Role::Reference)
        };
        for artefact in artefacts.iter().filter(kept) {
            self.0.insert(artefact.digest(), artefact.bytes().to_vec());
        }
    }

    pub(super) fn get(&self, digest: Digest) -> Option<&[u8]> {
        self.0.get(&digest).map(Vec::as_slice)
    }

    /// The files that a policy's `meta.json` lists.
    pub(super) fn policy_files(&self, digest: Digest) -> Option<BTreeMap<String, Digest>> {
        serde_json::from_slice(self.get(digest)?).ok().map(|meta: Meta| meta.files)
    }
}
