//! The first minutes, from outside: what somebody sees who has a token and nothing else.
//!
//! A small organisation on loopback; what people see is golden, less the seconds that it took.

use std::{fs, path::Path, process::Output, sync::Arc};

use observance::clock::Clock;
use serde_json::{Value, json};

use crate::support::{
    data, golden, program,
    source::{Asked, Reply, Source, message, reply},
};

const DAY_MS: i64 = 86_400_000;
/// What no output may say.
const NEVER_SAID: &[&str] = &["compliant", "certified", "no exceptions", "score"];

fn observance(folder: &Path, arguments: &[&str]) -> Output {
    program::observance(folder, arguments, &[("GITHUB_TOKEN", "hush-7f3a91")])
}

/// What was printed: on standard error if that is where a fault goes.
#[track_caller]
fn expect(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output = observance(folder, arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    for word in NEVER_SAID {
        assert!(!out.to_lowercase().contains(word), "{arguments:?} says {word}: {out}");
    }
    assert!(!out.contains("hush-7f3a91") && !err.contains("hush-7f3a91"), "a token was printed");
    if code == 2 {
        assert!(err.contains("\nhint: "), "no remedy: {err}");
        return err;
    }
    out
}

/// Without what differs from run to run: seconds, addresses, days to a date.
fn steady(text: &str, base_url: &str) -> String {
    let text = text.replace(base_url, "BASE");
    let words = text.split_inclusive([' ', '\n']).collect::<Vec<_>>();
    let mut out = String::new();
    for (at, word) in words.iter().enumerate() {
        let number = !word.trim().is_empty() && word.trim().bytes().all(|b| b.is_ascii_digit());
        let after = words.get(at + 1).map_or("", |next| next.trim());
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", |before| before.trim());
        let varies = number && (after == "s" && before == "·" || before == "in" && after.starts_with("day"));
        out.push_str(if varies { "N " } else { word });
    }
    out
}

async fn serve(fault: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static) -> (Arc<Source>, String) {
    let source = Source::serve(&Clock::system(), fault).await;
    let base_url = source.base_url().to_owned();
    (source, base_url)
}

/// An organisation with something of everything: a repository without rules, a change that nobody approved, accounts whose
/// second factor only an owner may see, and pushes that this token may not see at one repository.
fn mixed(asked: &Asked<'_>) -> Option<Reply> {
    let path = asked.path.split('?').next().unwrap();
    let day = |days: i64| format!("{}Z", &asked.at.plus_ms(-days * DAY_MS).to_string()[..19]);
    let rate = [
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4786"),
        ("x-ratelimit-reset", "4102444800"),
        ("x-oauth-scopes", "read:org"),
    ];
    match path {
        "/orgs/acme" => Some(reply(
            200,
            &rate,
            &json!({ "id": 77, "login": "acme", "public_repos": 0, "total_private_repos": 3 }),
        )),
        "/orgs/acme/members" if asked.path.contains("2fa_disabled") => {
            Some(message(422, &rate, "Only owners can use this filter."))
        }
        "/repos/acme/r3/rules/branches/main" => Some(reply(200, &rate, &json!([]))),
        "/repos/acme/r2/rulesets/rule-suites" => Some(message(403, &rate, "Resource not accessible")),
        "/repos/acme/r1/pulls" => Some(reply(200, &rate, &json!([change(9, &day(4)), change(7, &day(5))]))),
        "/repos/acme/r1/pulls/9/reviews" => Some(reply(
            200,
            &rate,
            &json!([{ "id": 1, "user": { "id": 12, "type": "User" }, "state": "APPROVED", "submitted_at": day(6),
                      "commit_id": format!("{:040x}", 9), "author_association": "MEMBER" }]),
        )),
        "/repos/acme/r1/pulls/7/reviews" => Some(reply(200, &rate, &json!([]))),
        "/repos/acme/r1/pulls/9/commits" => Some(reply(200, &rate, &json!([commit(9)]))),
        "/repos/acme/r1/pulls/7/commits" => Some(reply(200, &rate, &json!([commit(7)]))),
        _ => None,
    }
}

fn change(number: u64, at: &str) -> Value {
    json!({ "id": 500 + number, "number": number, "state": "closed", "user": { "id": 11, "login": "ann", "type": "User" },
            "base": { "ref": "main" }, "head": { "sha": format!("{number:040x}") },
            "merge_commit_sha": format!("{number:040x}"), "updated_at": at, "merged_at": at })
}

fn commit(number: u64) -> Value {
    json!({ "sha": format!("{number:040x}"), "author": { "id": 11 }, "committer": { "id": 11 },
            "commit": { "author": { "email": "ann@acme.example" }, "message": "change" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_says_what_deviates_what_is_unknown_and_what_cures_it() {
    let (_source, base_url) = serve(mixed).await;
    let folder = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let said = expect(0, folder.path(), &["scan", "github", "acme", "--base-url", &base_url]);
        golden::check("first/scan.txt", steady(&said, &base_url).as_bytes());
        expect(1, folder.path(), &["scan", "github", "acme", "--base-url", &base_url, "--strict"]);
        let said = expect(0, folder.path(), &["scan", "github", "acme", "--base-url", &base_url, "--json"]);
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(report["fix_first"], "GH-05", "{said}");
        let of =
            |id: &str| report["policies"].as_array().unwrap().iter().find(|one| one["policy"] == id).unwrap();
        assert_eq!(of("GH-08")["reasons"]["approval.none"], json!(["r1#7"]));
        assert_eq!(of("GH-01")["cause"]["cure"], "grant");
        assert_eq!(of("GH-01")["met"], 0, "nothing is met that was not seen");
        assert_eq!(of("GH-10")["unknown"], 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a scan stored something");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_says_no_is_an_error_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (_a, refused) = serve(|_| Some(message(401, &[], "Bad credentials"))).await;
    let (_b, hidden) = serve(|_| Some(message(404, &[], "Not Found"))).await;
    tokio::task::block_in_place(|| {
        let scan =
            |base: &str, org: &str| expect(2, folder.path(), &["scan", "github", org, "--base-url", base]);
        assert!(scan(&refused, "acme").contains("the token was not accepted"));
        assert!(scan(&hidden, "acme").contains("there is no organisation acme"));
        assert!(scan(&hidden, "acme/web").contains("no login of an organisation"));
        assert!(scan("http://ghe.example", "acme").contains("no https address"));
        let unset = program::observance(folder.path(), &["scan", "github", "acme"], &[]);
        let said = String::from_utf8(unset.stderr).unwrap();
        assert!(said.contains("GITHUB_TOKEN is not set\nhint: ") && unset.status.code() == Some(2), "{said}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_reached_is_told_and_not_waited_for() {
    let (_source, base_url) = serve(|asked| {
        let spent = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "4102444800"),
        ];
        asked.path.contains("/protection").then(|| message(403, &spent, "API rate limit exceeded"))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let said = expect(0, folder.path(), &["scan", "github", "acme", "--base-url", &base_url]);
        let line = said.lines().find(|line| line.contains(" GH-05 ")).unwrap();
        assert!(line.starts_with("unknown   ") && line.contains(": the rate limit was reached"), "{said}");
        assert!(line.ends_with("-> scan again after 2100-01-01T00:00:00.000Z"), "{said}");
        assert!(said.contains("next: observance init --github acme"), "{said}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_repositories_than_the_organisation_counts_are_never_a_full_population() {
    let (_source, base_url) = serve(|asked| {
        let org = json!({ "id": 77, "login": "acme", "public_repos": 2, "total_private_repos": 4,
                          "two_factor_requirement_enabled": true });
        (asked.path == "/orgs/acme").then(|| reply(200, &[], &org))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let said =
            expect(0, folder.path(), &["scan", "github", "acme", "--base-url", &base_url, "--days", "9"]);
        golden::check("first/scan-short.txt", steady(&said, &base_url).as_bytes());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_tried_and_nothing_is_stored() {
    let (_source, base_url) = serve(mixed).await;
    let folder = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let base = ["--org", "acme", "--base-url", &base_url];
        let tried = |id: &str, more: &[&str]| {
            expect(0, folder.path(), &[&["collectors", "try", id], &base[..], more].concat())
        };
        golden::check(
            "first/try.txt",
            steady(&tried("github.branch_rules", &["--rows", "0"]), &base_url).as_bytes(),
        );
        let rows: Value = serde_json::from_str(&tried("github.members", &["--json"])).unwrap();
        assert_eq!(rows["populations"]["members"]["rows"].as_array().unwrap().len(), 2);
        assert_eq!(rows["policies"][0]["judged"], "not", "{rows}");
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = top.join("collectors/github/changes/collector.yaml");
        assert!(tried(file.to_str().unwrap(), &[]).contains("r1#7"));
        let near = expect(2, folder.path(), &[&["collectors", "try", "github.member"], &base[..]].concat());
        assert!(near.contains("did you mean github.members?"), "{near}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a trial stored something");
    });
}

#[test]
fn what_can_be_collected_and_what_it_needs_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |arguments: &[&str]| expect(0, folder.path(), arguments);
    golden::check(
        "first/show.txt",
        without_digest(&shown(&["collectors", "show", "github.members"])).as_bytes(),
    );
    golden::check(
        "first/permissions.txt",
        shown(&["collectors", "permissions", "github.members", "github.branch_rules"]).as_bytes(),
    );
    golden::check(
        "first/grants.txt",
        shown(&["grants", "github", "--for", "GH-05", "--org", "acme"]).as_bytes(),
    );
    let list = shown(&["collectors", "list"]);
    for id in ["github.members", "github.changes", "GH-08"] {
        assert!(list.contains(id), "{list}");
    }
    let all: Value = serde_json::from_str(&shown(&["collectors", "list", "--json"])).unwrap();
    let ids: Vec<String> =
        all.as_array().unwrap().iter().map(|one| format!("{}  ", one["id"].as_str().unwrap())).collect();
    assert!(ids.iter().all(|id| list.lines().any(|line| line.starts_with(id))), "{list}");
    let of_collectors = |line: &&str| line.split("  ").next().is_some_and(|id| id.contains('.'));
    assert_eq!(ids.len(), list.lines().filter(|line| !line.starts_with(' ')).filter(of_collectors).count());
    let app: Value = serde_json::from_str(&shown(&["grants", "--app-manifest", "--org", "acme"])).unwrap();
    let rights = app["default_permissions"].as_object().unwrap();
    assert!(rights.len() >= 6 && rights.values().all(|level| level == "read"), "{app}");
    assert!(expect(2, folder.path(), &["grants", "--for", "GH-99"]).contains("there is no policy GH-99"));
    expect(2, folder.path(), &["grants", "okta"].map(|word| if word == "okta" { "--org=a/b" } else { word }));
}

fn without_digest(text: &str) -> String {
    let digest = text.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    text.replace(digest, "sha256:...")
}

#[test]
fn slips_of_a_manifest_are_told_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(top.join("collectors/github/members/collector.yaml")).unwrap();
    let text = text.replace("filter: 2fa_disabled", "filter: 2fa_disable").replace(
        "get: /orgs/{org}/members\n    query: { filter: all }",
        "get: /orgs/{org}/member\n    query: { filter: all }",
    );
    let text =
        text.replace("project: [id, login, type, site_admin]", "project: [id, login, typ, site_admin]");
    fs::write(folder.path().join("mine.yaml"), text.replace("id: github.members", "id: github.mine"))
        .unwrap();
    let Some(contracts) = data::folder("contracts") else { return };
    let description = contracts.join("github.subset.json");
    let lint = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["collectors", "lint", "mine.yaml", "--against", description.to_str().unwrap()]
                .iter()
                .chain(more)
                .copied()
                .collect();
        expect(1, folder.path(), &arguments)
    };
    golden::check("first/lint.txt", lint(&[]).as_bytes());
    let json: Value = serde_json::from_str(&lint(&["--json"])).unwrap();
    assert_eq!(json["faults"], json["findings"].as_array().unwrap().len());
    let clean = expect(0, folder.path(), &["collectors", "lint", "github.members", "github.changes"]);
    assert!(clean.contains("2 manifests: 0 faults"), "{clean}");
    fs::write(folder.path().join("mine.yaml"), "steps: 1\n").unwrap();
    assert!(
        expect(1, folder.path(), &["collectors", "lint", "mine.yaml"]).contains("mine.yaml:1: fault: steps")
    );
    assert!(expect(2, folder.path(), &["collectors", "lint", "none.yaml"]).contains("cannot read none.yaml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn from_init_to_what_a_doctor_finds() {
    let (_source, base_url) = serve(|_| None).await;
    let folder = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let dir = folder.path();
        let wrote = expect(0, dir, &["init", "--github", "acme", "--frameworks", "soc2,iso27001"]);
        golden::check("first/init.txt", wrote.as_bytes());
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(dir.join("keys/signing.pem")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        assert!(expect(0, dir, &["check-config"]).contains("no faults"));
        assert!(
            expect(2, dir, &["init", "--github", "acme"]).contains("exists already; nothing was written")
        );
        assert!(
            expect(2, dir, &["init", "--github", "acme", "--frameworks", "soc3"])
                .contains("no framework soc3")
        );
        let page = fs::read_to_string(dir.join("grants/github.md")).unwrap();
        assert!(
            page.contains("| Members | read | organisation | GH-01")
                && page.contains("settings/apps/new?name=observance-acme"),
            "{page}"
        );

        let config = fs::read_to_string(dir.join("observance.yaml")).unwrap();
        let token = "token: secret://env/GITHUB_TOKEN";
        fs::write(
            dir.join("observance.yaml"),
            config.replace(token, &format!("{token}, base_url: \"{base_url}\"")),
        )
        .unwrap();
        // the source knows the requests of three collectors only
        let found = expect(1, dir, &["doctor", "--strict"]);
        golden::check("first/doctor.txt", steady(&found, &base_url).as_bytes());
        assert!(!dir.join("log/v1/commit").exists(), "a doctor began a log");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_says_what_is_missing_and_collectors_come_from_a_folder() {
    let (_source, base_url) = serve(mixed).await;
    let folder = tempfile::tempdir().unwrap();
    tokio::task::block_in_place(|| {
        let dir = folder.path();
        expect(0, dir, &["init", "--github", "acme"]);
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = fs::read_to_string(top.join("collectors/github/members/collector.yaml")).unwrap();
        fs::create_dir_all(dir.join("own/people")).unwrap();
        fs::write(
            dir.join("own/people/collector.yaml"),
            own.replace("id: github.members", "id: github.people").replace("\n  members:", "\n  people:"),
        )
        .unwrap();
        let config = fs::read_to_string(dir.join("observance.yaml")).unwrap();
        let token = "token: secret://env/GITHUB_TOKEN";
        let config = config.replace(token, &format!("{token}, base_url: \"{base_url}\""));
        let config = config + "collectors:\n  folder: own\n  github.people: { cron: \"30 2 * * *\" }\n";
        fs::write(dir.join("observance.yaml"), config).unwrap();
        assert!(expect(0, dir, &["check-config"]).contains("github.people"));
        let found = expect(1, dir, &["doctor", "--strict"]);
        for line in [
            "token: read-only · all repositories (3 = 3)",
            "GH-01 not: ",
            "-> observance grants github --for GH-01",
        ] {
            assert!(found.contains(line), "{line}: {found}");
        }
        let shared = own.replace("id: github.members", "id: github.people");
        fs::write(dir.join("own/people/collector.yaml"), shared).unwrap();
        let said = expect(2, dir, &["check-config"]);
        assert!(said.contains("GH-01 reads, from github.members and github.people"), "{said}");
        fs::write(dir.join("own/people/collector.yaml"), own).unwrap();
        let said = expect(2, dir, &["check-config"]);
        assert!(said.contains("collectors.folder") && said.contains("replace: [github.members]"), "{said}");
    });
}
