//! Collectors of logging systems against systems that we did not write: OpenSearch in a JVM, the journal gateway of systemd.
//!
//! What `tests/setup` installs is started on loopback. Where it is not there a test says so; on a build server that is a failure.

use std::process::Command;

use serde_json::json;

use crate::support::{
    program::observance,
    stack::{Running, curl},
};

#[test]
fn opensearch_tells_every_source_hour_by_hour_and_its_events_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let Some(system) = Running::start("opensearch", &[], folder.path(), "/_cluster/stats") else { return };
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
    send(&system, "PUT", "/logs-a", &mapping.to_string());
    send(&system, "POST", "/_bulk?refresh=true", &lines);
    let seen =
        tried(&system, "opensearch.streams", &["--param", "index=logs-*", "--param", "field=host.name"]);
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
    let folder = tempfile::tempdir().unwrap();
    let Some(system) = Running::start("journal-gateway", &[], folder.path(), "/machine") else { return };
    let seen = tried(&system, "journald.hosts", &[]);
    assert!(seen.contains("1 log stream, list complete"), "{seen}");
    let instant = |name: &str| -> u64 {
        let (_, rest) = seen.split_once(&format!("\"{name}\":")).unwrap();
        rest.split([',', '}']).next().unwrap().parse().unwrap()
    };
    assert_eq!(instant("newest") - instant("oldest"), 1_728_000);
}

fn send(system: &Running, method: &str, path: &str, body: &str) {
    let address = format!("{}{path}", system.base);
    let kind = "content-type: application/x-ndjson";
    let sent = curl(&["-X", method, "-H", kind, "--data-binary", body, &address]);
    assert!(sent.is_some_and(|answer| !answer["errors"].as_bool().unwrap_or(false)), "{method} {path}");
}

fn tried(system: &Running, collector: &str, parameters: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["collectors", "try", collector, "--token", "TOKEN", "--base-url", &system.base];
    arguments.extend(parameters);
    let output = observance(folder.path(), &arguments, &[("TOKEN", "nobody")]);
    String::from_utf8(output.stdout).unwrap()
}

fn now_s() -> u64 {
    let output = Command::new("date").arg("+%s").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
