//! The real `ssh-keygen` signs; what it would refuse is refused here.

use std::{fs, process::Command};

use tempfile::TempDir;

use super::*;

/// Signs a file as people do; nothing if this machine has no `ssh-keygen`.
fn sign(folder: &Path, kind: &[&str], name: &str, namespace: &str) -> Option<PublicKey> {
    let key = folder.join(name);
    let keygen = || {
        let mut command = Command::new("ssh-keygen");
        command.current_dir(folder);
        command
    };
    let made = keygen().args(["-q", "-N", "", "-f", name, "-t"]).args(kind).status().ok()?;
    assert!(made.success());
    let signed =
        keygen().args(["-q", "-Y", "sign", "-n", namespace, "-f", name, "people.csv"]).output().unwrap();
    assert!(signed.status.success(), "{signed:?}");
    PublicKey::read(&fs::read_to_string(key.with_extension("pub")).unwrap())
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("people.csv"), "email\nann@acme.example\n").unwrap();
    folder
}

fn register(folder: &Path, keys: Vec<PublicKey>) -> Register {
    Register {
        path: folder.join("people.csv"),
        signer: Some(Signer { name: "people-lead".to_owned(), keys }),
    }
}

fn came_to(register: &Register) -> (u16, String) {
    let answer = register.answer(1 << 20).unwrap();
    let reason = answer.headers.get(REASON).or_else(|| answer.headers.get(SIGNED_BY)).unwrap_or_default();
    (answer.status, reason.to_owned())
}

#[test]
fn what_ssh_keygen_signs_is_believed_and_nothing_else() {
    for kind in [&["ed25519"][..], &["ecdsa", "-b", "256"], &["rsa", "-b", "2048"]] {
        let folder = folder();
        let Some(key) = sign(folder.path(), kind, "key", "observance") else {
            // where tests have to run, a tool that is not there is a failure
            assert!(option_env!("CI").is_none(), "no ssh-keygen");
            return;
        };
        let of = register(folder.path(), vec![key.clone()]);
        assert_eq!(came_to(&of), (200, "people-lead".to_owned()), "{kind:?}");
        assert_eq!(came_to(&register(folder.path(), Vec::new())), (403, why::SIGNATURE_FOREIGN.to_owned()));
        let signature = folder.path().join("people.csv.sig");
        let good = fs::read_to_string(&signature).unwrap();
        fs::write(of.path.clone(), "email\neve@acme.example\n").unwrap();
        assert_eq!(came_to(&of), (401, why::SIGNATURE_BAD.to_owned()));
        for cut in [0, 10, good.len() / 2, good.len() - 40] {
            fs::write(&signature, &good[..cut]).unwrap();
            assert_eq!(came_to(&of), (401, why::SIGNATURE_BAD.to_owned()));
        }
        fs::remove_file(&signature).unwrap();
        assert_eq!(came_to(&of), (401, why::SIGNATURE_MISSING.to_owned()));
        let Some(other) = sign(folder.path(), kind, "other", "git") else { return };
        assert_eq!(came_to(&register(folder.path(), vec![other])), (401, why::SIGNATURE_BAD.to_owned()));
    }
}

#[test]
fn only_an_ordinary_file_of_a_bounded_size_is_read() {
    let folder = folder();
    let of = |name: &str| Register { path: folder.path().join(name), signer: None };
    assert_eq!(came_to(&of("people.csv")).0, 200);
    assert_eq!(came_to(&of("none.csv")), (404, why::FILE_MISSING.to_owned()));
    assert_eq!(came_to(&of(".")), (404, why::FILE_UNREADABLE.to_owned()));
    assert_eq!(of("people.csv").answer(5).unwrap_err(), Broken::TooLarge);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("people.csv"), folder.path().join("link.csv")).unwrap();
        assert_eq!(came_to(&of("link.csv")), (404, why::FILE_UNREADABLE.to_owned()));
    }
}
