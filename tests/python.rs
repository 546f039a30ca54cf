//! An independent reader in Python, written from the specification, agrees with the record on every root, and refuses
//! what was changed.
//!
//! A missing python3 or openssl is a failure: the promise is that anyone can check a bundle without our tools.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Output},
    thread,
};

use observance_record::{
    Digest,
    checkpoint::Checkpoint,
    commit::Commit,
    entry::Entry,
    ledger::Ledger,
    merkle::{leaf_hash, root_of},
    note::Signer,
    tile,
};
use serde_json::Value;

use crate::support::{
    golden,
    mini::{Files, Mini, bag, mini, tiles, write},
    samples::{ORIGIN, signer},
};

fn reader(arguments: &[&str]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reader.py");
    let mut command = Command::new("python3");
    command.arg(script).args(arguments).output().unwrap_or_else(|e| panic!("python3: {e}; install it"))
}

fn read(arguments: &[&str]) -> Value {
    let output = reader(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn python_agrees_on_every_root_of_a_bundle() {
    let (folder, mini) = (tempfile::tempdir().unwrap(), mini());
    write(folder.path(), &bag(mini.payload()));
    let vkey = signer().verifier().to_string();
    let found = read(&["bundle", folder.path().to_str().unwrap(), &vkey]);
    let roots: BTreeMap<_, _> = mini.roots.iter().map(|(name, root)| (name, root.to_string())).collect();
    assert_eq!(found["roots"], serde_json::to_value(&roots).unwrap());
    assert_eq!(roots.len(), 13);
    assert_eq!(found["checkpoints"], serde_json::to_value(&mini.heads).unwrap());
    assert_eq!(found["entries"], mini.entries.len());
    assert_eq!((&found["withheld"], &found["key"]), (&0.into(), &"given".into()));
    assert_eq!(found["not_understood"], serde_json::json!([]));
}

#[test]
fn the_ledger_follows_the_log_that_python_reads() {
    let mini = mini();
    let mut ledger = Ledger::default();
    for bytes in &mini.entries {
        ledger.push(&Entry::decode(bytes).unwrap(), &mini).unwrap();
    }
    assert_eq!(ledger.size(), mini.entries.len() as u64);
    assert!(ledger.foreign().is_empty() && ledger.stopped());
}

#[test]
fn python_takes_commits_apart() {
    let (folder, mini) = (tempfile::tempdir().unwrap(), mini());
    let commits = mini.commits.iter().cloned().chain([golden::read("formats/v1/commit.bin")]);
    for bytes in commits {
        let path = folder.path().join("commit");
        fs::write(&path, &bytes).unwrap();
        let commit = Commit::decode(&bytes).unwrap();
        let after = commit.after();
        let hexes =
            |list: &[Vec<u8>]| list.iter().map(|bytes| Digest::of(bytes).to_hex()).collect::<Vec<_>>();
        let expected = serde_json::json!({
            "ordinal": commit.ordinal,
            "before": commit.before.size(),
            "size": after.size(),
            "root": after.root(),
            "edge": commit.before.edge().iter().map(hex::encode).collect::<Vec<_>>(),
            "entries": hexes(&commit.entries),
            "packs": hexes(&commit.packs),
        });
        assert_eq!(read(&["commit", path.to_str().unwrap()]), expected);
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(!reader(&["commit", path.to_str().unwrap()]).status.success());
    }
}

/// Writes the log again after its entries were changed, as somebody without the key could: all but the signatures fits.
fn reseal(files: &mut Files, entries: &[Vec<u8>], heads: &[u64], by: &Signer) {
    files.retain(|path, _| !path.starts_with("data/log/tile/"));
    files.append(&mut tiles(entries));
    let note = |size: &u64| {
        let leaves = entries.iter().take(usize::try_from(*size).unwrap()).map(|entry| leaf_hash(entry));
        Checkpoint { origin: ORIGIN.into(), size: *size, root: root_of(leaves) }.sign(by).into_bytes()
    };
    let notes: Vec<_> = heads.iter().map(note).collect();
    files.insert("data/log/checkpoint".into(), notes.last().unwrap().clone());
    let notes = tile::bundle(notes.iter().map(Vec::as_slice)).unwrap();
    files.insert("data/log/checkpoints".into(), notes);
}

fn flip(files: &mut Files, path: &str, at: usize) {
    let bytes = files.get_mut(path).unwrap_or_else(|| panic!("{path}"));
    let at = if at < bytes.len() { at } else { bytes.len() - 1 };
    bytes[at] ^= 1;
}

/// A change to a bundle, and a part of what the reader must say of it.
type Forgery = (&'static str, &'static str, fn(&Mini, &mut Files));

/// Entry `seq` with a text replaced, everything sealed again with the log's own key: only its meaning is wrong.
fn rewrite(mini: &Mini, files: &mut Files, seq: usize, from: &str, to: &str) {
    let mut entries = mini.entries.clone();
    let changed = String::from_utf8(entries[seq].clone()).unwrap().replacen(from, to, 1);
    assert!(changed.as_bytes() != entries[seq], "{from} is not in entry {seq}");
    entries[seq] = changed.into_bytes();
    let heads: Vec<_> = mini.heads.iter().map(|(size, _)| *size).collect();
    reseal(files, &entries, &heads, &signer());
}

const FORGERIES: &[Forgery] = &[
    ("a changed entry", "entry 0 is not JSON", |_, files| flip(files, "data/log/tile/entries/000", 40)),
    ("a changed text of an entry", "tile 0 0", |_, files| flip(files, "data/log/tile/entries/000", 25)),
    ("a changed tile", "tile", |_, files| flip(files, "data/log/tile/1/000.p/1", 5)),
    ("a cut tail", "is missing", |mini, files| {
        let note = mini.heads.len() - 2;
        let notes = files["data/log/checkpoints"].clone();
        let earlier = tile::unbundle(&notes).unwrap()[note].to_vec();
        files.insert("data/log/checkpoint".into(), earlier);
    }),
    ("checkpoints in another order", "out of order", |_, files| {
        let notes = files["data/log/checkpoints"].clone();
        let mut notes = tile::unbundle(&notes).unwrap();
        notes.swap(1, 2);
        files.insert("data/log/checkpoints".into(), tile::bundle(notes).unwrap());
    }),
    ("another signer", "does not verify", |mini, files| {
        let note = String::from_utf8(files["data/log/checkpoint"].clone()).unwrap();
        let (text, _) = note.rsplit_once("\n\n").unwrap();
        let forged = Signer::new(ORIGIN, &[9; 32]).unwrap().sign(&format!("{text}\n"));
        // the other key's signature under this key's id
        let ours = note.trim_end().rsplit(' ').next().unwrap();
        let theirs = forged.trim_end().rsplit(' ').next().unwrap();
        let grafted = note.replace(&ours[6..], &theirs[6..]);
        let mut notes: Vec<_> =
            tile::unbundle(&files["data/log/checkpoints"]).unwrap().iter().map(|n| n.to_vec()).collect();
        notes[mini.heads.len() - 1] = grafted.clone().into_bytes();
        files.insert("data/log/checkpoint".into(), grafted.into_bytes());
        files.insert("data/log/checkpoints".into(), tile::bundle(notes.iter().map(Vec::as_slice)).unwrap());
    }),
    ("a log of another key", "not signed by", |mini, files| {
        let heads: Vec<_> = mini.heads.iter().map(|(size, _)| *size).collect();
        reseal(files, &mini.entries, &heads, &Signer::new(ORIGIN, &[9; 32]).unwrap());
    }),
    ("a repeated key", "repeats a key", |mini, files| {
        rewrite(mini, files, 9, "\"by\":1", "\"by\":1,\"by\":1");
    }),
    ("a space", "not canonical", |mini, files| rewrite(mini, files, 9, "\"by\":1", "\"by\": 1")),
    ("a float", "holds the number", |mini, files| {
        rewrite(mini, files, 9, "\"attempt\":1", "\"attempt\":1.0");
    }),
    ("an unknown field", "unknown field", |mini, files| {
        rewrite(mini, files, 9, "\"attempt\":1", "\"attempt\":1,\"attempts\":1");
    }),
    ("another place", "another seq", |mini, files| rewrite(mini, files, 9, "\"seq\":9", "\"seq\":8")),
    ("back-dating", "older than", |mini, files| rewrite(mini, files, 9, "\"t\":\"2027", "\"t\":\"2026")),
    ("a stranger's entry", "no writer", |mini, files| rewrite(mini, files, 9, "\"by\":1", "\"by\":3")),
    ("a changed count", "another root or other counts", |mini, files| {
        rewrite(mini, files, 10, "\"failed\":1", "\"failed\":0");
    }),
    ("a changed base", "has no base", |mini, files| rewrite(mini, files, 9, "\"base\":7", "\"base\":6")),
    ("another clock", "is of no run", |mini, files| {
        rewrite(mini, files, 10, "\"now\":\"2027-01-15T09", "\"now\":\"2027-01-15T08");
    }),
    ("a verdict that repeats another", "repeats one of other rows", |mini, files| {
        rewrite(mini, files, 14, "\"same\":10", "\"same\":8");
    }),
    ("a changed row", "another root", |_, files| {
        flip(files, "data/runs/000000000007/repositories.table", 60);
    }),
    ("a row that is gone", "another change", |_, files| {
        let table = files["data/runs/000000000009/repositories.table"].clone();
        files.insert("data/runs/000000000007/repositories.table".into(), table);
    }),
    ("a changed salt", "another root", |_, files| {
        flip(files, "data/runs/000000000009/repositories.salts", 3);
    }),
    ("a salt too many", "left over", |_, files| {
        files.get_mut("data/runs/000000000009/repositories.salts").unwrap().push(0);
    }),
    ("a change withheld", "is missing", |_, files| {
        files.remove("data/runs/000000000009/repositories.table");
    }),
    ("a receipt dropped", "other receipts", |_, files| {
        let path = "data/runs/000000000011/receipts.jsonl";
        let text = String::from_utf8(files[path].clone()).unwrap();
        files.insert(path.into(), text.split_inclusive('\n').next().unwrap().into());
    }),
    ("a changed result", "has", |_, files| flip(files, "data/runs/000000000009/GH-05.results", 16)),
    ("a changed configuration", "seals another row", |_, files| {
        flip(files, "data/sealed/000000000002/row", 0);
    }),
    ("a changed alert", "seals another row", |_, files| flip(files, "data/sealed/000000000012/row", 0)),
    ("another file under a digest", "is not what names it", |_, files| {
        let path = files.keys().find(|path| path.ends_with(".yaml")).unwrap().clone();
        flip(files, &path, 0);
    }),
    ("another policy file", "is not what names it", |_, files| {
        let path = files.keys().find(|path| path.ends_with(".rego")).unwrap().clone();
        flip(files, &path, 0);
    }),
    ("another artefact", "is not what names it", |_, files| {
        let path = files.keys().find(|path| path.starts_with("data/artefacts/")).unwrap().clone();
        flip(files, &path, 0);
    }),
];

fn refusal(files: &Files) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let output = reader(&["bundle", folder.path().to_str().unwrap(), &signer().verifier().to_string()]);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn python_refuses_every_forgery_even_under_fresh_manifests() {
    let mini = &mini();
    let refused = |(name, says, forge): &Forgery| {
        let mut files = mini.payload();
        forge(mini, &mut files);
        assert!(files != mini.payload(), "{name}");
        let said = refusal(&bag(files));
        assert!(said.contains(says), "{name}: {said}");
        assert!(said.starts_with("does not hold: Broken"), "{name}: {said}");
    };
    thread::scope(|scope| {
        for part in FORGERIES.chunks(FORGERIES.len().div_ceil(4)) {
            scope.spawn(move || part.iter().for_each(refused));
        }
    });
}

#[test]
fn python_refuses_a_bag_that_is_not_whole() {
    let whole = bag(mini().payload());
    let path = "data/runs/000000000007/exchange.salts";
    for (says, change) in [("is not what its manifest says", Some(vec![0; 16])), ("lists other files", None)]
    {
        let mut files = whole.clone();
        match change {
            Some(bytes) => files.insert(path.into(), bytes),
            None => files.remove(path),
        };
        assert!(refusal(&files).contains(says));
    }
    let mut files = whole;
    files.insert("data/more".into(), vec![]);
    assert!(refusal(&files).contains("lists other files"));
}

#[test]
fn python_says_what_is_withheld() {
    let (folder, mut files) = (tempfile::tempdir().unwrap(), mini().payload());
    files.retain(|path, _| !path.starts_with("data/artefacts/") && !path.starts_with("data/sealed/"));
    write(folder.path(), &bag(files));
    let found = read(&["bundle", folder.path().to_str().unwrap()]);
    assert_eq!((&found["withheld"], &found["key"]), (&5.into(), &"from inside the bundle".into()));
}
