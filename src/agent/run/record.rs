//! What is recorded of slots and runs: promises, gaps, a run with the verdict on it, periods that are over.
//!
//! Each is worked out from all that the log says, and again if another writer was faster.

use std::collections::{BTreeMap, BTreeSet};

use observance_record::{
    Instant,
    entry::{self, Body, Entry, Gap, Slots, Verdict},
    pack::Artefact,
    slots::Due,
};

use super::{
    Agent, JournalError, RunError,
    batch::{Batch, By},
    fold::Beside,
    happening::Happening,
    seal::{self, Salting, SealedRun, Task},
    setup::{Collector, Setup},
    verdicts::{self, Said},
};
use crate::{
    collect::Collected,
    schedule::{self, Cause, Planner, Slot, TZDB},
    store::StoreError,
};

/// The first window of a collector that has read none begins so long before its slot.
const FIRST_WINDOW_MS: i64 = 6 * 3_600_000;
/// The shortest window.
const AGAIN_LEAST_MS: i64 = 60_000;
/// What was not read whole is read again for so long, or for as long as its source may add to it; then it stays as it was
/// read, and costs the other streams no more.
const AGAIN_MS: i64 = 24 * 3_600_000;

impl Agent {
    /// Judges and records a run, then what it changed.
    pub(super) async fn record(&mut self, task: Task, collected: Collected) -> Result<(), RunError> {
        let (run, said) = loop {
            // a verdict is refused while a change that the one before it shows has not been told
            self.tell_changes().await?;
            if let Some(recorded) = self.record_once(&task, &collected).await? {
                break recorded;
            }
        };
        // If we crash here, run and verdict stand; whoever begins next finds their changes untold, and tells them.
        self.say(Happening::Ran {
            collector: task.id().to_owned(),
            due: run.due,
            result: run.result,
            requests: run.requests,
            fails: said.list.iter().map(|policy| (policy.policy.clone(), policy.failed)).collect(),
        });
        self.tell_changes().await
    }

    /// One try, for the log as it is now; `None` if another writer was faster.
    async fn record_once(
        &mut self,
        task: &Task,
        collected: &Collected,
    ) -> Result<Option<(entry::Run, Said)>, RunError> {
        let ledger = self.journal.ledger();
        let salting = Salting { key: self.journal.salts(), epoch: self.journal.epoch() };
        let answered = |slot: &&Slot| !ledger.promises().is_open(&slot.schedule, slot.due);
        // another writer answered the slot meanwhile: what was seen is recorded all the same, and answers none
        let manual = task.slot.as_ref().filter(answered).map(|_| Task::manual(task));
        let task = manual.as_ref().unwrap_or(task);
        let sealed = seal::seal(task, collected, ledger, &salting);
        let said = verdicts::ask(&self.setup, ledger, &sealed, &mut self.memo);
        let verdict = self.verdict(task, sealed.run.as_of, &said);

        let SealedRun { run, mut tables, changes, .. } = sealed;
        for column in &said.artefacts {
            tables.add(column);
        }
        let (packs, named) = self.journal.pack(&[&collected.bodies, &tables])?;
        let run = entry::Run { packs: named, ..run };
        let mut batch = self.journal.batch(By::Start(self.by));
        batch.push(run.clone());
        batch.push_with(move |first| Body::from(Verdict { run: first, ..verdict.clone() }));
        let beside = Beside { artefacts: &said.artefacts, changes: &changes };
        Ok(self.commit_beside(&batch, packs, beside).await?.map(|_first| (run, said)))
    }

    fn verdict(&self, task: &Task, now: Instant, said: &Said) -> Verdict {
        let last = self.journal.ledger().runs().get(task.id());
        let stored = last.and_then(|last| last.list.as_ref());
        let repeats = |(seq, list): &&(u64, Vec<entry::PolicyVerdict>)| {
            list.len() == said.list.len() && list.iter().zip(&said.list).all(|(a, b)| a.repeated(*seq) == *b)
        };
        let same = stored.filter(repeats).map(|(seq, _)| *seq);
        let list = if same.is_none() { Some(said.list.clone()) } else { None };
        Verdict { run: 0, now, same, list, part: false }
    }

