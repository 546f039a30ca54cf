//! What the demonstration's agent is made of: the shipped collectors and policies, throw-away keys, loopback addresses.
//!
//! Nothing in it is special to the agent: a configuration file gives the same.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use observance_judge::Policy;
use observance_record::{Instant, commit::Commit, entry::PeriodOpen, note::Signer};

use super::{Options, head_file, receiver};
use crate::{
    chance::Chance,
    clock::{Busy, Clock},
    collect::{Auth, Http, Manifest, Route},
    key::Keys,
    library,
    run::{
        News, Shared, Start,
        setup::{Collector, Judge, Setup, Source},
    },
    schedule::{Missed, Schedule, zone},
    secret::Secret,
    store::{Store, read},
    tell,
};

/// The observation period's name.
pub(super) const PERIOD: &str = "half-year";
/// The credential that the company's server knows; it protects nothing.
const TOKEN: &str = "demo-token";
const ORIGIN: &str = "acme.example/demo";
/// The collectors that the company's server answers.
const COLLECTORS: [&str; 3] = ["github.branch_rules", "github.changes", "github.members"];
/// The policies that judge what they collect.
const POLICIES: [&str; 4] = ["GH-01", "GH-05", "GH-08", "GH-10"];

/// Everything that stays when the agent is killed.
pub(super) struct World {
    pub setup: Shared,
    pub clock: Clock,
    pub chance: Chance,
    pub store: PathBuf,
}

impl World {
    pub(super) fn new(
        options: &Options,
        clock: &Clock,
        base_url: &str,
        receiver: &receiver::Receiver,
        (from, to): (Instant, Instant),
    ) -> anyhow::Result<Self> {
        let chance = Chance::seeded(options.seed);
        let webhook =
            tell::Route::new(receiver.url(), Secret::new(receiver::KEY.to_owned()), tell::Reach::Plain)?;
        let period = PeriodOpen {
            id: PERIOD.to_owned(),
            zone: "Europe/Berlin".to_owned(),
            from,
            to,
            framework: "soc2".to_owned(),
            restated: 0,
            previous: None,
        };
        let shipped = setup("acme", base_url, options.seed, &chance)?;
        let setup = Setup { periods: vec![period], webhook: Some(Arc::new(webhook)), ..shipped };
        let mut name = options.out.file_name().unwrap_or_default().to_owned();
        name.push(".store");
        let store = options.out.with_file_name(name);
        if store.symlink_metadata().is_ok() {
            return Err(anyhow!(
                "{} exists already; remove it, or name another folder with --out",
                store.display()
            ));
        }
        Ok(Self { setup: Arc::new(setup), clock: clock.clone(), chance, store })
    }

    /// What an agent starts with.
    pub(super) fn start(
        &self,
        (store, me): (Store, Busy),
        news: tokio::sync::mpsc::UnboundedSender<News>,
    ) -> Start {
        Start {
            setup: Arc::clone(&self.setup),
            store,
            memory: Some(head_file(&self.store)),
            me,
            chance: self.chance.clone(),
            news,
        }
    }

    /// Every commit of the log, checked, and the packs that lie outside it.
    pub(super) async fn commits(&self, store: &Store) -> anyhow::Result<Vec<(Commit, Vec<Bytes>)>> {
        let key = Signer::new(ORIGIN, self.setup.keys.signing_seed())?.verifier();
        let mut commits = Vec::new();
        let mut reader = |commit: Commit, outside: Vec<Bytes>| {
            commits.push((commit, outside));
            Ok(())
        };
        read(store.objects(), ORIGIN, (vec![key], None), &self.clock, &mut reader).await?;
        Ok(commits)
    }
}

/// An agent that watches the organisation `org` at `base_url` with the demonstration's collectors, policies and schedules;
/// without periods, and nobody is told. Its keys come from `chance`; `seed` decides the jitter of slots.
pub fn setup(org: &str, base_url: &str, seed: u64, chance: &Chance) -> anyhow::Result<Setup> {
    let source = Source {
        params: BTreeMap::from([("org".to_owned(), org.to_owned())]),
        base_url: Some(base_url.to_owned()),
        auth: Auth::Bearer(Secret::new(TOKEN.to_owned())),
        http: Http::new(&Route::default())?,
    };
    Ok(Setup {
        origin: ORIGIN.to_owned(),
        estate: "acme.example".to_owned(),
        config: b"# the demonstration has no configuration file; these are its settings\norigin: acme.example/demo\n".to_vec(),
        keys: Keys::generate(chance)?,
        sources: BTreeMap::from([("github".to_owned(), Arc::new(source))]),
        collectors: collectors()?,
        schedules: schedules()?,
        policies: policies()?,
        periods: Vec::new(),
        webhook: None,
        owners: BTreeMap::new(),
        zone: chrono_tz::Europe::Berlin,
        build: None,
        seed,
    })
}

fn collectors() -> anyhow::Result<BTreeMap<String, Arc<Collector>>> {
    let read = |(name, file): (String, &[u8])| {
        let text = std::str::from_utf8(file).context("a shipped collector is not text")?;
        let manifest = Manifest::read(&name, text).map_err(|faults| anyhow!("{faults:?}"))?;
        let id = manifest.id().to_owned();
        let collector =
            Collector { id: id.clone(), source: "github".to_owned(), manifest, file: file.to_vec() };
        Ok((id, Arc::new(collector)))
    };
    let all: BTreeMap<_, _> = library::collectors().into_iter().map(read).collect::<anyhow::Result<_>>()?;
    Ok(all.into_iter().filter(|(id, _)| COLLECTORS.contains(&id.as_str())).collect())
}

fn policies() -> anyhow::Result<BTreeMap<String, Judge>> {
    let load = |files: BTreeMap<String, Vec<u8>>| {
        let policy = Policy::load(&files).map_err(|faults| anyhow!("{faults:?}"))?;
        let params = policy.params(&serde_json::Map::new()).map_err(|faults| anyhow!("{faults:?}"))?;
        Ok((policy.meta().id.clone(), Judge { policy, files, params }))
    };
    let all: BTreeMap<_, _> = library::policies().into_values().map(load).collect::<anyhow::Result<_>>()?;
    Ok(all.into_iter().filter(|(id, _)| POLICIES.contains(&id.as_str())).collect())
}

fn schedules() -> anyhow::Result<Vec<Schedule>> {
    let schedule = |collector: &str, cron: &str, max_gap_s, missed| {
        Ok(Schedule {
            id: collector.to_owned(),
            collector: collector.to_owned(),
            cron: cron.parse()?,
            zone: zone("Europe/Berlin")?,
            jitter_s: 0,
            grace_s: 1_800,
            max_gap_s,
            missed,
        })
    };
    [
        schedule("github.branch_rules", "0 * * * *", 7_200, Missed::Gap),
        schedule("github.changes", "10 */6 * * *", 43_200, Missed::CatchUp),
        schedule("github.members", "20 3 * * *", 129_600, Missed::Gap),
    ]
    .into_iter()
    .collect()
}
