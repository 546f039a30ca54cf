//! The shipped manifests are clean, and every planted slip is found on its line.

use std::{fs, path::PathBuf};

use serde_json::Value;

use super::{Finding, Weight, fits, lint};
use crate::collect::Manifest;

fn description() -> Value {
    described("github")
}

fn described(system: &str) -> Value {
    let data = std::env::var_os("OBSERVANCE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = data.join(format!("contracts/{system}.subset.json"));
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

fn shipped() -> Vec<(String, String)> {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("collectors");
    let mut found = Vec::new();
    for system in fs::read_dir(top).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for folder in fs::read_dir(system).unwrap().map(|entry| entry.unwrap().path()) {
            let path = folder.join("collector.yaml");
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn faults(text: &str, description: Option<&Value>) -> Vec<Finding> {
    let manifest = Manifest::read("m.yaml", text).unwrap_or_else(|faults| panic!("{faults:?}"));
    let (found, _) = lint(&manifest, text, description);
    found.into_iter().filter(|finding| finding.weight == Weight::Fault).collect()
}

#[test]
fn every_shipped_manifest_is_clean() {
    let description = description();
    let shipped = shipped();
    assert!(shipped.len() >= 3);
    let mut checked = 0;
    for (name, text) in &shipped {
        let found = faults(text, name.contains("/github/").then_some(&description));
        assert_eq!(found, [], "{name}");
        checked += lint(&Manifest::read(name, text).unwrap(), text, Some(&description)).1;
    }
    assert!(checked >= 8, "only {checked} steps are in the description");
}

#[test]
fn what_is_asked_of_okta_stands_in_its_description() {
    let description = described("okta");
    let mut checked = 0;
    for (name, text) in shipped().into_iter().filter(|(name, _)| name.contains("/okta/")) {
        let manifest = Manifest::read(&name, &text).unwrap();
        let (found, held) = lint(&manifest, &text, Some(&description));
        // three addresses are not in the cut-down description
        assert!(found.iter().all(|one| one.weight == Weight::Unchecked), "{name}: {found:?}");
        checked += held;
    }
    assert_eq!(checked, 31);
}

#[test]
fn every_slip_is_found_on_its_line() {
    let description = description();
    let (_, rules) = shipped().into_iter().find(|(name, _)| name.contains("branch_rules")).unwrap();
    let (_, members) = shipped().into_iter().find(|(name, _)| name.contains("/members/")).unwrap();
    for (text, from, to, says, hint) in [
        (
            &rules,
            "get: /orgs/{org}/repos",
            "get: /orgs/{org}/repo",
            "GET /orgs/{org}/repo is not there",
            "repos?",
        ),
        (&rules, "{ type: all,", "{ typ: all,", "no query parameter typ", "did you mean type?"),
        (&rules, "{ type: all,", "{ type: al,", "al is no value of type", "one of all, "),
        (
            &rules,
            "project: [id, name, full_name,",
            "project: [id, name, ful_name,",
            "has no ful_name",
            "full_name?",
        ),
        (
            &rules,
            "- enforce_admins.enabled",
            "- enforce_admins.enable",
            "has no enforce_admins.enable",
            "enabled?",
        ),
        (&rules, "sum: [public_repos,", "sum: [publik_repos,", "has no publik_repos", "public_repos?"),
        (&rules, "param: per_page", "param: perpage", "no query parameter perpage", "per_page?"),
        (
            &members,
            "filter: 2fa_disabled",
            "filter: 2fa_disable",
            "2fa_disable is no value of filter",
            "2fa_disabled",
        ),
        (
            &members,
            "require: [two_factor_requirement_enabled]",
            "require: [two_factor]",
            "has no two_factor",
            "it has: ",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let broken = text.replacen(from, to, 1);
        let found = faults(&broken, Some(&description));
        let hit = found.iter().find(|finding| finding.what.contains(says));
        let hit = hit.unwrap_or_else(|| panic!("{to}: {found:#?}"));
        assert!(hit.hint.contains(hint), "{to}: {}", hit.hint);
        let line = u64::try_from(broken.lines().position(|line| line.contains(to)).unwrap() + 1).unwrap();
        if !to.starts_with("sum:") {
            assert_eq!(hit.line, line, "{to}: {hit:?}");
        }
    }
}

#[test]
fn what_is_never_collected_is_refused() {
    let manifest = |get: &str, more: &str, project: &str| {
        format!(
            "apiVersion: collectors/v1\nkind: HttpCollector\nmetadata: {{ id: x.y, version: 1, title: t, evidence: [configuration] }}\n\
             connection: {{ base_url: https://api.example, params: [org] }}\noutcomes: [{{ status: 200, as: present }}]\n\
             steps:\n  - id: a\n    get: {get}\n    records: list\n    key: id\n    project: [{project}]\n    complete: [terminal_page]\n{more}\
             populations:\n  p: {{ type: thing, of: a, scope: o.id, name: n }}\n"
        )
        .replace("steps:\n", "steps:\n  - { id: o, get: /o, records: one, project: [id] }\n")
    };
    for (get, more, project, why) in [
        ("/orgs/{org}/secret-scanning/alerts", "", "id, number", "hide_secret=true"),
        (
            "/orgs/{org}/secret-scanning/alerts",
            "    query: { hide_secret: \"false\" }\n",
            "id",
            "hide_secret=true",
        ),
        ("/repos/{org}/r/contents/CODEOWNERS", "", "id", "is read"),
        ("/repos/{org}/r/actions/runs/1/logs", "", "id", "is read"),
        ("/repos/{org}/r/commits/main", "", "id", "patch is not covered"),
        ("/orgs/{org}/hooks", "", "id, config", "config is kept whole"),
        ("/orgs/{org}/hooks", "", "id, config.secret", "config.secret is read"),
        ("/things", "", "id, auth.private_key", "auth.private_key is read"),
    ] {
        let found = faults(&manifest(get, more, project), None);
        assert!(
            found.iter().any(|finding| finding.what.contains(why) && finding.line > 0),
            "{get}: {found:?}"
        );
    }
    for (get, more, project) in [
        (
            "/orgs/{org}/secret-scanning/alerts",
            "    query: { hide_secret: \"true\" }\n",
            "id, number, secret_type",
        ),
        ("/repos/{org}/r/commits/main", "    redact: [{ drop: \"**.patch\" }]\n", "id, sha"),
        ("/orgs/{org}/hooks", "", "id, config.insecure_ssl"),
    ] {
        assert_eq!(faults(&manifest(get, more, project), None), [], "{get}");
    }
}

#[test]
fn patterns_fit_whole_paths() {
    assert!(fits("/a/{}/c", "/a/{}/c") && fits("/a/b/c/d", "/a/{}/**"));
    assert!(!fits("/a/b", "/a/b/**") && !fits("/a/b/c", "/a/{}") && !fits("/a", "/a/{}"));
}
