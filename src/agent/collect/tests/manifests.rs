//! Manifests: the shipped ones read, wrong ones say everything that is wrong at once, and nothing makes the reader panic.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{collectors, every_collector, shipped};
use crate::collect::{Manifest, why};
use observance_record::verdict::Code;

/// Each collector, and its populations with the type of their items.
const YIELDS: &[(&str, &str)] = &[
    ("github/access", "repository_access: repository, deploy_keys: deploy_key, teams: team"),
    (
        "github/accounts",
        "accounts: account, owners: account, organisation_owners: organisation, outside_collaborators: account, invitations: invitation, roles: role",
    ),
    ("github/branch_rules", "repositories: repository"),
    ("github/change_checks", "tested_changes: change in a window"),
    ("github/changes", "changes: change in a window, bypasses: repository in a window"),
    ("github/environments", "environments: environment"),
    ("github/members", "members: account"),
    (
        "github/organisation",
        "organisation: organisation, installations: installation, tokens: token, hooks: hook",
    ),
    ("github/recent_bypasses", "recent_bypasses: bypass"),
    ("github/release_branches", "release_branches: branch"),
    (
        "github/security",
        "repository_security: repository, secret_alerts: secret_alert, dependabot_alerts: dependency_alert, code_alerts: code_alert",
    ),
    (
        "github/updates",
        "updates: update in a window, branches: repository in a window, deployments: deployment in a window",
    ),
    ("okta/admins", "okta_admins: okta_admin, okta_groups: okta_group, okta_organisation: okta_organisation"),
    ("okta/apps", "okta_apps: okta_app"),
    ("okta/authenticators", "okta_authenticators: okta_authenticator"),
    (
        "okta/log",
        "okta_sign_ins: okta_event in a window, okta_sessions: okta_event in a window, okta_lifecycle: okta_event in a window, okta_grants: okta_event in a window, okta_privilege_grants: okta_event in a window, okta_rule_changes: okta_event in a window",
    ),
    (
        "okta/policies",
        "okta_password_policies: okta_policy, okta_session_policies: okta_policy, okta_access_policies: okta_policy, okta_enrolment_policies: okta_policy",
    ),
    ("okta/tokens", "api_tokens: api_token"),
    ("okta/users", "okta_users: okta_user"),
];

#[test]
fn the_shipped_collectors_yield_what_they_say() {
    let word = |(name, kind, window): (&str, &str, bool)| {
        format!("{name}: {kind}{}", if window { " in a window" } else { "" })
    };
    for (name, yields) in YIELDS {
        assert_eq!(shipped(name).yields().map(word).collect::<Vec<_>>().join(", "), *yields, "{name}");
    }
    let names = |system: &str| -> Vec<String> {
        every_collector().into_iter().filter(|name| name.starts_with(system)).collect()
    };
    assert_eq!(
        YIELDS.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        [names("github/"), names("okta/")].concat()
    );
    let manifest = shipped("github/members");
    assert_eq!(
        (manifest.id(), manifest.version(), manifest.params()),
        ("github.members", 1, &["org".to_owned()][..])
    );
    assert!(manifest.permissions().iter().all(|(_, access)| access == "read"));
    assert!(manifest.needs().any(|(step, _)| step == "no_2fa"));
}

/// What an organisation may keep in one place or another: `check-config` refuses two that are configured together.
const EITHER: &[&str] = &["people"];

#[test]
fn a_population_belongs_to_one_collector() {
    let mut yields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for collector in every_collector() {
        for (population, ..) in shipped(&collector).yields() {
            yields.entry(population.to_owned()).or_default().push(collector.clone());
        }
    }
    yields.retain(|_, collectors| collectors.len() > 1);
    assert_eq!(yields.keys().collect::<Vec<_>>(), EITHER, "{yields:?}");
}

