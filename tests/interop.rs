//! A real bundle in the hands of tools that we did not write: what CHECK.md says is run as it stands, and the reader that was
//! written from the formats' page alone agrees.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use observance_record::{checkpoint::Checkpoint, tile};

use crate::{
    demo,
    museum::{binary, real, verifier_key},
};

/// The commands of CHECK.md: blocks of lines that are indented by four.
fn commands(bundle: &Path) -> Vec<String> {
    let page = fs::read_to_string(bundle.join("CHECK.md")).unwrap();
    assert_eq!(page, fs::read_to_string("src/agent/bundle/CHECK.md").unwrap());
    let mut blocks = vec![String::new()];
    for line in page.lines() {
        match (line.strip_prefix("    "), blocks.last_mut().unwrap()) {
            (Some(command), block) => block.push_str(&format!("{command}\n")),
            (None, block) if !block.is_empty() => blocks.push(String::new()),
            (None, _) => (),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

fn sh(folder: &Path, script: &str) -> Output {
    Command::new("sh").args(["-euc", script]).current_dir(folder).output().unwrap()
}

#[track_caller]
fn runs(folder: &Path, script: &str) -> String {
    let Output { status, stdout, stderr } = sh(folder, script);
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success() && err.is_empty(), "{script}\n{out}{err}");
    out.into_owned()
}

#[test]
fn what_check_md_says_is_true() {
    let bundle = demo::half_year().bundle.as_path();
    let blocks = commands(bundle);
    let [verifier, sums, openssl, root, sample] = blocks.as_slice() else { panic!("{blocks:#?}") };

    let closing = tempfile::NamedTempFile::new().unwrap();
    fs::copy(bundle.join("data/log/checkpoint"), closing.path()).unwrap();
    let verifier = verifier
        .replace("observance-verify", binary().to_str().unwrap())
        .replace("VKEY", &verifier_key())
        .replace("CHECKPOINT", closing.path().to_str().unwrap());
    let said = runs(bundle, &verifier);
    assert!(said.starts_with("holds   ") && said.contains("verdicts equal"), "{said}");

    let said = runs(bundle, sums);
    let (checked, count) = said.trim_end().rsplit_once('\n').unwrap();
    let listed = checked.lines().count();
    assert!(checked.lines().all(|line| line.ends_with(": OK")), "{checked}");
    assert_eq!(count.trim().parse::<usize>().unwrap(), listed + 1);

    assert!(runs(bundle, openssl).contains("Signature Verified Successfully"));
    assert!(runs(bundle, root).ends_with("entries are those of the signed head\n"));
    let draw = || {
        let python = Command::new("python3")
            .args(["-c", sample, "changes", "4711", "25"])
            .current_dir(bundle)
            .output();
        let Output { status, stdout, stderr } = python.unwrap();
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    };
    assert_eq!((draw().lines().count(), draw()), (25, draw()), "the same seed draws the same sample");
    let again = runs(bundle, &sums.replace("sha256sum --check", "sha256sum --quiet --check"));
    assert_eq!(again.trim(), count.trim(), "checking leaves nothing behind");
}

#[test]
fn what_check_md_says_finds_what_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let copied = Command::new("cp").arg("-r").arg(&real().bundle).arg(&copy).status().unwrap();
    assert!(copied.success());
    let [_, sums, openssl, root, _] = commands(&copy).try_into().unwrap();
    let head = copy.join("data/log/checkpoint");
    let text = fs::read_to_string(&head).unwrap();
    fs::write(&head, text.replacen("acme", "acne", 1)).unwrap();
    assert!(!sh(&copy, &sums).status.success());
    assert!(!sh(&copy, &openssl).status.success());

    // manifests can be written anew; the signed root cannot
    fs::write(&head, text).unwrap();
    assert!(sh(&copy, &root).status.success());
    let tile = copy.join("data/log/tile/entries/000");
    let mut entries = fs::read(&tile).unwrap();
    let at = entries.windows(9).position(|bytes| bytes == b"\"genesis\"").unwrap();
    entries[at + 1] = b'G';
    fs::write(&tile, entries).unwrap();
    assert!(!sh(&copy, &root).status.success());
}

#[test]
fn python_reads_a_real_bundle() {
    let bundle = real().bundle.as_path();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reader.py");
    let mut command = Command::new("python3");
    command.args([script, "bundle"]).arg(bundle).arg(verifier_key());
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let found: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    let heads = fs::read(bundle.join("data/log/checkpoints")).unwrap();
    let key = verifier_key().parse().unwrap();
    let heads: Vec<_> = tile::unbundle(&heads)
        .unwrap()
        .iter()
        .map(|note| Checkpoint::open(note, std::slice::from_ref(&key)).unwrap())
        .map(|head| serde_json::json!([head.size, head.root.to_string()]))
        .collect();
    assert_eq!(found["checkpoints"], serde_json::Value::Array(heads));
    assert_eq!((&found["withheld"], &found["not_understood"]), (&0.into(), &serde_json::json!([])));
    let bound = found["roots"].as_object().unwrap();
    for kind in [
        "exchange",
        "receipt",
        "repositories",
        "members",
        "changes",
        "bypasses",
        "config",
        "alert",
        "GH-01",
        "GH-08",
    ] {
        assert!(bound.keys().any(|name| name.ends_with(&format!("/{kind}"))), "{kind}");
    }
}
