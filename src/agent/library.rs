//! What this release ships, compiled in: the collectors' files and the policies' files, so that a container needs none.
//!
//! It parses nothing: `collect` and the judge do. Their cases stay in the folders, for tests and for whoever writes more.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::folder;

/// How the annotation of a policy says its id.
const ID: &str = "#   id: ";

/// Every collector's file: its path in the repository, and its bytes.
pub fn collectors() -> Vec<(String, &'static [u8])> {
    COLLECTORS.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
}

/// The files of every policy, by the policy's name, exactly as [`folder::read`] finds them in `policies/rego`.
pub fn policies() -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    folder::policies(&POLICIES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect())
}

/// The ids of those policies, as their annotations say.
pub fn policy_ids() -> Vec<String> {
    let id = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().find_map(|line| line.strip_prefix(ID)).map(|id| id.trim().to_owned())
    };
    let ids: BTreeSet<String> = POLICIES.iter().filter_map(|(_, bytes)| id(bytes)).collect();
    ids.into_iter().collect()
}

/// Which criteria each policy serves, by id: `policies/tests.yaml`.
pub const fn criteria() -> &'static str {
    include_str!("../../policies/tests.yaml")
}

// COLLECTORS and POLICIES: every file by its path, as `build.rs` found them.
include!(concat!(env!("OUT_DIR"), "/library.rs"));

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_is_compiled_in_is_what_lies_in_the_folders() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let there = folder::read(&root.join("policies/rego")).unwrap();
        assert_eq!(policies(), there);
        let ids =
            there.values().map(|files| observance_judge::Policy::load(files).unwrap().meta().id.clone());
        assert_eq!(policy_ids(), ids.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
        for (name, bytes) in collectors() {
            assert_eq!(std::fs::read(root.join(&name)).unwrap(), bytes, "{name}");
        }
    }
}
