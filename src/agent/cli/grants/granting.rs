//! Which rights a set of collectors or policies needs, and by which of their steps.
//!
//! What a manifest declares is what is granted; the table of paths only tells which step needs which of it.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::Policy;
use serde::Serialize;

use super::rights::{self, On};
use crate::{
    cli::shelf::{Shelf, Shelved},
    collect::StepOutline,
};

/// A right, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Granting {
    /// Its name, as an app's manifest has it.
    pub right: String,
    /// `read`.
    pub level: String,
    /// What the source's own pages call it.
    pub label: String,
    /// `repositories` or `organisation`.
    pub on: &'static str,
    /// The steps that need it, by collector; a collector without steps needs it as a whole.
    pub collectors: BTreeMap<String, BTreeSet<String>>,
    /// The policies that cannot be judged without it.
    pub policies: BTreeSet<String>,
    #[serde(skip)]
    section: Option<On>,
}

/// What a grant needs beyond rights, in a manifest's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Need {
    /// The words.
    pub needs: String,
    /// The collector.
    pub collector: String,
    /// Its step.
    pub step: String,
}

/// All that is needed.
#[derive(Debug, Default, Serialize)]
pub struct Grants {
    /// The rights, repositories first.
    pub rights: Vec<Granting>,
    /// What is needed beside.
    pub needs: BTreeSet<Need>,
}

impl Granting {
    /// Is it granted on this?
    pub fn is_on(&self, on: On) -> bool {
        self.section == Some(on)
    }
}

impl Grants {
    /// For these policies.
    pub fn for_policies(shelf: &Shelf, policies: &[&Policy]) -> Self {
        let mut grants = Self::default();
        for judge in shelf.judges.values() {
            let meta = judge.policy.meta();
            if !policies.iter().any(|policy| policy.meta().id == meta.id) {
                continue;
            }
            for (shelved, population) in shelf.rests_on(judge) {
                grants.add(shelved, &shelved.steps_of(&population), &[meta.id.as_str()]);
            }
        }
        grants.sorted()
    }

    /// For everything that these collectors read.
    pub fn for_collectors<'s>(shelf: &Shelf, collectors: impl IntoIterator<Item = &'s Shelved>) -> Self {
        let mut grants = Self::default();
        for shelved in collectors {
            let mut covered = BTreeSet::new();
            for population in shelved.manifest.population_outlines() {
                let steps = shelved.steps_of(&population);
                covered.extend(steps.iter().map(|step| step.id.clone()));
                grants.add(shelved, &steps, &shelf.readers(&population.name));
            }
            let rest =
                shelved.manifest.step_outlines().into_iter().filter(|step| !covered.contains(&step.id));
            grants.add(shelved, &rest.collect::<Vec<_>>(), &[]);
        }
        grants.sorted()
    }

    fn add(&mut self, shelved: &Shelved, steps: &[StepOutline], policies: &[&str]) {
        let declared = shelved.manifest.permissions();
        let all = shelved.manifest.step_outlines();
        let placed: BTreeSet<String> = all.iter().filter_map(|step| rights::needed(step, declared)).collect();
        for (right, level) in declared {
            let by: BTreeSet<String> = steps
                .iter()
                .filter(|step| rights::needed(step, declared).as_ref() == Some(right))
                .map(|step| step.id.clone())
                .collect();
            if placed.contains(right) && by.is_empty() {
                continue;
            }
            let granting = self.of(right, level);
            granting.collectors.entry(shelved.manifest.id().to_owned()).or_default().extend(by);
            granting.policies.extend(policies.iter().map(|id| (*id).to_owned()));
        }
        let need = |step: &StepOutline| {
            let collector = shelved.manifest.id().to_owned();
            Some(Need { needs: step.needs.clone()?, collector, step: step.id.clone() })
        };
        self.needs.extend(steps.iter().filter_map(need));
    }

    fn of(&mut self, right: &str, level: &str) -> &mut Granting {
        let at = self.rights.iter().position(|one| one.right == right).unwrap_or_else(|| {
            let (label, on) = rights::right(right);
            self.rights.push(Granting {
                right: right.to_owned(),
                level: level.to_owned(),
                label,
                on: on.word(),
                collectors: BTreeMap::new(),
                policies: BTreeSet::new(),
                section: Some(on),
            });
            self.rights.len() - 1
        });
        &mut self.rights[at]
    }

    fn sorted(mut self) -> Self {
        self.rights.sort_by(|a, b| (a.section, &a.label, &a.right).cmp(&(b.section, &b.label, &b.right)));
        self
    }
}
