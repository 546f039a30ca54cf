//! Judges a population: one policy, all its rows, one verdict.
//!
//! It reads no clock and stores nothing: `as_of` is an argument, and the same arguments give the same results, save for
//! `judge.timeout`, which says of itself that it cannot be repeated.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use observance_record::{
    Digest, Instant, Item, Root,
    ledger::LastSeen,
    population::Membership,
    table::Rows,
    verdict::{Code, Empty, ItemResult, State},
};
use serde_json::{Map, Value, json};

use crate::{
    codes::code,
    gate,
    hear::{Heard, Hearing},
    memo::Memo,
    policy::{Params, Policy},
    row,
};

/// Most rows of one judging (formats section 11: rows of a table).
pub const ROWS_MAX: usize = 1 << 24;
/// Most bytes of all joined rows together: they are parsed at once.
pub const JOINED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Time-outs of one judging after which the rest is not tried: a policy that hangs must not hang the run.
const TIMEOUTS_MAX: usize = 8;

/// Rows under their items, and what may be claimed of the list.
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    /// Its name, as policies name it.
    pub name: &'a str,
    /// Is the list whole?
    pub membership: Membership,
    /// The rows: compact JSON objects (formats section 4), in item order.
    pub rows: &'a Rows,
}

/// Is a joined population young enough to be joined?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Within its schedule's largest gap.
    Fresh,
    /// Older than that.
    Stale,
}

/// A population that the policy reads beside the one it judges.
#[derive(Debug, Clone, Copy)]
pub struct Joined<'a> {
    /// Its rows.
    pub population: Population<'a>,
    /// The root of its table, which stands for the rows in the memory.
    pub root: Root,
    /// Is it young enough?
    pub freshness: Freshness,
}

impl<'a> Joined<'a> {
    /// A population as the log has it; `rows` are those of its table.
    pub fn of(seen: &LastSeen<'a>, rows: &'a Rows) -> Self {
        let LastSeen { population, table, is_fresh, .. } = *seen;
        Self {
            population: Population { name: &population.name, membership: population.membership, rows },
            root: table.root(),
            freshness: if is_fresh { Freshness::Fresh } else { Freshness::Stale },
        }
    }
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The population of the policy.
    pub population: Population<'a>,
    /// At least those that the policy names; others are not shown to it.
    pub joined: &'a [Joined<'a>],
    /// Populations that no collector in force yields: a policy to which one is optional is asked without it.
    pub absent: &'a BTreeSet<String>,
    /// In force for this policy ([`Policy::params`]).
    pub params: &'a Params,
    /// The run's instant, which is the policy's clock.
    pub as_of: Instant,
}

/// How many items have which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Items that passed.
    pub passed: u64,
    /// Items that failed.
    pub failed: u64,
    /// Items of which it could not be told.
    pub unknown: u64,
    /// Items of which the policy does not speak.
    pub not_applicable: u64,
    /// Items whose obligation is not due yet.
    pub not_due: u64,
}

/// How far two populations know each other, as a policy says by `matched`. For people: no result rests on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The joined population.
    pub with: String,
    /// Judged items of which the policy speaks and that belong to none of the other side.
    pub unmatched: BTreeSet<Item>,
    /// Judged items of which the policy speaks.
    pub of: u64,
    /// Items of the other side that no judged item belongs to.
    pub unmatched_there: BTreeSet<Item>,
    /// Items of the other side.
    pub of_there: u64,
}

/// What one policy says of one population.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    results: Vec<(Item, ItemResult)>,
    messages: Vec<(Item, Vec<String>)>,
    matches: Vec<Match>,
    why: BTreeSet<Code>,
    state: State,
    due_next: Option<Instant>,
    evaluated: u64,
    remembered: u64,
}

impl Verdict {
    /// Nothing could be judged: every item is unknown for these reasons. Also for a policy that does not load
    /// (`policy.error`). Without a reason it is `policy.error`.
    pub fn unjudged(rows: &Rows, mut why: BTreeSet<Code>) -> Self {
        if why.is_empty() {
            why.insert(code("policy.error"));
        }
        let unknown = ItemResult::new(State::Unknown, why.clone());
        let unknown = unknown.unwrap_or_else(|| ItemResult::because(State::Unknown, code("policy.error")));
        let results = rows.keys().map(|item| (*item, unknown.clone())).collect();
        let (messages, matches, state) = (Vec::new(), Vec::new(), State::Unknown);
        Self { results, messages, matches, why, state, due_next: None, evaluated: 0, remembered: 0 }
    }

    /// The results, in the order of the population, of every item.
    pub fn results(&self) -> &[(Item, ItemResult)] {
        &self.results
    }

