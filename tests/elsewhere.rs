//! A source that this release has never heard of: a manifest and a policy in folders, a few lines of configuration, and it is
//! collected, judged and recorded as any other.

use std::{fs, path::Path, process::Output};

use axum::{Json, Router, extract::Request, response::IntoResponse as _, routing::get};
use serde_json::{Value, json};

use crate::support::program;

const MANIFEST: &str = r#"apiVersion: collectors/v1
kind: HttpCollector
metadata: { id: wiki.spaces, version: 1, title: Spaces of a wiki, evidence: [configuration] }
connection: { base_url: "https://wiki.example", params: [team] }
permissions: { expect: [{ name: spaces, access: read }] }
schedule: { every: 24h, max_gap: 26h }
limits: { concurrency: 2, requests_max: 100, bytes_max: 1000000, wall_ms: 60000, wait_ms: 1000, attempts_max: 2 }
outcomes:
  - { status: 200, as: present }
  - { status: 401, as: unauthenticated }
steps:
  - id: team
    get: /teams/{team}
    records: one
    project: [id]
  - id: spaces
    get: /teams/{team}/spaces
    records: { at: spaces }
    key: id
    project: [id, name, public]
    complete: [terminal_page, { total: { at: total } }]
populations:
  spaces: { type: space, of: spaces, scope: team.id, name: "{name}" }
"#;

const POLICY: &str = "# METADATA
# title: Spaces are not public
# description: Every space of the wiki is closed to the public.
# custom:
#   contract: 1
#   id: WK-01
#   population: spaces
#   controls: [closed-spaces]
#   empty: unknown
#   severity: low
package wiki.closed

passed if input.row.public == false

failed contains \"space.public\" if input.row.public == true
";

