//! Collectors of logging systems against systems that we did not write: OpenSearch in a JVM, the journal gateway of systemd.
//!
//! What `tests/setup` installs is started on loopback. Where it is not there a test says so; on a build server that is a failure.

use std::{
    fs,
    io::{self, Write as _},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{data::variable, program::observance};

/// Tenths of a second until a started system must have answered.
const ANSWER_WAIT_MAX: u32 = 1800;

#[test]
fn opensearch_tells_every_source_hour_by_hour_and_its_events_of_nobody() {
    let Some(_) = there(&cache().join("observance-tests/opensearch-2.19.1/Node.class")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let system = Running::start("opensearch", &["run"], folder.path());
    system.awaited("/_cluster/stats");
    let now = now_s();
    let mut lines = String::new();
    for (hours, host) in
        [(0, Some("web-1")), (3, Some("web-1")), (9, Some("db-1")), (100, Some("db-1")), (1, None)]
    {
        let mut event = json!({ "@timestamp": (now - hours * 3600) * 1000 });
        if let Some(host) = host {
            event["host"] = json!({ "name": host });
        }
        lines += &format!("{}\n{event}\n", json!({ "index": { "_index": "logs-a" } }));
    }
    let mapping = json!({ "mappings": { "properties": {
        "@timestamp": { "type": "date" }, "host": { "properties": { "name": { "type": "keyword" } } } } } });
    system.send("PUT", "/logs-a", &mapping.to_string());
    system.send("POST", "/_bulk?refresh=true", &lines);
    let seen = system.tried("opensearch.streams", &["--param", "index=logs-*", "--param", "field=host.name"]);
    for expected in
        ["2 log streams, list complete", "\"stream\":\"web-1\",\"events\":2", "\"unnamed\":{\"events\":1"]
    {
        assert!(seen.contains(expected), "{expected} is not in {seen}");
    }
    // two days are asked about; the oldest event is of before
    assert!(seen.contains("\"stream\":\"db-1\",\"events\":1"), "{seen}");
    assert!(seen.contains(&format!("\"oldest\":{}", now - 360_000)), "{seen}");
}

#[test]
fn a_journal_tells_its_newest_and_its_oldest_entry() {
    let Some(_) = there(Path::new("/lib/systemd/systemd-journal-gatewayd")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let system = Running::start("journal-gateway", &[], folder.path());
    system.awaited("/machine");
    let seen = system.tried("journald.hosts", &[]);
    assert!(seen.contains("1 log stream, list complete"), "{seen}");
    let instant = |name: &str| -> u64 {
        let (_, rest) = seen.split_once(&format!("\"{name}\":")).unwrap();
        rest.split([',', '}']).next().unwrap().parse().unwrap()
    };
    assert_eq!(instant("newest") - instant("oldest"), 1_728_000);
}

/// A system of others; it ends with the test.
struct Running {
    child: Child,
    base: String,
}

impl Running {
    fn start(script: &str, before: &[&str], folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack").join(script));
        command.args(before).arg(folder.join("system")).arg(port.to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Self { child: child.spawn().unwrap(), base: format!("http://127.0.0.1:{port}") }
    }

    fn awaited(&self, path: &str) {
        for _ in 0..ANSWER_WAIT_MAX {
            if curl(&["-o", "/dev/null", &format!("{}{path}", self.base)]).is_some() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{}{path} does not answer", self.base);
    }

    fn send(&self, method: &str, path: &str, body: &str) {
        let address = format!("{}{path}", self.base);
        let kind = "content-type: application/x-ndjson";
        let sent = curl(&["-X", method, "-H", kind, "--data-binary", body, &address]);
        assert!(sent.is_some_and(|answer| !answer["errors"].as_bool().unwrap_or(false)), "{method} {path}");
    }

    fn tried(&self, collector: &str, parameters: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments =
            vec!["collectors", "try", collector, "--token", "TOKEN", "--base-url", &self.base];
        arguments.extend(parameters);
        let output = observance(folder.path(), &arguments, &[("TOKEN", "nobody")]);
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn curl(arguments: &[&str]) -> Option<Value> {
    let output = Command::new("curl").args(["-s", "-f", "-m", "20"]).args(arguments).output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

fn there(file: &Path) -> Option<PathBuf> {
    if fs::exists(file).unwrap() {
        return Some(file.to_owned());
    }
    assert!(variable("CI").is_none(), "{} is missing; run tests/setup", file.display());
    writeln!(io::stderr(), "skipped: {} is not there; run tests/setup", file.display()).unwrap();
    None
}

fn cache() -> PathBuf {
    variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_default()
}

fn now_s() -> u64 {
    let output = Command::new("date").arg("+%s").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
