//! The binary as an auditor calls it: exit codes, and folders that hold more than plain files.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use super::forger::{bundle, rogue, signer};
use crate::support::mini::{Files, bag, write};

/// The verifier's binary, built from what is tested: cargo hands a test the binaries of its own package only.
pub(crate) fn binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_observance")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "-p", "observance", "-p", "observance-verify"]);
        cargo.args(["--bin", "observance-verify", "--target-dir"]).arg(folder.parent().unwrap());
        if folder.file_name() == Some(OsStr::new("release")) {
            cargo.arg("--release");
        }
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        folder.join("observance-verify")
    })
}

fn verified(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(binary()).args(arguments).output().unwrap();
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

/// Writes a bundle below a new folder.
fn written(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    folder
}

fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().unwrap()
}

#[test]
fn a_bundle_that_holds_exits_with_0() {
    let real = written(&bundle().files());
    let vkey = signer().verifier().to_string();
    let pins = tempfile::tempdir().unwrap();
    for head in [0, 7, bundle().heads.len() - 1] {
        fs::write(pins.path().join(format!("{head}.txt")), bundle().note(head)).unwrap();
    }
    let (code, said) = verified(&[path(&real), "--key", &vkey, "--pin", path(&pins), "--replay"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("holds   acme.example/demo") && said.contains("re-performed"), "{said}");
    assert!(!said.contains("is not trusted") && !said.contains("no checkpoint from outside"), "{said}");
    fs::write(pins.path().join("key"), format!("{vkey}\n")).unwrap();
    let key = pins.path().join("key");
    let (code, said) = verified(&[path(&real), "--key", key.to_str().unwrap(), "--json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &report["conclusion"], &report["key_trusted"]),
        (Some(0), &"holds".into(), &true.into())
    );
}

#[test]
fn a_bundle_that_does_not_hold_exits_with_1() {
    let mut forged = bundle();
    forged.body(0)["vkey"] = rogue().verifier().to_string().into();
    forged.sign(&rogue());
    let folder = written(&forged.files());
    assert_eq!(verified(&[path(&folder)]).0, Some(0));
    let (code, said) = verified(&[path(&folder), "--key", &signer().verifier().to_string()]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("FAILS   ") && said.ends_with("ask for another\n"), "{said}");
}

#[test]
fn what_cannot_be_checked_exits_with_2() {
    let none = tempfile::tempdir().unwrap();
    let (code, said) = verified(&[path(&none)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("could not be checked"), "{said}");
    for arguments in [
        vec!["/nowhere/at/all"],
        vec![],
        vec![path(&none), "--key", "no+key"],
        vec![path(&none), "--key", "/nowhere"],
        vec![path(&none), "--pin", "/nowhere"],
    ] {
        let (code, said) = verified(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
    }
}

#[test]
fn links_devices_and_pipes_are_refused() {
    let good: Files = bag([("data/x".to_owned(), b"x".to_vec())].into());
    let tricks: [(&str, &dyn Fn(&Path)); 6] = [
        ("is neither a file nor a folder", &|folder| {
            fs::rename(folder.join("data/x"), folder.join("y")).unwrap();
            symlink("../y", folder.join("data/x")).unwrap();
        }),
        ("is neither a file nor a folder", &|folder| symlink("/etc", folder.join("data/etc")).unwrap()),
        ("is neither a file nor a folder", &|folder| symlink("nowhere", folder.join("data/gone")).unwrap()),
        ("is neither a file nor a folder", &|folder| {
            assert!(Command::new("mkfifo").arg(folder.join("data/pipe")).status().unwrap().success());
        }),
        ("is not a safe path", &|folder| {
            fs::write(folder.join(OsStr::from_bytes(b"data/\xff")), b"x").unwrap();
        }),
        ("lies deeper than any folder of a bundle", &|folder| {
            fs::create_dir_all(folder.join("data").join("d/".repeat(40))).unwrap();
        }),
    ];
    for (what, trick) in tricks {
        let folder = written(&good);
        trick(folder.path());
        let (code, said) = verified(&[path(&folder)]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(what), "{said}");
    }
}
