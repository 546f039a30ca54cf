//! Version 1 of every format, frozen: golden files are compared byte for byte and read back to the value they were
//! made of.
//!
//! What a compressor writes is not frozen: of packs only that the golden one opens.

use std::{collections::BTreeSet, fs, path::Path};

use observance_record::{
    Digest,
    checkpoint::Checkpoint,
    commit::Commit,
    entry::Entry,
    json,
    merkle::{Compact, leaf_hash},
    pack::{self, Artefact, Media, Role},
    results,
    slots::Due,
    table::{self, Change, Rows},
    tile,
};
use proptest::prelude::*;

use crate::support::{
    data::variable,
    golden,
    samples::{
        ORIGIN, at, bodies, body, item_key, repositories, repository, results as said, salt_key, signer,
    },
};

fn entry(name: &str, seq: u64) -> Entry {
    Entry { body: body(name), by: seq.min(1), seq, t: at(i64::try_from(seq).unwrap() * 1000) }
}

/// The samples as entries of one log, in their order.
fn entries() -> Vec<(&'static str, Entry)> {
    (0..).zip(bodies()).map(|(seq, (name, _))| (name, entry(name, seq))).collect()
}

fn path(name: &str) -> String {
    format!("formats/v1/{name}")
}

fn golden_entry(name: &str) -> Vec<u8> {
    let mut line = golden::read(&path(&format!("entries/{name}.json")));
    assert_eq!(line.pop(), Some(b'\n'));
    line
}

#[test]
fn entries_are_what_they_were() {
    for (name, entry) in entries() {
        let mut line = entry.encode().unwrap();
        line.push(b'\n');
        golden::check(&path(&format!("entries/{name}.json")), &line);
        assert_eq!(Entry::decode(&golden_entry(name)), Ok(entry), "{name}");
    }
}

#[test]
fn every_golden_entry_is_made_by_a_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats/v1/entries");
    let found = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let made = bodies().into_iter().map(|(name, _)| format!("{name}.json"));
    assert_eq!(found.collect::<BTreeSet<_>>(), made.collect::<BTreeSet<_>>());
}

#[test]
fn a_flipped_bit_of_an_entry_is_refused_or_is_another_entry() {
    for (name, entry) in entries() {
        let line = golden_entry(name);
        for at in 0..line.len() * 8 {
            let mut changed = line.clone();
            changed[at / 8] ^= 1 << (at % 8);
            if let Ok(read) = Entry::decode(&changed) {
                assert_ne!(read, entry, "{name}: bit {at}");
                assert_eq!(read.encode(), Ok(changed), "{name}: bit {at}");
            }
        }
    }
}

#[test]
fn a_cut_entry_is_refused() {
    for (name, _) in entries() {
        let line = golden_entry(name);
        for to in 0..line.len() {
            assert!(Entry::decode(&line[..to]).is_err(), "{name}: {to} bytes");
        }
    }
}

/// Commit 1 of a log whose commit 0 holds three entries.
fn commit() -> Commit {
    let line = |(_, entry): &(_, Entry)| entry.encode().unwrap();
    let lines: Vec<_> = entries().iter().take(5).map(line).collect();
    let mut before = Compact::new();
    before.extend(lines[..3].iter().map(|line| leaf_hash(line)));
    let packs = vec![b"a commit does not open its packs".to_vec(), vec![]];
    let mut commit = Commit { ordinal: 1, before, entries: lines[3..].to_vec(), note: vec![], packs };
    let after = commit.after();
    let head = Checkpoint { origin: ORIGIN.into(), size: after.size(), root: after.root() };
    commit.note = head.sign(&signer()).into_bytes();
    commit
}

#[test]
fn commits_and_their_notes_are_what_they_were() {
    let commit = commit();
    golden::check(&path("commit.bin"), &commit.encode().unwrap());
    golden::check(&path("checkpoint.txt"), &commit.note);
    golden::check(&path("vkey.txt"), format!("{}\n", signer().verifier()).as_bytes());
    golden::check(&path("bundle.bin"), &tile::bundle(commit.entries.iter().map(Vec::as_slice)).unwrap());
    let read = Commit::decode(&golden::read(&path("commit.bin"))).unwrap();
    assert_eq!(read, commit);
    let vkey = String::from_utf8(golden::read(&path("vkey.txt"))).unwrap().trim_end().parse().unwrap();
    assert_eq!(read.follows(1, &commit.before, ORIGIN, &[vkey]), Ok(commit.after()));
    let framed = golden::read(&path("bundle.bin"));
    assert_eq!(tile::unbundle(&framed).unwrap(), commit.entries);
}

