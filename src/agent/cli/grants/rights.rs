//! The rights that GitHub grants, by the names that apps and manifests use, and which of them a request needs.
//!
//! The vendor's interface, as far as it is asked for here. A request that the table does not know needs whatever its
//! collector declares: the table makes grants smaller, never larger.

use crate::collect::StepOutline;

/// One right: its name in an app's manifest, on what it is granted, what the pages of GitHub call it.
struct Right {
    name: &'static str,
    on: On,
    label: &'static str,
}

/// On what a right is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// On repositories.
    Repository,
    /// On the organisation.
    Organisation,
}

impl On {
    /// The section's name on the page where a token is made.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Repository => "Repository permissions",
            Self::Organisation => "Organization permissions",
        }
    }

    /// In a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Repository => "repositories",
            Self::Organisation => "organisation",
        }
    }
}

const fn repository(name: &'static str, label: &'static str) -> Right {
    Right { name, on: On::Repository, label }
}

const fn organisation(name: &'static str, label: &'static str) -> Right {
    Right { name, on: On::Organisation, label }
}

const RIGHTS: &[Right] = &[
    repository("metadata", "Metadata"),
    repository("actions", "Actions"),
    repository("administration", "Administration"),
    repository("checks", "Checks"),
    repository("contents", "Contents"),
    repository("deployments", "Deployments"),
    repository("environments", "Environments"),
    repository("issues", "Issues"),
    repository("pull_requests", "Pull requests"),
    repository("repository_hooks", "Webhooks"),
    repository("secret_scanning_alerts", "Secret scanning alerts"),
    repository("security_events", "Code scanning alerts"),
    repository("statuses", "Commit statuses"),
    repository("vulnerability_alerts", "Dependabot alerts"),
    repository("workflows", "Workflows"),
    organisation("members", "Members"),
    organisation("organization_administration", "Administration"),
    organisation("organization_custom_org_roles", "Custom organization roles"),
    organisation("organization_custom_roles", "Custom repository roles"),
    organisation("organization_events", "Events"),
    organisation("organization_hooks", "Webhooks"),
    organisation("organization_personal_access_tokens", "Personal access tokens"),
    organisation("organization_plan", "Plan"),
];

/// The paths, and the right that each needs beside metadata, or several of which one is enough; `{}` is any one part.
const PATHS: &[(&str, &str)] = &[
    ("/orgs/{}/repos", "metadata"),
    ("/installation/repositories", "metadata"),
    ("/orgs/{}/members", "members"),
    ("/orgs/{}/outside_collaborators", "members"),
    ("/orgs/{}/invitations", "members"),
    ("/orgs/{}/teams", "members"),
    ("/orgs/{}/teams/{}/members", "members"),
    ("/orgs/{}/teams/{}/repos", "members"),
    ("/orgs/{}/installations", "organization_administration"),
    ("/orgs/{}/credential-authorizations", "organization_administration"),
    ("/orgs/{}/actions/permissions", "organization_administration"),
    ("/orgs/{}/actions/permissions/workflow", "organization_administration"),
    ("/orgs/{}/audit-log", "organization_administration"),
    ("/orgs/{}/hooks", "organization_hooks"),
    ("/orgs/{}/organization-roles", "organization_custom_org_roles"),
    ("/orgs/{}/organization-roles/{}/users", "organization_custom_org_roles members"),
    ("/orgs/{}/organization-roles/{}/teams", "organization_custom_org_roles members"),
    ("/orgs/{}/personal-access-tokens", "organization_personal_access_tokens"),
    ("/orgs/{}/secret-scanning/alerts", "secret_scanning_alerts"),
    ("/orgs/{}/code-scanning/alerts", "security_events"),
    ("/orgs/{}/dependabot/alerts", "vulnerability_alerts"),
    ("/repos/{}/{}/rules/branches/{}", "metadata"),
    ("/repos/{}/{}/rulesets", "metadata"),
    ("/repos/{}/{}/rulesets/rule-suites", "administration"),
    ("/repos/{}/{}/rulesets/{}", "metadata"),
    ("/repos/{}/{}/branches/{}/protection", "administration"),
    ("/repos/{}/{}/activity", "contents"),
    ("/repos/{}/{}/commits", "contents"),
    ("/repos/{}/{}/commits/{}/pulls", "pull_requests"),
    ("/repos/{}/{}/commits/{}/check-runs", "checks"),
    ("/repos/{}/{}/commits/{}/status", "statuses"),
    ("/repos/{}/{}/pulls", "pull_requests"),
    ("/repos/{}/{}/pulls/{}/commits", "pull_requests"),
    ("/repos/{}/{}/pulls/{}/reviews", "pull_requests"),
    ("/repos/{}/{}/deployments", "deployments"),
    ("/repos/{}/{}/deployments/{}/statuses", "deployments"),
    ("/repos/{}/{}/environments", "actions environments"),
    ("/repos/{}/{}/environments/{}/deployment-branch-policies", "actions environments"),
    ("/repos/{}/{}/branches/{}", "contents"),
    ("/repos/{}/{}/issues/{}/events", "issues pull_requests"),
    ("/repos/{}/{}/collaborators", "administration metadata"),
    ("/repos/{}/{}/code-scanning/analyses", "security_events"),
    ("/repos/{}/{}/dependabot/alerts", "vulnerability_alerts"),
    ("/repos/{}/{}/secret-scanning/alerts", "secret_scanning_alerts"),
    ("/repos/{}/{}/vulnerability-alerts", "administration"),
    ("/repos/{}/{}/automated-security-fixes", "administration"),
    ("/repos/{}/{}/keys", "administration"),
    ("/repos/{}/{}/hooks", "repository_hooks"),
];

