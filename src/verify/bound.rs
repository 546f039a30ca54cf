//! What entries bind by plain digests: policies with their files, parameters, collectors.

use std::collections::BTreeMap;

use observance_record::{Digest, entry::Policy, json};
use serde::{Deserialize, Serialize};

use crate::{bag::Bag, report::Failure};

/// `meta.json` of a policy: the bytes that its digest covers.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PolicyMeta {
    contract: u64,
    files: BTreeMap<String, Digest>,
    #[serde(rename = "meta")]
    _meta: serde_json::Value,
}

/// The files of a policy, by path, if they are those of its digest.
pub fn policy_files(bag: &Bag<'_>, policy: &Policy) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let dir = format!("data/policies/{}", policy.digest.to_hex());
    let path = format!("{dir}/meta.json");
    let refuse = |what: String| Failure::new("policies", path.clone(), what);
    let bytes = bag.read(&path)?;
    if Digest::of(&bytes) != policy.digest {
        return Err(refuse(format!("is not policy {} as the log names it", policy.id)));
    }
    let meta: PolicyMeta = json::from_canonical(&bytes).map_err(|e| refuse(e.to_string()))?;
    if meta.contract != 1 {
        return Err(Failure::unchecked(
            "policies",
            path,
            format!("speaks contract {}, not 1", meta.contract),
        ));
    }
    let mut files = BTreeMap::new();
    for (name, digest) in meta.files {
        let path = format!("{dir}/{name}");
        let bytes = bag.read(&path)?;
        if Digest::of(&bytes) != digest {
            return Err(Failure::new("policies", path, format!("is not the file of policy {}", policy.id)));
        }
        files.insert(name, bytes);
    }
    Ok(files)
}

/// A policy's parameters, if they are those that the log names.
pub fn params(bag: &Bag<'_>, policy: &Policy) -> Result<Vec<u8>, Failure> {
    named(bag, "policies", format!("data/params/{}.json", policy.params.to_hex()), policy.params)
}

/// A collector's file.
pub fn collector(bag: &Bag<'_>, digest: Digest) -> Result<Vec<u8>, Failure> {
    named(bag, "collectors", format!("data/collectors/{}.yaml", digest.to_hex()), digest)
}

fn named(bag: &Bag<'_>, proof: &'static str, path: String, digest: Digest) -> Result<Vec<u8>, Failure> {
    let bytes = bag.read(&path)?;
    if Digest::of(&bytes) == digest {
        Ok(bytes)
    } else {
        Err(Failure::new(proof, path, "is not the file that the log names"))
    }
}
