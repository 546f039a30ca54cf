//! What a scan found, as values: how much was seen, what deviates, what is unknown, what to fix first.
//!
//! It sorts by what is worst. It draws no conclusion and counts no score.

use std::collections::BTreeMap;

use observance_judge::Severity;
use observance_record::verdict::State;
use serde::Serialize;

use super::{
    cause::{Cause, Cure, cause},
    tokens::{self, Limit, Token},
};
use crate::{
    cli::shelf::{Criteria, Shelf},
    run::once::{Said, Seen},
};

/// Items that are named of one reason; the JSON names all.
pub const NAMES_MAX: usize = 3;

/// What a scan did.
pub struct Scanned<'a> {
    pub org: &'a str,
    pub shelf: &'a Shelf,
    pub seen: &'a [Seen<'a>],
    pub said: &'a [Said<'a>],
    /// The window of each run, in days.
    pub days: Vec<i64>,
    pub took_ms: i64,
}

/// What it found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The organisation.
    pub org: String,
    /// What the token may do.
    pub token: Token,
    /// What was seen, by item type.
    pub populations: Vec<Count>,
    /// Requests made.
    pub requests: u64,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// What is left of the limit.
    pub limit: Option<Limit>,
    /// One for each policy that judged something, the worst first.
    pub policies: Vec<Finding>,
    /// The policy to begin with.
    pub fix_first: Option<String>,
}

/// How many of a kind were seen.
#[derive(Debug, Serialize)]
pub struct Count {
    /// The type of the items.
    pub item_type: String,
    /// How many.
    pub seen: u64,
    /// How many the source says there are; absent if it does not say.
    pub stated: Option<u64>,
    /// Is there such a number, and could it not be read?
    pub is_uncounted: bool,
    /// Events of so many days; absent for things.
    pub days: Option<i64>,
}

/// What one policy says.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Its id.
    pub policy: String,
    /// Its one line.
    pub title: String,
    /// `low` to `critical`.
    pub severity: &'static str,
    /// The type of its items.
    pub item_type: String,
    /// Items judged.
    pub items: u64,
    /// Those that deviate.
    pub deviates: u64,
    /// Those that could not be told.
    pub unknown: u64,
    /// Those that were as the policy wants.
    pub met: u64,
    /// What it speaks about: so many days; absent if about now.
    pub days: Option<i64>,
    /// Why items deviate: codes, and the items' names.
    pub reasons: BTreeMap<String, Vec<String>>,
    /// Why something is unknown.
    pub cause: Option<Cause>,
    /// The criteria that it serves.
    pub criteria: Criteria,
    /// Its items are events, which cannot be undone.
    pub events: bool,
    #[serde(skip)]
    weight: Severity,
}

impl Report {
    /// Does anything deviate?
    pub fn deviates(&self) -> bool {
        self.policies.iter().any(|policy| policy.deviates > 0)
    }

    /// The policies that a grant would make known.
    pub fn lacking(&self) -> impl Iterator<Item = &Finding> {
        self.policies.iter().filter(|one| one.cause.as_ref().is_some_and(|cause| cause.cure == Cure::Grant))
    }
}

/// Puts it together.
pub fn report(scanned: &Scanned<'_>) -> Report {
    let mut policies: Vec<Finding> = scanned.said.iter().map(|said| finding(said, scanned)).collect();
    policies.sort_by(|a, b| {
        let rank = |one: &Finding| (one.deviates == 0, one.unknown == 0 && one.cause.is_none());
        (rank(a), std::cmp::Reverse(a.weight), &a.policy).cmp(&(
            rank(b),
            std::cmp::Reverse(b.weight),
            &b.policy,
        ))
    });
    Report {
        org: scanned.org.to_owned(),
        token: tokens::token(scanned.seen),
        populations: populations(scanned),
        requests: scanned.seen.iter().map(|one| one.collected.requests).sum(),
        took_ms: scanned.took_ms,
        limit: tokens::limit(scanned.seen),
        fix_first: first(&policies).map(|one| one.policy.clone()),
        policies,
    }
}

/// What can still be put right comes before what has happened; then severity, then how many criteria are served.
fn first(policies: &[Finding]) -> Option<&Finding> {
    let serves = |one: &Finding| one.criteria.soc2.len() + one.criteria.iso27001.len();
    let deviates = policies.iter().filter(|one| one.deviates > 0);
    deviates.max_by_key(|one| (!one.events, one.weight, serves(one), std::cmp::Reverse(one.deviates)))
}

fn populations(scanned: &Scanned<'_>) -> Vec<Count> {
    let mut counts: Vec<Count> = Vec::new();
    for (one, days) in scanned.seen.iter().zip(&scanned.days) {
        let outlines = one.manifest.population_outlines();
        for (population, outline) in one.collected.populations.iter().zip(&outlines) {
            let proof =
                population.claim.proofs.iter().find(|proof| proof.kind == "equals" && outline.counted);
            let count = Count {
                item_type: population.item_type.clone(),
                seen: u64::try_from(population.rows.len()).unwrap_or(u64::MAX),
                stated: proof.and_then(|proof| proof.stated),
                is_uncounted: proof.is_some_and(|proof| proof.stated.is_none()),
                days: outline.events.then_some(*days),
            };
            match counts.iter_mut().find(|known| known.item_type == count.item_type) {
                Some(known) if known.seen < count.seen => *known = count,
                Some(_) => {}
                None => counts.push(count),
            }
        }
    }
    counts
}

fn finding(said: &Said<'_>, scanned: &Scanned<'_>) -> Finding {
    let meta = said.judge.policy.meta();
    let count = |state| count(said.results.iter().filter(|(_, result)| result.state() == state).count());
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (item, result) in said.results.iter().filter(|(_, result)| result.state() == State::Failed) {
        let name = said.names.get(item).cloned().unwrap_or_else(|| item.to_string());
        for code in result.codes() {
            reasons.entry(code.as_str().to_owned()).or_default().push(name.clone());
        }
    }
    for names in reasons.values_mut() {
        names.sort();
    }
    let nothing = said.results.is_empty() && said.state == State::Unknown;
    let unknown = count(State::Unknown);
    let days = scanned.days.get(said.seen).copied();
    Finding {
        policy: meta.id.clone(),
        title: meta.title.clone(),
        severity: meta.severity.as_str(),
        item_type: said.item_type().to_owned(),
        items: self::count(said.results.len()),
        deviates: count(State::Failed),
        unknown,
        met: count(State::Passed),
        days: days.filter(|_| said.population.windowed),
        reasons,
        cause: (nothing || unknown > 0).then(|| cause(said, scanned.seen)),
        criteria: scanned.shelf.criteria(&meta.id),
        events: said.population.events,
        weight: meta.severity,
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
