//! Real recorded answers of GitHub and Okta go through classification and projection: none panics, none is read as "no rows".

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use observance_record::{item::ItemKey, population::Outcome};
use serde_json::{Value, json};

use super::{answer_of, every_collector, shipped};
use crate::collect::{Manifest, http::Answer, manifest::Records, outcome::why, page::weigh};

/// Recordings that hold unexpanded wiremock templates; no source ever sent these bytes.
const TEMPLATED: usize = 21;
const RECORDINGS: usize = 301;

/// A recording as an answer; refused if it is a template of an answer: `{{...}}` in a header or in the body.
fn load(line: &str) -> Result<Answer, &'static str> {
    let recording: Value = serde_json::from_str(line).unwrap();
    let mut headers = serde_json::Map::new();
    for (name, value) in recording["headers"].as_object().into_iter().flatten() {
        let one = |value: &Value| value.as_str().unwrap().to_owned();
        let text = value
            .as_array()
            .map_or_else(|| one(value), |list| list.iter().map(one).collect::<Vec<_>>().join(", "));
        if text.contains("{{") {
            return Err("a template in a header");
        }
        headers.insert(name.clone(), text.into());
    }
    let body = recording["body"].as_str().unwrap_or_default();
    if body.contains("{{") {
        return Err("a template in the body");
    }
    // one recording has its status as text
    let status = &recording["status"];
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok()).ok_or("no status")?;
    Ok(answer_of(&json!({ "status": status, "headers": headers, "body": body })))
}

/// The manifest with which recordings are read: the shipped rules, and a step for lists and one for single records.
fn manifest() -> Manifest {
    let shipped = fs::read_to_string(super::collectors().join("github/branch_rules/collector.yaml")).unwrap();
    let head = shipped.split("\nsteps:").next().unwrap();
    let tail = r#"
steps:
  - { id: one, get: "/x", records: one, project: [id, login, name, message, owner.login], key: url }
  - { id: list, get: "/y", records: list, project: [id, login, name, user.id] }
populations:
  things: { type: thing, of: one, scope: one.url, name: "{name}" }
"#;
    Manifest::read("recordings", &format!("{head}{tail}")).unwrap()
}

#[test]
fn real_answers_are_understood_or_refused() {
    let Some(lines) = recordings() else { return };
    let (manifest, key) = (manifest(), ItemKey::new([1; 32]));
    let (mut refused, mut read, mut records) = (0, 0, 0);
    for line in lines.lines() {
        let Ok(answer) = load(line) else {
            refused += 1;
            continue;
        };
        read += 1;
        let text = std::str::from_utf8(&answer.body).unwrap().trim_start().to_owned();
        let step = &manifest.steps[usize::from(text.starts_with('['))];
        let meaning = weigh(&manifest, step, &answer, &key);
        if answer.status == 200 && meaning.outcome == Outcome::Present {
            let expected = serde_json::from_str::<Value>(&text).unwrap();
            assert_eq!(meaning.records.len(), expected.as_array().map_or(1, Vec::len), "{line:.200}");
            records += meaning.records.len();
        } else {
            assert!(meaning.records.is_empty(), "{line:.200}");
            // nothing but 200 with records means present, and nothing here may be taken for absent
            assert!(!meaning.outcome.feeds(), "{} {line:.200}", meaning.outcome.as_str());
        }
        if matches!(answer.status, 204 | 302 | 400) {
            assert_eq!((meaning.outcome, meaning.why), (Outcome::Error, Some(why::UNMATCHED)));
        }
    }
    assert_eq!((refused, read), (TEMPLATED, RECORDINGS - TEMPLATED));
    assert!(records > 300, "{records}");
}

/// Every recording of a path that a shipped collector asks goes through that collector's own step.
#[test]
fn recordings_of_the_paths_that_are_asked_go_through_their_own_steps() {
    let Some(lines) = recordings() else { return };
    let key = ItemKey::new([1; 32]);
    let all = every_collector().into_iter().map(|name| shipped(&name));
    // nobody records a directory by its addresses
    let manifests: Vec<Manifest> = all.filter(|manifest| !manifest.is_for_directories()).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines.lines() {
        let recording: Value = serde_json::from_str(line).unwrap();
        let Ok(answer) = load(line) else { continue };
        let path = by_name(recording["url"].as_str().unwrap().split('?').next().unwrap());
        for (manifest, step) in manifests.iter().flat_map(|m| m.steps.iter().map(move |step| (m, step))) {
            if !fits(step.path.source(), &path) {
                continue;
            }
            let meaning = weigh(manifest, step, &answer, &key);
            let whose = format!("{}.{} {line:.120}", manifest.id(), step.id);
            let lacks = meaning.why == Some(why::FIELD_MISSING);
            match (answer.status, meaning.outcome) {
                (200, Outcome::Present) => {
                    let body: Value = serde_json::from_slice(&answer.body).unwrap();
                    assert_eq!(meaning.records.len(), held(&step.records, &body), "{whose}");
                }
                // a credential that was not an owner's
                (200, Outcome::Forbidden) => assert!(lacks, "{whose}"),
                // alerts are on: there is no "off" to be read
                (204, Outcome::Absent) => assert_eq!(step.id, "dependabot_off", "{whose}"),
                (status, outcome) => {
                    assert!(status != 200 && !outcome.feeds(), "{whose}: {}", outcome.as_str());
                }
            }
            *seen.entry(&step.id).or_default() += 1;
        }
    }
    for step in [
        "org",
        "members",
        "outside",
        "teams",
        "collaborators",
        "keys",
        "rules",
        "protection",
        "dependabot_off",
        "update_pulls",
        "head",
        "merged",
        "deployments",
        "statuses",
        "reviews",
    ] {
        assert!(seen.contains_key(step), "no recording went through {step}: {seen:?}");
    }
}

