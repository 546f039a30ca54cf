//! Test vectors that others published: Merkle proofs, a tiled log, Ed25519, canonical JSON.
//!
//! They are read from beside the repository (see `support::data`) and never copied into it.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::VerifyingKey;
use observance_record::{
    Digest, Root,
    checkpoint::Checkpoint,
    json::{Fault, Value as Canonical},
    merkle::{Hash, empty_root, leaf_hash, root_of, verify_consistency, verify_inclusion},
    note::VerifierKey,
    tile::{entries_path, tile, tile_path, unbundle},
};
use serde_json::Value;

use crate::support::data::{files, folder, json};

/// Tessera's test log signs with this key (its build_log.sh says so).
const TESSERA: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap_or_default()).unwrap()
}

/// A hash of another length than 32 cannot be said to us at all: that is a refusal.
fn hash(value: &Value) -> Option<Hash> {
    bytes(value).try_into().ok()
}

/// Some vectors say "don't care" where a root belongs, 12 bytes that only have to be equal or not; their digests are.
fn root(value: &Value) -> Root {
    Root::from_bytes(hash(value).unwrap_or_else(|| *Digest::of(&bytes(value)).as_bytes()))
}

fn proof(value: &Value) -> Option<Vec<Hash>> {
    value["proof"].as_array().map_or(Some(vec![]), |list| list.iter().map(hash).collect())
}

fn inclusion(v: &Value) -> Option<bool> {
    let (index, size) = (v["leafIdx"].as_u64()?, v["treeSize"].as_u64()?);
    Some(verify_inclusion(index, size, &hash(&v["leafHash"])?, &proof(v)?, &root(&v["root"])).is_ok())
}

fn consistency(v: &Value) -> Option<bool> {
    let (size1, size2) = (v["size1"].as_u64()?, v["size2"].as_u64()?);
    Some(verify_consistency(size1, size2, &root(&v["root1"]), &root(&v["root2"]), &proof(v)?).is_ok())
}

#[test]
fn merkle_proofs_hold_where_the_reference_says_so() {
    let Some(folder) = folder("vectors/merkle") else { return };
    let mut counted = 0;
    for (part, check) in [("inclusion", inclusion as fn(&Value) -> _), ("consistency", consistency)] {
        for path in files(&folder.join(part), "json") {
            let vector = json(&path);
            let holds = check(&vector).unwrap_or(false);
            assert_eq!(holds, !vector["wantErr"].as_bool().unwrap(), "{}", path.display());
            counted += 1;
        }
    }
    assert_eq!(counted, 196);
    println!("{counted} Merkle proofs agree");
}

#[test]
fn nothing_is_consistent_with_the_empty_tree() {
    assert!(verify_consistency(0, 0, &empty_root(), &empty_root(), &[]).is_err());
    assert!(verify_consistency(0, 1, &empty_root(), &Root::from_bytes(leaf_hash(b"")), &[]).is_err());
}

/// Entries to leaf hashes to tile to root to signed checkpoint, of a log of one partial tile.
fn rederive(log: &Path, size: u64, name: &str, key: &VerifierKey) {
    let note = fs::read(log.join(name)).unwrap();
    let signed = Checkpoint::open(&note, std::slice::from_ref(key)).unwrap();
    assert_eq!((signed.origin.as_str(), signed.size), ("example.com/log/testdata", size), "{name}");
    let mut leaves = Vec::new();
    if size > 0 {
        let bundle = fs::read(log.join(entries_path(0, size))).unwrap();
        leaves = unbundle(&bundle).unwrap().into_iter().map(leaf_hash).collect();
        assert_eq!(fs::read(log.join(tile_path(0, 0, size))).unwrap(), tile(&leaves), "{name}");
    }
    assert_eq!(leaves.len() as u64, size);
    assert_eq!(signed.root, root_of(leaves), "{name}");
}

#[test]
fn a_foreign_log_is_derived_again() {
    let Some(folder) = folder("vectors/tessera-log") else { return };
    let (log, key) = (folder.join("log"), TESSERA.parse().unwrap());
    for size in 0..=15 {
        rederive(&log, size, &format!("checkpoint.{size}"), &key);
    }
    rederive(&log, 15, "checkpoint", &key);
    let forged = fs::read_to_string(log.join("checkpoint.3")).unwrap().replacen("\n3\n", "\n4\n", 1);
    assert!(Checkpoint::open(forged.as_bytes(), &[key]).is_err());
}

fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = key.try_into().ok().and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let key = key.and_then(|key| VerifierKey::new("wycheproof", key).ok());
    key.zip(signature.try_into().ok()).is_some_and(|(key, signature)| key.verifies(message, &signature))
}

#[test]
fn ed25519_signatures_are_judged_as_wycheproof_says() {
    let Some(folder) = folder("vectors/wycheproof") else { return };
    let vectors = json(&folder.join("ed25519_test.json"));
    let mut counted = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let hex = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
        let key = hex(&group["publicKey"]["pk"]);
        for test in group["tests"].as_array().unwrap() {
            let found = verifies(&key, &hex(&test["msg"]), &hex(&test["sig"]));
            assert_eq!(found, test["result"] == "valid", "{}: {}", test["tcId"], test["comment"]);
            counted += 1;
        }
    }
    assert_eq!(Some(counted), vectors["numberOfTests"].as_u64());
}

#[test]
fn canonical_json_is_the_vectors_or_a_named_refusal() {
    let Some(folder) = folder("vectors/jcs") else { return };
    // RFC 8785 itself writes nulls and floats; an entry may hold neither, so the vectors that do are refused by name
    let expected = [
        ("arrays", Some(Fault::Null)),
        ("french", None),
        ("structures", Some(Fault::Float)),
        ("unicode", None),
        ("values", Some(Fault::Float)),
        ("weird", None),
    ];
    let found: Vec<_> = files(&folder.join("input"), "json");
    assert_eq!(found.len(), expected.len());
    for ((name, fault), path) in expected.into_iter().zip(found) {
        assert_eq!(path.file_stem().unwrap(), name);
        let read = Canonical::parse(&fs::read(&path).unwrap());
        let output = fs::read(folder.join("output").join(format!("{name}.json"))).unwrap();
        match (read, fault) {
            (Ok(value), None) => {
                assert_eq!(value.to_canonical(), output, "{name}");
                assert_eq!(Canonical::parse_canonical(&output), Ok(value));
            }
            (Err(error), Some(fault)) => assert_eq!(error.what, fault, "{name}"),
            (read, fault) => panic!("{name}: {read:?}, not {fault:?}"),
        }
    }
}
