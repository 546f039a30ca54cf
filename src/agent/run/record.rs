//! What is recorded of a run: its entry, the verdict on it, what drifted, whom to tell; all in one commit.

use std::collections::BTreeMap;

use observance_record::{
    Instant,
    entry::{self, Body, Drift, Gap, Slots, Verdict},
    pack::{Artefact, Media, Role},
    slots::Due,
    verdict::State,
};

use super::{
    Agent, JournalError, RunError,
    batch::{Batch, By},
    deliver::Payload,
    happening::Happening,
    open,
    seal::{self, Salting, SealedRun, Task},
    verdicts::{self, Changed, Said},
};
use crate::{
    collect::Collected,
    schedule::{self, Cause, TZDB},
    store::StoreError,
    tell::Word,
};

/// The first window of a collector that has read none begins so long before its slot.
const FIRST_WINDOW_MS: i64 = 6 * 3_600_000;

/// Changes that stand in one commit, each a drift and its alert, after a run and its verdict: a commit has 256 entries.
const CHANGES_PER_COMMIT: usize = 127;

/// One change, as it will be recorded and told.
struct Change {
    drift: Drift,
    /// What its alert says, if somebody is to be told.
    payload: Option<Vec<u8>>,
    name: Option<String>,
    word: Word,
}

impl Agent {
    /// Judges and records a run.
    pub(super) async fn record(&mut self, task: Task, collected: Collected) -> Result<(), RunError> {
        let ledger = self.journal.ledger();
        let salting = Salting { key: self.journal.salts(), epoch: self.journal.epoch() };
        let collector = self.setup.collectors.get(&task.collector);
        let Some((digest, source)) = collector.map(|c| (c.manifest.digest(), c.source.clone())) else {
            return Ok(());
        };
        let mut sealed = seal::seal(&task, (digest, &source), collected, ledger, &salting);
        let said = verdicts::ask(&self.setup, ledger, &sealed, &mut self.memo);
        let changes = said.changes.iter().flat_map(|changed| changes_of(changed, sealed.run.as_of));
        let changes: Vec<Change> = changes.map(|change| self.with_payload(change)).collect();
        let (at_once, later) = changes.split_at(changes.len().min(CHANGES_PER_COMMIT));
        let verdict = self.verdict(&task, sealed.run.as_of, &said);
        sealed.artefacts.extend(said.artefacts.iter().cloned());

        let mut batch = Batch::new(self.journal.now(), By::Start(self.by));
        sealed.artefacts.extend(notifications(at_once, 2));
        let (packs, named) = self.journal.pack(&sealed.artefacts)?;
        let SealedRun { run, artefacts, .. } = sealed;
        let run = entry::Run { packs: named, ..run };
        batch.push(run.clone());
        batch.push_with(move |first| Body::from(Verdict { run: first, ..verdict.clone() }));
        self.push_changes(&mut batch, at_once, None);
        let first = self.commit(&batch, packs, &artefacts).await?;
        for changes in later.chunks(CHANGES_PER_COMMIT) {
            // If we crash here, run and verdict stand and show these changes, but no entry names them and nobody is told.
            let artefacts: Vec<Artefact> = notifications(changes, 0).collect();
            let (packs, _named) = self.journal.pack(&artefacts)?;
            let mut batch = Batch::new(self.journal.now(), By::Start(self.by));
            self.push_changes(&mut batch, changes, Some(first + 1));
            self.commit(&batch, packs, &artefacts).await?;
        }
        self.tell_run(&task, &run, &said, changes);
        Ok(())
    }

    fn verdict(&self, task: &Task, now: Instant, said: &Said) -> Verdict {
        let last = self.journal.ledger().runs().get(&task.collector);
        let stored = last.and_then(|last| last.list.as_ref());
        let repeats = |(seq, list): &&(u64, Vec<entry::PolicyVerdict>)| {
            list.len() == said.list.len() && list.iter().zip(&said.list).all(|(a, b)| a.repeated(*seq) == *b)
        };
        let same = stored.filter(repeats).map(|(seq, _)| *seq);
        let list = if same.is_none() { Some(said.list.clone()) } else { None };
        Verdict { run: 0, now, same, list, part: false }
    }

    fn with_payload(&self, change: Change) -> Change {
        let told = self.setup.webhook.is_some();
        let payload = told.then(|| Payload::of(&change.drift, change.name.clone(), change.word).bytes());
        Change { payload, ..change }
    }

    /// `verdict` is the entry that shows the changes; none if it is the second of this batch.
    fn push_changes(&self, batch: &mut Batch, changes: &[Change], verdict: Option<u64>) {
        for change in changes {
            let drift = change.drift.clone();
            let place = batch.push_with(move |first| {
                Body::from(Drift { verdict: verdict.unwrap_or(first + 1), ..drift.clone() })
            });
            let Some(payload) = &change.payload else { continue };
            let salting = (self.journal.salts(), self.journal.epoch());
            let payload = open::sealed("alert", payload, salting);
            let route = "webhook".to_owned();
            batch.push_with(move |first| {
                Body::from(entry::Alert { id: first + place, route: route.clone(), payload: payload.clone() })
            });
        }
    }

