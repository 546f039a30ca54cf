//! The agent: the only room that wires the others. Start, tick, manual trigger and recovery are one path: ask the planner
//! what is to be done, do it, record it, tell it.
//!
//! One task owns the log; collectors run beside it and hand their results back, so nothing is judged that is not in hand
//! and nothing is told that is not recorded.

mod batch;
mod deliver;
pub mod fold;
pub mod happening;
mod journal;
mod open;
mod record;
mod seal;
pub mod setup;
mod verdicts;

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};

use observance_judge::Memo;
use observance_record::{Instant, entry::Stop, slots::Due};
use tokio::{sync::mpsc::UnboundedSender, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{
    batch::{Batch, By},
    deliver::Mail,
    seal::Task,
};
pub use self::{
    happening::{Happening, News},
    journal::{Journal, JournalError},
    setup::{RUNNING_MAX, Setup, Shared},
};
use crate::{
    chance::Chance,
    clock::{Busy, Clock},
    collect::{self, Collected},
    schedule::{Action, Cause, Ended, Planner},
    store::{Due as Tiles, HeadFile, Store, StoreError},
    tell::{Attempt, TellError, Teller},
};

/// Rows whose results are remembered.
const MEMO_ROWS_MAX: usize = 200_000;
/// How long the agent sleeps when nothing is due at all.
const IDLE_MS: i64 = 3_600_000;

/// Why the agent cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing can be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Nothing can be told.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// No randomness.
    #[error(transparent)]
    Chance(#[from] crate::chance::ChanceError),
}

/// What came back from a task, with the party that worked: time stands still until it is recorded.
enum Done {
    Run(Box<(Task, Collected, collect::State)>, Busy),
    Mail(u64, Attempt, Busy),
    Tiles(Tiles, Result<u64, StoreError>, Busy),
}

/// A running agent.
pub struct Agent {
    setup: Shared,
    clock: Clock,
    chance: Chance,
    journal: Journal,
    store: Store,
    planner: Planner,
    by: u64,
    states: BTreeMap<String, collect::State>,
    memo: Memo,
    mail: Mail,
    teller: Teller,
    news: UnboundedSender<News>,
}

/// Where and with what an agent begins.
pub struct Start {
    /// What it is made of.
    pub setup: Shared,
    /// Where the log lies.
    pub store: Store,
    /// The memory of its head.
    pub memory: Option<HeadFile>,
    /// Its time.
    pub clock: Clock,
    /// Its randomness.
    pub chance: Chance,
    /// Who wants to hear what happens.
    pub news: UnboundedSender<News>,
}

impl Agent {
    /// Opens the log, folds it, and writes that this writer begins.
    pub async fn start(start: Start) -> Result<Self, RunError> {
        let Start { setup, store, memory, clock, chance, news } = start;
        let remembers = memory.is_some();
        let mut mail = Mail::default();
        let journal = {
            let mut told = |place, entry: &_, artefacts: &[_]| mail.hear(place, entry, artefacts);
            Journal::open(&setup, &store, memory, (clock.clone(), chance.clone()), &mut told).await?
        };
        let before = if journal.ledger().stopped() { Cause::Shutdown } else { Cause::AgentDown };
        let running = NonZeroUsize::new(RUNNING_MAX).unwrap_or(NonZeroUsize::MIN);
        let mut agent = Self {
            planner: Planner::new(setup.schedules.clone(), running, setup.seed, before),
            teller: Teller::new(clock.clone())?,
            memo: Memo::new(MEMO_ROWS_MAX),
            states: BTreeMap::new(),
            by: 0,
            setup,
            clock,
            chance,
            journal,
            store,
            mail,
            news,
        };
        agent.begin(remembers).await?;
        agent.remember_promises();
        Ok(agent)
    }

    async fn begin(&mut self, remembers: bool) -> Result<(), RunError> {
        let ledger = self.journal.ledger();
        let memory =
            if remembers && ledger.size() > 0 { ledger.size().to_string() } else { "none".to_owned() };
        let vkey = observance_record::note::Signer::new(&self.setup.origin, self.setup.keys.signing_seed())
            .map(|signer| signer.verifier().to_string())
            .unwrap_or_default();
        let opening = open::opening(
            &self.setup,
            ledger,
            (self.journal.salts(), self.journal.epoch()),
            (self.store.posture(), &memory),
            (self.journal.now(), &self.chance),
            &vkey,
        )?;
        let (packs, _named) = self.journal.pack(&opening.artefacts)?;
        let first = self.commit(&opening.batch, packs, &opening.artefacts).await?;
        self.by = first + opening.start;
        self.say(Happening::Started { size: self.journal.ledger().size() });
        Ok(())
    }

    /// Tells the planner what the log has promised and not answered.
    fn remember_promises(&mut self) {
        let promises = self.journal.ledger().promises();
        for (schedule, until) in promises.until() {
            let open: Vec<Instant> = promises.open().get(schedule).into_iter().flatten().copied().collect();
            if let Ok(due) = Due::new(&open) {
                self.planner.promised(schedule, *until, &due);
            }
        }
    }

    /// What the log says.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Asks for a run of a collector apart from its schedule.
    pub fn ask(&mut self, collector: &str) {
        self.planner.ask(collector);
    }

    /// Works until `stop` is cancelled; then ends what runs, says so in the log, and returns.
    pub async fn run(&mut self, stop: &CancellationToken) -> Result<(), RunError> {
        let me = self.clock.busy();
        let mut tasks = JoinSet::new();
        loop {
            let stopping = stop.is_cancelled();
            if stopping && tasks.is_empty() {
                break;
            }
            if stopping {
                self.planner.hinder(self.journal.now(), Some(Cause::Shutdown));
            }
            if self.step(&mut tasks).await? {
                continue;
            }
            self.deliver(&mut tasks);
            self.publish(&mut tasks);
            self.wait(&me, &mut tasks, stop).await?;
        }
        self.stop().await
    }

    /// Runs what was asked for and what is due at once, once; for `collect`.
    pub async fn run_once(&mut self) -> Result<(), RunError> {
        let me = self.clock.busy();
        let mut tasks = JoinSet::new();
        while self.step(&mut tasks).await? {}
        while let Some(done) = tasks.join_next().await {
            self.take(done).await?;
            self.deliver(&mut tasks);
            self.publish(&mut tasks);
        }
        drop(me);
        self.stop().await
    }

    /// Does what the planner asks for now; true if it must be asked again at once.
    async fn step(&mut self, tasks: &mut JoinSet<Done>) -> Result<bool, RunError> {
        let mut again = false;
        for action in self.planner.step(self.journal.now()) {
            match action {
                Action::Promise { from, to, late, due } => {
                    self.promise(from, to, late, due).await?;
                    again = true;
                }
                Action::Gap { schedule, due, cause } => {
                    self.gap(schedule, due, cause).await?;
                    again = true;
                }
                Action::Start { collector, slot, trigger, late_ms } => {
                    let trigger = record::trigger(trigger);
                    let window = self.window(&collector, slot.as_ref().map(|slot| slot.due));
                    self.spawn(Task { collector, slot, trigger, late_ms, window }, tasks);
                }
            }
        }
        Ok(again)
    }

    async fn wait(
        &mut self,
        me: &Busy,
        tasks: &mut JoinSet<Done>,
        stop: &CancellationToken,
    ) -> Result<(), RunError> {
        let alarms = [self.planner.wake(), self.mail.next()];
        let now = self.clock.now();
        let wake = alarms.into_iter().flatten().min().unwrap_or_else(|| now.plus_ms(IDLE_MS));
        tokio::select! {
            biased;
            Some(done) = tasks.join_next() => self.take(done).await,
            () = stop.cancelled(), if tasks.is_empty() => Ok(()),
            () = me.clock().sleep_until(wake) => Ok(()),
        }
    }

    fn spawn(&mut self, task: Task, tasks: &mut JoinSet<Done>) {
        let state = self.states.remove(&task.collector).unwrap_or_default();
        let exchanges = self.journal.ledger().table(&task.collector, "exchange");
        let prior = exchanges.map(observance_record::ledger::Table::to_rows).unwrap_or_default();
        let (setup, busy, chance) = (Arc::clone(&self.setup), self.clock.busy(), self.chance.clone());
        tasks.spawn(async move {
            let (collected, state) = collect_once(&setup, &task, &prior, state, busy.clock(), &chance).await;
            Done::Run(Box::new((task, collected, state)), busy)
        });
    }

    /// Writes tiles that became full, beside everything else: no run waits for them, and nothing depends on them.
    fn publish(&mut self, tasks: &mut JoinSet<Done>) {
        let Some(mut tiles) = self.journal.to_publish() else { return };
        let (store, busy) = (self.store.clone(), self.clock.busy());
        tasks.spawn(async move {
            let written = tiles.write(&store).await;
            Done::Tiles(tiles, written, busy)
        });
    }

    async fn take(&mut self, done: Result<Done, tokio::task::JoinError>) -> Result<(), RunError> {
        match done {
            Ok(Done::Run(run, busy)) => {
                let (task, collected, state) = *run;
                let collector = task.collector.clone();
                self.states.insert(collector.clone(), state);
                self.record(task, collected).await?;
                self.planner.ended(self.journal.now(), &collector, Ended::Recorded);
                drop(busy);
            }
            Ok(Done::Mail(alert, attempt, busy)) => {
                self.notice(alert, attempt).await?;
                drop(busy);
            }
            Ok(Done::Tiles(left, written, busy)) => {
                match written {
                    Ok(tiles) => tracing::debug!(tiles, "tiles written"),
                    Err(error) => tracing::warn!(%error, "tiles will be written later"),
                }
                self.journal.published(left);
                drop(busy);
            }
            Err(error) => {
                // a task that panicked left nothing; its collector is unknown here, so every running slot is looked at again
                tracing::error!(%error, "a run was lost");
                for collector in self.setup.collectors.keys() {
                    if !self.states.contains_key(collector) {
                        self.planner.ended(self.journal.now(), collector, Ended::Lost(Cause::Crash));
                    }
                }
            }
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), RunError> {
        let mut batch = Batch::new(self.journal.now(), By::Start(self.by));
        batch.push(Stop { reason: open::code("asked"), clean: true });
        self.commit(&batch, Vec::new(), &[]).await?;
        Ok(())
    }

    fn say(&self, what: Happening) {
        // nobody need listen
        let _heard = self.news.send(News { at: self.journal.now(), what }).is_ok();
    }
}

/// One run of a collector, apart from everything that is owned.
async fn collect_once(
    setup: &Setup,
    task: &Task,
    prior: &observance_record::table::Rows,
    mut state: collect::State,
    clock: &Clock,
    chance: &Chance,
) -> (Collected, collect::State) {
    let collector = setup.collectors.get(&task.collector);
    let source = collector.and_then(|collector| setup.sources.get(&collector.source));
    let started = clock.now();
    let (Some(collector), Some(source)) = (collector, source) else {
        // a task names what the setup has; this cannot be reached, and would record a run that saw nothing
        return (Collected::nothing(started), state);
    };
    let item_key = setup.keys.item_key();
    let request = collect::Request {
        params: &source.params,
        base_url: source.base_url.as_deref(),
        token: &source.token,
        item_key: &item_key,
        window: task.window,
        prior,
        started,
    };
    let collected =
        collect::collect(&collector.manifest, &request, &mut state, &source.http, clock, chance).await;
    (collected, state)
}
