//! Keycloak itself, run on loopback: a client with a secret and one with a key are granted tokens by a real server and read a
//! realm whole; who may not see is told so, and nothing passes for it.
//!
//! It is started by `tests/stack/keycloak`, which `tests/setup` installs: elsewhere than in CI it runs only if
//! OBSERVANCE_KEYCLOAK is set, for it takes minutes.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{data::variable, program};

const PORT: &str = "27011";

const CONFIG: &str = "organisation: { name: Acme GmbH }
store: file:evidence
origin: acme.example/keycloak
key: keys
sources:
  keycloak: { params: { realm: acme }, base_url: \"http://127.0.0.1:27011\", client: { id: CLIENT } }
";

/// A server of this test alone; it is stopped when the test ends, however it ends.
struct Server(PathBuf);

impl Server {
    fn start(folder: &Path) -> Self {
        let server = Self(folder.join("keycloak"));
        stack("keycloak", &["start", server.0.to_str().unwrap(), PORT]);
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = script("keycloak").args(["stop", self.0.to_str().unwrap()]).status();
        assert!(stopped.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack").join(name))
}

#[track_caller]
fn stack(name: &str, arguments: &[&str]) {
    let output = script(name).args(arguments).output().unwrap();
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One run by this client, with the code that it must end with.
#[track_caller]
fn collected(code: i32, folder: &Path, client: &str, collector: &str) -> String {
    fs::write(folder.join("observance.yaml"), CONFIG.replace("CLIENT", client)).unwrap();
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
    if variable("CI").is_none() && variable("OBSERVANCE_KEYCLOAK").is_none() {
        // written, not printed: the test runner would keep it to itself
        writeln!(io::stderr(), "skipped: Keycloak is not run: it takes minutes; set OBSERVANCE_KEYCLOAK=1")
            .unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let _server = Server::start(top);
    openssl(top, &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "client.pem"]);
    openssl(top, &["pkey", "-in", "client.pem", "-pubout", "-out", "client.pub"]);
    let public = top.join("client.pub");
    stack("keycloak_realm.py", &[&format!("http://127.0.0.1:{PORT}"), public.to_str().unwrap()]);
    assert!(program::observance(top, &["key", "new", "--out", "keys"], &[]).status.success());
    reads_all_of_it(top);
    tells_who_may_not_see(top);
}

fn reads_all_of_it(top: &Path) {
    let key = format!("signer, key: \"secret://file{}\"", top.join("client.pem").display());
    for client in ["observance, secret: secret://env/GOOD", &key] {
        // two pages, and the source's own count
        let users = collected(0, top, client, "keycloak.users");
        assert!(users.contains("keycloak_users: 130 accounts, complete"), "{users}");
        let realm = collected(0, top, client, "keycloak.realm");
        assert!(realm.contains("keycloak_realms: 1 realm, complete"), "{realm}");
    }
    let clients = collected(0, top, "observance, secret: secret://env/GOOD", "keycloak.clients");
    assert!(clients.contains("keycloak_service_accounts: 4 accounts, complete"), "{clients}");
}

fn tells_who_may_not_see(top: &Path) {
    let blind = collected(1, top, "blind, secret: secret://env/BLIND", "keycloak.users");
    assert!(blind.contains("0 accounts, partial (page.forbidden, proof.missing)"), "{blind}");
    // an empty list with status 200: only the count contradicts it
    let bare = collected(1, top, "bare, secret: secret://env/BARE", "keycloak.users");
    assert!(bare.contains("0 accounts, partial (count.differs)"), "{bare}");
    let refused = collected(1, top, "observance, secret: secret://env/BAD", "keycloak.realm");
    assert!(refused.contains("0 realms, partial"), "{refused}");
}
