//! Keycloak itself, run on loopback: a client with a secret and one with a key are granted tokens by a real server and read a
//! realm whole; who may not see is told so, and nothing passes for it.
//!
//! It proves nothing of Keycloak itself.

use std::{fs, path::Path, process::Command};

use crate::support::{
    program,
    stack::{Running, script},
};

const CONFIG: &str = "organisation: { name: Acme GmbH }
store: file:evidence
origin: acme.example/keycloak
key: keys
sources:
  keycloak: { params: { realm: acme }, base_url: \"BASE\", client: { id: CLIENT } }
";

#[track_caller]
fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One run by this client, with the code that it must end with.
#[track_caller]
fn collected(code: i32, (folder, base): (&Path, &str), client: &str, collector: &str) -> String {
    let config = CONFIG.replace("CLIENT", client).replace("BASE", base);
    fs::write(folder.join("observance.yaml"), config).unwrap();
    let secrets = [
        ("GOOD", "observance-secret"),
        ("BLIND", "blind-secret"),
        ("BARE", "bare-secret"),
        ("BAD", "wrong-secret"),
    ];
    let output = program::observance(folder, &["collect", collector], &secrets);
    let all = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert_eq!(output.status.code(), Some(code), "{client} {collector}\n{all}");
    assert!(!secrets.iter().any(|(_, secret)| all.contains(secret)), "a secret was printed: {all}");
    all
}

#[test]
fn a_realm_is_read_by_a_secret_and_by_a_key_and_nobody_sees_more_than_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let Some(server) = Running::start("keycloak", &[], top, "/realms/master") else { return };
    openssl(top, &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "client.pem"]);
    openssl(top, &["pkey", "-in", "client.pem", "-pubout", "-out", "client.pub"]);
    let public = top.join("client.pub");
    let filled = script("keycloak_realm.py").arg(&server.base).arg(&public).output().unwrap();
    assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
    assert!(program::observance(top, &["key", "new", "--out", "keys"], &[]).status.success());
    reads_all_of_it((top, &server.base));
    tells_who_may_not_see((top, &server.base));
}

fn reads_all_of_it(there: (&Path, &str)) {
    let key = format!("signer, key: \"secret://file{}\"", there.0.join("client.pem").display());
    for client in ["observance, secret: secret://env/GOOD", &key] {
        // two pages, and the source's own count
        let users = collected(0, there, client, "keycloak.users");
        assert!(users.contains("keycloak_users: 130 accounts, complete"), "{users}");
        let realm = collected(0, there, client, "keycloak.realm");
        assert!(realm.contains("keycloak_realms: 1 realm, complete"), "{realm}");
    }
    let clients = collected(0, there, "observance, secret: secret://env/GOOD", "keycloak.clients");
    assert!(clients.contains("keycloak_service_accounts: 4 accounts, complete"), "{clients}");
}

fn tells_who_may_not_see(there: (&Path, &str)) {
    let blind = collected(1, there, "blind, secret: secret://env/BLIND", "keycloak.users");
    assert!(blind.contains("0 accounts, partial (page.forbidden, proof.missing)"), "{blind}");
    // an empty list with status 200: only the count contradicts it
    let bare = collected(1, there, "bare, secret: secret://env/BARE", "keycloak.users");
    assert!(bare.contains("0 accounts, partial (count.differs)"), "{bare}");
    let refused = collected(1, there, "observance, secret: secret://env/BAD", "keycloak.realm");
    assert!(refused.contains("0 realms, partial"), "{refused}");
}
