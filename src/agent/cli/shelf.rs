//! What this release brings along, read: collectors, policies with their defaults, the criteria that policies serve.
//!
//! It knows no names: whatever the library holds is on the shelf.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use observance_judge::Policy;
use serde_json::Map;

use super::trouble::Trouble;
pub use crate::library::Criteria;
use crate::{
    collect::{Manifest, PopulationOutline, StepOutline},
    config::fault::nearest,
    library::{self, Serves, test},
    run::setup::Judge,
};

/// Largest manifest that is read from a file.
const FILE_BYTES_MAX: u64 = 262_144;

/// A collector and the file that it came from.
pub struct Shelved {
    /// How faults name the file.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What it says.
    pub manifest: Manifest,
}

/// Collectors, policies, criteria.
pub struct Shelf {
    /// By id.
    pub collectors: BTreeMap<String, Shelved>,
    /// By id, with their defaults.
    pub judges: BTreeMap<String, Judge>,
    serves: Serves,
}

impl Shelf {
    /// All that is shipped.
    pub fn shipped() -> anyhow::Result<Self> {
        let mut collectors = BTreeMap::new();
        for (file, bytes) in library::collectors() {
            let shelved = Shelved::read(&file, String::from_utf8_lossy(bytes).into_owned())?;
            collectors.insert(shelved.manifest.id().to_owned(), shelved);
        }
        let mut judges = BTreeMap::new();
        for (name, files) in library::policies() {
            let broken = |faults: Vec<observance_judge::Fault>| broken(&format!("policy {name}"), &faults);
            let policy = Policy::load(&files).map_err(broken)?;
            let params = policy.params(&Map::new()).map_err(broken)?;
            judges.insert(policy.meta().id.clone(), Judge { policy, files, params });
        }
        let serves = Serves::shipped()
            .map_err(|error| anyhow::anyhow!("cannot read the shipped criteria: {error}"))?;
        Ok(Self { collectors, judges, serves })
    }

    /// The same with those policies alone that one kind of source feeds by itself.
    pub fn fed_by(mut self, kind: &str) -> Self {
        let yields: BTreeSet<String> = self
            .of_kind(kind)
            .flat_map(|shelved| shelved.manifest.yields().map(|(name, ..)| name.to_owned()))
            .collect();
        self.judges.retain(|_, judge| {
            let meta = judge.policy.meta();
            let joined = meta.joined.iter().filter(|name| !meta.optional.contains(*name));
            std::iter::once(&meta.population).chain(joined).all(|name| yields.contains(name))
        });
        self
    }

    /// The collectors of one kind of source: those whose id begins with its name.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Shelved> {
        let own = move |shelved: &&Shelved| shelved.kind() == kind;
        self.collectors.values().filter(own)
    }

    /// The collector of this id, or the file of this name; a name that is neither is told with the nearest id.
    pub fn find(&self, name: &str) -> anyhow::Result<Shelved> {
        if let Some(shelved) = self.collectors.get(name) {
            return Shelved::read(&shelved.file, shelved.text.clone());
        }
        if Path::new(name).is_file() {
            return Shelved::open(Path::new(name));
        }
        let ids = || self.collectors.keys().map(String::as_str);
        let hint = nearest(name, ids()).map_or_else(
            || format!("one of {}, or the file of a manifest", ids().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean {near}?"),
        );
        Err(Trouble::new(format!("there is no collector {name}"), hint).into())
    }

    /// The policies that judge this population or read it beside their own.
    pub fn readers(&self, population: &str) -> Vec<&str> {
        let reads = |judge: &&Judge| {
            let meta = judge.policy.meta();
            meta.population == population || meta.joined.iter().any(|name| name == population)
        };
        self.judges.values().filter(reads).map(|judge| judge.policy.meta().id.as_str()).collect()
    }

    /// What a policy rests on: the collectors that yield its populations, with those populations.
    pub fn rests_on(&self, judge: &Judge) -> Vec<(&Shelved, PopulationOutline)> {
        let meta = judge.policy.meta();
        let wanted = |name: &str| meta.population == name || meta.joined.iter().any(|joined| joined == name);
        let of = |shelved: &'_ Shelved| -> Vec<PopulationOutline> {
            shelved.manifest.population_outlines().into_iter().filter(|p| wanted(&p.name)).collect()
        };
        self.collectors
            .values()
            .flat_map(|shelved| of(shelved).into_iter().map(move |p| (shelved, p)))
            .collect()
    }

    /// The populations that some policy wants.
    pub fn wanted(&self) -> BTreeSet<String> {
        let of = |judge: &Judge| {
            let meta = judge.policy.meta();
            meta.joined.iter().chain([&meta.population]).cloned().collect::<Vec<_>>()
        };
        self.judges.values().flat_map(of).collect()
    }

    /// The criteria that a policy serves; those of its test if it is a part of one (`GH-14a`, `GH-13-tie`).
    pub fn criteria(&self, policy: &str) -> Criteria {
        self.serves.criteria(policy)
    }

    /// The policies of these ids or tests, in order; one that is not there is told with the nearest.
    pub fn policies(&self, named: &[String]) -> anyhow::Result<Vec<&Judge>> {
        if let Some(unknown) = named.iter().find(|name| !self.judges.keys().any(|id| is_of(id, name))) {
            let ids = || self.judges.keys().map(String::as_str);
            let hint = nearest(unknown, ids()).map_or_else(
                || format!("one of {}", ids().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean {near}?"),
            );
            return Err(Trouble::new(format!("there is no policy {unknown}"), hint).into());
        }
        let wanted =
            |(id, _): &(&String, &Judge)| named.is_empty() || named.iter().any(|name| is_of(id, name));
        Ok(self.judges.iter().filter(wanted).map(|(_, judge)| judge).collect())
    }
}

