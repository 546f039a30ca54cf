//! What this release ships, compiled in: the collectors' files and the policies' files, so that a container needs none.
//!
//! It parses nothing: `collect` and the judge do. Their cases stay in the folders, for tests and for whoever writes more.

use std::collections::BTreeMap;

/// Every collector's file: its path in the repository, and its bytes.
pub fn collectors() -> Vec<(String, &'static [u8])> {
    COLLECTORS.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
}

/// The files of every policy, by the policy's name; paths are relative to the folder that it came from, with `/`. A
/// policy has all of its folder's library, exactly as [`observance_judge::folder::read`] would give it.
pub fn policies() -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let files = |name: &str, rego: &[u8]| {
        let own = (format!("{name}.rego"), rego.to_vec());
        let shared = LIBRARY.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        shared.chain([own]).collect()
    };
    POLICIES.iter().map(|(name, rego)| ((*name).to_owned(), files(name, rego))).collect()
}

/// Which criteria each policy serves, by id: `policies/tests.yaml`.
pub const fn criteria() -> &'static str {
    include_str!("../../policies/tests.yaml")
}

const COLLECTORS: &[(&str, &[u8])] = &[
    (
        "collectors/github/access/collector.yaml",
        include_bytes!("../../collectors/github/access/collector.yaml"),
    ),
    (
        "collectors/github/accounts/collector.yaml",
        include_bytes!("../../collectors/github/accounts/collector.yaml"),
    ),
    (
        "collectors/github/branch_rules/collector.yaml",
        include_bytes!("../../collectors/github/branch_rules/collector.yaml"),
    ),
    (
        "collectors/github/change_checks/collector.yaml",
        include_bytes!("../../collectors/github/change_checks/collector.yaml"),
    ),
    (
        "collectors/github/changes/collector.yaml",
        include_bytes!("../../collectors/github/changes/collector.yaml"),
    ),
    (
        "collectors/github/environments/collector.yaml",
        include_bytes!("../../collectors/github/environments/collector.yaml"),
    ),
    (
        "collectors/github/members/collector.yaml",
        include_bytes!("../../collectors/github/members/collector.yaml"),
    ),
    (
        "collectors/github/organisation/collector.yaml",
        include_bytes!("../../collectors/github/organisation/collector.yaml"),
    ),
    (
        "collectors/github/recent_bypasses/collector.yaml",
        include_bytes!("../../collectors/github/recent_bypasses/collector.yaml"),
    ),
    (
        "collectors/github/release_branches/collector.yaml",
        include_bytes!("../../collectors/github/release_branches/collector.yaml"),
    ),
    (
        "collectors/github/security/collector.yaml",
        include_bytes!("../../collectors/github/security/collector.yaml"),
    ),
    (
        "collectors/github/updates/collector.yaml",
        include_bytes!("../../collectors/github/updates/collector.yaml"),
    ),
    ("collectors/okta/tokens/collector.yaml", include_bytes!("../../collectors/okta/tokens/collector.yaml")),
];