    /// The window that a run must read: from where the first of its streams is not whole to its slot; and where in it each
    /// stream's own window begins.
    pub(super) fn window(
        &self,
        collector: &Collector,
        due: Option<Instant>,
    ) -> (Option<(Instant, Instant)>, BTreeMap<String, Instant>) {
        let (ledger, manifest) = (self.journal.ledger(), &collector.manifest);
        let to = due.unwrap_or_else(|| self.journal.now());
        let again_ms = AGAIN_MS.max(manifest.longest_lag_ms());
        // never so long that the source has forgotten it, or nothing of the stream would be read any more
        let again_ms = manifest.reaches_back_ms().map_or(again_ms, |back_ms| again_ms.min(back_ms / 2));
        let streams = || manifest.yields().filter(|(.., windowed)| *windowed).map(|(name, ..)| name);
        let begin = |stream: &str| Some(ledger.covered(&collector.id, stream)?.next(again_ms));
        let begins: BTreeMap<_, _> =
            streams().filter_map(|name| Some((name.to_owned(), begin(name)?))).collect();
        let from = begins.values().min().copied().unwrap_or_else(|| to.plus_ms(-FIRST_WINDOW_MS));
        // what was read beyond its slot already, by a run apart from it, is read again for a little: a window has some length
        let from = if from < to { from } else { to.plus_ms(-AGAIN_LEAST_MS) };
        (streams().next().is_some().then_some((from, to)), begins)
    }

    /// The streams of a collector that its last run did not read whole.
    pub(super) fn behind(&self, collector: &Collector) -> BTreeSet<String> {
        let covered = |name: &str| self.journal.ledger().covered(&collector.id, name);
        let behind = |name: &&str| covered(name).is_some_and(|coverage| coverage.whole < coverage.read);
        collector.manifest.yields().map(|(name, ..)| name).filter(behind).map(str::to_owned).collect()
    }

    /// Closes the periods that are over, once every slot in them is answered; true if any was.
    pub(super) async fn close_periods(&mut self) -> Result<bool, RunError> {
        let (ledger, now) = (self.journal.ledger(), self.journal.now());
        let over = |period: &&entry::PeriodOpen| {
            period.to <= now
                && !ledger.closed().contains_key(&period.id)
                && ledger.promises().unanswered(period.to).next().is_none()
        };
        let over: Vec<String> =
            ledger.periods().values().filter(over).map(|period| period.id.clone()).collect();
        if over.is_empty() {
            return Ok(false);
        }
        let mut batch = self.journal.batch(By::Start(self.by));
        for id in over {
            batch.push(entry::PeriodClose { id, at: now });
        }
        self.commit(&batch, Vec::new(), &[]).await?;
        Ok(true)
    }