#[test]
fn change_events_bring_looks_at_what_is_and_read_no_windows() {
    for (name, _) in YIELDS {
        let manifest = shipped(name);
        let windowed = manifest.yields().any(|(.., windowed)| windowed);
        assert!(!windowed || manifest.schedule().events.is_empty(), "{name}");
    }
    let rules = shipped("github/branch_rules");
    assert!(rules.schedule().events.iter().any(|event| event == "repository_ruleset"));
    let text = std::fs::read_to_string(collectors().join("github/members/collector.yaml")).unwrap();
    for wrong in ["[organization, organization]", "[Organization]", "organization"] {
        let text = text.replace("events: [organization]", &format!("events: {wrong}"));
        assert_eq!(Manifest::read("members", &text).unwrap_err().len(), 1, "{wrong}");
    }
}

#[test]
fn all_faults_come_at_once_with_their_places() {
    let text = std::fs::read_to_string(collectors().join("github/members/collector.yaml")).unwrap();
    let wrong = text
        .replace("as: unchanged", "as: unchnged")
        .replace("filter: all", "filtre: \"{orgg}\"")
        .replace(
            "    key: id\n    project: [id, login, type",
            "    kye: id\n    project: [id, id, _login, type",
        )
        .replace("access: read", "access: write")
        .replace("type: account", "typ: account");
    let faults = Manifest::read("m.yaml", &wrong).unwrap_err();
    let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
    for part in [
        "outcomes[1].as: found \"unchnged\", expected one of present,",
        "permissions.expect[0].access: found \"write\", expected read",
        "steps[1].query: found {orgg}, expected a parameter (org)",
        "steps[1].kye: found the key \"kye\"",
        "steps[1].project[1]: found id, which overlaps",
        "steps[1].project[2]: found \"_login\"",
        "populations.members.typ: found the key \"typ\"",
        "populations.members: found no type, expected the key type",
    ] {
        assert!(said.iter().any(|fault| fault.contains(part)), "no fault says {part}\n{}", said.join("\n"));
    }
    let line = 1 + wrong.lines().position(|line| line.contains("unchnged")).unwrap();
    assert!(
        said.iter().any(|fault| fault.starts_with(&format!("m.yaml:{line}: outcomes[1]"))),
        "{}",
        said.join("\n")
    );
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let text = std::fs::read_to_string(collectors().join("github/members/collector.yaml")).unwrap();
    for (from, to) in [
        ("kind: HttpCollector", "kind: HttpCollector\nkind: HttpCollector"),
        ("params: [org]", "params: &p [org]"),
        ("version: 1", "version: one"),
        ("base_url: https://api.github.com", "base_url: http://api.github.com"),
        ("headers: {", "headers: { authorization: me, "),
        ("get: /orgs/{org}\n", "get: //evil/{org}\n"),
        ("step: no_2fa", "step: later"),
        ("of: members", "of: org"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(Manifest::read("m.yaml", &text.replace(from, to)).is_err(), "{to}");
    }
    let faults =
        Manifest::read("m.yaml", &text.replace("kind: HttpCollector", "kind: a\nkind: b")).unwrap_err();
    assert!(faults.len() == 1 && faults[0].line > 0, "{faults:?}");
}

#[test]
fn every_reason_is_a_code() {
    for why in [why::UNMATCHED, why::LINK_OTHER_HOST, why::TOO_LARGE, why::FIELD_MISSING, why::ROW_LARGE] {
        assert!(why.parse::<Code>().is_ok(), "{why}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn never_panics_on_text(text in any::<String>()) {
        let _read = Manifest::read("x", &text);
    }

    #[test]
    fn never_panics_on_a_broken_manifest(from in 0_usize..6000, cut in 0_usize..40, paste in "[\\[\\]{}:,#&*a-z0-9\" \n-]{0,8}") {
        let text = std::fs::read_to_string(collectors().join("github/changes/collector.yaml")).unwrap();
        let from = (0..=from.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let to = (from + cut..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len());
        let _read = Manifest::read("x", &format!("{}{paste}{}", &text[..from], &text[to..]));
    }
}
