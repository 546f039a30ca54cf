//! What this release ships, compiled in: the collectors' files and the policies' files, so that a container needs none.
//!
//! It parses nothing but the list of criteria: `collect` and the judge do. Their cases stay in the folders, for tests and for whoever writes more.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::folder;
use serde::{Deserialize, Serialize};

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
    let of = |(path, bytes): &(&str, &[u8])| Some((path.strip_suffix(".rego")?.to_owned(), brief(bytes)?));
    POLICIES.iter().filter_map(of).collect()
}

/// The ids of those policies.
pub fn policy_ids() -> BTreeSet<String> {
    briefs().into_values().map(|brief| brief.id).collect()
}

/// A file that says no id is what policies import.
fn brief(bytes: &[u8]) -> Option<Brief> {
    let text = String::from_utf8_lossy(bytes);
    let said = SAID.map(|key| text.lines().find_map(|line| line.strip_prefix(key)));
    let [Some(id), Some(judged), joined] = said else { return None };
    let joined = joined.unwrap_or_default().trim_matches(['[', ']', ' ']);
    let joined = joined.split(',').map(str::trim).filter(|name| !name.is_empty());
    let wants = [judged.trim()].into_iter().chain(joined).map(str::to_owned).collect();
    Some(Brief { id: id.trim().to_owned(), wants })
}

/// The criteria that a policy serves, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// Trust services criteria.
    pub soc2: Vec<String>,
    /// Clauses and Annex A controls.
    pub iso27001: Vec<String>,
}

/// Which criteria each policy serves: `policies/tests.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Serves(BTreeMap<String, Criteria>);

impl Serves {
    /// As this release ships it.
    ///
    /// # Errors
    /// The file is not of that shape; a test holds that it is.
    pub fn shipped() -> Result<Self, serde_saphyr::Error> {
        serde_saphyr::from_str(include_str!("../../policies/tests.yaml"))
    }

    /// Those of a policy; those of its test if it is a part of one (`GH-14a`, `GH-13-tie`).
    pub fn criteria(&self, policy: &str) -> Criteria {
        let known = self.0.get(policy).or_else(|| self.0.get(test(policy)));
        known.cloned().unwrap_or_default()
    }

    /// The same as people name them: `SOC 2 CC8.1`, `ISO 27001 A.8.32`.
    pub fn named(&self, policy: &str) -> Vec<String> {
        let Criteria { soc2, iso27001 } = self.criteria(policy);
        let soc2 = soc2.iter().map(|id| format!("SOC 2 {id}"));
        soc2.chain(iso27001.iter().map(|id| format!("ISO 27001 {id}"))).collect()
    }
}

/// The test that a policy is a part of: `GH-14` of `GH-14a`.
pub(crate) fn test(policy: &str) -> &str {
    let Some((_, part)) = policy.split_once('-') else { return policy };
    let beyond = part.trim_start_matches(|c: char| c.is_ascii_digit());
    policy.strip_suffix(beyond).unwrap_or(policy)
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
