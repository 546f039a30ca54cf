//! Directories themselves, run on loopback: OpenLDAP and a domain controller of Active Directory (Samba) are read whole over TLS,
//! by password and by certificate; whoever may not see is told so, and nothing passes for it.
//!
//! It proves nothing of the directories themselves.

use std::{fs, path::Path};

use crate::support::{
    program,
    stack::{Running, free_port, script},
};

const CONFIG: &str = "organisation: { name: Acme GmbH }
store: file:evidence
origin: acme.example/directory
key: keys
sources:
  KIND: { params: { base: \"BASE\" }, base_url: \"URL\", extra_ca: CA, WHO }
";
const READER: &str = "bind: { dn: \"cn=reader,dc=example,dc=org\", password: secret://env/READER }";
const SECRETS: [(&str, &str); 5] = [
    ("READER", "reader-password"),
    ("SHORT", "short-password"),
    ("BLIND", "blind-password"),
    ("WRONG", "wrong-password"),
    ("MEMBER", "a-Good-enough-1"),
];

/// A directory, and where a run is made.
struct There<'a> {
    folder: &'a Path,
    kind: &'a str,
    base: &'a str,
    /// The file of the authority that its certificate is signed by.
    ca: String,
}

impl There<'_> {
    /// One run by this one at that address, with the code that it must end with.
    #[track_caller]
    fn collected(&self, code: i32, (url, who): (&str, &str), collector: &str) -> String {
        let words = [("KIND", self.kind), ("BASE", self.base), ("URL", url), ("CA", &self.ca), ("WHO", who)];
        let config =
            words.iter().fold(CONFIG.to_owned(), |text, (word, value)| text.replacen(word, value, 1));
        fs::write(self.folder.join("observance.yaml"), config).unwrap();
        let output = program::observance(self.folder, &["collect", collector], &SECRETS);
        let all = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert_eq!(output.status.code(), Some(code), "{who} {collector}\n{all}");
        assert!(!SECRETS.iter().any(|(_, secret)| all.contains(secret)), "a secret was printed: {all}");
        all
    }
}

#[track_caller]
fn holds(said: &str, words: &[&str]) {
    for words in words {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
}

#[test]
fn an_openldap_is_read_whole_by_password_and_by_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let secure = free_port();
    let started = Running::start_by("ldap", "slapd", &[&secure.to_string()], top, "/??base");
    let Some(server) = started else { return };
    assert!(program::observance(top, &["key", "new", "--out", "keys"], &[]).status.success());
    let tls = top.join("slapd/tls");
    let ca = tls.join("ca.pem").display().to_string();
    let there = There { folder: top, kind: "ldap", base: "dc=example,dc=org", ca };
    let url = format!("ldaps://127.0.0.1:{secure}");
    let agent =
        format!("bind: {{ certificate: {0}/agent.pem, key: \"secret://file{0}/agent.key\" }}", tls.display());
    let start_tls = format!("start_tls: true, {READER}");
    for by in [(url.as_str(), READER), (&server.base, start_tls.as_str()), (&url, &agent)] {
        // two pages
        let users = there.collected(0, by, "ldap.users");
        holds(&users, &["ldap_users: 607 accounts, complete", "complete · 3 requests"]);
    }
    holds(&there.collected(0, (&url, READER), "ldap.groups"), &["ldap_groups: 3 groups, complete"]);
    let policies = there.collected(0, (&url, READER), "ldap.policies");
    holds(&policies, &["ldap_password_policies: 2 policies, complete", "ID-14-ldap: failed 1, passed 1"]);
    tells_who_may_not_see_entries(&there, (&url, &server.base));
}

fn tells_who_may_not_see_entries(there: &There<'_>, (url, plain): (&str, &str)) {
    let by = |name: &str, secret: &str| {
        format!("bind: {{ dn: \"cn={name},dc=example,dc=org\", password: secret://env/{secret} }}")
    };
    // the directory gives seven entries and no more
    let short = there.collected(0, (url, &by("short", "SHORT")), "ldap.users");
    holds(&short, &["ldap_users: 7 accounts, partial (ldap.size_limit"]);
    let blind = there.collected(1, (url, &by("blind", "BLIND")), "ldap.users");
    holds(&blind, &["0 accounts, partial", "hidden"]);
    let wrong = there.collected(1, (url, &by("reader", "WRONG")), "ldap.users");
    holds(&wrong, &["0 accounts, partial", "unauthenticated"]);
    // this directory takes no password over a connection that is not encrypted
    let bare = there.collected(1, (plain, &by("reader", "READER")), "ldap.users");
    holds(&bare, &["0 accounts, partial", "unauthenticated"]);
    // a certificate of somebody else's authority
    let other = There { ca: format!("{}/other/ca.pem", there.folder.display()), ..*there };
    let made = script("directory_tls").arg(there.folder.join("other")).arg("127.0.0.1").status().unwrap();
    assert!(made.success());
    let untrusted = other.collected(1, (url, READER), "ldap.policies");
    holds(&untrusted, &["0 policies, partial (net.connect"]);
}

#[test]
fn a_domain_is_read_whole_with_all_holders_of_groups_inside_of_groups() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let Some(server) = Running::start("samba-ad", &[], top, "/ca.pem") else { return };
    assert!(program::observance(top, &["key", "new", "--out", "keys"], &[]).status.success());
    let port: u16 = server.base.rsplit(':').next().unwrap().parse().unwrap();
    let host = format!("127.{}.{}.10", port >> 8, port & 255);
    let ca = top.join("samba-ad/tls/ca.pem").display().to_string();
    let there = There { folder: top, kind: "ad", base: "DC=ad,DC=example,DC=org", ca };
    let reader = "bind: { dn: reader@ad.example.org, password: secret://env/MEMBER }";
    let url = format!("ldaps://{host}");
    let plain = format!("ldap://{host}");
    let start_tls = format!("start_tls: true, {reader}");
    for by in [(url.as_str(), reader), (plain.as_str(), start_tls.as_str())] {
        holds(
            &there.collected(0, by, "ad.users"),
            &["ad_users: 9 accounts, complete", "ID-14-ad-accounts: passed 6, not applicable 3"],
        );
    }
    let groups = there.collected(0, (&url, reader), "ad.groups");
    holds(&groups, &["ad_groups: 39 groups, complete"]);
    holds(
        &there.collected(0, (&url, reader), "ad.policy"),
        &["ad_domains: 1 domain, complete", "ID-14-ad: passed 1"],
    );
    // this directory wants what is said to be encrypted, or signed
    let bare = there.collected(1, (&plain, reader), "ad.users");
    holds(&bare, &["0 accounts, partial", "unauthenticated"]);
    let wrong = "bind: { dn: reader@ad.example.org, password: secret://env/WRONG }";
    holds(&there.collected(1, (&url, wrong), "ad.users"), &["0 accounts, partial", "unauthenticated"]);
}
