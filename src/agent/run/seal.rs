//! What was collected, made fit to be recorded: tables as changes from the tables before, bytes as artefacts, the run's body.
//!
//! Nothing is written here; the result is what one commit will hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use observance_record::{
    Instant, Item,
    entry::{
        Channel, Exchanges, Host, Population, Privileges, Proof, Receipts, Run, RunResult, Skew, Trigger,
        Window,
    },
    item::SaltKey,
    ledger::{Ledger, Table},
    pack::{Artefact, Media, Role, Spool},
    table::{self, Change, Rows, TableRef},
    verdict::Code,
};

use super::{
    open,
    reread::Reread,
    setup::{Collector, Source},
};
use crate::{
    collect::{self, Collected},
    schedule::Slot,
};

/// Changes after which a table is stored whole again.
const CHANGES_MAX: u64 = 256;
/// Age of the last whole table after which a changed one is stored whole again.
const KEYFRAME_MS: i64 = 24 * 3_600_000;

/// The run that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Task {
    /// The collector.
    pub collector: Arc<Collector>,
    /// Its source.
    pub source: Arc<Source>,
    /// The slot that it answers.
    pub slot: Option<Slot>,
    /// What made it start.
    pub trigger: Trigger,
    /// How long after `due`.
    pub late_ms: i64,
    /// The window of events to be read, if the collector reads windows.
    pub window: Option<(Instant, Instant)>,
    /// Where in it each stream's own window begins.
    pub begins: BTreeMap<String, Instant>,
    /// Streams whose last reading was not whole: what they have to go on from is where that reading began.
    pub behind: BTreeSet<String>,
}

impl Task {
    /// The same run, answering no slot.
    pub(super) fn manual(task: &Self) -> Self {
        Self { slot: None, trigger: Trigger::Manual, late_ms: 0, ..task.clone() }
    }

    /// The collector's id.
    pub(super) fn id(&self) -> &str {
        &self.collector.id
    }
}

/// One run, ready to be judged and recorded.
#[derive(Debug)]
pub(super) struct SealedRun<'c> {
    /// Its body; packs are named when they are made.
    pub run: Run,
    /// What is new beside the bodies: tables and receipts.
    pub tables: Spool,
    /// What the tables change, as it stands there: the exchange table's, then each population's.
    pub changes: Vec<Change>,
    /// The rows of its populations, in the body's order.
    pub rows: Vec<&'c Rows>,
}

/// What tables are made with.
pub(super) struct Salting<'a> {
    pub key: &'a SaltKey,
    pub epoch: u32,
}

/// Seals what a run saw, as the next entries after those of `ledger`.
pub(super) fn seal<'c>(
    task: &Task,
    collected: &'c Collected,
    ledger: &Ledger,
    salting: &Salting<'_>,
) -> SealedRun<'c> {
    let (started, ended) = (collected.started, collected.ended);
    let (mut tables, mut changes) = (Spool::default(), Vec::new());
    let mut store = |change: Change, role, which| {
        if !change.is_empty() {
            tables.add(&Artefact::new(role, Media::Bytes, change.encode()).numbered(which));
        }
        changes.push(change);
    };
    let before = |name: &str| ledger.table(task.id(), name);
    let (table, change) = bind("exchange", before("exchange"), &collected.exchanges, started, salting);
    store(change, Role::TableExchange, 0);
    let (mut bodies, mut rows, mut windows) = (Vec::new(), Vec::new(), Vec::new());
    let mut why = collected.why.clone();
    for (which, population) in (0..).zip(&collected.populations) {
        let name = &population.name;
        let (table, change) = bind(name, before(name), &population.rows, started, salting);
        store(change, Role::TablePopulation, which);
        let mut body = claim(population, table);
        let earlier = ledger.runs().get(task.id()).zip(before(name));
        if let Some(reread) = Reread::of(earlier, &body, &population.rows) {
            body.proofs.extend(reread.proofs());
            why.extend(reread.why().map(open::code));
        }
        windows.extend(windows_of(&body, population.settled));
        bodies.push(body);
        rows.push(&population.rows);
    }
    let (receipts, lines) = receipt_lines(&collected.receipts, salting);
    if let Some(lines) = lines {
        tables.add(&Artefact::new(Role::Receipts, Media::JsonLines, lines));
    }
    let run = Run {
        schedule: task.slot.as_ref().map(|slot| slot.schedule.clone()),
        due: task.slot.as_ref().map(|slot| slot.due),
        trigger: task.trigger,
        started,
        ended: ended.max(started),
        as_of: started,
        late_ms: u64::try_from(task.late_ms).unwrap_or(0),
        attempt: 1,
        collector: task.collector.manifest.digest(),
        source: task.collector.source.clone(),
        result: match collected.result {
            collect::RunResult::Complete => RunResult::Complete,
            collect::RunResult::Partial => RunResult::Partial,
            collect::RunResult::Failed => RunResult::Failed,
        },
        why: why.into_iter().collect(),
        exchanges: Exchanges { table, by: collected.outcomes.clone() },
        receipts,
        skew_ms: collected.skew_ms.map(|(min, max)| Skew { min, max }),
        requests: collected.requests,
        bytes: collected.bytes,
        privileges: Privileges {
            granted: collected.privileges.granted.iter().cloned().collect(),
            write: collected.privileges.write,
        },
        windows,
        channel: channel(&collected.channel),
        populations: bodies,
        packs: Vec::new(),
    };
    SealedRun { run, tables, changes, rows }
}

