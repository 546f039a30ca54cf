//! The container forged: manifests that lie, files too many and too few, paths that would leave it.

use super::{
    fails,
    forger::{bundle, keyed, retag, said},
    holds,
};
use crate::support::mini::{Files, bag};

const MANIFEST: &str = "manifest-sha256.txt";
const TAGS: &str = "tagmanifest-sha256.txt";
const BODY: &str = "data/artefacts/";

/// The real bundle with something done to it; no manifest is made anew.
fn with(change: impl Fn(&mut Files)) -> Files {
    let mut files = bundle().files();
    change(&mut files);
    files
}

/// Rewrites a tag file; the tag manifest fits again.
fn rewritten(name: &str, rewrite: impl Fn(&str) -> String) -> Files {
    with(|files| {
        let text = String::from_utf8(files[name].clone()).unwrap();
        files.insert(name.to_owned(), rewrite(&text).into_bytes());
        if name != TAGS {
            retag(files);
        }
    })
}

#[track_caller]
fn refused(files: &Files, what: &str) {
    fails(&said(files, &keyed(), false), "bag", what);
}

fn a_body(files: &Files) -> String {
    files.keys().find(|path| path.starts_with(BODY)).unwrap().clone()
}

#[test]
fn a_file_changed_and_its_manifest_not() {
    for path in ["bagit.txt", "bag-info.txt", "index.html", "CHECK.md", MANIFEST, "data/log/checkpoint"] {
        refused(
            &with(|files| files.get_mut(path).unwrap().push(b'\n')),
            "is not the file that its manifest lists",
        );
    }
    let views = with(|files| {
        let path = a_body(files);
        files.get_mut(&path).unwrap().push(b' ');
    });
    refused(&views, "is not the file that its manifest lists");
}

#[test]
fn files_too_many() {
    let extra = |path: &'static str| with(move |files| drop(files.insert(path.to_owned(), b"more".to_vec())));
    for path in ["more.txt", "data/more.txt", "data/views/more.json", "data/runs/more"] {
        refused(&extra(path), "is listed in no manifest");
    }
    let mut forged = bundle();
    forged.payload.insert("data/more.txt".to_owned(), b"more".to_vec());
    fails(&said(&forged.files(), &keyed(), false), "bound", "nothing in the log binds this file");
    let mut derived = bundle();
    derived.payload.insert("data/views/more.json".to_owned(), b"{}".to_vec());
    holds(&said(&derived.files(), &keyed(), false));
}

#[test]
fn files_too_few() {
    for path in ["bagit.txt", "bag-info.txt", MANIFEST, "index.html", "data/log/vkey"] {
        refused(&with(|files| drop(files.remove(path))), &format!("{path}: is missing"));
    }
    refused(&with(|files| drop(files.remove(&a_body(files)))), "is missing");
    for (start, proof) in
        [(BODY, "bag"), ("data/runs/", "ledger"), ("data/sealed/", "bag"), ("data/policies/", "bag")]
    {
        let mut forged = bundle();
        let path = forged.payload.keys().find(|path| path.starts_with(start)).unwrap().clone();
        forged.payload.remove(&path);
        fails(&said(&forged.files(), &keyed(), false), proof, "is missing");
    }
    let none = said(&with(|files| drop(files.remove(TAGS))), &keyed(), false);
    assert!(none.failure.unwrap().unchecked, "a folder without a tag manifest is no bundle");
    let nothing = said(&Files::new(), &keyed(), false);
    assert!(nothing.failure.unwrap().unchecked);
}

#[test]
fn paths_that_would_surprise() {
    let there = |path: &str| {
        let path = path.to_owned();
        with(move |files| drop(files.insert(path.clone(), b"x".to_vec())))
    };
    let long = format!("data/{}", "a/".repeat(200) + "a");
    let unsafe_paths = [
        "../outside",
        "data/../../outside",
        "/etc/passwd",
        "data//x",
        "data/./x",
        "data\\x",
        "C:x",
        "data/a b",
        "data/\u{e4}",
        "data/x\u{202e}y",
        "data/x\ny",
        "~/x",
        "data/x\0",
        "",
        &long,
    ];
    for path in unsafe_paths {
        refused(&there(path), "is not a safe path");
        let line = format!("{}  {path}\n", "0".repeat(64));
        refused(&rewritten(MANIFEST, |text| format!("{text}{line}")), "is not `<sha256>  <path>`");
        refused(&rewritten(TAGS, |text| format!("{text}{line}")), "is not `<sha256>  <path>`");
    }
    refused(&there("Data/log/vkey"), "differs from another path in case only");
    refused(&there("INDEX.html"), "differs from another path in case only");
}

#[test]
fn manifests_that_lie() {
    let twice = |text: &str| format!("{text}{}\n", text.lines().next().unwrap());
    for name in [MANIFEST, TAGS] {
        refused(&rewritten(name, twice), "is not `<sha256>  <path>`");
        refused(&rewritten(name, |text| text.replace('\n', "\r\n")), "is not `<sha256>  <path>`");
        refused(&rewritten(name, |text| text.replacen("  ", " *", 1)), "is not `<sha256>  <path>`");
        refused(&rewritten(name, |text| text.replacen('\n', "\n\n", 1)), "line 2 is not");
        refused(&rewritten(name, str::to_uppercase), "is not `<sha256>  <path>`");
        refused(&rewritten(name, |text| format!("\u{feff}{text}")), "is not `<sha256>  <path>`");
        refused(
            &rewritten(name, |text| format!("{text}{}  data/nowhere\n", "0".repeat(64))),
            "data/nowhere: is ",
        );
    }
    refused(
        &rewritten(MANIFEST, |text| format!("{text}{}  index.html\n", "0".repeat(64))),
        "does not lie under data/",
    );
    let payload_among_tags = rewritten(TAGS, |text| format!("{text}{}  data/log/vkey\n", "0".repeat(64)));
    refused(&payload_among_tags, "is payload, and yet listed in");
    refused(&rewritten(TAGS, |text| format!("{text}{}  {TAGS}\n", "0".repeat(64))), "is missing");
    refused(&rewritten(TAGS, |_| String::new()), "is not `<sha256>  <path>`");
    let without = |text: &str| -> String {
        text.lines().filter(|line| !line.ends_with("bagit.txt")).map(|line| format!("{line}\n")).collect()
    };
    refused(&rewritten(TAGS, without), "bagit.txt");
}

#[test]
fn another_container() {
    refused(&rewritten("bagit.txt", |text| text.replace("1.0", "0.97")), "is not BagIt 1.0 in UTF-8");
    refused(&rewritten("bagit.txt", |text| text.replace("UTF-8", "UTF-16")), "is not BagIt 1.0 in UTF-8");
    refused(
        &rewritten("bag-info.txt", |text| text.replace("Payload-Oxum: ", "Payload-Oxum: 1")),
        "Payload-Oxum says",
    );
    refused(&rewritten("bag-info.txt", |text| text.replace('.', "")), "has no Payload-Oxum");
    refused(&rewritten("bag-info.txt", |_| String::new()), "has no Payload-Oxum");
}

#[test]
fn only_what_is_derived_may_be_another() {
    let mut files = bundle().files();
    files.insert("index.html".to_owned(), b"<p>nothing deviated".to_vec());
    files.insert("CHECK.md".to_owned(), b"trust us".to_vec());
    retag(&mut files);
    holds(&said(&files, &keyed(), false));
    let payload: Files = files.into_iter().filter(|(path, _)| path.starts_with("data/")).collect();
    holds(&said(&bag(payload), &keyed(), false));
}
