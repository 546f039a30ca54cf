//! A real SCIM server is asked as anybody asks: by the program, with the shipped collector.
//!
//! It holds nothing of what the server is by itself; that is its authors' to test. Without it the test says that it was skipped.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::{data::variable, program::observance};

const PORT: u16 = 25_102;
const TOKEN: &str = "scim-hush";
/// Tenths of a second until it must answer.
const UP_WAIT_MAX: u32 = 200;

/// The server, stopped when the test ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Server {
    /// None, said aloud, where it is not installed; a panic on a build server.
    fn start() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/scim");
        let mut child = Command::new(script)
            .args(["run", &PORT.to_string(), TOKEN])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..UP_WAIT_MAX {
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(variable("CI").is_none(), "scim2-server does not start: {ended}; run tests/setup");
                writeln!(io::stderr(), "skipped: no SCIM server ({ended}); run tests/setup").unwrap();
                return None;
            }
            if TcpStream::connect(("127.0.0.1", PORT)).is_ok() {
                return Some(Self(child));
            }
            thread::sleep(Duration::from_millis(100));
        }
        drop(Self(child));
        panic!("scim2-server does not answer");
    }
}

/// A user is made, as whoever provisions makes one.
fn add(name: &str, active: bool) {
    let body = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": active,
        "emails": [{ "value": name, "primary": true }],
    })
    .to_string();
    let mut to = TcpStream::connect(("127.0.0.1", PORT)).unwrap();
    let length = body.len();
    write!(
        to,
        "POST /v2/Users HTTP/1.1\r\nhost: 127.0.0.1:{PORT}\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\
         content-type: application/scim+json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    to.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 201 "), "{answer}");
}

fn tried(token: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let base = format!("http://127.0.0.1:{PORT}/v2");
    let arguments = ["collectors", "try", "scim.users", "--base-url", &base];
    let out = observance(folder.path(), &arguments, &[("SCIM_TOKEN", token)]);
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn a_real_server_is_read_to_its_end_and_nobody_is_named() {
    let Some(_server) = Server::start() else { return };
    // more than a page, so that the second one is asked for by the first record after the first
    for n in 0..130 {
        add(&format!("user{n}@acme.example"), n % 2 == 0);
    }
    let seen = tried(TOKEN);
    assert!(seen.contains("scim_users  130 accounts, list complete"), "{seen}");
    assert!(!seen.contains("@acme.example"), "{seen}");
    let refused = tried("another");
    assert!(refused.contains("unauthenticated 2") && !refused.contains("list complete"), "{refused}");
}
