//! What this release ships, compiled in: the collectors' files and the policies' files, so that a container needs none.
//!
//! It parses nothing: `collect` and the judge do. Their cases stay in the folders, for tests and for whoever writes more.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::folder;

/// How the annotation of a policy says its id, the population that it judges, and those that it reads beside it.
const SAID: [&str; 3] = ["#   id: ", "#   population: ", "#   joined: "];

/// A policy in brief, as its annotation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Its id.
    pub id: String,
    /// The populations without which it judges nothing: its own, then those that it joins and cannot do without.
    pub wants: Vec<String>,
}

/// Every collector's file: its path in the repository, and its bytes.
pub fn collectors() -> Vec<(String, &'static [u8])> {
    COLLECTORS.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
}

/// The files of every policy, by the policy's name, exactly as [`folder::read`] finds them in `policies/rego`.
pub fn policies() -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    folder::policies(&POLICIES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect())
}

/// Those policies in brief, by the policy's name. Nothing is compiled for it.
pub fn briefs() -> BTreeMap<String, Brief> {
    policies().iter().filter_map(|(name, files)| Some((name.clone(), brief(files)?))).collect()
}

/// The ids of those policies.
pub fn policy_ids() -> BTreeSet<String> {
    briefs().into_values().map(|brief| brief.id).collect()
}

fn brief(files: &BTreeMap<String, Vec<u8>>) -> Option<Brief> {
    let of = |bytes: &Vec<u8>| {
        let text = String::from_utf8_lossy(bytes);
        let said = SAID.map(|key| text.lines().find_map(|line| line.strip_prefix(key)));
        let [Some(id), Some(judged), joined] = said else { return None };
        let joined = joined.unwrap_or_default().trim_matches(['[', ']', ' ']);
        let joined = joined.split(',').map(str::trim).filter(|name| !name.is_empty());
        let wants = [judged.trim()].into_iter().chain(joined).map(str::to_owned).collect();
        Some(Brief { id: id.trim().to_owned(), wants })
    };
    files.values().find_map(of)
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
        let said = there.iter().map(|(name, files)| {
            let policy = observance_judge::Policy::load(files).unwrap();
            let meta = policy.meta();
            let needed = meta.joined.iter().filter(|name| !meta.optional.contains(*name));
            let wants = [&meta.population].into_iter().chain(needed).cloned().collect();
            (name.clone(), Brief { id: meta.id.clone(), wants })
        });
        assert_eq!(briefs(), said.collect());
        for (name, bytes) in collectors() {
            assert_eq!(std::fs::read(root.join(&name)).unwrap(), bytes, "{name}");
        }
    }
}
