//! The log folded: what is in force, what was promised, what every table and every verdict says now.
//!
//! The agent's memory and the verifier's reading are this one fold, so that what the agent believes is what an auditor
//! checks. It does no I/O: artefacts come from whoever has them ([`Artefacts`]).

mod coverage;
mod hooks;
mod last_seen;
mod promises;
mod tables;
mod tally;
mod verdicts;
mod writers;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{
    coverage::Coverage,
    hooks::Heard,
    last_seen::LastSeen,
    promises::{Answer, Promises},
    tables::{Row, Table},
    tally::{Began, Changed, How, OddRun, Reached, Tally, What},
    verdicts::{Column, PolicyState},
};
use self::{hooks::Hooks, writers::Writers};
use crate::{
    digest::{Item, Root},
    entry::{self, Body, Entry, Genesis, PeriodClose, PeriodOpen},
    item::Salt,
    row::{Reserved, RowError},
    table::Change,
    time::Instant,
};

/// What lies beside a run or a verdict: the stored changes and columns, which entries bind by roots only.
pub trait Artefacts {
    /// The stored change of the table `name` of run `run`, and the salt of each row it puts, in order.
    /// `which` is the population's place in the run; `None` for the exchange table.
    fn change(&self, run: u64, which: Option<u16>, name: &str) -> Result<(Change, Vec<Salt>), String>;

    /// The stored column of the `which`-th policy of the verdict on run `run`.
    fn column(&self, run: u64, which: u16, policy: &str) -> Result<Vec<u8>, String>;
}

/// The log contradicts itself, or its artefacts contradict it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct LedgerError {
    /// The entry at which it shows.
    pub seq: u64,
    /// What.
    pub what: LedgerFault,
}

