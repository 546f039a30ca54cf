//! Which collectors a scan runs, on which window: everything that some policy wants, and nothing else.
//!
//! A stream that its source keeps for less than the window asked for is read as far as it goes, and says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cli::shelf::{Shelf, Shelved},
    collect::Manifest,
};

const DAY_MS: i64 = 86_400_000;
/// How long a run waits for the source's limits before it says so; a scan keeps nothing and can be repeated.
pub const WAIT_MS: i64 = 30_000;

/// One run of a scan.
pub struct Look {
    /// The collector, narrowed to what is wanted of it.
    pub manifest: Manifest,
    /// How far back its windows go, in whole days.
    pub days: i64,
}

/// The runs over the last `days`, for every wanted population of the kind of source.
pub fn plan(shelf: &Shelf, kind: &str, days: i64) -> anyhow::Result<Vec<Look>> {
    let wanted = shelf.wanted();
    let mut looks = Vec::new();
    for shelved in shelf.of_kind(kind) {
        for (days, populations) in by_reach(shelved, &wanted, days) {
            let mut manifest = Shelved::read(&shelved.file, shelved.text.clone())?.manifest;
            manifest.narrow(&populations);
            manifest.hurry(WAIT_MS);
            looks.push(Look { manifest, days });
        }
    }
    Ok(looks)
}

fn by_reach(shelved: &Shelved, wanted: &BTreeSet<String>, days: i64) -> BTreeMap<i64, BTreeSet<String>> {
    let mut by: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for population in shelved.manifest.population_outlines() {
        if wanted.contains(&population.name) {
            let reach = population.reach_ms.map_or(days, |reach_ms| days.min(reach_ms / DAY_MS).max(1));
            by.entry(reach).or_default().insert(population.name);
        }
    }
    // what reads no window is at home in any run; the one with the longest window has it
    let looks: BTreeSet<String> = shelved
        .manifest
        .population_outlines()
        .into_iter()
        .filter(|population| !population.windowed)
        .map(|population| population.name)
        .collect();
    let longest = by.keys().next_back().copied();
    for (days, names) in &mut by {
        if Some(*days) != longest {
            names.retain(|name| !looks.contains(name));
        }
    }
    by.retain(|_, names| !names.is_empty());
    by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_kept_for_less_gets_a_run_of_its_own() {
        let shelf = Shelf::shipped().unwrap();
        let runs = |days: i64| -> BTreeMap<String, i64> {
            let looks = plan(&shelf, "github", days).unwrap();
            let of = |look: &Look| {
                let names = look.manifest.population_outlines().into_iter().map(|p| p.name);
                names.map(|name| (name, look.days)).collect::<Vec<_>>()
            };
            looks.iter().flat_map(of).collect()
        };
        let long = runs(90);
        assert_eq!((long["changes"], long["bypasses"], long["members"]), (90, 27, 90));
        assert_eq!((runs(9)["changes"], runs(9)["bypasses"]), (9, 9));
        assert!(long.keys().all(|name| shelf.wanted().contains(name)));
        assert!(plan(&shelf, "nobody", 90).unwrap().is_empty());
    }
}
