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

/// A new certificate authority, `<name>.pem` and `<name>.key`.
pub(in crate::collect) fn authority(folder: &Path, name: &str) {
    let key = format!("-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key");
    openssl(folder, &format!("req -x509 {key} -out {name}.pem -subj /CN={name} -days 3650"));
}

/// A certificate for this machine and `rebound.test`, `<name>.pem` and `<name>.key`, signed by the authority.
pub(in crate::collect) fn leaf(folder: &Path, name: &str, authority: &str) {
    let extensions =
        "subjectAltName=DNS:localhost,DNS:rebound.test,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    std::fs::write(folder.join("extensions"), extensions).unwrap();
    let key = format!("-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key");
    openssl(folder, &format!("req -new {key} -out {name}.csr -subj /CN=localhost"));
    let by = format!("-CA {authority}.pem -CAkey {authority}.key -CAcreateserial");
    openssl(folder, &format!("x509 -req -in {name}.csr {by} -days 3650 -extfile extensions -out {name}.pem"));
}