/// What contradicts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the documentation")]
pub enum LedgerFault {
    #[error("says that it is entry {0}")]
    Seq(u64),
    #[error("is older than the entry before it")]
    Time,
    #[error("names entry {0} as its writer's start, which it is not")]
    By(u64),
    #[error("a log begins with its genesis, and has one only")]
    Genesis,
    #[error("promises slots of {schedule}: {what}")]
    Promise { schedule: String, what: &'static str },
    #[error("answers the slot of {schedule} due {due}, which was never promised or is answered already")]
    Slot { schedule: String, due: Instant },
    #[error("names a {what} that is not in force: {name}")]
    NotInForce { what: &'static str, name: String },
    #[error("table {table}: {what}")]
    Table { table: String, what: String },
    #[error("policy {policy}: {what}")]
    Verdict { policy: String, what: String },
    #[error("{0}")]
    Other(&'static str),
}

/// The state of a log after some of its entries.
#[derive(Debug, Default)]
pub struct Ledger {
    size: u64,
    t: Option<Instant>,
    /// Sequence numbers of `start` entries.
    starts: Vec<u64>,
    genesis: Option<Genesis>,
    collectors: BTreeMap<String, entry::Collector>,
    schedules: BTreeMap<String, entry::Schedule>,
    config: Option<(u64, Root)>,
    writers: Writers,
    hooks: Hooks,
    /// How far each stream was read, by collector and stream.
    covered: BTreeMap<(String, String), Coverage>,
    promises: Promises,
    tables: BTreeMap<(String, String), Table>,
    runs: BTreeMap<String, LastRun>,
    policies: BTreeMap<String, PolicyState>,
    periods: BTreeMap<String, PeriodOpen>,
    closed: BTreeMap<String, PeriodClose>,
    exports: Vec<entry::Export>,
    /// Entries that are drifts.
    drifts: BTreeSet<u64>,
    alerts: BTreeMap<u64, AlertState>,
    /// Kinds that are not understood, with the first entry of each.
    foreign: BTreeMap<String, u64>,
    /// What people call each item, when it happened, whose it is: from its newest row.
    facts: BTreeMap<Item, Reserved>,
    tally: Tally,
}

/// The newest run of a collector.
#[derive(Debug, Clone)]
pub struct LastRun {
    /// Its entry.
    pub seq: u64,
    /// Its body.
    pub run: entry::Run,
    /// The `hook` that brought it, if one did.
    pub hook: Option<u64>,
    /// The verdict with the list that the newest verdict on this collector has.
    pub list: Option<(u64, Vec<entry::PolicyVerdict>)>,
}

/// An alert and what became of it.
#[derive(Debug, Clone)]
pub struct AlertState {
    /// When it was recorded.
    pub at: Instant,
    /// Its own entry; its id is that of its drift.
    pub seq: u64,
    /// Its body.
    pub alert: entry::Alert,
    /// Deliveries tried, in order.
    pub notices: Vec<entry::Notice>,
}

impl AlertState {
    /// Did the agent give up telling anybody?
    pub fn gave_up(&self) -> bool {
        self.notices.last().is_some_and(|notice| notice.status.as_str() == "gave_up")
    }
}

impl Ledger {
    /// Folds the next entry. After an error the ledger must be dropped: it may be half changed.
    pub fn push(&mut self, entry: &Entry, artefacts: &dyn Artefacts) -> Result<(), LedgerError> {
        let seq = self.size;
        self.envelope(entry).map_err(|what| LedgerError { seq, what })?;
        self.count(entry);
        self.body(entry, artefacts).map_err(|what| LedgerError { seq, what })?;
        self.writers.push(entry);
        self.size = self.size.saturating_add(1);
        self.t = Some(entry.t);
        Ok(())
    }

    fn envelope(&mut self, entry: &Entry) -> Result<(), LedgerFault> {
        if entry.seq != self.size {
            return Err(LedgerFault::Seq(entry.seq));
        }
        if self.t.is_some_and(|t| entry.t < t) {
            return Err(LedgerFault::Time);
        }
        let opens = matches!(entry.body, Body::Genesis(_) | Body::Start(_));
        if opens != (entry.by == entry.seq) || !(opens || self.starts.contains(&entry.by)) {
            return Err(LedgerFault::By(entry.by));
        }
        if matches!(entry.body, Body::Genesis(_)) != (self.size == 0) {
            return Err(LedgerFault::Genesis);
        }
        Ok(())
    }

    fn body(&mut self, entry: &Entry, artefacts: &dyn Artefacts) -> Result<(), LedgerFault> {
        match &entry.body {
            Body::Genesis(body) => self.genesis = Some((**body).clone()),
            Body::Start(_) => self.starts.push(entry.seq),
            Body::Config(body) => self.config = Some((entry.seq, body.digest.root)),
            Body::Policy(body) => self.policy(body),
            Body::Collector(body) => in_force(&mut self.collectors, &body.id, body, body.removed),
            Body::Schedule(body) => {
                in_force(&mut self.schedules, &body.id, body, body.removed);
                self.promises.schedule(body);
            }
            Body::Slots(body) => self.promises.promise(body)?,
            Body::Gap(body) => self.gap(body)?,
            Body::Hook(body) => self.hook(entry, body)?,
            Body::Run(body) => self.run((entry.seq, entry.by), body, artefacts)?,
            Body::Verdict(body) => self.verdict(entry.seq, body, artefacts)?,
            Body::Alert(body) => self.alert(entry, body)?,
            Body::Notice(body) => self
                .alerts
                .get_mut(&body.alert)
                .ok_or(LedgerFault::Other("a notice of an alert that was never recorded"))?
                .notices
                .push((**body).clone()),
            Body::PeriodOpen(body) => {
                self.periods.insert(body.id.clone(), (**body).clone());
            }
            Body::PeriodClose(body) => {
                self.closed.insert(body.id.clone(), (**body).clone());
            }
            Body::Export(body) => self.exports.push((**body).clone()),
            Body::Drift(body) => self.drift(entry.seq, body)?,
            // who stopped is known to `writers`
            Body::Stop(_) | Body::Posture(_) | Body::Heartbeat(_) => {}
            Body::Foreign { kind, .. } => {
                if !entry.body.is_understood() {
                    self.foreign.entry(kind.clone()).or_insert(entry.seq);
                }
            }
        }
        Ok(())
    }

    fn alert(&mut self, entry: &Entry, body: &entry::Alert) -> Result<(), LedgerFault> {
        if !self.drifts.contains(&body.id) {
            return Err(LedgerFault::Other("an alert of a drift that was never recorded"));
        }
        let state = AlertState { at: entry.t, seq: entry.seq, alert: body.clone(), notices: Vec::new() };
        match self.alerts.insert(body.id, state) {
            None => Ok(()),
            Some(_) => Err(LedgerFault::Other("a second alert of one drift")),
        }
    }

    fn gap(&mut self, gap: &entry::Gap) -> Result<(), LedgerFault> {
        for due in gap.due.iter() {
            self.promises.answer(&gap.schedule, due, Answer::Gap(gap.cause))?;
        }
        let collector = self.schedules.get(&gap.schedule).map(|schedule| schedule.collector.clone());
        if let Some(collector) = collector {
            self.gap_of(&collector, &gap.due);
        }
        Ok(())
    }

    fn run(
        &mut self,
        (seq, by): (u64, u64),
        run: &entry::Run,
        artefacts: &dyn Artefacts,
    ) -> Result<(), LedgerFault> {
        let collector = self
            .collector_of(run)
            .map(|c| c.id.clone())
            .ok_or_else(|| LedgerFault::NotInForce { what: "collector", name: run.collector.to_string() })?;
        match (&run.schedule, run.due) {
            (Some(schedule), Some(due)) => self.promises.answer(schedule, due, Answer::Run(seq))?,
            (None, None) => {}
            _ => {
                return Err(LedgerFault::Other(
                    "a run with a schedule and no slot, or a slot and no schedule",
                ));
            }
        }
        let place = (seq, run.started, collector.as_str());
        self.fold_table(place, "exchange", None, &run.exchanges.table, artefacts)?;
        for (which, population) in (0_u16..).zip(&run.populations) {
            self.fold_table(place, &population.name, Some(which), &population.table, artefacts)?;
        }
        for window in &run.windows {
            let stream = (collector.clone(), window.stream.clone());
            let coverage = Coverage::after(self.covered.get(&stream).copied(), window);
            self.covered.insert(stream, coverage);
        }
        let list = self.runs.remove(&collector).and_then(|last| last.list);
        let hook = self.hooks.answer(&collector, by, run.started);
        self.runs.insert(collector, LastRun { seq, run: run.clone(), hook, list });
        Ok(())
    }

    fn collector_of(&self, run: &entry::Run) -> Option<&entry::Collector> {
        self.collectors.values().find(|c| c.digest == run.collector && c.source == run.source)
    }

    fn fold_table(
        &mut self,
        (seq, started, collector): (u64, Instant, &str),
        name: &str,
        which: Option<u16>,
        reference: &crate::table::TableRef,
        artefacts: &dyn Artefacts,
    ) -> Result<(), LedgerFault> {
        let stored = if reference.put == 0 && reference.del == 0 {
            (Change::default(), Vec::new())
        } else {
            let fault = |what| LedgerFault::Table { table: name.to_owned(), what };
            artefacts.change(seq, which, name).map_err(fault)?
        };
        if which.is_some() {
            for (item, row) in &stored.0.put {
                let fault = |e: RowError| LedgerFault::Table { table: name.to_owned(), what: e.to_string() };
                self.facts.insert(*item, Reserved::read(row).map_err(fault)?);
            }
        }
        let key = (collector.to_owned(), name.to_owned());
        let table = Table::next(self.tables.remove(&key), (seq, started), reference, stored)
            .map_err(|what| LedgerFault::Table { table: name.to_owned(), what: what.to_owned() })?;
        self.tables.insert(key, table);
        Ok(())
    }

    /// How many entries were folded.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// When the newest entry was written.
    pub const fn t(&self) -> Option<Instant> {
        self.t
    }

    /// The log's first entry.
    pub const fn genesis(&self) -> Option<&Genesis> {
        self.genesis.as_ref()
    }

    /// The configuration entry in force, and the root of its one row.
    pub const fn config(&self) -> Option<(u64, Root)> {
        self.config
    }

    /// Did the newest agent say that it stopped, if there was one? Who only collected or exported is none.
    pub fn stopped(&self) -> bool {
        self.writers.stopped()
    }

    /// When an agent wrote last: until then, what was promised has to be answered.
    pub fn served_until(&self) -> Option<Instant> {
        self.writers.served_until()
    }

    /// How far a stream of a collector was read; `None` before its first window.
    pub fn covered(&self, collector: &str, stream: &str) -> Option<Coverage> {
        self.covered.get(&(collector.to_owned(), stream.to_owned())).copied()
    }

    /// Collectors in force, by id.
    pub const fn collectors(&self) -> &BTreeMap<String, entry::Collector> {
        &self.collectors
    }

    /// Schedules in force, by id.
    pub const fn schedules(&self) -> &BTreeMap<String, entry::Schedule> {
        &self.schedules
    }

    /// Policies that were ever in force, by id.
    pub const fn policies(&self) -> &BTreeMap<String, PolicyState> {
        &self.policies
    }

    /// What was promised, and what became of it.
    pub const fn promises(&self) -> &Promises {
        &self.promises
    }

    /// The newest table of this name that a collector's runs have had.
    pub fn table(&self, collector: &str, name: &str) -> Option<&Table> {
        self.tables.get(&(collector.to_owned(), name.to_owned()))
    }

    /// The newest run of each collector, by its id.
    pub const fn runs(&self) -> &BTreeMap<String, LastRun> {
        &self.runs
    }

    /// Periods, by id.
    pub const fn periods(&self) -> &BTreeMap<String, PeriodOpen> {
        &self.periods
    }

    /// Periods that were closed, by id.
    pub const fn closed(&self) -> &BTreeMap<String, PeriodClose> {
        &self.closed
    }

    /// Bundles handed out, in order.
    pub fn exports(&self) -> &[entry::Export] {
        &self.exports
    }

    /// Alerts, by id.
    pub const fn alerts(&self) -> &BTreeMap<u64, AlertState> {
        &self.alerts
    }

    /// Kinds of entries that this reader does not understand, with the first entry of each.
    pub const fn foreign(&self) -> &BTreeMap<String, u64> {
        &self.foreign
    }

    /// The reserved keys of an item's newest row.
    pub fn facts(&self, item: &Item) -> Option<&Reserved> {
        self.facts.get(item)
    }

    /// What an auditor would ask to have counted.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many writers began.
    pub fn starts(&self) -> &[u64] {
        &self.starts
    }
}

fn in_force<T: Clone>(map: &mut BTreeMap<String, T>, id: &str, body: &T, removed: bool) {
    if removed {
        map.remove(id);
    } else {
        map.insert(id.to_owned(), body.clone());
    }
}
