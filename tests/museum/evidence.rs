//! What entries bind, swapped or altered: bodies, tables, results, receipts, policies, collectors, sealed rows.
//!
//! Every manifest is made anew; where it helps, the operator's key and salts are used too.

use observance_record::{
    Digest, Item, json, results,
    table::Change,
    verdict::{ItemResult, State},
};

use super::{
    fails,
    forger::{Forged, bundle, keyed, said, salts, signer},
    holds,
};

fn altered(path: impl Fn(&str) -> bool, alter: impl Fn(&mut Vec<u8>)) -> Forged {
    let mut forged = bundle();
    let found = forged.payload.iter_mut().find(|(at, _)| path(at)).unwrap_or_else(|| panic!("no such file"));
    alter(found.1);
    forged
}

#[track_caller]
fn refused(forged: &Forged, proof: &str, what: &str) {
    fails(&said(&forged.files(), &keyed(), false), proof, what);
}

#[test]
fn a_body_swapped() {
    let forged = altered(|path| path.starts_with("data/artefacts/"), |bytes| bytes.push(b' '));
    refused(&forged, "artefacts", "is not the body that an exchange row of entry");
}

#[test]
fn two_bodies_exchanged() {
    let mut forged = bundle();
    let paths: Vec<String> =
        forged.payload.keys().filter(|path| path.starts_with("data/artefacts/")).take(2).cloned().collect();
    let (a, b) = (forged.payload[&paths[0]].clone(), forged.payload[&paths[1]].clone());
    forged.payload.insert(paths[0].clone(), b);
    forged.payload.insert(paths[1].clone(), a);
    refused(&forged, "artefacts", "is not the body");
}

#[test]
fn a_body_under_its_new_digest() {
    let mut forged = bundle();
    let path = forged.payload.keys().find(|path| path.starts_with("data/artefacts/")).unwrap().clone();
    let mut bytes = forged.payload.remove(&path).unwrap();
    bytes.push(b' ');
    let hex = Digest::of(&bytes).to_hex();
    forged.payload.insert(format!("data/artefacts/{}/{hex}", &hex[..2]), bytes);
    refused(&forged, "bag", "is missing");
}

/// Alters a row of the first run's repositories; with its salt made anew by who has the key of salts.
fn row_altered(with_salts: impl Fn(&Item, &[u8], usize, &mut [u8])) -> Forged {
    let mut forged = bundle();
    let run = forged.runs("repositories")[0];
    let path = format!("data/runs/{run:012}/repositories");
    let mut change = Change::decode(&forged.payload[&format!("{path}.table")]).unwrap();
    let (item, row) = change.put.iter_mut().nth(3).unwrap();
    let text = String::from_utf8(row.to_vec()).unwrap();
    *row = text.replace("\"disabled\":false", "\"disabled\":true ").into_bytes().into();
    assert_ne!(text.as_bytes(), &**row);
    with_salts(item, row, 3, forged.payload.get_mut(&format!("{path}.salts")).unwrap());
    forged.payload.insert(format!("{path}.table"), change.encode());
    forged
}

#[test]
fn a_table_altered() {
    let forged = row_altered(|_, _, _, _| ());
    refused(&forged, "ledger", "table repositories: its rows do not lead to the root");
    let forged = row_altered(|item, row, at, file| {
        file[at * 16..][..16].copy_from_slice(&salts().salt("repositories", item, row));
    });
    refused(&forged, "ledger", "table repositories: its rows do not lead to the root");
}

#[test]
fn a_row_left_out_and_one_too_many() {
    let table = |path: &str| path.ends_with("/members.table");
    let forged = altered(table, |bytes| {
        let mut change = Change::decode(bytes).unwrap();
        change.put.pop_first();
        *bytes = change.encode();
    });
    refused(&forged, "ledger", "other counts than the entry");
    let forged = altered(table, |bytes| {
        let mut change = Change::decode(bytes).unwrap();
        change.put.insert(Item::from_bytes([0; 16]), b"{}".as_slice().into());
        *bytes = change.encode();
    });
    refused(&forged, "ledger", "table members");
}

