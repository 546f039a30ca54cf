//! Rows: the collector's own keys, the record's projection, and what is joined to it.
//!
//! A row is never dropped because something beside it could not be read: it says so in `_outcomes`, and the judge leaves
//! that row, and no other, unknown.

use std::collections::{BTreeMap, HashMap};

use observance_record::{
    Instant, Item,
    item::ItemKey,
    population::{Membership, Outcome},
    table::Rows,
};

use super::{
    Instance,
    complete::{Claim, claim, lower, single},
    condition::{Window, instant},
    list::{Env, Listing, look_up},
    manifest::{Join, JoinHow, Manifest, Population, Step},
    outcome::why,
    page::Record,
    project::Path,
    scan::push_text,
    template::Slot,
};

/// Largest row, in bytes (formats section 11).
const ROW_BYTES_MAX: usize = 1 << 20;
/// Most rows of a table (formats section 11).
const ROWS_MAX: usize = 1 << 24;
/// Largest table as it is stored (formats section 11: an artefact), with some room.
const TABLE_BYTES_MAX: usize = 15 << 20;
/// What a row takes in it beside its bytes.
const ROW_OVERHEAD_BYTES: usize = 32;
/// The scope of what is the same in every source (formats section 3).
const EVERYWHERE: &str = "*";
/// Longest name that is shown to people, in characters.
const NAME_CHARS_MAX: usize = 300;

/// The rows of one population and what may be claimed of them.
#[derive(Debug)]
pub struct Collected {
    /// Its name in the manifest.
    pub name: String,
    /// The type of its items.
    pub item_type: String,
    /// Compact JSON objects.
    pub rows: Rows,
    /// The claim about the list.
    pub claim: Claim,
    /// Rows whose own exchanges failed.
    pub items_unknown: u64,
    /// Rows.
    pub in_scope: u64,
    /// Records left out by declaration: none yet, scope is applied by configuration.
    pub excluded: u64,
    /// The window that its rows speak about.
    pub window: Option<Window>,
    /// How far of it nothing more will come: its end, unless the source is slow; nothing of it while a list of it could
    /// not be read.
    pub settled: Option<Instant>,
}

/// Makes the rows of one population.
pub(super) fn assemble(
    manifest: &Manifest,
    done: &[Vec<Instance>],
    population: &Population,
    key: &ItemKey,
    (window, started): (Option<Window>, Instant),
) -> Collected {
    let mut claim = claim(manifest, done, population);
    let mut rows = Rows::new();
    let mut items_unknown = 0;
    if let Some(table) = Table::new(manifest, done, population, key) {
        for (at, instance) in table.base.iter().enumerate() {
            for (record_at, record) in instance.listing.records.iter().enumerate() {
                match table.row(instance, (at, record_at), record) {
                    Ok(row) => {
                        items_unknown += u64::from(!row.whole);
                        rows.insert(row.item, row.bytes.into());
                    }
                    Err(why) => lower(&mut claim, Membership::Partial, why),
                }
            }
        }
    } else {
        lower(&mut claim, Membership::Unknown, why::SCOPE_MISSING);
    }
    if rows.len() > ROWS_MAX {
        lower(&mut claim, Membership::Partial, why::TOO_LARGE);
    }
    if rows.values().map(|row| row.len() + ROW_OVERHEAD_BYTES).sum::<usize>() > TABLE_BYTES_MAX {
        // it could be stored in no run, and a part of it would be a list that nobody chose
        (rows, items_unknown) = (Rows::new(), 0);
        lower(&mut claim, Membership::Unknown, why::TOO_LARGE);
    }
    Collected {
        name: population.name.clone(),
        item_type: population.kind.clone(),
        in_scope: u64::try_from(rows.len()).unwrap_or(u64::MAX),
        rows,
        claim,
        items_unknown,
        excluded: 0,
        settled: window.map(|(from, to)| {
            let read = windowed(manifest, done, population).all(|listing| listing.outcome.feeds());
            if read { to.min(started.plus_ms(-manifest.lag_ms(population))).max(from) } else { from }
        }),
        window: window.filter(|_| manifest.windowed(population)),
    }
}

/// The lists of the window that a population rests on: its own, and those beside its rows.
fn windowed<'a>(
    manifest: &'a Manifest,
    done: &'a [Vec<Instance>],
    population: &'a Population,
) -> impl Iterator<Item = &'a Listing> {
    let steps = std::iter::once(population.step).chain(population.joins.iter().map(|join| join.step));
    let reads = |step: &usize| manifest.steps.get(*step).is_some_and(|step| step.window.is_some());
    steps.filter(reads).filter_map(|step| done.get(step)).flatten().map(|instance| &instance.listing)
}

/// The item that `hmac:<32 hex>` is the pseudonym of.
fn pseudonym(natural: &str) -> Option<Item> {
    let bytes = hex::decode(natural.strip_prefix("hmac:")?).ok()?;
    bytes.try_into().ok().map(Item::from_bytes)
}

