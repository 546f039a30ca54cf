//! The door, from outside: the binary as people call it, against a small company on loopback.
//!
//! Help texts are golden; what depends on the day is asserted by what it must say.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use observance::{
    clock::Clock,
    demo::company::{self, Company},
    library,
};
use observance_verify::{Conclusion, Folder, Trust, verify};

use crate::support::{golden, program};

const COMMANDS: &[&[&str]] = &[
    &[],
    &["scan", "github"],
    &["grants"],
    &["init"],
    &["doctor"],
    &["collectors"],
    &["collectors", "list"],
    &["collectors", "show"],
    &["collectors", "lint"],
    &["collectors", "permissions"],
    &["collectors", "try"],
    &["run"],
    &["demo"],
    &["check-config"],
    &["collect"],
    &["status"],
    &["log"],
    &["period"],
    &["bundle"],
    &["key"],
    &["key", "new"],
    &["key", "show"],
    &["policy"],
    &["policy", "test"],
    &["policy", "list"],
];
const DAY_MS: i64 = 86_400_000;
/// Lines of a screen.
const SCREEN_LINES: usize = 24;
/// Lines of the list of all commands.
const COMMANDS_LINES: usize = 30;

fn observance(folder: &Path, arguments: &[&str]) -> Output {
    program::observance(folder, arguments, &[("COLUMNS", "100"), ("TEST_TOKEN", company::TOKEN)])
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs it; anything but this exit code is told with what was printed.
#[track_caller]
fn expect(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output = observance(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}\n{}", out(&output), err(&output));
    assert!(!out(&output).contains('\x1b') && !err(&output).contains('\x1b'), "colours in a pipe");
    if code == 2 { err(&output) } else { out(&output) }
}

#[test]
fn every_help_fits_one_screen_and_changes_only_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    for command in COMMANDS {
        let arguments: Vec<&str> = command.iter().copied().chain(["-h"]).collect();
        let help = expect(0, folder.path(), &arguments);
        let most = if command.is_empty() { COMMANDS_LINES } else { SCREEN_LINES };
        assert!(help.lines().count() <= most, "{command:?}: {} lines", help.lines().count());
        let name = if command.is_empty() { "observance".to_owned() } else { command.join("-") };
        golden::check(&format!("cli/{name}.txt"), help.as_bytes());
    }
}

#[test]
fn faults_of_the_configuration_come_all_at_once_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let config = "organisation: { name: Acme, zone: Europe/Berlin }\nstore: file:store\norigin: acme.example/a\nkey: keys\n\
        sources:\n  github: { org: acme, token: secret://env/NOT_SET }\ncolectors: {}\n";
    fs::write(folder.path().join("observance.yaml"), config).unwrap();
    let said = expect(2, folder.path(), &["check-config"]);
    assert!(said.contains("observance.yaml:7") && said.contains("did you mean collectors?"), "{said}");
    assert!(said.contains("error: 1 fault in observance.yaml\nhint: "), "{said}");

    let config = config.replace(
        "colectors: {}",
        "  labs: { kind: github, org: labs, token: secret://env/NOT_SET }\npolicies: { parameters: { GH-01: { no_such: 1 } } }",
    );
    fs::write(folder.path().join("observance.yaml"), config).unwrap();
    let said = expect(2, folder.path(), &["check-config"]);
    assert!(said.contains("observance.yaml:8  policies.parameters.GH-01.no_such"), "{said}");
    assert!(said.contains("observance.yaml:7  sources.labs"), "{said}");
    assert!(said.contains("error: 2 faults in observance.yaml"), "{said}");
    let missing = expect(2, folder.path(), &["--config", "other.yaml", "status"]);
    assert!(missing.contains("other.yaml") && missing.contains("cannot be opened"), "{missing}");
}

#[test]
fn what_only_the_deployed_agent_has_is_named_and_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "http://127.0.0.1:9", "secret://env/NOT_SET");
    let said = expect(0, folder.path(), &["check-config"]);
    assert!(said.contains("no faults"), "{said}");
    assert!(said.contains("not here    key:") && said.contains("NOT_SET is not set"), "{said}");
    let explained = expect(0, folder.path(), &["check-config", "--explain"]);
    assert!(explained.contains("origin") && explained.contains("default"), "{explained}");
    let json: serde_json::Value = parse(&expect(0, folder.path(), &["check-config", "--json"]));
    let ids: Vec<&str> = json["policies"].as_array().unwrap().iter().filter_map(|id| id.as_str()).collect();
    assert!(ids.contains(&"GH-01") && ids.iter().all(|id| id.starts_with("GH-")), "{ids:?}");
    let waiting = json["waiting"]["people"].as_array().unwrap();
    assert!(waiting.contains(&"ID-05-github".into()), "{waiting:?}");
    assert!(said.contains("waiting   for a register of people: "), "{said}");
    let orphan = format!(
        "{}
policies: {{ parameters: {{ ID-01-okta: {{}} }} }}\n",
        fs::read_to_string(folder.path().join("observance.yaml")).unwrap()
    );
    fs::write(folder.path().join("other.yaml"), orphan).unwrap();
    let said = expect(2, folder.path(), &["--config", "other.yaml", "check-config"]);
    assert!(said.contains("judges nothing here") && said.contains("hint: "), "{said}");
    let said = expect(2, folder.path(), &["status"]);
    assert!(said.contains("observance.yaml:4  key") && said.contains("hint: "), "{said}");
}