    /// Promises what nobody has promised yet.
    pub(super) async fn promise(
        &mut self,
        from: Instant,
        to: Instant,
        late: bool,
        due: BTreeMap<String, Due>,
    ) -> Result<(), RunError> {
        loop {
            let until = self.journal.ledger().promises().until();
            let joins = |schedule: &String| until.get(schedule).is_none_or(|until| *until == from);
            let due: BTreeMap<_, _> = due.clone().into_iter().filter(|(id, _)| joins(id)).collect();
            if due.is_empty() {
                return Ok(());
            }
            let mut batch = self.journal.batch(By::Start(self.by));
            batch.push(Slots { from, to, tzdb: TZDB.to_owned(), due, late });
            if self.commit(&batch, Vec::new(), &[]).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// Records as a gap what nobody has answered yet.
    pub(super) async fn gap(&mut self, schedule: String, due: Due, cause: Cause) -> Result<(), RunError> {
        loop {
            let promises = self.journal.ledger().promises();
            let open: Vec<Instant> = due.iter().filter(|at| promises.is_open(&schedule, *at)).collect();
            let due = Due::new(&open).map_err(|_unsorted| JournalError::Slots(schedule.clone()))?;
            if open.is_empty() {
                return Ok(());
            }
            let n = due.len();
            let mut batch = self.journal.batch(By::Start(self.by));
            batch.push(Gap { schedule: schedule.clone(), due, cause: cause_of(cause) });
            if self.commit(&batch, Vec::new(), &[]).await?.is_some() {
                self.say(Happening::Gap { schedule, n, cause: cause.as_str() });
                return Ok(());
            }
        }
    }

    /// Commits, and hears what was committed as everybody does who reads the log. `None` if another writer was faster:
    /// the batch has to be made again.
    pub(super) async fn commit(
        &mut self,
        batch: &Batch,
        packs: Vec<Vec<u8>>,
        artefacts: &[Artefact],
    ) -> Result<Option<u64>, JournalError> {
        self.commit_beside(batch, packs, Beside { artefacts, changes: &[] }).await
    }

    /// The same, where changes of tables are at hand already.
    async fn commit_beside(
        &mut self,
        batch: &Batch,
        packs: Vec<Vec<u8>>,
        beside: Beside<'_>,
    ) -> Result<Option<u64>, JournalError> {
        let (mail, planner, news) = (&mut self.mail, &mut self.planner, self.news.clone());
        let (setup, clock) = (&self.setup, self.clock.clone());
        let (began, mut was_away) = (self.journal.now(), false);
        let mut told = |place, entry: &Entry, artefacts: &[_]| {
            mail.hear(place, entry, artefacts);
            hear_slots(planner, setup, &entry.body);
        };
        let mut away = |error: &StoreError| {
            was_away = true;
            tracing::warn!(%error, "the store does not answer");
            let what = Happening::StoreAway { error: error.to_string() };
            // nobody need listen
            let _heard = news.send(super::News { at: clock.now(), what }).is_ok();
        };
        let committed = self.journal.commit(batch, (packs, beside), &mut told, &mut away).await;
        if was_away {
            // what came due meanwhile was not missed by the clock
            self.planner.hinder(began, Some(Cause::StoreDown));
            self.planner.hinder(self.journal.now(), None);
        }
        committed
    }
}

/// What an entry says of slots, whoever wrote it. Schedules that this agent does not have are another's to answer.
fn hear_slots(planner: &mut Planner, setup: &Setup, body: &Body) {
    let ours = |id: &str| setup.schedules.iter().any(|schedule| schedule.id == id);
    if let Body::Slots(slots) = body {
        for (schedule, due) in slots.due.iter().filter(|(id, _)| ours(id)) {
            planner.promised(schedule, slots.to, due);
        }
    } else if let Body::Gap(gap) = body {
        planner.answered(&gap.schedule, gap.due.iter());
    } else if let Body::Run(run) = body
        && let Some((schedule, due)) = run.schedule.as_ref().zip(run.due)
    {
        planner.answered(schedule, [due]);
    }
}

pub(super) const fn trigger(trigger: schedule::Trigger) -> entry::Trigger {
    match trigger {
        schedule::Trigger::Slot => entry::Trigger::Slot,
        schedule::Trigger::CatchUp => entry::Trigger::CatchUp,
        schedule::Trigger::Manual => entry::Trigger::Manual,
        schedule::Trigger::Recovery => entry::Trigger::Recovery,
    }
}

const fn cause_of(cause: Cause) -> entry::Cause {
    match cause {
        Cause::AgentDown => entry::Cause::AgentDown,
        Cause::Shutdown => entry::Cause::Shutdown,
        Cause::StoreDown => entry::Cause::StoreDown,
        Cause::Overlap => entry::Cause::Overlap,
        Cause::Busy => entry::Cause::Busy,
        Cause::Clock => entry::Cause::Clock,
        Cause::Crash => entry::Cause::Crash,
        Cause::Removed => entry::Cause::Removed,
    }
}