/// Fields of an organisation that only somebody who administers it is shown.
const OWNERS_FIELDS: &[&str] =
    &["two_factor_requirement_enabled", "default_repository_permission", "members_can_"];

/// What a right is called and on what it is granted; one that is not in the table by what its name tells.
pub fn right(name: &str) -> (String, On) {
    let known = RIGHTS.iter().find(|right| right.name == name);
    known.map_or_else(
        || {
            let bare = name.strip_prefix("organization_");
            let on = if bare.is_some() { On::Organisation } else { On::Repository };
            let mut label = bare.unwrap_or(name).replace('_', " ");
            if let Some(first) = label.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            (label, on)
        },
        |right| (right.label.to_owned(), right.on),
    )
}

/// Is it a right of GitHub's, by its name?
pub fn is_known(name: &str) -> bool {
    RIGHTS.iter().any(|right| right.name == name)
}

/// The right that a request needs, if the table knows it and the manifest declares it.
pub fn needed(step: &StepOutline, declared: &[(String, String)]) -> Option<String> {
    let part = |part: &str| if part.contains('{') { "{}".to_owned() } else { part.to_owned() };
    let path: Vec<String> = step.path.split('/').map(part).collect();
    let path = path.join("/");
    let owners = || {
        let mut asked = step.projected.iter().chain(&step.asked);
        asked.any(|field| OWNERS_FIELDS.iter().any(|owners| field.starts_with(owners)))
    };
    let rights = if path == "/orgs/{}" {
        if owners() { "organization_administration" } else { "metadata" }
    } else {
        PATHS.iter().find(|(known, _)| *known == path)?.1
    };
    let has = |right: &&str| declared.iter().any(|(name, _)| name == right);
    rights.split(' ').find(has).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::Manifest;

    #[test]
    fn every_step_that_is_shipped_needs_a_right_that_its_manifest_declares() {
        for (name, bytes) in crate::library::collectors() {
            let manifest = Manifest::read(&name, &String::from_utf8_lossy(bytes)).unwrap();
            for step in manifest.step_outlines() {
                if let Some(right) = needed(&step, manifest.permissions()) {
                    assert!(
                        manifest.permissions().iter().any(|(declared, _)| *declared == right),
                        "{name} {}",
                        step.id
                    );
                }
            }
        }
        assert_eq!(right("organization_new_thing"), ("New thing".to_owned(), On::Organisation));
        assert_eq!(right("pull_requests"), ("Pull requests".to_owned(), On::Repository));
    }

    #[test]
    fn an_organisations_own_settings_need_more_than_metadata() {
        let declared =
            ["metadata", "organization_administration"].map(|name| (name.to_owned(), "read".to_owned()));
        let text = include_str!("../../../../collectors/github/members/collector.yaml");
        let org = Manifest::read("m", text).unwrap().step_outlines().remove(0);
        assert_eq!(needed(&org, &declared).as_deref(), Some("organization_administration"));
        let bare = StepOutline { projected: vec!["id".to_owned()], asked: Vec::new(), ..org };
        assert_eq!(needed(&bare, &declared).as_deref(), Some("metadata"));
        assert_eq!(needed(&StepOutline { path: "/unheard/of".to_owned(), ..bare }, &declared), None);
    }
}