#[test]
fn addresses_of_ones_own_are_asked_for_and_files_that_do_not_hold_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let there = |sources: &str| {
        let head = "organisation: { name: Acme, zone: UTC }\nstore: file:store\norigin: acme.example/a\nkey: keys\nsources:\n";
        fs::write(folder.path().join("observance.yaml"), format!("{head}{sources}")).unwrap();
    };
    there("  loki: { params: { label: app }, token: secret://env/NOT_SET }\n");
    let said = expect(2, folder.path(), &["check-config"]);
    assert!(said.contains("observance.yaml:6  sources.loki") && said.contains("no base_url"), "{said}");
    let said = expect(2, folder.path(), &["collectors", "try", "loki.rules"]);
    assert!(said.contains("no address of its own") && said.contains("--base-url"), "{said}");

    there(
        "  people: { csv: people.csv }\n  bamboohr: { base_url: \"https://a.bamboohr.com\", token: secret://env/NOT_SET }\n",
    );
    let said = expect(2, folder.path(), &["check-config"]);
    assert!(
        said.contains("population people, which policy") && said.contains("keep one of the sources"),
        "{said}"
    );

    there("  people: { csv: people.csv }\n");
    let absent = expect(0, folder.path(), &["check-config"]);
    assert!(absent.contains("there is no such file (file.missing)"), "{absent}");
    fs::write(folder.path().join("people.csv"), "email,id\n").unwrap();
    let wrong = observance(folder.path(), &["check-config"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", err(&wrong));
    assert!(
        out(&wrong).contains("line 1, kind: expected") && out(&wrong).contains("next: mend "),
        "{}",
        out(&wrong)
    );
}

#[test]
fn who_may_speak_has_where_to_and_the_reverse() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "http://127.0.0.1:9", "secret://env/TEST_TOKEN");
    let path = folder.path().join("observance.yaml");
    let plain = fs::read_to_string(&path).unwrap();
    let speaks = plain.replace(", base_url:", ", webhook: { secret: secret://file/HOOK }, base_url:");
    fs::write(folder.path().join("hook"), "sixteen bytes at least\n").unwrap();
    let speaks = speaks.replace("/HOOK", &folder.path().join("hook").display().to_string());
    fs::write(&path, &speaks).unwrap();
    let said = expect(2, folder.path(), &["check-config"]);
    assert!(said.contains("observance.yaml:7  sources.github.webhook") && said.contains("hint: "), "{said}");
    fs::write(&path, format!("listen: 127.0.0.1:1\n{plain}")).unwrap();
    let said = expect(2, folder.path(), &["check-config"]);
    assert!(said.contains("observance.yaml:1  listen") && said.contains("hint: "), "{said}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    fs::write(&path, format!("listen: {address}\n{speaks}")).unwrap();
    let said = expect(0, folder.path(), &["check-config"]);
    assert!(said.contains(&format!("listens     http://{address}/hooks/github")), "{said}");
    expect(0, folder.path(), &["key", "new", "--out", "keys"]);
    let said = expect(2, folder.path(), &["run"]);
    assert!(said.contains(&format!("cannot listen at {address}")) && said.contains("hint: "), "{said}");
    assert!(!folder.path().join("store").exists(), "nothing was written before");
    fs::write(folder.path().join("hook"), "short").unwrap();
    let said = expect(2, folder.path(), &["run"]);
    assert!(said.contains("sources.github.webhook.secret") && said.contains("openssl rand"), "{said}");
}

#[test]
fn keys_are_made_once_and_shown_in_public() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "http://127.0.0.1:9", "secret://env/TEST_TOKEN");
    assert!(expect(0, folder.path(), &["key", "new", "--out", "keys"]).contains("next: "));
    let twice = expect(2, folder.path(), &["key", "new", "--out", "keys"]);
    assert!(twice.contains("never overwritten") && twice.contains("hint: "), "{twice}");
    let shown = expect(0, folder.path(), &["key", "show"]);
    assert!(shown.starts_with("acme.example/cli+") && shown.lines().count() == 1, "{shown}");
    let none = expect(2, folder.path(), &["status"]);
    assert!(none.contains("there is no log acme.example/cli") && none.contains("hint: "), "{none}");
    assert!(!folder.path().join("store").exists(), "reading made a store");
}