struct Row {
    item: Item,
    bytes: Vec<u8>,
    whole: bool,
}

/// Everything that rows of one population draw from.
struct Table<'a> {
    manifest: &'a Manifest,
    population: &'a Population,
    step: &'a Step,
    base: &'a [Instance],
    key: &'a ItemKey,
    scope: &'a str,
    /// The type of the rows' parents, if a population of this manifest has them as its rows.
    parent: Option<(&'a str, &'a Step, &'a Path)>,
    joins: Vec<Joined<'a>>,
}

/// One join, with an index to find each row's part.
struct Joined<'a> {
    join: &'a Join,
    step: &'a Step,
    parts: Parts<'a>,
}

enum Parts<'a> {
    /// Asked once per row.
    Own(HashMap<(usize, usize), &'a Listing>),
    /// Asked once; with an index by key where rows look for theirs.
    Shared(Option<&'a Listing>, HashMap<&'a str, &'a Record>),
}

impl<'a> Table<'a> {
    fn new(
        manifest: &'a Manifest,
        done: &'a [Vec<Instance>],
        population: &'a Population,
        key: &'a ItemKey,
    ) -> Option<Self> {
        let step = manifest.steps.get(population.step)?;
        let scope = match &population.scope {
            Some((of, path)) => single(done, *of)?.mark(manifest.steps.get(*of)?, path).word()?,
            None => EVERYWHERE,
        };
        let parent = step.each.as_ref().and_then(|each| {
            let named = manifest.populations.iter().find(|other| other.step == each.step)?;
            let step = manifest.steps.get(each.step)?;
            Some((named.kind.as_str(), step, step.key.as_ref()?))
        });
        let joins = population.joins.iter().filter_map(|join| Joined::new(manifest, done, join)).collect();
        let base = done.get(population.step)?;
        Some(Self { manifest, population, step, base, key, scope, parent, joins })
    }

    fn row(&self, instance: &Instance, at: (usize, usize), record: &Record) -> Result<Row, &'static str> {
        let natural = self.step.key.as_ref().and_then(|key| record.mark(self.step, key).word());
        let natural = natural.ok_or(why::KEY_MISSING)?;
        let kind = &self.population.kind;
        let item = match self.population.scope {
            // what a pseudonym names has that name already
            None => pseudonym(natural),
            Some(_) => None,
        };
        let item = match item {
            Some(item) => item,
            None => self.key.item(kind, self.scope, natural).map_err(|_zero| why::KEY_MISSING)?,
        };
        let at_instant = match &self.population.at {
            Some(path) => Some(instant(record.mark(self.step, path)).ok_or(why::AT_MALFORMED)?),
            None => None,
        };
        let head = self.head(instance, (at, record), natural, at_instant);
        let mut outcomes = BTreeMap::new();
        if record.lacks {
            outcomes.insert(self.population.step, (self.step.id.as_str(), Outcome::Forbidden));
        }
        // under the step's own name, so that no policy that needs the step can miss it
        for outcome in &record.flaws {
            outcomes.insert(self.population.step, (self.step.id.as_str(), *outcome));
        }
        let mut joined = Vec::new();
        for part in &self.joins {
            let outcome = part.write(self.step, record, at, &mut joined);
            if !matches!(outcome, Outcome::Present | Outcome::Unchanged) {
                outcomes.insert(part.join.step, (part.step.id.as_str(), outcome));
            }
        }
        if head.len() + record.members.len() + joined.len() > ROW_BYTES_MAX {
            joined.clear();
            outcomes.extend(
                self.joins.iter().map(|part| (part.join.step, (part.step.id.as_str(), Outcome::Error))),
            );
        }
        let whole = outcomes.values().all(|(_, outcome)| outcome.feeds());
        Ok(Row { item, bytes: join_up(&head, &outcomes, &record.members, &joined), whole })
    }

    /// `_name`, `_at`, `_of`, without braces. What has no name for people has its key.
    fn head(
        &self,
        instance: &Instance,
        (place, record): ((usize, usize), &Record),
        natural: &str,
        at: Option<Instant>,
    ) -> Vec<u8> {
        let mut out = b"\"_name\":".to_vec();
        let name = self.population.label.label(|slot: &Slot| match &slot.alias {
            Some(alias) => look_up(self.manifest, instance.env.as_deref(), slot).or_else(|| {
                let joined = self.joins.iter().find(|joined| joined.join.name == *alias)?;
                joined.first(place)?.mark(joined.step, &slot.path).word().map(Into::into)
            }),
            None => record.mark(self.step, &slot.path).word().map(Into::into),
        });
        let name = if name.trim().is_empty() { natural } else { &name };
        push_text(&mut out, &name.chars().take(NAME_CHARS_MAX).collect::<String>());
        if let Some(at) = at {
            out.extend_from_slice(format!(",\"_at\":\"{at}\"").as_bytes());
        }
        if let Some(of) = self.of(instance.env.as_deref()) {
            out.extend_from_slice(format!(",\"_of\":\"{of}\"").as_bytes());
        }
        out
    }

    /// The item of the record in whose name this row's list was asked.
    fn of(&self, env: Option<&Env>) -> Option<Item> {
        let (kind, step, key) = self.parent?;
        self.key.item(kind, self.scope, env?.record.mark(step, key).word()?).ok()
    }
}