    fn tell_run(&self, task: &Task, run: &entry::Run, said: &Said, changes: Vec<Change>) {
        self.say(Happening::Ran {
            collector: task.collector.clone(),
            due: run.due,
            result: run.result,
            requests: run.requests,
            fails: said.list.iter().map(|policy| (policy.policy.clone(), policy.failed)).collect(),
        });
        for Change { drift, name, word, .. } in changes {
            let policy = drift.policy;
            self.say(match drift.item {
                None => Happening::Sight { policy, seen: word == Word::Fixed },
                Some(item) => Happening::Changed {
                    policy,
                    item: name.unwrap_or_else(|| item.to_string()),
                    from: drift.from,
                    to: drift.to,
                    observed_from: drift.observed_from,
                    observed_to: drift.observed_to,
                },
            });
        }
    }

    /// The window that a run must read: from where the last whole one ended to its slot.
    pub(super) fn window(&self, collector: &str, due: Option<Instant>) -> Option<(Instant, Instant)> {
        let reads = self.setup.collectors.get(collector)?.manifest.yields().any(|(.., windowed)| windowed);
        let to = due.unwrap_or_else(|| self.journal.now());
        let from = self.journal.ledger().covered(collector).unwrap_or_else(|| to.plus_ms(-FIRST_WINDOW_MS));
        (reads && from < to).then_some((from, to))
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
        let mut batch = Batch::new(now, By::Start(self.by));
        for id in over {
            batch.push(entry::PeriodClose { id, at: now });
        }
        self.commit(&batch, Vec::new(), &[]).await?;
        Ok(true)
    }

    pub(super) async fn promise(
        &mut self,
        from: Instant,
        to: Instant,
        late: bool,
        due: BTreeMap<String, Due>,
    ) -> Result<(), RunError> {
        let mut batch = Batch::new(self.journal.now(), By::Start(self.by));
        batch.push(Slots { from, to, tzdb: TZDB.to_owned(), due: due.clone(), late });
        self.commit(&batch, Vec::new(), &[]).await?;
        for (schedule, due) in &due {
            self.planner.promised(schedule, to, due);
        }
        Ok(())
    }

    pub(super) async fn gap(&mut self, schedule: String, due: Due, cause: Cause) -> Result<(), RunError> {
        let mut batch = Batch::new(self.journal.now(), By::Start(self.by));
        batch.push(Gap { schedule: schedule.clone(), due: due.clone(), cause: cause_of(cause) });
        self.commit(&batch, Vec::new(), &[]).await?;
        self.planner.answered(&schedule, due.iter());
        self.say(Happening::Gap { schedule, n: due.len(), cause: cause.as_str() });
        Ok(())
    }

    /// Commits, and hears what was committed as everybody does who reads the log.
    pub(super) async fn commit(
        &mut self,
        batch: &Batch,
        packs: Vec<Vec<u8>>,
        artefacts: &[Artefact],
    ) -> Result<u64, JournalError> {
        let (mail, news, clock) = (&mut self.mail, self.news.clone(), self.clock.clone());
        let (began, mut was_away) = (self.journal.now(), false);
        let mut told = |place, entry: &_, artefacts: &[_]| mail.hear(place, entry, artefacts);
        let mut away = |error: &StoreError| {
            was_away = true;
            tracing::warn!(%error, "the store does not answer");
            let what = Happening::StoreAway { error: error.to_string() };
            // nobody need listen
            let _heard = news.send(super::News { at: clock.now(), what }).is_ok();
        };
        let committed = self.journal.commit(batch, (packs, artefacts), &mut told, &mut away).await;
        if was_away {
            // what came due meanwhile was not missed by the clock
            self.planner.hinder(began, Some(Cause::StoreDown));
            self.planner.hinder(self.journal.now(), None);
        }
        committed
    }
}

/// What the alerts of these changes say, each under its place in the commit: after `before` entries every change is a
/// drift and its alert.
fn notifications(changes: &[Change], before: u16) -> impl Iterator<Item = Artefact> {
    let payloads = changes.iter().filter_map(|change| change.payload.clone());
    (0_u16..).zip(payloads).map(move |(i, payload)| {
        let place = before.saturating_add(i.saturating_mul(2)).saturating_add(1);
        Artefact::new(Role::Notification, Media::Json, payload).numbered(place)
    })
}

fn changes_of(changed: &Changed, now: Instant) -> Vec<Change> {
    let drift = |item, from, to, observed_from| Drift {
        control: changed.control.clone(),
        policy: changed.policy.clone(),
        item,
        from,
        to,
        observed_from,
        observed_to: now,
        verdict: 0,
        fails_n: changed.fails_n,
    };
    let items = changed.transitions.iter().map(|t| Change {
        drift: drift(Some(t.item), t.from, t.to, t.observed_from),
        payload: None,
        name: changed.names.get(&t.item).cloned(),
        word: if t.to == State::Failed { Word::Drift } else { Word::Fixed },
    });
    let sight = changed.sight.map(|sight| Change {
        drift: drift(None, sight.from, sight.to, sight.observed_from),
        payload: None,
        name: None,
        word: if sight.seen { Word::Fixed } else { Word::Blind },
    });
    sight.into_iter().chain(items).collect()
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
