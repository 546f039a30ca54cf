//! Real recorded answers of GitHub go through classification and projection: none panics, none is read as "no rows".

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use observance_record::{item::ItemKey, population::Outcome};
use serde_json::{Value, json};

use super::{answer_of, catalogue::NAMES, shipped};
use crate::collect::{
    Manifest,
    http::Answer,
    manifest::{Records, Step},
    outcome::why,
    page::weigh,
};

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

/// Is the recording of the address that the step asks? Repositories are also recorded by their number.
fn asks(step: &Step, address: &str) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    let by_name = path.strip_prefix("/repositories/").and_then(|rest| rest.split_once('/'));
    let path = by_name.map_or(path.to_owned(), |(_, rest)| format!("/repos/owner/name/{rest}"));
    let (asked, recorded): (Vec<_>, Vec<_>) =
        (step.get.source().split('/').collect(), path.split('/').collect());
    let fits = |(asked, recorded): (&&str, &&str)| asked.starts_with('{') || asked == recorded;
    asked.len() == recorded.len() && asked.iter().zip(&recorded).all(fits)
}

/// How many records the body holds, as the step finds them.
fn held(step: &Step, body: &Value) -> usize {
    match &step.records {
        Records::One => 1,
        Records::List => body.as_array().unwrap().len(),
        Records::At(path) => {
            path.parts().iter().fold(body, |body, part| &body[part.as_str()]).as_array().unwrap().len()
        }
    }
}

#[test]
fn every_step_reads_what_was_recorded_of_its_address() {
    let Some(lines) = recordings() else { return };
    let key = ItemKey::new([1; 32]);
    let mut read = BTreeSet::new();
    for name in NAMES {
        let manifest = shipped(name);
        for (step, line) in manifest.steps.iter().flat_map(|step| lines.lines().map(move |line| (step, line)))
        {
            let recording: Value = serde_json::from_str(line).unwrap();
            let asked = recording["method"] == "GET" && asks(step, recording["url"].as_str().unwrap());
            let Ok(answer) = load(line) else { continue };
            if !asked || answer.status != 200 {
                continue;
            }
            let meaning = weigh(&manifest, step, &answer, &key);
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            let lacks = meaning.records.iter().any(|record| record.lacks);
            assert!(meaning.outcome == Outcome::Present || lacks, "{name} {}: {line:.300}", step.id);
            assert_eq!(meaning.records.len(), held(step, &body), "{name} {}: {line:.300}", step.id);
            read.insert(format!("{name} {}", step.id));
        }
    }
    for step in [
        "github/updates update_pulls",
        "github/updates head",
        "github/updates merged",
        "github/updates deployments",
        "github/updates statuses",
        "github/change_checks check_runs",
        "github/changes reviews",
    ] {
        assert!(read.contains(step), "nothing is recorded for {step}: {read:?}");
    }
}

fn recordings() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests read where the shared recordings are")]
    let (at, ci) = (env::var("OBSERVANCE_DATA").ok(), env::var("CI").is_ok());
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = at.map_or(shared, PathBuf::from).join("recordings/github.jsonl");
    let text = fs::read_to_string(&path).ok();
    assert!(text.is_some() || !ci, "{} is missing", path.display());
    if text.is_none() {
        println!("skipped: {} is not here", path.display());
    }
    text
}