#[test]
fn numbers_that_claim_too_much() {
    for (kind, proof) in [("/members.table", "table members"), ("/GH-05.results", "policy GH-05")] {
        let forged = altered(|path| path.ends_with(kind), |bytes| bytes[8..16].fill(0xff));
        refused(&forged, "ledger", proof);
    }
    let forged = altered(|path| path.ends_with("/members.table"), |bytes| bytes[32..36].fill(0xff));
    refused(&forged, "ledger", "table members");
}

#[test]
fn salts_altered() {
    let forged = altered(|path| path.ends_with("/members.salts"), |bytes| bytes[0] ^= 1);
    refused(&forged, "ledger", "its rows do not lead to the root");
    let forged = altered(|path| path.ends_with("/members.salts"), |bytes| bytes.truncate(bytes.len() - 1));
    refused(&forged, "ledger", "its salts are not 16 bytes each");
    let forged = altered(|path| path.ends_with("/members.salts"), |bytes| bytes.truncate(bytes.len() - 16));
    refused(&forged, "ledger", "not one salt for each row put");
}

#[test]
fn a_result_altered() {
    let alter = |bytes: &mut Vec<u8>| {
        let mut said = results::decode(bytes).unwrap();
        said[0] = other();
        *bytes = results::encode(&said);
    };
    let forged = altered(|path| path.ends_with("/GH-01.results"), alter);
    refused(&forged, "ledger", "policy GH-01: its results do not lead to the root");
}

fn other() -> ItemResult {
    ItemResult::because(State::NotApplicable, "made.up".parse().unwrap())
}

/// The operator, who has the key, signs a verdict that does not follow: only judging again finds it.
#[test]
fn a_result_altered_by_the_operator() {
    let mut forged = bundle();
    let column = |run: u64| format!("data/runs/{run:012}/GH-08.results");
    let runs = forged.runs("changes");
    let run = runs.into_iter().rfind(|run| forged.payload.get(&column(*run)).is_some_and(|c| c.len() > 16));
    let run = run.unwrap();
    let path = column(run);
    let items = {
        let table = &forged.payload[&format!("data/runs/{run:012}/changes.table")];
        Change::decode(table).unwrap().put
    };
    let mut said_of = results::decode(&forged.payload[&path]).unwrap();
    assert_eq!(items.len(), said_of.len(), "a whole table of changes");
    said_of[0] = other();
    let root = results::root(items.keys().zip(&said_of));
    forged.payload.insert(path, results::encode(&said_of));
    let list = forged.body(run + 1)["list"].as_array_mut().unwrap();
    let policy = list.iter_mut().find(|said| said["policy"] == "GH-08").unwrap();
    policy["root"] = root.to_string().into();
    policy["passed"] = (policy["passed"].as_u64().unwrap() - 1).into();
    policy["not_applicable"] = (policy["not_applicable"].as_u64().unwrap() + 1).into();
    forged.sign(&signer());
    holds(&said(&forged.files(), &keyed(), false));
    let report = said(&forged.files(), &keyed(), true);
    fails(&report, "replay", "was recorded as not_applicable (made.up), and is passed ()");
}

#[test]
fn receipts_altered() {
    let receipts = |path: &str| path.ends_with("/receipts.jsonl");
    let forged = altered(receipts, |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replacen("\"took_ms\":0", "\"took_ms\":9", 1).into_bytes();
    });
    refused(&forged, "receipts", "are not those that entry");
    let forged = altered(receipts, |bytes| {
        // the last line, if it is not the only one
        let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n');
        bytes.truncate(last.map_or(0, |last| last + 1));
    });
    refused(&forged, "receipts", "are not those that entry");
    let forged = altered(|path| path.ends_with("/receipts.salts"), |bytes| bytes[0] ^= 1);
    refused(&forged, "receipts", "are not those that entry");
}

