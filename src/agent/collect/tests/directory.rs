//! Manifests of directories: what is wrong with one is told at once, by line; what holds a password is never asked for.

use crate::collect::Manifest;

const MANIFEST: &str = "apiVersion: collectors/v1
kind: LdapCollector
metadata: { id: wiki.people, version: 1, title: People, evidence: [population] }
connection: { base_url: \"ldaps://ldap.example\", params: [base] }
outcomes: [{ code: 0, as: present }, { code: [32, 50], as: hidden }]
steps:
  - id: root
    ldap: { base: \"{base}\", scope: base, filter: \"(objectClass=*)\", attributes: { entryUUID: text } }
    key: entryUUID
    project: [entryUUID]
  - id: people
    for_each: { in: root, as: root }
    ldap: { base: \"ou=people,{root.dn}\", scope: sub, filter: \"(uid=*)\", attributes: { entryUUID: text }, page_size: 100 }
    key: entryUUID
    project: [entryUUID, dn]
    complete: [terminal_page, unique_keys]
populations:
  people: { type: person, of: people, scope: root.entryUUID, name: \"{dn}\" }
";

fn faults(text: &str) -> Vec<String> {
    let faults = Manifest::read("people.yaml", text).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

/// After one change a fault is told on this line; what rests on it may be told too.
#[track_caller]
fn told(from: &str, to: &str, line: u64, words: &str) {
    assert!(MANIFEST.contains(from), "{from}");
    let found = faults(&MANIFEST.replacen(from, to, 1));
    let place = format!(":{line}:");
    assert!(found.iter().any(|fault| fault.contains(words) && fault.contains(&place)), "{to}: {found:#?}");
}

#[test]
fn a_manifest_of_a_directory_is_held_to_what_goes_with_one() {
    assert_eq!(faults(MANIFEST), Vec::<String>::new());
    told("ldaps://ldap.example", "https://ldap.example", 4, "an ldaps address");
    told("ldaps://ldap.example", "ldaps://10.0.0.1", 4, "an ldaps address");
    told("params: [base] }", "params: [base], headers: { a: b } }", 4, "a key that goes with a directory");
    told("code: 0, as", "code: [0, 1], as", 5, "present for another code");
    told("code: [32, 50]", "status: 404", 5, "code, of a directory");
    told("code: [32, 50]", "code: [4, 50]", 5, "an outcome for a limit");
    told("scope: base,", "scope: all,", 8, "base, one or sub");
    told("\"(uid=*)\"", "\"(uid=*\"", 13, "a ( without its )");
    told("\"(uid=*)\"", "\"(uid={root.uid)\"", 13, "{ without its }");
    told("ou=people,{root.dn}", "ou=people{root.dn}", 13, "a place is a name, or stands behind =");
    told("ou=people,{root.dn}", "ou=people,{place}", 13, "{place}");
    told("page_size: 100", "page_size: 0", 13, "0");
    told("page_size: 100", "pages_max: 10", 13, "page_size beside it");
    told("page_size: 100 }", "page_size: 100 }\n    records: list", 14, "a key that goes with a directory");
    told(
        "page_size: 100 }",
        "page_size: 100 }\n    window: { mode: snapshot }",
        14,
        "a key that goes with a directory",
    );
    told("outcomes:", "conditional: etag\noutcomes:", 5, "a key that goes with a directory");
}

#[test]
fn a_kind_reads_its_own_and_nothing_else() {
    let other = MANIFEST
        .replace("LdapCollector", "HttpCollector")
        .replace("ldaps:", "https:")
        .replace("code: 0", "code: 7");
    let found = faults(&other);
    assert!(found.iter().any(|fault| fault.contains("ldap in no step of any other kind")), "{found:#?}");
    assert!(found.iter().filter(|fault| fault.contains("status, of a server")).count() == 2, "{found:#?}");
}

#[test]
fn what_holds_a_password_is_never_asked_for() {
    for (name, words) in [
        ("userPassword", "never read"),
        ("USERPASSWORD;binary", "never read"),
        ("unicodePwd", "never read"),
        ("ms-Mcs-AdmPwd", "never read"),
        ("msDS-ManagedPassword", "never read"),
        ("'*'", "all of them is none"),
        ("'+'", "all of them is none"),
        ("dn", "the name of an attribute"),
        ("entryuuid", "each attribute once"),
    ] {
        told(
            "attributes: { entryUUID: text }, page_size",
            &format!("attributes: {{ entryUUID: text, {name}: text }}, page_size"),
            13,
            words,
        );
    }
    told(
        "{ entryUUID: text }, page_size",
        "{ entryUUID: number }, page_size",
        13,
        "one of text, texts, base64, guid, sid",
    );
}