const CONFIG: &str = "organisation: { name: Acme GmbH }
store: file:evidence
origin: acme.example/wiki
key: keys
collectors: { folder: collectors }
policies: { library: policies }
sources:
  wiki: { params: { team: core }, base_url: BASE, headers: { x-wiki-key: secret://env/WIKI_KEY } }
";

/// Answers only whoever sends the key.
async fn wiki() -> String {
    let spaces = |request: Request| async move {
        let key = request.headers().get("x-wiki-key").is_some_and(|key| key == "a-key");
        if !key || request.headers().contains_key("authorization") {
            return axum::http::StatusCode::UNAUTHORIZED.into_response();
        }
        Json(json!({ "total": 2, "spaces": [
            { "id": 1, "name": "Plans", "public": false }, { "id": 2, "name": "Jokes", "public": true },
        ] }))
        .into_response()
    };
    let team = get(|| async { Json(json!({ "id": 7 })) });
    let app = Router::new().route("/teams/core", team).route("/teams/core/spaces", get(spaces));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    base_url
}

fn observance(folder: &Path, arguments: &[&str]) -> Output {
    program::observance(folder, arguments, &[("WIKI_KEY", "a-key"), ("WIKI_TOKEN", "a-key")])
}

#[track_caller]
fn said(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output = observance(folder, arguments);
    let all = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{all}");
    assert!(!all.contains("a-key"), "a key was printed: {all}");
    all
}

fn lay(top: &Path, base_url: &str) {
    for (path, text) in [
        ("collectors/spaces/collector.yaml", MANIFEST),
        ("policies/closed.rego", POLICY),
        ("observance.yaml", &CONFIG.replace("BASE", base_url)),
    ] {
        fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
        fs::write(top.join(path), text).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_tried_collected_judged_and_recorded() {
    let base_url = wiki().await;
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    lay(top, &base_url);
    tokio::task::block_in_place(|| {
        let file = "collectors/spaces/collector.yaml";
        said(0, top, &["collectors", "lint", file]);
        let base = ["collectors", "try", file, "--base-url", &base_url];
        let tried = |code: i32, more: &[&str]| said(code, top, &[&base[..], more].concat());
        let seen = tried(0, &["--param", "team=core", "--header", "X-Wiki-Key"]);
        assert!(seen.contains("spaces  2 spaces, list complete"), "{seen}");
        // as a bearer token the source does not know it
        let unseen = tried(0, &["--param", "team=core"]);
        assert!(unseen.contains("unauthenticated"), "{unseen}");
        assert!(tried(2, &[]).contains("wiki.spaces lacks a value for team"));
        let other = tried(2, &["--param", "team=core", "--param", "space=1"]);
        assert!(other.contains("wiki.spaces does not ask with space"), "{other}");

        said(0, top, &["key", "new", "--out", "keys"]);
        said(0, top, &["check-config"]);
        let collected = said(0, top, &["collect", "wiki.spaces"]);
        assert!(collected.contains("WK-01"), "{collected}");
        let status: Value = serde_json::from_str(&said(0, top, &["status", "--json"])).unwrap();
        assert!(status.to_string().contains("WK-01"), "{status}");
        let config = fs::read_to_string(top.join("observance.yaml")).unwrap();
        let configured = |text: String| fs::write(top.join("observance.yaml"), text).unwrap();
        configured(config.replace(&base_url, &format!("{base_url}/nowhere")));
        said(1, top, &["collect", "wiki.spaces"]);
        // what deviated then deviates still as far as is known, and it is said that nobody has seen it since
        let status = said(0, top, &["status"]);
        assert!(status.contains("1 of 2 spaces, not all seen since 2"), "{status}");
        configured(config.replace("team: core", "club: core"));
        let fault = said(2, top, &["check-config"]);
        assert!(fault.contains("no value for team, which wiki.spaces asks with"), "{fault}");
        let with = |text: &str, a: &str, b: &str| {
            assert!(text.contains(a), "{a}");
            text.replace(a, b)
        };
        let headers = "headers: { x-wiki-key: secret://env/WIKI_KEY }";
        let client = "client: { id: 0oa1, secret: secret://env/WIKI_KEY }";
        let config = CONFIG.replace("BASE", &base_url);
        fs::write(top.join("observance.yaml"), with(&config, headers, client)).unwrap();
        let fault = said(2, top, &["check-config"]);
        assert!(fault.contains("a client, and no way to a token in wiki.spaces"), "{fault}");
        let manifest = with(MANIFEST, "params: [team]", "params: [team], auth: { token_path: /token }");
        fs::write(top.join(file), manifest).unwrap();
        said(0, top, &["check-config"]);
        fs::write(top.join("observance.yaml"), config).unwrap();
        let fault = said(2, top, &["check-config"]);
        assert!(fault.contains("no client, and wiki.spaces is asked with a token of each run"), "{fault}");
    });
}

/// Each of these would have been judged, and wrongly: what one collector saw fail would be mended by the other's next run.
#[test]
fn what_would_be_judged_wrongly_is_refused() {
    let kanban = CONFIG.to_owned() + "  kanban: { params: { team: core }, token: secret://env/WIKI_KEY }\n";
    let shared = "population spaces, which policy WK-01 reads, from kanban.spaces and wiki.spaces";
    let step = POLICY.replace("#   severity", "#   needs: { steps: [space] }\n#   severity");
    let exposure = POLICY.replace("#   severity", "#   exposure: pages\n#   severity");
    let other = CONFIG.replace("{ team: core }", "{ team: core, taem: core }");
    let headers = CONFIG.replace("x-wiki-key", "X-WIKI-KEY");
    let kind = CONFIG.replace("  wiki:", "  wikki:");
    let cases = [
        ("observance.yaml", kanban.as_str(), shared),
        ("policies/closed.rego", &step, "policy WK-01 needs step space, which no collector of spaces has"),
        ("policies/closed.rego", &exposure, "WK-01 names as its exposure pages, which no collector yields"),
        ("observance.yaml", &other, "a value that no collector asks with"),
        ("observance.yaml", &headers, "hint: x-wiki-key"),
        ("observance.yaml", &kind, "did you mean wiki?"),
    ];
    for (path, text, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        lay(top, "http://127.0.0.1:9");
        let kanban =
            MANIFEST.replace("wiki.spaces", "kanban.spaces").replace("wiki.example", "kanban.example");
        fs::create_dir_all(top.join("collectors/kanban")).unwrap();
        fs::write(top.join("collectors/kanban/collector.yaml"), kanban).unwrap();
        assert!(said(0, top, &["check-config"]).contains("no faults"));
        fs::write(top.join(path), text.replace("BASE", "http://127.0.0.1:9")).unwrap();
        let fault = said(2, top, &["check-config"]);
        assert!(fault.contains(words), "{words}\n{fault}");
    }
}