/// Tokens that Okta answered with go through the shipped step, and no refusal is a list.
#[test]
fn recorded_tokens_of_okta_are_read_whole() {
    let Some(lines) = recorded("okta.jsonl") else { return };
    let (manifest, key) = (shipped("okta/tokens"), ItemKey::new([1; 32]));
    let step = manifest.steps.iter().find(|step| step.id == "tokens").unwrap();
    let (mut lists, mut records, mut refusals) = (0, 0, 0);
    for line in lines.lines() {
        let recording: Value = serde_json::from_str(line).unwrap();
        let url = recording["url"].as_str().unwrap();
        let Ok(answer) = load(line) else { continue };
        let meaning = weigh(&manifest, step, &answer, &key);
        if recording["method"] == "GET" && url.split('?').next() == Some("/api/v1/api-tokens") {
            assert_eq!((answer.status, meaning.outcome), (200, Outcome::Present), "{line:.200}");
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(meaning.records.len(), held(&step.records, &body));
            lists += 1;
            records += meaning.records.len();
        } else if answer.status >= 400 {
            assert!(!meaning.outcome.feeds() && meaning.records.is_empty(), "{line:.200}");
            refusals += 1;
        }
    }
    assert!(lists == 8 && records > 8 && refusals > 20, "{lists} {records} {refusals}");
}

/// Lists that Okta answered with go through the shipped steps.
#[test]
fn recorded_lists_of_okta_are_read_whole() {
    let Some(lines) = recorded("okta.jsonl") else { return };
    let key = ItemKey::new([1; 32]);
    for (name, id, path) in [
        ("okta/users", "users", "/api/v1/users"),
        ("okta/users", "factors", "/api/v1/users/*/factors"),
        ("okta/admins", "roles", "/api/v1/users/*/roles"),
        ("okta/apps", "apps", "/api/v1/apps"),
        ("okta/authenticators", "methods", "/api/v1/authenticators/*/methods"),
    ] {
        let manifest = shipped(name);
        let step = manifest.steps.iter().find(|step| step.id == id).unwrap();
        let mut records = 0;
        for line in lines.lines() {
            let recording: Value = serde_json::from_str(line).unwrap();
            let url = recording["url"].as_str().unwrap();
            let Ok(answer) = load(line) else { continue };
            if answer.status != 200 || !fits(path, url.split('?').next().unwrap()) {
                continue;
            }
            let meaning = weigh(&manifest, step, &answer, &key);
            assert_eq!(meaning.outcome, Outcome::Present, "{line:.200}");
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(meaning.records.len(), held(&step.records, &body));
            records += meaning.records.len();
        }
        assert!(records > 0, "no recording went through {name} {id}");
    }
}

/// `*`, or a place, stands for one part of a path.
fn fits(pattern: &str, path: &str) -> bool {
    let (wanted, had) = (pattern.split('/'), path.split('/'));
    wanted.clone().count() == had.clone().count()
        && wanted.zip(had).all(|(want, had)| want == "*" || want.starts_with('{') || want == had)
}

/// Further pages and moved repositories are recorded by a repository's number.
fn by_name(path: &str) -> String {
    let rest = path.strip_prefix("/repositories/").and_then(|rest| rest.split_once('/'));
    rest.map_or(path.to_owned(), |(_, rest)| format!("/repos/owner/name/{rest}"))
}

/// How many records a body holds.
fn held(records: &Records, body: &Value) -> usize {
    match records {
        Records::One | Records::Count(_) => 1,
        Records::List => body.as_array().unwrap().len(),
        Records::At(path) => {
            path.parts().iter().fold(body, |body, part| &body[part.as_str()]).as_array().unwrap().len()
        }
    }
}

fn recordings() -> Option<String> {
    recorded("github.jsonl")
}

fn recorded(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests read where the shared recordings are")]
    let (at, ci) = (env::var("OBSERVANCE_DATA").ok(), env::var("CI").is_ok());
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = at.map_or(shared, PathBuf::from).join("recordings").join(name);
    let text = fs::read_to_string(&path).ok();
    assert!(text.is_some() || !ci, "{} is missing", path.display());
    if text.is_none() {
        println!("skipped: {} is not here", path.display());
    }
    text
}
