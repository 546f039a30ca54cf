//! The demonstration: half a year of a small company in a minute, without any account.
//!
//! The agent is the real one, on a fresh folder store with fsync, over real HTTP; only time is simulated, and stands still
//! while anything works. It plants events, and lets the agent find them.

mod calendar;
pub mod company;
#[cfg(test)]
mod described;
mod dice;
mod estate;
mod identity;
mod logs;
mod object;
mod receiver;
mod registers;
mod site;
mod staff;
pub mod story;
mod tell;
mod world;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use chrono_tz::Europe::Berlin;
use observance_record::{Instant, merkle, view::PeriodView};
use observance_verify::{Conclusion, Folder, Report, Trust};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::world::setup;
use self::{
    estate::{Estate, Outside},
    receiver::Receiver,
    tell::Teller,
    world::World,
};
use crate::{
    bundle::{Builder, Cover, Written, page},
    clock::Clock,
    run::{Agent, News, RunError, fold},
    status,
    store::{HeadFile, Interrupting, Location, Sharing, Store, Strike, connect},
};

/// The half year: 1 Jan to 1 Jul 2026, by the wall clocks of Berlin.
const FROM: &str = "2025-12-31T23:00:00.000Z";
const TO: &str = "2026-06-30T22:00:00.000Z";
const DAY_MS: i64 = 86_400_000;
/// How long before the period's begin the agent starts, so that what holds at its begin was seen.
const BEFORE_MS: i64 = 30 * 60_000;
/// How long the agent goes on after the period's end, so that its last slots are answered.
const AFTER_MS: i64 = 2 * 3_600_000;
/// How long the agent is away after it was killed.
const AWAY_MS: i64 = 100 * 60_000;
/// Store calls of the whole half year after which it is killed: late in May, in the middle of writing, between two full hours of
/// which only one is missed.
const CALLS: u64 = 8_633;
/// Days of the whole half year.
const DAYS: u64 = 181;

/// What to demonstrate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides the company's life and the agent's jitter.
    pub seed: u64,
    /// Where the bundle goes; the store lies beside it.
    pub out: PathBuf,
    /// How many days of the half year.
    pub days: u32,
}

/// Runs the demonstration and prints what happens; gives the messages that the webhook's receiver accepted.
pub async fn run(options: &Options, out: &mut (dyn Write + Send)) -> anyhow::Result<Vec<String>> {
    let (from, whole) = (FROM.parse::<Instant>()?, TO.parse::<Instant>()?);
    let to = whole.min(from.plus_ms(i64::from(options.days) * DAY_MS));
    if options.out.symlink_metadata().is_ok() {
        bail!("{} exists already; remove it, or name another folder with --out", options.out.display());
    }
    let clock = Clock::simulated(from.plus_ms(-BEFORE_MS));
    let estate = Estate::new(options.seed, from, whole);
    let mut teller = Teller::new(Berlin);
    teller.heading(out, &estate, (from, to))?;
    let receiver = Receiver::serve().await?;
    let outside = Outside::open(estate, &clock, options)?;
    let world = World::new(options, &clock, &outside, &receiver, (from, to))?;
    watch(&world, &outside, (from, to), &mut teller, out).await?;
    let ended = conclude(&world, options, (from, to)).await?;
    Teller::ending(out, &ended, &receiver)?;
    Ok(receiver.messages())
}

/// Lets the agent work through the period, kills it once, and starts it again.
async fn watch(
    world: &World,
    outside: &Outside,
    (from, to): (Instant, Instant),
    teller: &mut Teller,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let (news, mut heard) = mpsc::unbounded_channel();
    let days = u64::try_from(to.ms_since(from) / DAY_MS).unwrap_or(0);
    let stop = CancellationToken::new();
    let kept = outside.registers.clone().keep(world.clock.busy(), (world.clock.now(), to));
    let life = async {
        let kept = async {
            kept.await.context("cannot write a register")?;
            std::future::pending().await
        };
        tokio::select! {
            // the agent first: it is awake before whoever keeps the registers sleeps
            biased;
            ended = lives(world, CALLS * days / DAYS, to, &stop, news) => ended,
            failed = kept => failed,
        }
    };
    tokio::pin!(life);
    loop {
        tokio::select! {
            biased;
            Some(news) = heard.recv() => teller.news(out, world, &news)?,
            ended = &mut life => {
                while let Ok(news) = heard.try_recv() {
                    teller.news(out, world, &news)?;
                }
                return ended;
            }
            _ = tokio::signal::ctrl_c() => stop.cancel(),
        }
    }
}

