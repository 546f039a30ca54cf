//! What the demonstration's agent is made of: the shipped collectors and policies, throw-away keys, loopback addresses.
//!
//! Nothing in it is special to the agent: a configuration file gives the same.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use observance_judge::Policy;
use observance_record::{Instant, commit::Commit, entry::PeriodOpen, note::Signer};

use super::{
    Options,
    estate::{Outside, beside},
    head_file, identity, logs, receiver,
};
use crate::{
    chance::Chance,
    clock::{Busy, Clock},
    collect::{Auth, Http, Manifest, Register, Route},
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
/// Where the company is.
const ZONE: &str = "Europe/Berlin";
/// The policies that judge what is collected from GitHub.
const POLICIES: [&str; 4] = ["GH-01", "GH-05", "GH-08", "GH-10"];
/// The policies that judge what is collected from everything else.
const POLICIES_BESIDE: [&str; 3] = ["ID-03-okta", "ID-05-okta", "LG-01-loki"];
/// When a collector runs: id, cron in Berlin's time, how long what it saw holds, what becomes of a slot that was missed.
type Plan = (&'static str, &'static str, u32, Missed);
/// The collectors of GitHub.
const PLANS: [Plan; 3] = [
    ("github.branch_rules", "0 * * * *", 7_200, Missed::Gap),
    ("github.changes", "10 */6 * * *", 43_200, Missed::CatchUp),
    ("github.members", "20 3 * * *", 129_600, Missed::Gap),
];
/// Those of everything else. What a policy reads beside what it judges is read a little before.
const PLANS_BESIDE: [Plan; 5] = [
    ("people.register", "40 5-23/6 * * *", 28_800, Missed::Gap),
    // around midnight, when time limits end, and around the beginning of work, when somebody notices
    ("okta.users", "45 2,8,11,23 * * *", 46_800, Missed::Gap),
    ("okta.admins", "50 5-23/6 * * *", 28_800, Missed::Gap),
    ("loki.streams", "52 2-23/3 * * *", 14_400, Missed::Gap),
    ("log_sources.register", "55 2-23/3 * * *", 14_400, Missed::Gap),
];

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
        outside: &Outside,
        receiver: &receiver::Receiver,
        (from, to): (Instant, Instant),
    ) -> anyhow::Result<Self> {
        let chance = Chance::seeded(options.seed);
        let webhook =
            tell::Route::new(receiver.url(), Secret::new(receiver::KEY.to_owned()), tell::Reach::Plain)?;
        let period = PeriodOpen {
            id: PERIOD.to_owned(),
            zone: ZONE.to_owned(),
            from,
            to,
            framework: "soc2".to_owned(),
            restated: 0,
            previous: None,
        };
        let github = setup("acme", outside.github.base_url(), options.seed, &chance)?;
        let mut setup = Setup { periods: vec![period], webhook: Some(Arc::new(webhook)), ..github };
        setup.sources.extend(sources_beside(outside)?);
        setup.collectors.extend(collectors(&PLANS_BESIDE)?);
        setup.schedules.extend(schedules(&PLANS_BESIDE)?);
        setup.policies.extend(policies(&POLICIES_BESIDE)?);
        let known = library::Serves::shipped().context("cannot read the shipped criteria")?;
        setup.serves = setup.policies.keys().map(|id| (id.clone(), known.named(id))).collect();
        let store = beside(&options.out, "store")?;
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
        collectors: collectors(&PLANS)?,
        schedules: schedules(&PLANS)?,
        policies: policies(&POLICIES)?,
        periods: Vec::new(),
        webhook: None,
        owners: BTreeMap::new(),
        serves: BTreeMap::new(),
        zone: chrono_tz::Europe::Berlin,
        build: None,
        seed,
    })
}

fn sources_beside(outside: &Outside) -> anyhow::Result<BTreeMap<String, Arc<Source>>> {
    let served = |base_url: &str, params: &[(&str, &str)], auth: Auth| {
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let http = Http::new(&Route::default())?;
        anyhow::Ok(Arc::new(Source { params, base_url: Some(base_url.to_owned()), auth, http }))
    };
    let file = |register: Register| {
        let http = Http::new(&Route { register: Some(register), ..Route::default() })?;
        let auth = Auth::Headers(BTreeMap::new());
        anyhow::Ok(Arc::new(Source { params: BTreeMap::new(), base_url: None, auth, http }))
    };
    let okta = BTreeMap::from([("authorization".to_owned(), Secret::new(identity::CREDENTIAL.to_owned()))]);
    let logs = Auth::Bearer(Secret::new(logs::TOKEN.to_owned()));
    let sources = [
        ("okta", served(outside.identity.base_url(), &[], Auth::Headers(okta))?),
        ("loki", served(outside.logs.base_url(), &[("label", logs::LABEL)], logs)?),
        ("people", file(outside.registers.people())?),
        ("log_sources", file(outside.registers.log_sources())?),
    ];
    Ok(sources.map(|(name, source)| (name.to_owned(), source)).into())
}

/// The shipped collectors of these plans, each on the source that its id begins with.
fn collectors(plans: &[Plan]) -> anyhow::Result<BTreeMap<String, Arc<Collector>>> {
    let read = |(name, file): (String, &[u8])| {
        let text = std::str::from_utf8(file).context("a shipped collector is not text")?;
        let manifest = Manifest::read(&name, text).map_err(|faults| anyhow!("{faults:?}"))?;
        let id = manifest.id().to_owned();
        let source = id.split('.').next().unwrap_or_default().to_owned();
        Ok((id.clone(), Arc::new(Collector { id, source, manifest, file: file.to_vec() })))
    };
    // a collector `okta.users` lies in `okta/users`
    let folders: Vec<String> = plans.iter().map(|(id, ..)| format!("/{}/", id.replace('.', "/"))).collect();
    let planned = |(file, _): &(String, &[u8])| folders.iter().any(|folder| file.contains(folder));
    library::collectors().into_iter().filter(planned).map(read).collect()
}

/// The shipped policies of these ids, for a company in Berlin.
fn policies(wanted: &[&str]) -> anyhow::Result<BTreeMap<String, Judge>> {
    let load = |files: BTreeMap<String, Vec<u8>>| {
        let policy = Policy::load(&files).map_err(|faults| anyhow!("{faults:?}"))?;
        let mut given = serde_json::Map::new();
        if policy.meta().parameters.contains_key("zone") {
            given.insert("zone".to_owned(), ZONE.into());
        }
        let params = policy.params(&given).map_err(|faults| anyhow!("{faults:?}"))?;
        Ok((policy.meta().id.clone(), Judge { policy, files, params }))
    };
    let briefs = library::briefs();
    let is_wanted = |name: &String| briefs.get(name).is_some_and(|brief| wanted.contains(&brief.id.as_str()));
    library::policies()
        .into_iter()
        .filter(|(name, _)| is_wanted(name))
        .map(|(_, files)| load(files))
        .collect()
}

fn schedules(plans: &[Plan]) -> anyhow::Result<Vec<Schedule>> {
    let schedule = |(collector, cron, max_gap_s, missed): &Plan| {
        Ok(Schedule {
            id: (*collector).to_owned(),
            collector: (*collector).to_owned(),
            cron: cron.parse()?,
            zone: zone(ZONE)?,
            jitter_s: 0,
            grace_s: 1_800,
            max_gap_s: *max_gap_s,
            missed: *missed,
        })
    };
    plans.iter().map(schedule).collect()
}
