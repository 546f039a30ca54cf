//! Keys and certificates for tests, made by `openssl` when they are needed: none lies in the repository.

use std::{path::Path, process::Command};

use crate::secret::Secret;

/// Runs `openssl` in a folder; arguments are parted by spaces. What it wrote to its output.
pub(in crate::collect) fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A new RSA key of 2048 bits, `<name>.key`.
pub(in crate::collect) fn rsa_key(folder: &Path, name: &str) -> Secret {
    openssl(folder, &format!("genrsa -out {name}.key 2048"));
    Secret::new(std::fs::read_to_string(folder.join(format!("{name}.key"))).unwrap())
}