const POLICIES: &[(&str, &[u8])] = &[
    ("accounts_known", include_bytes!("../../policies/rego/github/accounts_known.rego")),
    ("admins", include_bytes!("../../policies/rego/github/admins.rego")),
    ("approvals", include_bytes!("../../policies/rego/github/approvals.rego")),
    ("apps", include_bytes!("../../policies/rego/github/apps.rego")),
    ("branch_rules", include_bytes!("../../policies/rego/github/branch_rules.rego")),
    ("bypass_reviews", include_bytes!("../../policies/rego/github/bypass_reviews.rego")),
    ("bypassers", include_bytes!("../../policies/rego/github/bypassers.rego")),
    ("bypasses", include_bytes!("../../policies/rego/github/bypasses.rego")),
    ("chain", include_bytes!("../../policies/rego/github/chain.rego")),
    ("checks", include_bytes!("../../policies/rego/github/checks.rego")),
    ("code_alerts", include_bytes!("../../policies/rego/github/code_alerts.rego")),
    ("code_scanning", include_bytes!("../../policies/rego/github/code_scanning.rego")),
    ("defaults", include_bytes!("../../policies/rego/github/defaults.rego")),
    ("dependency_alerts", include_bytes!("../../policies/rego/github/dependency_alerts.rego")),
    ("dependency_scanning", include_bytes!("../../policies/rego/github/dependency_scanning.rego")),
    ("deploy_keys", include_bytes!("../../policies/rego/github/deploy_keys.rego")),
    ("deployments", include_bytes!("../../policies/rego/github/deployments.rego")),
    ("environments", include_bytes!("../../policies/rego/github/environments.rego")),
    ("hooks", include_bytes!("../../policies/rego/github/hooks.rego")),
    ("invitations_known", include_bytes!("../../policies/rego/github/invitations_known.rego")),
    ("outside_known", include_bytes!("../../policies/rego/github/outside_known.rego")),
    ("owner_count", include_bytes!("../../policies/rego/github/owner_count.rego")),
    ("owners", include_bytes!("../../policies/rego/github/owners.rego")),
    ("protection_bypasses", include_bytes!("../../policies/rego/github/protection_bypasses.rego")),
    ("release_rules", include_bytes!("../../policies/rego/github/release_rules.rego")),
    ("required_checks", include_bytes!("../../policies/rego/github/required_checks.rego")),
    ("roles", include_bytes!("../../policies/rego/github/roles.rego")),
    ("secret_alerts", include_bytes!("../../policies/rego/github/secret_alerts.rego")),
    ("secret_scanning", include_bytes!("../../policies/rego/github/secret_scanning.rego")),
    ("tickets", include_bytes!("../../policies/rego/github/tickets.rego")),
    ("tie_out", include_bytes!("../../policies/rego/github/tie_out.rego")),
    ("tokens", include_bytes!("../../policies/rego/github/tokens.rego")),
    ("two_factor", include_bytes!("../../policies/rego/github/two_factor.rego")),
    ("two_factor_outside", include_bytes!("../../policies/rego/github/two_factor_outside.rego")),
    ("two_factor_required", include_bytes!("../../policies/rego/github/two_factor_required.rego")),
    ("two_factor_strength", include_bytes!("../../policies/rego/github/two_factor_strength.rego")),
    ("updates", include_bytes!("../../policies/rego/github/updates.rego")),
    ("writers", include_bytes!("../../policies/rego/github/writers.rego")),
    ("writing_apps", include_bytes!("../../policies/rego/github/writing_apps.rego")),
    ("writing_teams", include_bytes!("../../policies/rego/github/writing_teams.rego")),
];

const LIBRARY: &[(&str, &[u8])] = &[
    ("lib/approval.rego", include_bytes!("../../policies/rego/github/lib/approval.rego")),
    ("lib/register.rego", include_bytes!("../../policies/rego/github/lib/register.rego")),
    ("lib/row.rego", include_bytes!("../../policies/rego/github/lib/row.rego")),
    ("lib/sla.rego", include_bytes!("../../policies/rego/github/lib/sla.rego")),
    ("lib/when.rego", include_bytes!("../../policies/rego/github/lib/when.rego")),
];

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    fn files(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, into);
            } else if path.file_name().is_some_and(|name| name == "collector.yaml") {
                into.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_collector_of_the_folder_is_here_as_it_lies_there() {
        let mut there = BTreeSet::new();
        files(&root().join("collectors"), &mut there);
        assert_eq!(collectors().into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>(), there);
        for (name, bytes) in collectors() {
            assert_eq!(fs::read(root().join(&name)).unwrap(), bytes, "{name}");
        }
    }

    #[test]
    fn every_policy_of_every_folder_is_here_as_the_judge_reads_it() {
        let mut there = BTreeMap::new();
        for folder in fs::read_dir(root().join("policies/rego")).unwrap() {
            there.extend(observance_judge::folder::read(&folder.unwrap().path()).unwrap());
        }
        assert_eq!(policies(), there);
    }
}