#[test]
fn policies_are_listed_and_their_cases_hold() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(expect(0, top, &["policy", "test"]).contains(" cases hold"));
    assert!(expect(0, top, &["policy", "list"]).contains("GH-08"));
    let folder = tempfile::tempdir().unwrap();
    assert!(expect(2, folder.path(), &["policy", "test"]).contains("hint: "));
    fs::write(folder.path().join("bad.rego"), "package bad\n").unwrap();
    assert!(expect(1, folder.path(), &["policy", "test", "."]).contains("next: "));
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        format!("{} policy list --json | true; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_observance"));
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_first_run_to_a_bundle_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let now = clock.now();
    let company = Company::new(7, now.plus_ms(-30 * DAY_MS), now.plus_ms(30 * DAY_MS));
    let source = company::serve(company, clock).unwrap();
    configure(folder.path(), source.base_url(), "secret://env/TEST_TOKEN");
    tokio::task::block_in_place(|| journey(folder.path()));
}

fn journey(folder: &Path) {
    expect(0, folder, &["key", "new", "--out", "keys"]);
    assert!(expect(0, folder, &["check-config"]).contains("next: observance collect --all"));
    let near = expect(2, folder, &["collect", "github.member"]);
    assert!(near.contains("did you mean github.members?"), "{near}");

    // the invented company answers three collectors; what saw nothing at all is told by the exit code
    let collected = expect(1, folder, &["collect", "--all"]);
    for line in ["github.branch_rules  ", "github.changes  complete", "github.members  complete"] {
        assert!(collected.contains(line), "{collected}");
    }
    assert!(collected.contains("members: ") && collected.contains("GH-01: "), "{collected}");
    assert!(collected.contains("next: observance status"), "{collected}");
    let again: serde_json::Value = parse(&expect(0, folder, &["collect", "github.members", "--json"]));
    assert_eq!(again["runs"].as_array().unwrap().len(), 1);

    let status = expect(0, folder, &["status"]);
    assert!(
        status.contains("CONTROL") && status.contains("NEXT RUN") && status.contains("platform"),
        "{status}"
    );
    let json: serde_json::Value = parse(&expect(0, folder, &["status", "--json"]));
    let clear = json["rows"].as_array().unwrap().iter().all(|row| row["state"] == "met");
    let strict = observance(folder, &["status", "--strict"]).status.code();
    assert_eq!(strict, Some(i32::from(!clear)));

    let period = expect(0, folder, &["period"]);
    for word in ["trial", "met", "deviated", "unknown", "gap", "not yet due", "deviations", "next: "] {
        assert!(period.contains(word), "{word}: {period}");
    }
    expect(2, folder, &["period", "other"]);
    let view: serde_json::Value = parse(&expect(0, folder, &["period", "trial", "--json"]));
    let listed = |key: &str| view[key].as_array().unwrap().len();
    let in_force: serde_json::Value = parse(&expect(0, folder, &["check-config", "--json"]));
    assert_eq!(listed("policies") + listed("never_judged"), in_force["policies"].as_array().unwrap().len());
    log_and_bundle(folder);
}

fn log_and_bundle(folder: &Path) {
    let log = expect(0, folder, &["log"]);
    for kind in ["genesis", "start", "policy", "period.open", "run", "verdict", "stop"] {
        assert!(log.lines().any(|line| line.split_whitespace().nth(2) == Some(kind)), "{kind}: {log}");
    }
    let runs = expect(0, folder, &["log", "--kind", "run", "--json"]);
    let of_github = |(name, _): &(String, &[u8])| name.starts_with("collectors/github/");
    assert_eq!(runs.lines().count(), library::collectors().into_iter().filter(of_github).count() + 1);
    assert!(runs.lines().all(|line| parse(line)["kind"] == "run"));
    assert!(expect(0, folder, &["log", "--from", "1", "--to", "2"]).starts_with("      1  "));

    let bundled = expect(0, folder, &["bundle", "--out", "bundle"]);
    assert!(bundled.contains("export 1 of trial") && bundled.contains("holds "), "{bundled}");
    assert!(expect(2, folder, &["bundle", "--out", "bundle"]).contains("exists already"));
    let again: serde_json::Value =
        parse(&expect(0, folder, &["bundle", "trial", "--out", "again", "--json"]));
    assert_eq!(again["export"], 2);
    assert!(expect(0, folder, &["log", "--kind", "export"]).contains("bundle 2 of trial"));
    let key = expect(0, folder, &["key", "show"]).trim().parse().unwrap();
    let trust = Trust { key: Some(key), pins: Vec::new() };
    let report = verify(&Folder::open(&folder.join("bundle")).unwrap(), &trust, true);
    assert_eq!(report.conclusion, Conclusion::Holds, "{}", report.text());
    assert!(report.replayed.unwrap().verdicts > 0);
    assert!(!folder.join("bundle.unlogged").exists() && !folder.join("bundle.partial").exists());
}

fn configure(folder: &Path, base_url: &str, token: &str) {
    let config = format!(
        "organisation: {{ name: Acme, zone: Europe/Berlin }}\nstore: file:store\norigin: acme.example/cli\nkey: keys\n\
         folder: memory\nsources:\n  github: {{ org: {}, token: {token}, base_url: \"{base_url}\" }}\n\
         owners: {{ default: platform }}\n\
         periods:\n  trial: {{ framework: soc2, from: 2020-01-01, to: 2120-01-01 }}\n",
        company::ORGANISATION
    );
    fs::write(folder.join("observance.yaml"), config).unwrap();
}

fn parse(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