#[test]
fn names_and_salts_are_what_they_were() {
    let person = item_key().item("person", "*", "ada@example.test").unwrap();
    let exchange = item_key().item("exchange", "4242", "rules\u{1f}1001\u{1f}1").unwrap();
    let mut text = format!("item repository 4242 1001 {}\n", repository("1001"));
    text += &format!("item person * ada@example.test {person}\n");
    text += &format!("item exchange 4242 rules<1F>1001<1F>1 {exchange}\n");
    for table in ["repositories", "exchange"] {
        let salt = salt_key().salt(table, &repository("1001"), b"{}");
        text += &format!("salt {table} 1001 {{}} {}\n", hex::encode(salt));
    }
    golden::check(&path("names.txt"), text.as_bytes());
}

#[test]
fn tables_are_what_they_were() {
    let (old, mut new) = (repositories(1), repositories(0));
    new.remove(&repository("1003"));
    let change = Change::between(&old, &new);
    golden::check(&path("table.bin"), &change.encode());
    assert_eq!(Change::decode(&golden::read(&path("table.bin"))), Ok(change.clone()));
    let mut rows = old.clone();
    change.apply(&mut rows).unwrap();
    assert_eq!(rows, new);
    let keyframe = Change::between(&Rows::new(), &old);
    golden::check(&path("table-keyframe.bin"), &keyframe.encode());
    let roots =
        [table::root("repositories", &old, &salt_key()), table::root("repositories", &new, &salt_key())];
    golden::check(&path("table-roots.txt"), format!("{}\n{}\n", roots[0], roots[1]).as_bytes());
}

#[test]
fn results_are_what_they_were() {
    let rows = repositories(0);
    let said = said(&rows);
    golden::check(&path("results.bin"), &results::encode(&said));
    assert_eq!(results::decode(&golden::read(&path("results.bin"))), Ok(said.clone()));
    let root = results::root(rows.keys().zip(&said));
    golden::check(&path("results-root.txt"), format!("{root}\n").as_bytes());
}

#[test]
fn the_policy_statement_is_what_it_was() {
    let file = Digest::of(b"package observance.gh_05\n");
    let statement =
        serde_json::json!({"meta": {"id": "GH-05"}, "files": {"gh_05.rego": file}, "contract": 1});
    golden::check(&path("policy-meta.json"), &json::to_canonical(&statement).unwrap());
}

fn artefacts() -> Vec<Artefact> {
    let body = b"{\"approvals\":1}".repeat(30_000);
    let mut made = vec![
        Artefact::new(Role::Body, Media::Json, body),
        Artefact::new(Role::Receipts, Media::JsonLines, b"{\"at_ms\":1,\"i\":0}\n".to_vec()),
        Artefact::new(Role::TablePopulation, Media::Bytes, Change::default().encode()),
        Artefact::new(Role::TablePopulation, Media::Bytes, Change::default().encode()).numbered(258),
        Artefact::new(Role::Manifest, Media::Text, Vec::new()),
        Artefact::new(Role::Body, Media::Html, b"<html>502</html>".to_vec()),
    ];
    made.sort_by_key(|artefact| (artefact.digest(), artefact.role, artefact.which));
    made
}

#[test]
fn the_golden_pack_opens() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/formats/v1/pack.bin");
    if variable("OBSERVANCE_BLESS").is_some() && !file.exists() {
        fs::write(&file, pack::encode(&[0x77; 32], &artefacts()).unwrap()).unwrap();
    }
    assert_eq!(pack::decode(&golden::read(&path("pack.bin"))), Ok(artefacts()));
    let again = pack::encode(&[0x77; 32], &artefacts()).unwrap();
    assert_eq!(pack::decode(&again), Ok(artefacts()));
}

#[test]
fn a_flipped_bit_of_a_golden_object_is_noticed() {
    let flipped = |name: &str, check: &dyn Fn(&[u8])| {
        let whole = golden::read(&path(name));
        for at in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[at / 8] ^= 1 << (at % 8);
            check(&changed);
        }
    };
    let keys = [signer().verifier()];
    flipped("checkpoint.txt", &|bytes| assert!(Checkpoint::open(bytes, &keys).is_err()));
    flipped("table.bin", &|bytes| {
        assert!(Change::decode(bytes).map_or(true, |read| read.encode() == bytes));
    });
    flipped("results.bin", &|bytes| {
        assert!(results::decode(bytes).map_or(true, |read| results::encode(&read) == bytes));
    });
    // the nonce is bound by the pack's own digest alone; opening a pack is slow, so one bit of each byte must do
    let whole = golden::read(&path("pack.bin"));
    for at in (0..whole.len()).filter(|at| !(8..40).contains(at)) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(pack::decode(&changed).is_err(), "byte {at}");
    }
}

proptest! {
    #[test]
    fn due_instants_read_as_they_are_written(triples in prop::collection::vec(
        prop::array::uniform3(prop_oneof![0_i64..4, Just(1_800_000_000), any::<i64>()]), 0..4,
    )) {
        let text = serde_json::to_string(&triples).unwrap();
        if let Ok(due) = serde_json::from_str::<Due>(&text) {
            prop_assert_eq!(serde_json::to_string(&due).unwrap(), text);
        }
    }
}
