//! Tools that others wrote accept what the record writes: `openssl` a checkpoint's signature, `sha256sum` the manifests.
//!
//! A missing tool is a failure: these tests are the proof that nobody needs ours.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use observance_record::note::Note;

use crate::support::mini::{bag, mini, write};

/// DER of a SubjectPublicKeyInfo for Ed25519, before its 32 bytes (RFC 8410 section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn run(tool: &str, arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(tool);
    command.args(arguments).current_dir(folder);
    command.output().unwrap_or_else(|e| panic!("{tool}: {e}; install it"))
}

/// Writes text, signature and key where openssl finds them: the vkey's last part is `01 || key`.
fn lay_out(folder: &Path, note: &str, vkey: &str) {
    let text = Note::parse(note.as_bytes()).unwrap().text.to_owned();
    let line = note.trim_end().rsplit(' ').next().unwrap();
    let key = STANDARD.decode(vkey.trim_end().splitn(3, '+').nth(2).unwrap()).unwrap();
    let der = STANDARD.encode([&SPKI[..], &key[1..]].concat());
    fs::write(folder.join("text"), text).unwrap();
    fs::write(folder.join("signature"), &STANDARD.decode(line).unwrap()[4..]).unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
    fs::write(folder.join("key.pem"), pem).unwrap();
}

fn openssl(folder: &Path) -> bool {
    let arguments = "pkeyutl -verify -pubin -inkey key.pem -rawin -in text -sigfile signature";
    let output = run("openssl", &arguments.split(' ').collect::<Vec<_>>(), folder);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.success(), said.contains("Verified Successfully"), "{output:?}");
    output.status.success()
}

#[test]
fn openssl_verifies_a_checkpoint_and_refuses_another() {
    let folder = tempfile::tempdir().unwrap();
    let files = mini().payload();
    let text = |path: &str| String::from_utf8(files[path].clone()).unwrap();
    lay_out(folder.path(), &text("data/log/checkpoint"), &text("data/log/vkey"));
    assert!(openssl(folder.path()));
    let text = fs::read_to_string(folder.path().join("text")).unwrap();
    fs::write(folder.path().join("text"), text.replace("\n3", "\n4")).unwrap();
    assert!(!openssl(folder.path()));
}

#[test]
fn sha256sum_checks_every_file_of_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &bag(mini().payload()));
    for manifest in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        let output = run("sha256sum", &["-c", "--strict", "--quiet", manifest], folder.path());
        assert!(output.status.success(), "{output:?}");
    }
    fs::write(folder.path().join("data/log/vkey"), "other").unwrap();
    assert!(!run("sha256sum", &["-c", "--quiet", "manifest-sha256.txt"], folder.path()).status.success());
}
