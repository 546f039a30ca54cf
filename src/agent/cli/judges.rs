//! Which policies judge, and with which parameters: a folder of the operator's own, or those of the default library that the
//! sources feed.
//!
//! The others are not loaded: a policy that could judge nothing here would only be a line that nobody can act on. Those that lack no
//! more than a register are told, since whoever runs the agent can keep one.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::{Policy, folder as policy_folder};
use serde_json::{Map, Value};

use super::{
    folder::Beside,
    setup::{Found, chain},
};
use crate::{
    collect::Manifest,
    config::{Config, fault::nearest, policy::Library},
    library::{self, Brief},
    run::setup::Judge,
};

/// Ids of policies, by the population that each lacks.
pub type Waiting = BTreeMap<String, BTreeSet<String>>;

/// The policies in force, by id, and those that lack a register.
pub(super) struct Judges {
    pub policies: BTreeMap<String, Judge>,
    pub waiting: Waiting,
}

/// Populations, by who yields them.
#[derive(Default)]
struct Yields {
    /// Collectors of the kinds of sources that are configured.
    here: BTreeSet<String>,
    /// What reads files, whether or not there is such a file.
    registers: BTreeSet<String>,
}

/// Reads and chooses them; what does not load, and parameters of nobody's, are faults.
pub(super) fn chosen(config: &Config, beside: &Beside, found: &mut Found) -> Judges {
    let path = ["policies", "library"];
    let mut waiting = Waiting::new();
    let read = match &config.policies.library {
        Library::Default => {
            let yields = Yields::of(config, beside);
            let briefs = library::briefs();
            waiting = yields.waiting(briefs.values());
            let fed = |name: &String| briefs.get(name).is_some_and(|brief| yields.feeds(brief));
            library::policies().into_iter().filter(|(name, _)| fed(name)).collect()
        }
        Library::Folder(folder) => policy_folder::read(folder).unwrap_or_else(|error| {
            found.push(&path, chain(&error), "default, or a folder of policies", None);
            BTreeMap::new()
        }),
    };
    if read.is_empty() && config.policies.library != Library::Default && found.is_faultless() {
        found.push(&path, "a folder without policies", "at least one .rego file", None);
    }
    let mut policies = BTreeMap::new();
    for (name, files) in read {
        match Policy::load(&files) {
            Ok(policy) => {
                let id = policy.meta().id.clone();
                let given = config.policies.parameters.get(&id).cloned().unwrap_or_default();
                if let Some(judge) = judge(policy, files, &given, found)
                    && policies.insert(id.clone(), judge).is_some()
                {
                    found.push(&path, format!("two policies {id}"), "one policy of each id", None);
                }
            }
            Err(faults) => {
                for fault in faults {
                    found.push(&path, format!("policy {name}: {fault}"), "a policy that loads", None);
                }
            }
        }
    }
    unknown(config, &policies, found);
    Judges { policies, waiting }
}

impl Yields {
    fn of(config: &Config, beside: &Beside) -> Self {
        let kinds: BTreeSet<&str> =
            config.sources.values().map(crate::config::source::Source::kind).collect();
        let mut yields = Self::default();
        for (id, (name, bytes)) in &beside.collectors {
            let Ok(manifest) = Manifest::read(name, &String::from_utf8_lossy(bytes)) else { continue };
            let populations: Vec<String> = manifest.yields().map(|(name, ..)| name.to_owned()).collect();
            if manifest.is_for_files() {
                yields.registers.extend(populations.iter().cloned());
            }
            if id.split_once('.').is_some_and(|(kind, _)| kinds.contains(kind)) {
                yields.here.extend(populations);
            }
        }
        yields
    }

    fn feeds(&self, brief: &Brief) -> bool {
        brief.wants.iter().all(|name| self.here.contains(name))
    }

    /// Those that read something from here, and lack nothing but registers.
    fn waiting<'b>(&self, briefs: impl Iterator<Item = &'b Brief>) -> Waiting {
        let mut waiting = Waiting::new();
        for brief in briefs {
            let (here, lacking): (Vec<_>, Vec<_>) =
                brief.wants.iter().partition(|name| self.here.contains(*name));
            if here.is_empty() || !lacking.iter().all(|name| self.registers.contains(*name)) {
                continue;
            }
            for name in lacking {
                waiting.entry(name.clone()).or_default().insert(brief.id.clone());
            }
        }
        waiting
    }
}

fn judge(
    policy: Policy,
    files: BTreeMap<String, Vec<u8>>,
    given: &Map<String, Value>,
    found: &mut Found,
) -> Option<Judge> {
    match policy.params(given) {
        Ok(params) => Some(Judge { policy, files, params }),
        Err(faults) => {
            for fault in faults {
                let (id, name) = fault.key.split_once('.').unwrap_or((&fault.key, ""));
                let hint = (!fault.hint.is_empty()).then(|| fault.hint.to_owned());
                let path = ["policies", "parameters", id, name];
                found.push(
                    &path,
                    fault.what.as_str(),
                    "a parameter of this policy, and a value of its kind",
                    hint,
                );
            }
            None
        }
    }
}

/// Parameters that would be read by no policy.
fn unknown(config: &Config, policies: &BTreeMap<String, Judge>, found: &mut Found) {
    // a policy that did not load is a fault already
    if !found.is_faultless() {
        return;
    }
    for id in config.policies.parameters.keys().filter(|id| !policies.contains_key(*id)) {
        let path = ["policies", "parameters", id];
        if config.policies.library == Library::Default {
            // the configuration's own reader knows which there are
            let what = "a policy that judges nothing here: no source yields what it reads";
            let hint = "add the source, or leave its parameters out";
            found.push(&path, what, "a policy of one of the sources", Some(hint.to_owned()));
            continue;
        }
        let hint =
            nearest(id, policies.keys().map(String::as_str)).map(|near| format!("did you mean {near}?"));
        let expected = format!("one of {}", policies.keys().cloned().collect::<Vec<_>>().join(", "));
        found.push(&path, "an unknown policy", &expected, hint);
    }
}
