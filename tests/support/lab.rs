//! The real agent with the shipped collectors and policies on a store that counts, from one instant to another.
//!
//! Time is simulated; everything else is what a container runs.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use observance::{
    chance::Chance,
    clock::Clock,
    demo,
    run::{
        Agent, Setup, Start,
        fold::{artefacts, entries},
    },
    schedule::zone,
    store::{Counted, Location, Sharing, Store, Tally, connect, read},
};
use observance_record::{
    Instant,
    commit::Commit,
    entry::{Body, Run, Verdict},
    item::SaltKey,
    note::Signer,
    pack::{Artefact, Role},
};
use tokio_util::sync::CancellationToken;

use super::acme::{Acme, Asked, Estate};

/// A collector, and the cron by which it runs, in UTC.
pub(crate) type Plan = (&'static str, &'static str);

/// A commit, what its packs hold, and the bytes of all its objects.
pub(crate) type Committed = (Commit, Vec<Artefact>, usize);

/// What an agent did with its store.
pub(crate) struct Lived {
    /// Between a store that was found fit and the first step.
    pub(crate) beginning: Tally,
    /// From then to the end.
    pub(crate) working: Tally,
    /// The commit with which the agent began.
    pub(crate) begun: Committed,
    /// Those that followed.
    pub(crate) commits: Vec<Committed>,
    /// What salts rows.
    pub(crate) salts: SaltKey,
    /// What the source was asked, in all.
    pub(crate) asked: BTreeMap<&'static str, Asked>,
    pub(crate) objects: Arc<Counted>,
}

/// One run as the log has it.
pub(crate) struct Ran {
    pub(crate) run: Run,
    pub(crate) verdict: Verdict,
    /// Raw bytes by role.
    pub(crate) stored: BTreeMap<Role, usize>,
    /// Bytes of the commit object and of the packs outside it.
    pub(crate) bytes: usize,
}

impl Lived {
    /// The runs, in order.
    pub(crate) fn runs(&self) -> Vec<Ran> {
        let ran = |(commit, artefacts, bytes): &Committed| {
            let mut bodies = entries(commit).unwrap().into_iter().map(|entry| entry.body);
            let Some(Body::Run(run)) = bodies.next() else { return None };
            let Some(Body::Verdict(verdict)) = bodies.next() else { panic!("a run without a verdict") };
            let mut stored = BTreeMap::new();
            for artefact in artefacts {
                *stored.entry(artefact.role).or_default() += artefact.bytes().len();
            }
            Some(Ran { run: *run, verdict: *verdict, stored, bytes: *bytes })
        };
        self.commits.iter().filter_map(ran).collect()
    }

    /// Packs that travelled outside of their commits.
    pub(crate) fn packs_outside(&self) -> u64 {
        let outside = |ran: &Ran| ran.run.packs.iter().filter(|pack| !pack.inline).count();
        self.runs().iter().map(outside).sum::<usize>() as u64
    }
}

/// Lets an agent live from `from` to `to` on an empty store.
pub(crate) async fn live(estate: Estate, plans: &[Plan], (from, to): (Instant, Instant)) -> Lived {
    let clock = Clock::simulated(from);
    let acme = Acme::serve(estate, clock.clone()).await;
    let objects = Arc::new(Counted::new(connect(&Location::Memory, None).unwrap()));
    let setup = Arc::new(setup(acme.base_url(), plans));
    let me = clock.busy();
    let store = Store::prove(Arc::clone(&objects) as _, Sharing::Shared, me.clock().clone()).await.unwrap();
    let proven = objects.tally();
    let (news, _heard) = tokio::sync::mpsc::unbounded_channel();
    let ends = clock.busy();
    let start = Start { setup: Arc::clone(&setup), store, memory: None, me, chance: Chance::seeded(1), news };
    let mut agent = Agent::start(start).await.unwrap();
    let begun = objects.tally();
    let stop = CancellationToken::new();
    let until = async {
        ends.clock().sleep_until(to).await;
        stop.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = agent.run(&stop) => ended.unwrap(),
        () = until => {}
    }
    let ended = objects.tally();
    let asked = acme.take_asked();
    let mut commits = commits(&objects, &setup, &clock).await;
    let begun_with = commits.remove(0);
    Lived {
        beginning: less(begun, proven),
        working: less(ended, begun),
        begun: begun_with,
        salts: setup.keys.salt_key(setup.keys.epoch()).unwrap(),
        commits,
        asked,
        objects,
    }
}

async fn commits(objects: &Arc<Counted>, setup: &Setup, clock: &Clock) -> Vec<Committed> {
    let key = Signer::new(&setup.origin, setup.keys.signing_seed()).unwrap().verifier();
    let mut commits = Vec::new();
    let mut reader = |commit: Commit, outside: Vec<Bytes>| {
        let bytes = commit.encode().unwrap().len() + outside.iter().map(Bytes::len).sum::<usize>();
        let artefacts = artefacts(&commit, &outside).unwrap();
        commits.push((commit, artefacts, bytes));
        Ok(())
    };
    read(Arc::clone(objects) as _, &setup.origin, (vec![key], None), clock, &mut reader).await.unwrap();
    commits
}

fn setup(base_url: &str, plans: &[Plan]) -> Setup {
    let mut setup = demo::setup("acme", base_url, 1, &Chance::seeded(1)).unwrap();
    let plan = |id: &str| plans.iter().find(|(collector, _)| *collector == id);
    setup.schedules.retain(|schedule| plan(&schedule.collector).is_some());
    for schedule in &mut setup.schedules {
        let (_, cron) = plan(&schedule.collector).unwrap();
        (schedule.cron, schedule.zone) = (cron.parse().unwrap(), zone("UTC").unwrap());
    }
    setup
}

const fn less(after: Tally, before: Tally) -> Tally {
    Tally {
        puts: after.puts - before.puts,
        gets: after.gets - before.gets,
        lists: after.lists - before.lists,
        bytes_out: after.bytes_out - before.bytes_out,
        bytes_in: after.bytes_in - before.bytes_in,
    }
}
