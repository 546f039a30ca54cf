//! A process that writes to a log is killed in the middle of anything, again and again, on one store: what it had been told
//! was written stands, nothing stands twice, every slot is accounted for, and the record verifies.
//!
//! The process is this test binary, run again for [`writer`] alone; it holds the real agent, the demonstration's company
//! and a folder store. That the machine loses power is not tested.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant as Stopwatch},
};

use bytes::Bytes;
use futures::FutureExt as _;
use observance::{
    chance::Chance,
    clock::Clock,
    demo::company::{self, Company},
    run::{Setup, Shared},
    store::{Answer, Created, HeadFile, Location, Objects, Safeguards, connect},
};
use observance_record::{
    Instant,
    commit::Commit,
    entry::{Body, Cause},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::support::{
    data::variable,
    life::{DAY_MS, HOUR_MS, Keeps, Record, live_until, setup},
};

/// Names the store to the child, and the round.
const STORE: &str = "OBSERVANCE_TEST_KILL_STORE";
const ROUND: &str = "OBSERVANCE_TEST_KILL_ROUND";
/// The whole of the company's life.
const FROM: &str = "2025-12-31T23:00:00.000Z";
const TO: &str = "2026-06-30T22:00:00.000Z";
const SEED: u64 = 7;
const ROUNDS: u64 = 24;
/// Stands before what the child says; the test harness of the child says other things.
const MARK: &str = "acknowledged ";
/// A child that lives longer hangs, or nobody is there to kill it.
const PATIENCE: Duration = Duration::from_secs(120);
const COLLECTORS: [&str; 3] = ["github.branch_rules", "github.changes", "github.members"];

/// A commit that the store took: ordinal, size, root.
type Acknowledged = (u64, u64, String);

fn place(commit: &Commit) -> Acknowledged {
    let after = commit.after();
    (commit.ordinal, after.size(), after.root().to_string())
}

/// Says aloud which commits the store has taken, once it says so.
#[derive(Debug)]
struct Aloud(Arc<dyn Objects>);

impl Objects for Aloud {
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created> {
        async move {
            let created = self.0.create(name, bytes.clone()).await?;
            if created == Created::New && name.starts_with("v1/commit/") {
                let (ordinal, size, root) = place(&Commit::decode(&bytes).unwrap());
                let mut out = std::io::stdout().lock();
                writeln!(out, "\n{MARK}{ordinal} {size} {root}").and_then(|()| out.flush()).unwrap();
            }
            Ok(created)
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str, bytes_max: u64) -> Answer<'a, Option<Bytes>> {
        self.0.get(name, bytes_max)
    }

    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>> {
        self.0.list(folder, after, names_max)
    }

    fn safeguards(&self) -> Answer<'_, Safeguards> {
        self.0.safeguards()
    }
}

fn objects(store: &Path) -> Arc<dyn Objects> {
    connect(&Location::Folder(store.join("log")), None).unwrap()
}

/// The child: nothing without its variables, otherwise an agent until it is killed or told to stop.
#[test]
fn writer() {
    let (Some(store), Some(round)) = (variable(STORE), variable(ROUND)) else { return };
    let round: u64 = round.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(write(&PathBuf::from(store), round));
}

async fn write(store: &Path, round: u64) {
    let (from, to): (Instant, Instant) = (FROM.parse().unwrap(), TO.parse().unwrap());
    let objects = objects(store);
    // the newest entry says when the last life ended; some seconds to hours pass until the next
    let read = Record::read(Arc::clone(&objects), &blank()).await.unwrap();
    let away_ms = [1_000, 20 * 60_000, 5 * HOUR_MS][usize::try_from(round % 3).unwrap()];
    let clock = Clock::simulated(read.t().map_or(from.plus_ms(-120_000), |t| t.plus_ms(away_ms)));
    let source = company::serve(Company::new(SEED, from, to), clock.clone()).unwrap();
    let setup: Shared = Arc::new(setup(source.base_url(), &COLLECTORS));
    let keeps: Keeps = (Arc::new(Aloud(objects)), Some(HeadFile::new(store.join("head"))));
    let mut told = signal(SignalKind::terminate()).unwrap();
    let ends = clock.busy();
    let until = async {
        tokio::select! {
            () = ends.clock().sleep_until(to) => {}
            _told = told.recv() => {}
        }
    };
    let life = live_until(&setup, keeps, (&clock, round), until);
    tokio::time::timeout(PATIENCE, life).await.unwrap().unwrap();
}