    /// How many items have which state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, result) in &self.results {
            match result.state() {
                State::Passed => counts.passed += 1,
                State::Failed => counts.failed += 1,
                State::Unknown => counts.unknown += 1,
                State::NotApplicable => counts.not_applicable += 1,
                State::NotDue => counts.not_due += 1,
            }
        }
        counts
    }

    /// Texts for people; no evidence, bound by no root.
    pub fn messages(&self) -> &[(Item, Vec<String>)] {
        &self.messages
    }

    /// How far the judged population and each joined one know each other; none for a policy that does not say `matched`.
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// Why nothing was judged; empty if all was.
    pub const fn why(&self) -> &BTreeSet<Code> {
        &self.why
    }

    /// The roll-up: the worst of the items; of none, what the policy says of none, if the list is known to be whole.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The earliest instant at which an item that is not due falls due, and is to be judged again.
    pub const fn due_next(&self) -> Option<Instant> {
        self.due_next
    }

    /// Rows that were asked about.
    pub const fn evaluated(&self) -> u64 {
        self.evaluated
    }

    /// Rows of which it was remembered what the policy says.
    pub const fn remembered(&self) -> u64 {
        self.remembered
    }
}

/// Judges a population by a policy.
pub fn judge(policy: &Policy, judged: &Judged<'_>, memo: &mut Memo) -> Verdict {
    let population = &judged.population;
    let opened = inputs(policy, judged).and_then(|inputs| {
        let hearing =
            Hearing::open(policy, &inputs.shared, judged.as_of).map_err(|why| BTreeSet::from([why]))?;
        Ok(Sitting { hearing, key: inputs.key, memo, timeouts: 0, evaluated: 0, remembered: 0 })
    });
    let mut sitting = match opened {
        Ok(sitting) => sitting,
        Err(why) => return Verdict::unjudged(population.rows, why),
    };
    let (mut results, mut messages, mut due_next) = (Vec::new(), Vec::new(), None::<Instant>);
    let mut matched = Vec::new();
    for (item, row) in population.rows {
        let heard = sitting.hear(*item, row);
        let result = gate::result(&heard, population.membership, judged.as_of);
        if result.state() == State::NotDue {
            due_next = due_next.into_iter().chain(gate::due(&heard, judged.as_of)).min();
        }
        if policy.tells_matches()
            && let Ok(said) = &heard.said
            && (result.state() != State::NotApplicable || !said.matched.is_empty())
        {
            matched.push((*item, said.matched.clone()));
        }
        results.push((*item, result));
        if let Ok(said) = &heard.said
            && !said.messages.is_empty()
        {
            messages.push((*item, said.messages.clone()));
        }
    }
    let state = roll_up(&results, policy.meta().empty, population.membership);
    let Sitting { evaluated, remembered, .. } = sitting;
    let matches = if policy.tells_matches() { matches(policy, judged, &matched) } else { Vec::new() };
    Verdict { results, messages, matches, why: BTreeSet::new(), state, due_next, evaluated, remembered }
}

/// Each joined population that an item was found in; if there is none, the first that the policy names.
fn matches(policy: &Policy, judged: &Judged<'_>, matched: &[(Item, BTreeSet<Item>)]) -> Vec<Match> {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let of = |there: &Population<'_>| {
        let all = matched.iter().flat_map(|(_, items)| items);
        let found: BTreeSet<&Item> = all.filter(|item| there.rows.contains_key(*item)).collect();
        let lacks = matched.iter().filter(|(_, items)| !items.iter().any(|item| found.contains(item)));
        Match {
            with: there.name.to_owned(),
            unmatched: lacks.map(|(item, _)| *item).collect(),
            of: count(matched.len()),
            unmatched_there: there.rows.keys().filter(|item| !found.contains(item)).copied().collect(),
            of_there: count(there.rows.len()),
        }
    };
    let named = |name: &String| judged.joined.iter().map(|one| &one.population).find(|p| p.name == name);
    let mut all: Vec<Match> = policy.meta().joined.iter().filter_map(named).map(of).collect();
    let is_found = |one: &Match| one.of_there > count(one.unmatched_there.len());
    if all.iter().any(is_found) {
        all.retain(is_found);
    } else {
        all.truncate(1);
    }
    all
}

/// Nobody knows that a list is empty which is not known to be whole.
fn roll_up(results: &[(Item, ItemResult)], empty: Empty, membership: Membership) -> State {
    match (State::roll_up(results.iter().map(|(_, result)| result.state())), membership) {
        (Some(state), _) => state,
        (None, Membership::Complete) => empty.state(),
        (None, Membership::Partial | Membership::Unknown) => State::Unknown,
    }
}