/// How an entry binds these rows, and the change to be stored, if it is any.
fn bind(
    name: &str,
    before: Option<&Table>,
    rows: &Rows,
    started: Instant,
    salting: &Salting<'_>,
) -> (TableRef, Change) {
    let epoch = u64::from(salting.epoch);
    let salt = |item: &Item, row: &[u8]| salting.key.salt(name, item, row);
    let n = count(rows.len());
    let base = before.filter(|before| before.reference.epoch == epoch);
    let change = base.map(|base| base.change_to(rows));
    match (base, change) {
        (Some(base), Some(change)) if change.is_empty() => {
            let root = base.root();
            (TableRef { n, root, epoch, base: Some(base.seq), put: 0, del: 0 }, change)
        }
        (Some(base), Some(change)) if !is_keyframe_due(base, &change, rows, started) => {
            let root = base.root_after(&change, salt);
            let (put, del) = (count(change.put.len()), count(change.del.len()));
            (TableRef { n, root, epoch, base: Some(base.seq), put, del }, change)
        }
        _ => {
            let root = table::root(name, rows, salting.key);
            let whole = Change { put: rows.clone(), del: Vec::new() };
            (TableRef { n, root, epoch, base: None, put: n, del: 0 }, whole)
        }
    }
}

fn is_keyframe_due(base: &Table, change: &Change, rows: &Rows, started: Instant) -> bool {
    base.changes >= CHANGES_MAX
        || started.ms_since(base.keyframe) >= KEYFRAME_MS
        || change.put.len() + change.del.len() >= rows.len()
}

fn claim(population: &collect::Population, table: TableRef) -> Population {
    let claim = &population.claim;
    let proofs = claim.proofs.iter().map(|proof| Proof {
        kind: open::code(proof.kind),
        stated: proof.stated,
        counted: proof.counted,
        exchange: proof.exchange,
    });
    Population {
        name: population.name.clone(),
        item_type: population.item_type.clone(),
        table,
        membership: claim.membership,
        grade: claim.grade,
        horizon: claim.horizon,
        why: claim.why.iter().cloned().collect(),
        proofs: proofs.collect(),
        items_unknown: population.items_unknown,
        source_total: claim.source_total,
        in_scope: population.in_scope,
        excluded: population.excluded,
        window: population.window,
    }
}

/// What of a window was read, and what of it will be read again: all of it if it was not read whole, its end while the
/// source may still add to it.
fn windows_of(population: &Population, settled: Option<Instant>) -> Vec<Window> {
    let whole = population.membership == observance_record::population::Membership::Complete;
    let window = population.window.map(|(from, to)| {
        let cut = if whole { settled.unwrap_or(to).min(to).max(from) } else { from };
        [(from, cut, true), (cut, to, false)].into_iter().filter(|(from, to, _)| from < to)
    });
    let stream = &population.name;
    let entry = |(from, to, is_final)| Window { stream: stream.clone(), from, to, is_final };
    window.into_iter().flatten().map(entry).collect()
}

fn receipt_lines(lines: &[Vec<u8>], salting: &Salting<'_>) -> (Receipts, Option<Vec<u8>>) {
    let root = table::lines_root("receipt", lines.iter().map(Vec::as_slice), salting.key);
    let n = count(lines.len());
    let mut bytes = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    (Receipts { n, root, epoch: u64::from(salting.epoch) }, (n > 0).then_some(bytes))
}

fn channel(channel: &collect::Channel) -> Channel {
    let host = |host: &collect::Host| Host { host: host.host.clone(), spki: host.spki, root: host.root };
    Channel {
        hosts: channel.hosts.iter().map(host).collect(),
        proxy: channel.proxy.is_some(),
        extra_ca: channel.extra_ca.is_some(),
        base_url: channel.overridden,
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The codes of a run or a population, as the judge is told why nothing could be judged.
pub(super) fn blind_codes(population: &Population) -> BTreeSet<Code> {
    population.why.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use observance_record::population::{Grade, Horizon, Membership};

    use super::*;

    #[test]
    fn a_window_is_final_as_far_as_it_was_read_whole_and_settled() {
        let at = |s: i64| Instant::from_s(s);
        let windows = |membership, settled: Option<i64>| -> Vec<(i64, i64, bool)> {
            let salts = SaltKey::new([1; 32]);
            let table = TableRef {
                n: 0,
                root: table::root("x", &Rows::new(), &salts),
                epoch: 0,
                base: None,
                put: 0,
                del: 0,
            };
            let population = Population {
                name: "x".to_owned(),
                item_type: "change".to_owned(),
                table,
                membership,
                grade: Grade::ReadToEnd,
                horizon: Horizon::Whole,
                why: Vec::new(),
                proofs: Vec::new(),
                items_unknown: 0,
                source_total: None,
                in_scope: 0,
                excluded: 0,
                window: Some((at(10), at(20))),
            };
            let windows = windows_of(&population, settled.map(at));
            windows.iter().map(|w| (w.from.ms() / 1000, w.to.ms() / 1000, w.is_final)).collect()
        };
        assert_eq!(windows(Membership::Complete, None), [(10, 20, true)]);
        assert_eq!(windows(Membership::Complete, Some(20)), [(10, 20, true)]);
        assert_eq!(windows(Membership::Complete, Some(17)), [(10, 17, true), (17, 20, false)]);
        assert_eq!(windows(Membership::Complete, Some(3)), [(10, 20, false)]);
        assert_eq!(windows(Membership::Partial, Some(17)), [(10, 20, false)]);
    }
}