/// A setup that only reads: its keys are the writer's.
fn blank() -> Setup {
    setup("http://127.0.0.1:9", &COLLECTORS)
}

/// A child at work.
struct Writer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn start(store: &Path, round: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::writer", "--nocapture", "--test-threads=1"])
            .env(STORE, store)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next commit that the child was told is written; none when it has ended.
    fn next(&mut self) -> Option<Acknowledged> {
        self.lines.by_ref().map(Result::unwrap).find_map(|line| {
            let mut words = line.strip_prefix(MARK)?.split(' ');
            // a line that was cut by the end of the process was not said
            let (ordinal, size, root) = (words.next()?, words.next()?, words.next()?);
            (root.len() == 64).then(|| (ordinal.parse().unwrap(), size.parse().unwrap(), root.to_owned()))
        })
    }

    /// Kills it, and hears what it had said before.
    fn kill(mut self) -> Vec<Acknowledged> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.next()).collect()
    }
}

/// What the log must hold, by what was said: all of it at its place.
fn assert_holds(record: &Record, acknowledged: &[Acknowledged]) {
    for told in acknowledged {
        let commit = record.commits.get(usize::try_from(told.0).unwrap());
        let (commit, _) = commit.unwrap_or_else(|| panic!("commit {} was lost", told.0));
        assert_eq!(place(commit), *told);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let chance = Chance::seeded(SEED);
    let mut acknowledged = Vec::new();
    let mut killed_early = 0;
    for round in 0..ROUNDS {
        let mut writer = Writer::start(folder.path(), round);
        // some die while they open the log, the others after a number of commits
        let lines = if round % 6 == 5 { 0 } else { 1 + chance.below(40).unwrap() };
        let before = acknowledged.len();
        acknowledged.extend((0..lines).map_while(|_| writer.next()));
        assert_eq!(
            acknowledged.len() - before,
            usize::try_from(lines).unwrap(),
            "round {round} ended by itself"
        );
        std::thread::sleep(Duration::from_micros(
            chance.below(if lines == 0 { 400_000 } else { 30_000 }).unwrap(),
        ));
        acknowledged.extend(writer.kill());
        killed_early += usize::from(acknowledged.len() == before);
        let record = runtime().block_on(Record::read(objects(folder.path()), &blank())).unwrap();
        assert_holds(&record, &acknowledged);
        record.open_slots();
    }
    assert!(acknowledged.windows(2).all(|pair| pair[0].0 < pair[1].0), "an ordinal was given twice");
    assert!(killed_early < usize::try_from(ROUNDS).unwrap() / 2);

    let record = runtime().block_on(Record::read(objects(folder.path()), &blank())).unwrap();
    let starts = record.kinds("start");
    assert!(starts > 15 && record.kinds("stop") == 0, "{starts} starts");
    assert!(record.runs("github.branch_rules").len() > 100);
    assert!(record.gaps().iter().all(|(_, _, cause)| *cause == Cause::AgentDown), "{:?}", record.gaps());
    assert!(!record.gaps().is_empty());
    // only the rounds that were killed before they caught up may leave slots open, and none of them long
    let t = record.t().unwrap();
    assert!(record.open_slots().iter().all(|(_, due)| t.ms_since(*due) < DAY_MS));
    record.assert_verifies(&blank());
}

#[test]
fn a_writer_that_is_told_to_stop_says_so_and_the_next_one_knows() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::start(folder.path(), 0);
    for _ in 0..12 {
        writer.next().unwrap();
    }
    let told = Stopwatch::now();
    terminate(&writer.child);
    while writer.next().is_some() {}
    assert!(writer.child.wait().unwrap().success());
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    let record = runtime().block_on(Record::read(objects(folder.path()), &blank())).unwrap();
    let Some(Body::Stop(stop)) = record.bodies().last() else { panic!("the last entry is no stop") };
    assert!(stop.clean);

    // round 2 begins five hours later
    let mut writer = Writer::start(folder.path(), 2);
    for _ in 0..8 {
        writer.next().unwrap();
    }
    writer.kill();
    let record = runtime().block_on(Record::read(objects(folder.path()), &blank())).unwrap();
    let gaps = record.gaps();
    assert!(gaps.len() >= 4 && gaps.iter().all(|(_, _, cause)| *cause == Cause::Shutdown), "{gaps:?}");
    record.assert_verifies(&blank());
}

fn terminate(child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status().unwrap();
    assert!(sent.success());
}