impl Shelved {
    /// Reads a manifest's text; all its faults are one error, a line each.
    pub fn read(file: &str, text: String) -> anyhow::Result<Self> {
        match Manifest::read(file, &text) {
            Ok(manifest) => Ok(Self { file: file.to_owned(), text, manifest }),
            Err(faults) => Err(broken(&format!("collector {file}"), &faults).into()),
        }
    }

    /// Reads a manifest's file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::read(&path.display().to_string(), text(path)?)
    }

    /// The kind of source that it reads.
    pub fn kind(&self) -> &str {
        self.manifest.id().split('.').next().unwrap_or_default()
    }

    /// The steps that these populations rest on.
    pub fn steps_of(&self, population: &PopulationOutline) -> Vec<StepOutline> {
        let steps = self.manifest.step_outlines().into_iter();
        steps.filter(|step| population.steps.contains(&step.id)).collect()
    }
}

fn is_of(id: &str, named: &str) -> bool {
    id == named || test(id) == named
}

/// The text of a manifest's file.
pub fn text(path: &Path) -> anyhow::Result<String> {
    let cannot = |why: std::io::Error| {
        Trouble::new(format!("cannot read {}", path.display()), "name the file of a manifest, collector.yaml")
            .because(why)
    };
    if std::fs::metadata(path).map_err(cannot)?.len() > FILE_BYTES_MAX {
        return Err(cannot(std::io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes"))).into());
    }
    Ok(std::fs::read_to_string(path).map_err(cannot)?)
}

fn broken(what: &str, faults: &[impl ToString]) -> Trouble {
    let faults = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    Trouble::new(
        format!("{what} cannot be read: {faults}"),
        "observance collectors lint FILE shows each on a line",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_policy_rests_on_a_shipped_collector_and_serves_criteria() {
        let shelf = Shelf::shipped().unwrap();
        for (id, judge) in &shelf.judges {
            assert!(!shelf.rests_on(judge).is_empty(), "{id} judges a population that nobody yields");
            assert_ne!(shelf.criteria(id), Criteria::default(), "{id} has no line in policies/tests.yaml");
        }
        assert_eq!(
            [test("GH-14a"), test("GH-13-tie"), test("GH-05"), test("x")],
            ["GH-14", "GH-13", "GH-05", "x"]
        );
        assert_eq!(shelf.criteria("GH-05-extra"), shelf.criteria("GH-05"));
        assert!(shelf.of_kind("github").count() >= 3 && shelf.of_kind("nobody").count() == 0);
        assert!(shelf.find("github.member").err().unwrap().to_string().contains("github.member"));
    }
}
