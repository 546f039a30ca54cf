//! A real SCIM server is asked as anybody asks: by the program, with the shipped collector.
//!
//! It holds nothing of what the server is by itself; that is its authors' to test. Without it the test says that it was skipped.

use crate::support::{
    program::observance,
    stack::{Running, curl},
};

const TOKEN: &str = "scim-hush";

/// A user is made, as whoever provisions makes one.
fn add(server: &Running, name: &str, active: bool) {
    let body = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": active,
        "emails": [{ "value": name, "primary": true }],
    })
    .to_string();
    let token = format!("authorization: Bearer {TOKEN}");
    let kind = "content-type: application/scim+json";
    let made =
        curl(&["-H", &token, "-H", kind, "--data-binary", &body, &format!("{}/v2/Users", server.base)]);
    assert!(made.is_some(), "{name} is not made");
}

fn tried(server: &Running, token: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let base = format!("{}/v2", server.base);
    let arguments = ["collectors", "try", "scim.users", "--base-url", &base];
    let out = observance(folder.path(), &arguments, &[("SCIM_TOKEN", token)]);
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn a_real_server_is_read_to_its_end_and_nobody_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Running::start("scim", &[TOKEN], folder.path(), "/v2/ServiceProviderConfig") else {
        return;
    };
    // more than a page, so that the second one is asked for by the first record after the first
    for n in 0..130 {
        add(&server, &format!("user{n}@acme.example"), n % 2 == 0);
    }
    let seen = tried(&server, TOKEN);
    assert!(seen.contains("scim_users  130 accounts, list complete"), "{seen}");
    assert!(!seen.contains("@acme.example"), "{seen}");
    let refused = tried(&server, "another");
    assert!(refused.contains("unauthenticated 2") && !refused.contains("list complete"), "{refused}");
}
