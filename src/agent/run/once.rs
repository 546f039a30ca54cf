//! One look at a source without a record: what collectors see of it now, and what the policies say of that.
//!
//! It keeps nothing, opens no store and tells nobody. Items get names that hold for this look alone.

use std::collections::{BTreeMap, BTreeSet};

use observance_judge::{Freshness, Joined, Judged, Match, Memo, Population as Rows, judge};
use observance_record::{
    Instant, Item, Root,
    item::ItemKey,
    population::{Membership, Outcome},
    row::Reserved,
    table,
    verdict::{Code, ItemResult, State},
};
use serde::Deserialize;

use super::setup::{Judge, Source};
use crate::{
    chance::{Chance, ChanceError},
    clock::Clock,
    collect::{self, Collected, Manifest, Population, PopulationOutline},
};

/// What one collector saw.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The collector.
    pub manifest: &'a Manifest,
    /// Its run.
    pub collected: Collected,
    /// What was not seen, by step.
    pub unseen: Vec<Unseen>,
}

/// Exchanges of one step that may not feed a verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    /// The step.
    pub step: String,
    /// What they came to.
    pub outcome: Outcome,
    /// Why, if more is known.
    pub why: Option<String>,
    /// How many.
    pub n: u64,
}

/// What one policy said of one population.
#[derive(Debug)]
pub struct Said<'a> {
    /// The policy.
    pub judge: &'a Judge,
    /// Index of the collector among those that were looked with.
    pub seen: usize,
    /// Its population there.
    pub population: PopulationOutline,
    /// Is the list whole?
    pub membership: Membership,
    /// How far it and what is joined to it know each other.
    pub matches: Vec<Match>,
    /// Of each item; none if nothing of the population could be seen.
    pub results: Vec<(Item, ItemResult)>,
    /// What people call the items.
    pub names: BTreeMap<Item, String>,
    /// Why nothing, or not all, could be judged.
    pub why: BTreeSet<Code>,
    /// All of it in a word.
    pub state: State,
}

impl Said<'_> {
    /// The type of the items.
    pub fn item_type(&self) -> &str {
        &self.population.item_type
    }
}

/// A key for the looks of one command: what belongs together in two sources has one name in both.
pub fn key(chance: &Chance) -> Result<ItemKey, ChanceError> {
    Ok(ItemKey::new(chance.bytes32()?))
}

/// Reads the source once with one manifest. `window_ms` is how far back windows go; a stream that the source keeps for
/// less is not cut short, it says so.
pub async fn look<'a>(
    manifest: &'a Manifest,
    source: &Source,
    window_ms: i64,
    clock: &Clock,
    (chance, item_key): (&Chance, &ItemKey),
) -> Seen<'a> {
    let started = clock.now();
    let window = manifest.yields().any(|(.., windowed)| windowed);
    let request = collect::Request {
        params: &source.params,
        base_url: source.base_url.as_deref(),
        auth: &source.auth,
        bodies: None,
        item_key,
        begins: &BTreeMap::new(),
        behind: &BTreeSet::new(),
        window: window.then(|| (started.plus_ms(-window_ms), started)),
        prior: &table::Rows::new(),
        started,
    };
    let mut state = collect::State::default();
    // boxed: what awaits this is held in larger futures still
    let collected =
        Box::pin(collect::collect(manifest, &request, &mut state, &source.http, clock, chance)).await;
    let unseen = unseen(&collected);
    Seen { manifest, collected, unseen }
}

/// What every policy says of what was seen; one for each population that it judges.
pub fn ask<'a>(judges: &'a BTreeMap<String, Judge>, seen: &[Seen<'_>]) -> Vec<Said<'a>> {
    let mut said = Vec::new();
    for judge in judges.values() {
        for (at, one) in seen.iter().enumerate() {
            let named = &judge.policy.meta().population;
            let outline = one.manifest.population_outlines().into_iter().find(|p| p.name == *named);
            let population = one.collected.populations.iter().find(|p| p.name == *named);
            if let Some((outline, population)) = outline.zip(population) {
                said.push(of(judge, (at, outline), population, seen, one.collected.started));
            }
        }
    }
    said
}

fn of<'a>(
    judge_: &'a Judge,
    (seen_at, outline): (usize, PopulationOutline),
    population: &Population,
    seen: &[Seen<'_>],
    as_of: Instant,
) -> Said<'a> {
    let membership = population.claim.membership;
    let reserved = |row: &[u8]| Reserved::read(row).ok().and_then(|reserved| reserved.name);
    let named = population.rows.iter().filter_map(|(item, row)| Some((*item, reserved(row)?)));
    let mut said = Said {
        judge: judge_,
        seen: seen_at,
        population: outline,
        membership,
        matches: Vec::new(),
        results: Vec::new(),
        names: named.collect(),
        why: population.claim.why.clone(),
        state: State::Unknown,
    };
    if population.rows.is_empty() && membership != Membership::Complete {
        return said;
    }
    let all = || seen.iter().flat_map(|one| &one.collected.populations);
    let beside = judge_.policy.meta().joined.iter().filter_map(|name| all().find(|p| p.name == *name));
    let joined: Vec<Joined<'_>> = beside
        .map(|p| Joined {
            population: Rows { name: &p.name, membership: p.claim.membership, rows: &p.rows },
            // nothing is remembered from one look to the next, so that no two tables have to be told apart
            root: Root::from_bytes([0; 32]),
            freshness: Freshness::Fresh,
        })
        .collect();
    let lacking = |name: &&String| !all().any(|p| p.name == **name);
    let case = Judged {
        population: Rows { name: &population.name, membership, rows: &population.rows },
        joined: &joined,
        absent: &judge_.policy.meta().optional.iter().filter(lacking).cloned().collect(),
        params: &judge_.params,
        as_of,
    };
    let verdict = judge(&judge_.policy, &case, &mut Memo::new(0));
    said.why.extend(verdict.why().iter().cloned());
    said.state = verdict.state();
    said.matches = verdict.matches().to_vec();
    said.results = verdict.results().to_vec();
    said
}

/// What of an exchange row is looked at here (formats section 5).
#[derive(Deserialize)]
struct Exchange {
    step: String,
    outcome: Outcome,
    why: Option<String>,
}

fn unseen(collected: &Collected) -> Vec<Unseen> {
    let mut counts: BTreeMap<(String, Outcome, Option<String>), u64> = BTreeMap::new();
    for row in collected.exchanges.values() {
        // the row was written a moment ago; one that cannot be read is the outcome of no step
        let Ok(Exchange { step, outcome, why }) = serde_json::from_slice(row) else { continue };
        if !outcome.feeds() {
            *counts.entry((step, outcome, why)).or_default() += 1;
        }
    }
    counts.into_iter().map(|((step, outcome, why), n)| Unseen { step, outcome, why, n }).collect()
}