/// The agent's two lives: the first is cut at a store call, as a killed process is.
async fn lives(
    world: &World,
    calls: u64,
    to: Instant,
    stop: &CancellationToken,
    news: mpsc::UnboundedSender<News>,
) -> anyhow::Result<()> {
    let location = Location::Folder(world.store.clone());
    let objects = connect(&location, None)?;
    let cut = Arc::new(Interrupting::new(objects, calls, Strike::After));
    let me = world.clock.busy();
    let store = Store::prove(cut.clone(), Sharing::Shared, me.clock().clone()).await?;
    let first = world.start((store, me), news.clone());
    let killed = async {
        cut.struck().await;
        // time must not run on while the first life is being dropped
        world.clock.busy()
    };
    let away = tokio::select! {
        ended = live(first, to, stop) => return Ok(ended?),
        away = killed => away,
    };
    away.clock().sleep_ms(AWAY_MS).await;
    let store = Store::open(&location, None, Sharing::Shared, away.clock().clone()).await?;
    Ok(live(world.start((store, away), news), to, stop).await?)
}

/// One life of the agent, to the end of the period.
async fn live(start: crate::run::Start, to: Instant, stop: &CancellationToken) -> Result<(), RunError> {
    let ends = start.me.clock().busy();
    let over = stop.child_token();
    let mut agent = Agent::start(start).await?;
    let until = async {
        ends.clock().sleep_until(to.plus_ms(AFTER_MS)).await;
        over.cancel();
        // time must not run on before the agent has noticed
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = agent.run(&over) => ended,
        () = until => Ok(()),
    }
}

/// What is shown at the end.
struct Ended {
    view: PeriodView,
    titles: BTreeMap<String, String>,
    bundle: Written,
    report: Report,
    starts: usize,
}

/// Reads the log anew, makes the bundle, checks it and performs every verdict again.
async fn conclude(world: &World, options: &Options, (from, to): (Instant, Instant)) -> anyhow::Result<Ended> {
    let store =
        Store::open(&Location::Folder(world.store.clone()), None, Sharing::Shared, world.clock.clone())
            .await?;
    let mut ledger = observance_record::ledger::Ledger::default();
    let keys = &world.setup.keys;
    let salts = keys.salt_key(keys.epoch()).context("the demo's keys have no salt")?;
    let mut builder = Builder::create(&options.out, &salts)?;
    let mut root = merkle::empty_root();
    for (commit, outside) in world.commits(&store).await? {
        let entries = fold::entries(&commit)?;
        let artefacts = fold::artefacts(&commit, &outside)?;
        fold::fold(&mut ledger, &entries, &artefacts, &salts)?;
        builder.commit(&commit, &artefacts)?;
        root = commit.after().root();
    }
    let view = PeriodView::new(&ledger, world::PERIOD, from, to);
    let titles = world.setup.titles();
    let page = page::html(&page::Content {
        ledger: &ledger,
        view: &view,
        zone: Berlin,
        organisation: "acme",
        titles: &titles,
        serves: &world.setup.serves,
        root,
    });
    let views = [(format!("{}.json", world::PERIOD), serde_json::to_vec_pretty(&view)?)].into();
    let bundle = builder.finish(&Cover { page, views, at: view.until })?;
    let report = check(&bundle.dir)?;
    Ok(Ended { view, titles, bundle, report, starts: ledger.starts().len() })
}

fn check(dir: &Path) -> anyhow::Result<Report> {
    let report = observance_verify::verify(&Folder::open(dir)?, &Trust::default(), true);
    match report.conclusion {
        Conclusion::Holds => Ok(report),
        Conclusion::Fails | Conclusion::Unchecked => bail!("the bundle does not hold:\n{}", report.text()),
    }
}

impl Ended {
    fn write(&self, out: &mut (dyn Write + Send)) -> io::Result<()> {
        out.write_all(status::period_text_with(&self.view, Berlin, &self.titles).as_bytes())
    }
}

/// Where the head is remembered, beside the store.
fn head_file(store: &Path) -> HeadFile {
    HeadFile::new(store.with_extension("head"))
}