/// One judging: the policy's ear, and the memory.
struct Sitting<'a, 'm> {
    hearing: Hearing<'a>,
    key: Digest,
    memo: &'m mut Memo,
    timeouts: usize,
    evaluated: u64,
    remembered: u64,
}

impl Sitting<'_, '_> {
    fn hear(&mut self, item: Item, row: &[u8]) -> Arc<Heard> {
        let row_digest = Digest::of(row);
        let key = Digest::of(&[&self.key.as_bytes()[..], item.as_bytes(), row_digest.as_bytes()].concat());
        if let Some(heard) = self.memo.recall(&key) {
            self.remembered += 1;
            return heard;
        }
        if self.timeouts >= TIMEOUTS_MAX {
            return Arc::new(Heard { said: Err(code("judge.timeout")), unseen: BTreeSet::new() });
        }
        self.evaluated += 1;
        let heard = Arc::new(self.hearing.of(item, row));
        if matches!(&heard.said, Err(why) if why.as_str() == "judge.timeout") {
            self.timeouts += 1;
        } else {
            self.memo.keep(key, Arc::clone(&heard));
        }
        heard
    }
}

/// What all rows share: the input without item and row, and the memory's key for it.
struct Inputs {
    shared: String,
    key: Digest,
}

fn inputs(policy: &Policy, judged: &Judged<'_>) -> Result<Inputs, BTreeSet<Code>> {
    let meta = policy.meta();
    let mut why = BTreeSet::new();
    if judged.population.name != meta.population {
        why.insert(code("input.missing"));
    }
    if judged.population.rows.len() > ROWS_MAX {
        why.insert(code("judge.rows_max"));
    }
    let mut populations = Map::from_iter([claim(&judged.population)]);
    let mut roots = Map::new();
    let mut rows = Vec::new();
    for name in &meta.joined {
        let Some(joined) = judged.joined.iter().find(|joined| joined.population.name == name) else {
            if !(meta.optional.contains(name) && judged.absent.contains(name)) {
                why.insert(code("input.missing"));
            }
            continue;
        };
        why.extend(doubt(joined).map(code));
        populations.extend([claim(&joined.population)]);
        roots.insert(name.clone(), json!(joined.root.to_string()));
        rows.push(&joined.population);
    }
    if !why.is_empty() {
        return Err(why);
    }
    let joined = joined_rows(&rows).map_err(|why| BTreeSet::from([why]))?;
    let now = if policy.reads_time() { format!(",\"now\":\"{}\"", judged.as_of) } else { String::new() };
    let populations = Value::Object(populations);
    let params = Value::Object(judged.params.values().clone());
    let shared = format!(
        "{{\"contract\":1,\"joined\":{joined},\"params\":{params},\"populations\":{populations}{now}}}"
    );
    let roots = Value::Object(roots);
    let key = format!("{}{}{roots}{populations}{now}", policy.digest(), judged.params.digest());
    Ok(Inputs { shared, key: Digest::of(key.as_bytes()) })
}

fn claim(population: &Population<'_>) -> (String, Value) {
    (population.name.to_owned(), json!({"membership": population.membership, "n": population.rows.len()}))
}

/// Why nothing may stand on this population. Not even a failure: what is missing from it might be the very row.
fn doubt(joined: &Joined<'_>) -> Option<&'static str> {
    match (joined.freshness, joined.population.membership) {
        (Freshness::Stale, _) => Some("input.stale"),
        (Freshness::Fresh, Membership::Partial) => Some("input.partial"),
        (Freshness::Fresh, Membership::Unknown) => Some("input.unknown"),
        (Freshness::Fresh, Membership::Complete) => None,
    }
}

/// `{"<population>":{"<item>":<row>}}`, rows as they are.
fn joined_rows(populations: &[&Population<'_>]) -> Result<String, Code> {
    let bytes: usize = populations.iter().flat_map(|one| one.rows.values()).map(|row| row.len()).sum();
    if bytes > JOINED_BYTES_MAX {
        return Err(code("judge.joined_max"));
    }
    let mut text = String::with_capacity(bytes + 2);
    for (i, population) in populations.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        let name = Value::from(population.name);
        write!(text, "{comma}{name}:{{").map_err(|_why| code("input.unreadable"))?;
        for (j, (item, row)) in population.rows.iter().enumerate() {
            let comma = if j > 0 { "," } else { "" };
            let row = row::refuse(row).map_err(|_why| code("input.unreadable"))?;
            write!(text, "{comma}\"{item}\":{row}").map_err(|_why| code("input.unreadable"))?;
        }
        text.push('}');
    }
    Ok(format!("{{{text}}}"))
}