impl<'a> Joined<'a> {
    fn new(manifest: &'a Manifest, done: &'a [Vec<Instance>], join: &'a Join) -> Option<Self> {
        let step = manifest.steps.get(join.step)?;
        let instances = done.get(join.step)?;
        let parts = if step.each.is_some() {
            Parts::Own(instances.iter().filter_map(|i| Some((i.parent?, &i.listing))).collect())
        } else {
            let listing = instances.first().map(|instance| &instance.listing);
            let records = listing.map(|listing| listing.records.as_slice()).unwrap_or_default();
            let by_key = match (&join.how, &step.key) {
                (JoinHow::On(_) | JoinHow::Flag(_), Some(key)) => {
                    records.iter().filter_map(|r| Some((r.mark(step, key).word()?, r.as_ref()))).collect()
                }
                (JoinHow::On(_) | JoinHow::Flag(_) | JoinHow::List | JoinHow::One, _) => HashMap::new(),
            };
            Parts::Shared(listing, by_key)
        };
        Some(Self { join, step, parts })
    }

    /// The first record that is joined to the row at this place.
    fn first(&self, at: (usize, usize)) -> Option<&'a Record> {
        let listing = match &self.parts {
            Parts::Own(by_row) => by_row.get(&at).copied(),
            Parts::Shared(listing, _) => *listing,
        };
        listing?.records.first().map(AsRef::as_ref)
    }

    /// Appends the row's part, with a comma before it; the outcome it rests on.
    fn write(&self, base: &Step, record: &Record, at: (usize, usize), out: &mut Vec<u8>) -> Outcome {
        let listing = match &self.parts {
            Parts::Own(by_row) => by_row.get(&at).copied(),
            Parts::Shared(listing, _) => *listing,
        };
        // a step that was not asked for this row (its condition does not hold) says nothing about it
        let Some(listing) = listing else { return Outcome::Present };
        let lacks = listing.records.iter().any(|record| record.lacks);
        let flaw = listing.records.iter().flat_map(|record| &record.flaws).next().copied();
        let flaw = flaw.or(lacks.then_some(Outcome::Forbidden));
        let outcome = flaw.filter(|_| listing.outcome.feeds()).unwrap_or(listing.outcome);
        if !matches!(outcome, Outcome::Present | Outcome::Unchanged) && flaw.is_none() {
            return outcome;
        }
        let wanted = |path: &Path| match &self.parts {
            Parts::Shared(_, by_key) => {
                record.mark(base, path).word().and_then(|key| by_key.get(key).copied())
            }
            Parts::Own(_) => None,
        };
        match &self.join.how {
            JoinHow::One => self.object(listing.records.first().map(AsRef::as_ref), out),
            JoinHow::On(path) => self.object(wanted(path), out),
            JoinHow::Flag(path) => self.value(if wanted(path).is_some() { b"true" } else { b"false" }, out),
            JoinHow::List => {
                let objects: Vec<_> = listing.records.iter().map(|r| braced(&r.members)).collect();
                self.value(&[&b"["[..], &objects.join(&b','), b"]"].concat(), out);
            }
        }
        outcome
    }

    fn object(&self, record: Option<&Record>, out: &mut Vec<u8>) {
        if let Some(record) = record {
            self.value(&braced(&record.members), out);
        }
    }

    fn value(&self, value: &[u8], out: &mut Vec<u8>) {
        out.push(b',');
        push_text(out, &self.join.name);
        out.push(b':');
        out.extend_from_slice(value);
    }
}

fn braced(members: &[u8]) -> Vec<u8> {
    [b"{", members, b"}"].concat()
}

fn join_up(
    head: &[u8],
    outcomes: &BTreeMap<usize, (&str, Outcome)>,
    members: &[u8],
    joined: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + members.len() + joined.len() + 64);
    out.push(b'{');
    out.extend_from_slice(head);
    for (i, (step, outcome)) in outcomes.values().enumerate() {
        out.extend_from_slice(if i == 0 { b",\"_outcomes\":{" } else { b"," });
        out.extend_from_slice(format!("\"{step}\":\"{}\"", outcome.as_str()).as_bytes());
    }
    if !outcomes.is_empty() {
        out.push(b'}');
    }
    if !members.is_empty() {
        out.push(b',');
        out.extend_from_slice(members);
    }
    out.extend_from_slice(joined);
    out.push(b'}');
    out
}
