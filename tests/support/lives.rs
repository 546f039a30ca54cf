//! Two lives of an agent on one store, the second with another token and no memory, watching an estate that stands still;
//! and what the manifests say that this must cost.
//!
//! Time is simulated; what is counted is exact.

use std::{collections::BTreeMap, sync::Arc};

use observance::{
    clock::Clock,
    collect::{Auth, Manifest},
    run::{Setup, fold},
    secret::Secret,
    store::{Counted, Location, Objects, connect},
};
use observance_record::{
    Instant,
    entry::{Body, Run},
    pack::Role,
    population::Outcome,
};

use super::{
    acme::{Acme, Asked, Estate},
    life::{HOUR_MS, Record, at, every, live, setup},
};

/// Entries of a page: what the manifests ask for.
const PAGE: u64 = 100;

/// What one run of a collector cost.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    /// Of these: answered by "not modified", and on record so.
    pub(crate) unchanged: u64,
    /// Bytes of the objects that the run became, whatever they say.
    pub(crate) stored: u64,
    /// Artefacts among them that are more than a receipt.
    pub(crate) evidence: usize,
}

/// Two lives.
pub(crate) struct Lives {
    /// By collector; the first run and the second.
    pub(crate) costs: BTreeMap<String, [Cost; 2]>,
    /// What the source was asked in each life, by kind.
    pub(crate) asked: [BTreeMap<&'static str, Asked>; 2],
}

/// An estate that stands still.
pub(crate) fn estate(repositories: u64, members: u64) -> Estate {
    Estate { repositories, members, merged: (0, at("03-01T00:00")), changes: None, noise: 0 }
}

/// What a collector cannot do without: the organisation; its lists, a hundred entries a page; of each repository,
/// whatever the manifest asks for it.
pub(crate) fn floor(collector: &str, estate: &Estate) -> u64 {
    let repositories = estate.repositories.div_ceil(PAGE).max(1);
    match collector {
        // rules and protection
        "github.branch_rules" => 1 + repositories + 2 * estate.repositories,
        // everybody, and those without a second factor, who are none
        "github.members" => 1 + estate.members.div_ceil(PAGE).max(1) + 1,
        // changes and judged pushes; nothing is merged, so nothing is asked of a change
        "github.changes" => 1 + repositories + 2 * estate.repositories,
        other => panic!("nobody knows what {other} costs"),
    }
}

/// Answers that can be asked about by what is sealed: all but refusals.
pub(crate) fn repeatable(collector: &str, estate: &Estate) -> u64 {
    // every other repository has no classic protection, which is a refusal
    let refused = if collector == "github.branch_rules" { estate.repositories / 2 } else { 0 };
    floor(collector, estate) - refused
}

/// When the first life begins; each ends an hour after the one before.
pub(crate) fn begins() -> Instant {
    at("03-10T11:58")
}

/// When a life ends, counted from 0.
pub(crate) fn ends(life: u8) -> Instant {
    at("03-10T12:30").plus_ms(i64::from(life) * HOUR_MS)
}

/// Lets an agent run each collector once, and another one once more.
pub(crate) async fn twice(collectors: &[&str], estate: Estate) -> Lives {
    let clock = Clock::simulated(begins());
    let source = Acme::serve(estate, clock.clone()).await;
    let objects: Arc<dyn Objects> = Arc::new(Counted::new(connect(&Location::Memory, None).unwrap()));
    let mut asked = Vec::new();
    for life in [0, 1] {
        one(collectors, source.base_url(), Arc::clone(&objects), (&clock, life)).await;
        asked.push(source.take_asked());
    }
    let costs = read(collectors, source.base_url(), objects).await;
    Lives { costs, asked: asked.try_into().unwrap() }
}

/// One life: the second has another token than the first, and no memory.
pub(crate) async fn one(
    collectors: &[&str],
    base_url: &str,
    objects: Arc<dyn Objects>,
    (clock, life): (&Clock, u8),
) {
    let setup = Arc::new(uncovered(setup(base_url, collectors), &format!("token {life}")));
    live(&setup, (objects, None), (clock, u64::from(life)), ends(life)).await.unwrap();
}

/// What two lives cost, from the record that they left.
pub(crate) async fn read(
    collectors: &[&str],
    base_url: &str,
    objects: Arc<dyn Objects>,
) -> BTreeMap<String, [Cost; 2]> {
    let record = Record::read(objects, &setup(base_url, collectors)).await.unwrap();
    collectors.iter().map(|collector| ((*collector).to_owned(), costs(&record, collector))).collect()
}

/// Every collector on the hour, covering nothing: what is covered cannot be asked about by what is sealed.
fn uncovered(mut setup: Setup, token: &str) -> Setup {
    every(&mut setup, "0 * * * *");
    let source = Arc::get_mut(setup.sources.get_mut("github").unwrap()).unwrap();
    source.auth = Auth::Bearer(Secret::new(token.to_owned()));
    for (id, collector) in &mut setup.collectors {
        let collector = Arc::get_mut(collector).unwrap();
        let text = String::from_utf8(collector.file.clone()).unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("redact:"));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        collector.manifest = Manifest::read(id, &text).unwrap_or_else(|faults| panic!("{faults:?}"));
        collector.file = text.into_bytes();
    }
    setup
}

fn costs(record: &Record, collector: &str) -> [Cost; 2] {
    let mut costs = Vec::new();
    for (commit, artefacts) in &record.commits {
        let entries = fold::entries(commit).unwrap();
        let Some(run) = entries.iter().find_map(|entry| of(&entry.body, collector)) else { continue };
        let outside: u64 = run.packs.iter().filter(|pack| !pack.inline).map(|pack| pack.bytes).sum();
        costs.push(Cost {
            requests: run.requests,
            unchanged: run.exchanges.by.get(&Outcome::Unchanged).copied().unwrap_or(0),
            stored: commit.encode().unwrap().len() as u64 + outside,
            evidence: artefacts.iter().filter(|artefact| artefact.role != Role::Receipts).count(),
        });
    }
    costs.try_into().unwrap_or_else(|costs| panic!("{collector} did not run twice: {costs:?}"))
}

fn of<'b>(body: &'b Body, collector: &str) -> Option<&'b Run> {
    if let Body::Run(run) = body {
        Some(&**run).filter(|run| run.schedule.as_deref() == Some(collector))
    } else {
        None
    }
}