#[test]
fn receipts_that_are_said_not_to_be() {
    let mut forged = bundle();
    let run = *forged.runs("members").last().unwrap();
    forged.body(run)["receipts"]["n"] = 0.into();
    let folder = format!("data/runs/{run:012}/receipts.");
    forged.payload.retain(|path, _| !path.starts_with(&folder));
    forged.sign(&signer());
    refused(&forged, "receipts", "are not those that entry");
}

#[test]
fn a_policy_swapped() {
    let forged = altered(|path| path.ends_with(".rego"), |bytes| bytes.extend(b"# and more\n"));
    refused(&forged, "policies", "is not the file of policy");
    let forged = altered(
        |path| path.ends_with("/meta.json"),
        |bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            *bytes = text.replacen("\"contract\":1", "\"contract\":2", 1).into_bytes();
        },
    );
    refused(&forged, "policies", "as the log names it");
    let forged = altered(|path| path.starts_with("data/params/"), |bytes| bytes.extend(b" "));
    refused(&forged, "policies", "is not the file that the log names");
}

#[test]
fn a_policy_swapped_by_the_operator() {
    let mut forged = bundle();
    let seq = forged.of("policy")[0];
    let old: Digest = forged.entry(seq)["body"]["digest"].as_str().unwrap().parse().unwrap();
    let folder = format!("data/policies/{}/", old.to_hex());
    let mut meta: serde_json::Value =
        serde_json::from_slice(&forged.payload[&format!("{folder}meta.json")]).unwrap();
    meta["meta"]["title"] = "Something weaker".into();
    let meta = json::to_canonical(&meta).unwrap();
    let new = Digest::of(&meta);
    let files: Vec<(String, Vec<u8>)> = forged
        .payload
        .iter()
        .filter(|(path, _)| path.starts_with(&folder))
        .map(|(p, b)| (p.clone(), b.clone()))
        .collect();
    for (path, bytes) in files {
        forged.payload.remove(&path);
        let path = path.replace(&old.to_hex(), &new.to_hex());
        forged.payload.insert(path.clone(), if path.ends_with("/meta.json") { meta.clone() } else { bytes });
    }
    forged.body(seq)["digest"] = new.to_string().into();
    forged.sign(&signer());
    refused(&forged, "ledger", "is in force with another digest");
    for entry in &mut forged.entries {
        let text = entry.to_string().replace(&old.to_hex(), &new.to_hex());
        *entry = serde_json::from_str(&text).unwrap();
    }
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), true), "replay", "does not have the digest that the log names");
}

#[test]
fn a_collector_swapped() {
    let forged = altered(|path| path.starts_with("data/collectors/"), |bytes| bytes.extend(b"# and more\n"));
    refused(&forged, "collectors", "is not the file that the log names");
}

#[test]
fn a_sealed_row_altered() {
    let mut forged = bundle();
    for kind in ["config", "alert"] {
        let seq = forged.of(kind)[0];
        for file in ["row", "salt"] {
            let path = format!("data/sealed/{seq:012}/{file}");
            let real = forged.payload[&path].clone();
            forged.payload.get_mut(&path).unwrap()[0] ^= 1;
            refused(&forged, "tables", &format!("is not what entry {seq} binds"));
            forged.payload.insert(path, real);
        }
    }
    holds(&said(&forged.files(), &keyed(), false));
}

#[test]
fn something_more_beside_a_run() {
    let mut forged = bundle();
    let run = forged.runs("members")[0];
    forged.payload.insert(format!("data/runs/{run:012}/GH-99.results"), b"OBSRES01\0\0\0\0\0\0\0\0".to_vec());
    refused(&forged, "bound", "nothing in the log binds this file");
    let mut forged = bundle();
    forged.payload.insert("data/artefacts/00/".to_owned() + &"0".repeat(64), b"more".to_vec());
    refused(&forged, "bound", "nothing in the log binds this file");
}
