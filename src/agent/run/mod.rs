//! The agent: the only room that wires the others. Start, tick, manual trigger and recovery are one path: ask the planner
//! what is to be done, do it, record it, tell it.
//!
//! One task owns the log; collectors run beside it and hand their results back, so nothing is judged that is not in hand
//! and nothing is told that is not recorded.

mod batch;
mod bodies;
mod changes;
mod deliver;
mod export;
pub mod fold;
pub mod happening;
mod hooks;
mod journal;
pub mod once;
mod open;
mod record;
mod reread;
mod seal;
pub mod setup;
mod verdicts;

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
    sync::Arc,
};

use observance_judge::Memo;
use observance_record::{
    Instant,
    entry::{self, Stop},
    slots::Due,
};
use tokio::{sync::mpsc::UnboundedSender, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{batch::By, deliver::Mail, seal::Task};
pub use self::{
    export::{Handed, export},
    happening::{Happening, News},
    journal::{Journal, JournalError},
    setup::{RUNNING_MAX, Setup, Shared},
};
use crate::{
    chance::Chance,
    clock::{Busy, Clock},
    collect::{self, Collected},
    hear::Board,
    schedule::{Action, Cause, Ended, Planner, Slot},
    store::{Due as Tiles, HeadFile, Store, StoreError},
    tell::{Attempt, TellError, Teller},
};

/// Rows whose results are remembered.
const MEMO_ROWS_MAX: usize = 200_000;
/// How long an agent that is asked to stop lets go on what runs; a container is killed two seconds later.
const STOP_MS: i64 = 8_000;
const MINUTE_MS: i64 = 60_000;
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
    /// An alert cannot be put into words.
    #[error("cannot write what an alert says")]
    Payload(#[source] serde_json::Error),
    /// No randomness.
    #[error(transparent)]
    Chance(#[from] crate::chance::ChanceError),
}

/// What came back from a task.
enum Done {
    Run(Box<(Task, Collected, collect::State)>),
    Mail(u64, Attempt),
    Tiles(Tiles, Result<u64, StoreError>),
}

/// What a task does: all that is known of it if it is lost.
enum Doing {
    /// It runs this collector.
    Run(String),
    /// It delivers this alert.
    Mail(u64),
    Tiles,
}

/// A running agent.
pub struct Agent {
    setup: Shared,
    me: Busy,
    clock: Clock,
    chance: Chance,
    journal: Journal,
    store: Store,
    planner: Planner,
    board: Board,
    by: u64,
    tasks: JoinSet<Done>,
    doing: HashMap<tokio::task::Id, Doing>,
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
    /// The agent as a party of its clock: whoever it waits for, time knows that it waits. The store should sleep by the
    /// same party's clock.
    pub me: Busy,
    /// Its randomness.
    pub chance: Chance,
    /// Who wants to hear what happens.
    pub news: UnboundedSender<News>,
}

impl Agent {
    /// Opens the log, folds it, and writes that this writer begins.
    pub async fn start(start: Start) -> Result<Self, RunError> {
        let Start { setup, store, memory, me, chance, news } = start;
        let clock = me.clock().clone();
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
            board: Board::default(),
            tasks: JoinSet::new(),
            doing: HashMap::new(),
            states: BTreeMap::new(),
            by: 0,
            setup,
            me,
            clock,
            chance,
            journal,
            store,
            mail,
            news,
        };
        agent.begin().await?;
        agent.remember_promises();
        agent.tell_changes().await?;
        agent.give_up_mail().await?;
        Ok(agent)
    }

    async fn begin(&mut self) -> Result<(), RunError> {
        loop {
            let opening = open::opening(&self.setup, &self.journal, self.store.posture(), &self.chance)?;
            let packs = self.journal.pack_inline(&opening.artefacts)?;
            if let Some(first) = self.commit(&opening.batch, packs, &opening.artefacts).await? {
                self.by = first + opening.start;
                self.say(Happening::Started { size: self.journal.ledger().size() });
                return Ok(());
            }
        }
    }

    /// Tells the planner what the log has promised and not answered.
    fn remember_promises(&mut self) {
        let promises = self.journal.ledger().promises();
        for (schedule, open) in promises.open() {
            let open: Vec<Instant> = open.iter().copied().collect();
            // the ledger holds them in order, so they can be listed
            let due = Due::new(&open).unwrap_or_default();
            match (promises.until().get(schedule), open.last()) {
                (Some(until), _) => self.planner.promised(schedule, *until, &due),
                // promised before the schedule was removed: whatever is left of it will be gaps
                (None, Some(last)) => {
                    self.planner.promised(schedule, last.plus_ms(MINUTE_MS), &due);
                    self.planner.removed(schedule);
                }
                (None, None) => {}
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

    /// From now on, what is heard on this board brings runs.
    pub fn hear(&mut self, board: Board) {
        self.board = board;
    }

    /// Works until `stop` is cancelled; then ends what runs, says so in the log, and returns.
    pub async fn run(&mut self, stop: &CancellationToken) -> Result<(), RunError> {
        let mut patience = None;
        loop {
            if stop.is_cancelled() {
                self.planner.hinder(self.journal.now(), Some(Cause::Shutdown));
                let until = *patience.get_or_insert_with(|| self.clock.now().plus_ms(STOP_MS));
                if self.tasks.is_empty() || self.clock.now() >= until {
                    break;
                }
            }
            if self.step().await? {
                continue;
            }
            self.deliver();
            self.publish();
            self.wait(stop, patience).await?;
        }
        let clean = self.tasks.is_empty();
        // what is still waiting for its source left nothing: its slot stays open and is a gap for whoever begins next
        self.tasks.shutdown().await;
        self.stop(clean).await
    }

    /// Runs these collectors once, apart from their schedules. It promises and answers no slot: whoever runs beside this
    /// writer does, and two that answer one slot would contradict each other.
    pub async fn run_once(&mut self, collectors: &[String]) -> Result<(), RunError> {
        let running = NonZeroUsize::new(RUNNING_MAX).unwrap_or(NonZeroUsize::MIN);
        self.planner = Planner::new(Vec::new(), running, self.setup.seed, Cause::AgentDown);
        for collector in collectors {
            self.planner.ask(collector);
        }
        while self.step().await? {}
        while let Some(done) = self.tasks.join_next().await {
            self.take(done).await?;
            self.deliver();
            while self.step().await? {}
            self.publish();
        }
        self.stop(true).await
    }

    /// Does what the planner asks for now; true if it must be asked again at once.
    async fn step(&mut self) -> Result<bool, RunError> {
        let mut again = self.close_periods().await?;
        again |= self.hear_changes().await?;
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
                    self.begin_run(&collector, slot, (record::trigger(trigger), late_ms));
                }
            }
        }
        Ok(again)
    }

    async fn wait(&mut self, stop: &CancellationToken, patience: Option<Instant>) -> Result<(), RunError> {
        // nobody waits for mail that has no way to go
        let mail = self.setup.webhook.as_ref().and_then(|_route| self.mail.next());
        let alarms = [self.planner.wake(), mail, patience, self.board.next()];
        let now = self.clock.now();
        let wake = alarms.into_iter().flatten().min().unwrap_or_else(|| now.plus_ms(IDLE_MS));
        tokio::select! {
            biased;
            Some(done) = self.tasks.join_next() => self.take(done).await,
            () = stop.cancelled(), if patience.is_none() => Ok(()),
            () = self.board.rang() => Ok(()),
            () = self.me.wait_until(wake) => Ok(()),
        }
    }

    fn begin_run(&mut self, id: &str, slot: Option<Slot>, (trigger, late_ms): (entry::Trigger, i64)) {
        let collector = self.setup.collectors.get(id).map(Arc::clone);
        let source = collector.as_ref().and_then(|collector| self.setup.sources.get(&collector.source));
        match (source.map(Arc::clone), collector) {
            (Some(source), Some(collector)) => {
                let (window, begins) = self.window(&collector, slot.as_ref().map(|slot| slot.due));
                let behind = self.behind(&collector);
                self.spawn(Task { collector, source, slot, trigger, late_ms, window, begins, behind });
            }
            _ => self.planner.ended(self.journal.now(), id, Ended::Lost(Cause::Removed)),
        }
    }

    fn spawn(&mut self, task: Task) {
        let id = task.id().to_owned();
        let state = self.states.remove(&id).unwrap_or_default();
        let exchanges = self.journal.ledger().table(&id, "exchange");
        let prior = exchanges.map(observance_record::ledger::Table::to_rows).unwrap_or_default();
        let (setup, busy, chance) = (Arc::clone(&self.setup), self.me.task(), self.chance.clone());
        // a clock that was set back does not let a run speak about an instant before the record that it follows
        let started = self.journal.now();
        let bodies = self.journal.places().reader(&id, &self.store);
        let spawned = self.tasks.spawn(async move {
            let clock = busy.clock();
            let (collected, state) =
                collect_once(&setup, (&task, started), (&prior, &bodies), state, clock, &chance).await;
            Done::Run(Box::new((task, collected, state)))
        });
        self.doing.insert(spawned.id(), Doing::Run(id));
    }

    /// Writes tiles that became full, beside everything else: no run waits for them, and nothing depends on them.
    fn publish(&mut self) {
        let Some(mut tiles) = self.journal.begin_tiles() else { return };
        let busy = self.me.task();
        let store = self.store.waiting_by(busy.clock());
        let spawned = self.tasks.spawn(async move {
            let written = tiles.write(&store).await;
            drop(busy);
            Done::Tiles(tiles, written)
        });
        self.doing.insert(spawned.id(), Doing::Tiles);
    }

    async fn take(&mut self, done: Result<Done, tokio::task::JoinError>) -> Result<(), RunError> {
        self.me.taken();
        match done {
            Ok(Done::Run(run)) => {
                let (task, collected, state) = *run;
                let collector = task.id().to_owned();
                self.doing.retain(|_, doing| !matches!(doing, Doing::Run(running) if *running == collector));
                self.states.insert(collector.clone(), state);
                self.record(task, collected).await?;
                self.planner.ended(self.journal.now(), &collector, Ended::Recorded);
            }
            Ok(Done::Mail(alert, attempt)) => {
                self.doing.retain(|_, doing| !matches!(doing, Doing::Mail(sent) if *sent == alert));
                self.notice(alert, attempt).await?;
            }
            Ok(Done::Tiles(left, written)) => {
                self.doing.retain(|_, doing| !matches!(doing, Doing::Tiles));
                match written {
                    Ok(tiles) => tracing::debug!(tiles, "tiles written"),
                    Err(error) => tracing::warn!(%error, "tiles will be written later"),
                }
                self.journal.published(left);
            }
            Err(error) => self.lost(&error),
        }
        Ok(())
    }

    /// A task that panicked left nothing; the others still run, and will say themselves what they did.
    fn lost(&mut self, error: &tokio::task::JoinError) {
        match self.doing.remove(&error.id()) {
            Some(Doing::Run(collector)) => {
                tracing::error!(%error, collector, "a run was lost");
                self.planner.ended(self.journal.now(), &collector, Ended::Lost(Cause::Crash));
            }
            Some(Doing::Mail(alert)) => {
                tracing::error!(%error, alert, "a delivery was lost, and is made again after the next start");
            }
            // the log holds what the tiles say; whoever begins next writes them
            Some(Doing::Tiles) | None => {
                tracing::error!(%error, "tiles are not written until the next start");
            }
        }
    }

    async fn stop(&mut self, clean: bool) -> Result<(), RunError> {
        loop {
            let mut batch = self.journal.batch(By::Start(self.by));
            batch.push(Stop { reason: open::code("asked"), clean });
            if self.commit(&batch, Vec::new(), &[]).await?.is_some() {
                return Ok(());
            }
        }
    }

    fn say(&self, what: Happening) {
        // nobody need listen
        let _heard = self.news.send(News { at: self.journal.now(), what }).is_ok();
    }
}

/// One run of a collector, apart from everything that is owned.
async fn collect_once(
    setup: &Setup,
    (task, started): (&Task, Instant),
    (prior, bodies): (&observance_record::table::Rows, &bodies::Bodies),
    mut state: collect::State,
    clock: &Clock,
    chance: &Chance,
) -> (Collected, collect::State) {
    let (collector, source) = (&task.collector, &task.source);
    let item_key = setup.keys.item_key();
    let request = collect::Request {
        params: &source.params,
        base_url: source.base_url.as_deref(),
        auth: &source.auth,
        item_key: &item_key,
        window: task.window,
        begins: &task.begins,
        behind: &task.behind,
        prior,
        bodies: Some(bodies),
        started,
    };
    let collected =
        collect::collect(&collector.manifest, &request, &mut state, &source.http, clock, chance).await;
    (collected, state)
}
