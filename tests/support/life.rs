//! A whole agent on simulated time, and the record that it leaves, read anew and checked as an auditor would.
//!
//! What the agent watches, and what goes wrong meanwhile, is the test's decision.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use observance::{
    bundle::{Builder, Cover},
    chance::Chance,
    clock::{Busy, Clock},
    demo,
    run::{Agent, JournalError, RunError, Setup, Shared, Start, fold},
    schedule::{Cron, zone},
    secret::Secret,
    store::{HeadFile, Objects, Sharing, Store, StoreError, read},
    tell,
};
use observance_record::{
    Instant, Item,
    commit::Commit,
    entry::{Body, Entry, PolicyVerdict, Population, Run},
    ledger::Ledger,
    note::Signer,
    pack::Artefact,
    verdict::{Code, ItemResult},
};
use observance_verify::{Conclusion, Folder, Report, Trust, verify};
use tokio_util::sync::CancellationToken;

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant of 2026: `03-10T12:00`.
pub(crate) fn at(text: &str) -> Instant {
    format!("2026-{text}:00.000Z").parse().unwrap()
}

/// The demonstration's setup, with only these collectors on a schedule, and alerts that go to a port where nobody is.
pub(crate) fn setup(base_url: &str, scheduled: &[&str]) -> Setup {
    let mut setup = demo::setup("acme", base_url, 7, &Chance::seeded(7)).unwrap();
    setup.schedules.retain(|schedule| scheduled.contains(&schedule.collector.as_str()));
    let key = Secret::new("webhook-signing-key".to_owned());
    let nobody = tell::Route::new("http://127.0.0.1:9/alerts", key, tell::Reach::Plain).unwrap();
    setup.webhook = Some(Arc::new(nobody));
    setup
}

/// Puts every schedule of a setup on this cron, by UTC.
pub(crate) fn every(setup: &mut Setup, cron: &str) {
    for schedule in &mut setup.schedules {
        schedule.cron = cron.parse::<Cron>().unwrap();
        schedule.zone = zone("UTC").unwrap();
    }
}

/// Where an agent keeps its log, and remembers the head.
pub(crate) type Keeps = (Arc<dyn Objects>, Option<HeadFile>);

/// One life of an agent: it starts now and is asked to stop at `to`.
pub(crate) async fn live(
    setup: &Shared,
    keeps: Keeps,
    (clock, seed): (&Clock, u64),
    to: Instant,
) -> Result<(), RunError> {
    let ends = clock.busy();
    let until = async {
        ends.clock().sleep_until(to).await;
        ends
    };
    live_until(setup, keeps, (clock, seed), until).await
}

/// One life of an agent: it starts now and is asked to stop when `until` is over, which gives the party that
/// waited for it.
pub(crate) async fn live_until(
    setup: &Shared,
    (objects, memory): Keeps,
    (clock, seed): (&Clock, u64),
    until: impl Future<Output = Busy>,
) -> Result<(), RunError> {
    let (me, stop) = (clock.busy(), CancellationToken::new());
    let life = async {
        let store = Store::prove(objects, Sharing::Shared, me.clock().clone()).await;
        let store = store.map_err(|error| RunError::from(JournalError::from(error)))?;
        let (news, _heard) = tokio::sync::mpsc::unbounded_channel();
        let start = Start { setup: Arc::clone(setup), store, memory, me, chance: Chance::seeded(seed), news };
        Agent::start(start).await?.run(&stop).await
    };
    let ask = async {
        let ends = until.await;
        stop.cancel();
        // time stands still until the agent has heard it, but not until it has stopped: its store may be away
        tokio::task::yield_now().await;
        drop(ends);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        ended = life => ended,
        () = ask => Ok(()),
    }
}

/// A log, read anew.
pub(crate) struct Record {
    pub(crate) commits: Vec<(Commit, Vec<Artefact>)>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) ledger: Ledger,
}

/// One run, and what was said of it.
pub(crate) struct Seen<'a> {
    pub(crate) run: &'a Run,
    pub(crate) said: Vec<PolicyVerdict>,
}

impl Seen<'_> {
    pub(crate) fn population(&self, name: &str) -> &Population {
        self.run.populations.iter().find(|population| population.name == name).unwrap()
    }

    pub(crate) fn policy(&self, id: &str) -> &PolicyVerdict {
        self.said.iter().find(|policy| policy.policy == id).unwrap()
    }

    pub(crate) fn passed(&self) -> u64 {
        self.said.iter().map(|policy| policy.passed).sum()
    }
}

impl Record {
    /// Reads and folds a log; every commit's chain, signature and packs are checked on the way.
    pub(crate) async fn read(objects: Arc<dyn Objects>, setup: &Setup) -> Result<Self, StoreError> {
        let key = Signer::new(&setup.origin, setup.keys.signing_seed()).unwrap().verifier();
        let salts = setup.keys.salt_key(setup.keys.epoch()).unwrap();
        let mut record = Self { commits: Vec::new(), entries: Vec::new(), ledger: Ledger::default() };
        let mut reader = |commit: Commit, outside: Vec<Bytes>| {
            let entries = fold::entries(&commit)?;
            let artefacts = fold::artefacts(&commit, &outside)?;
            fold::fold(&mut record.ledger, &entries, &artefacts, &salts)?;
            record.entries.extend(entries);
            record.commits.push((commit, artefacts));
            Ok(())
        };
        read(objects, &setup.origin, (vec![key], None), &Clock::system(), &mut reader).await?;
        Ok(record)
    }

    /// Folds it again with another body in one place.
    pub(crate) fn refold(&self, setup: &Setup, seq: u64, body: &Body) -> Result<(), fold::FoldError> {
        let salts = setup.keys.salt_key(setup.keys.epoch()).unwrap();
        let mut ledger = Ledger::default();
        for (commit, artefacts) in &self.commits {
            let mut entries = fold::entries(commit)?;
            for entry in entries.iter_mut().filter(|entry| entry.seq == seq) {
                entry.body = body.clone();
            }
            fold::fold(&mut ledger, &entries, artefacts, &salts)?;
        }
        Ok(())
    }

    /// When the newest entry was written.
    pub(crate) fn t(&self) -> Option<Instant> {
        self.ledger.t()
    }

    pub(crate) fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.entries.iter().map(|entry| &entry.body)
    }

    pub(crate) fn kinds(&self, kind: &str) -> usize {
        self.bodies().filter(|body| body.kind() == kind).count()
    }

    /// The runs of one collector's schedule, in order, each with the full list of its verdict.
    pub(crate) fn runs(&self, schedule: &str) -> Vec<Seen<'_>> {
        let mut lists = BTreeMap::new();
        let mut seen = Vec::new();
        for pair in self.entries.windows(2) {
            let (Body::Run(run), Body::Verdict(verdict)) = (&pair[0].body, &pair[1].body) else { continue };
            let said: Vec<PolicyVerdict> = match (&verdict.list, verdict.same) {
                (Some(list), _) => list.clone(),
                (None, Some(same)) => {
                    let list: &Vec<PolicyVerdict> = &lists[&same];
                    list.iter().map(|policy| policy.repeated(same)).collect()
                }
                (None, None) => panic!("a verdict without a list"),
            };
            lists.insert(pair[1].seq, said.clone());
            if run.schedule.as_deref() == Some(schedule) {
                seen.push(Seen { run, said });
            }
        }
        seen
    }

    /// What a policy said last of the item that people call `name`.
    pub(crate) fn result(&self, policy: &str, name: &str) -> &ItemResult {
        let column = self.ledger.policies()[policy].column.as_ref().unwrap();
        let named =
            |item: &Item| self.ledger.facts(item).and_then(|facts| facts.name.as_deref()) == Some(name);
        column.results.iter().find(|(item, _)| named(item)).unwrap().1
    }

    /// Every gap, as (schedule, due, cause).
    pub(crate) fn gaps(&self) -> Vec<(String, Instant, observance_record::entry::Cause)> {
        let mut gaps = Vec::new();
        for body in self.bodies() {
            if let Body::Gap(gap) = body {
                gaps.extend(gap.due.iter().map(|due| (gap.schedule.clone(), due, gap.cause)));
            }
        }
        gaps
    }

    /// Counts the slots by hand: each was promised once and answered at most once, by a run or by a gap. Gives those that
    /// are open.
    pub(crate) fn open_slots(&self) -> BTreeSet<(String, Instant)> {
        let (mut promised, mut answered) = (BTreeSet::new(), BTreeSet::new());
        let mut answer = |promised: &BTreeSet<_>, slot: (String, Instant)| {
            assert!(promised.contains(&slot), "{slot:?} was never promised");
            assert!(answered.insert(slot.clone()), "{slot:?} is answered twice");
        };
        for body in self.bodies() {
            if let Body::Slots(slots) = body {
                let due =
                    slots.due.iter().flat_map(|(schedule, due)| due.iter().map(move |at| (schedule, at)));
                for (schedule, due) in due {
                    assert!(promised.insert((schedule.clone(), due)), "{due} is promised twice");
                }
            } else if let Body::Run(run) = body {
                run.schedule.iter().zip(run.due).for_each(|(schedule, due)| {
                    answer(&promised, (schedule.clone(), due));
                });
            } else if let Body::Gap(gap) = body {
                gap.due.iter().for_each(|due| answer(&promised, (gap.schedule.clone(), due)));
            }
        }
        promised.difference(&answered).cloned().collect()
    }

    /// Every slot that was promised and could no longer start when the newest entry was written is answered.
    pub(crate) fn assert_accounted(&self) {
        let t = self.t().unwrap();
        for (schedule, due) in self.open_slots() {
            let grace_ms = i64::try_from(self.ledger.schedules()[&schedule].grace_s).unwrap() * 1000;
            assert!(t.ms_since(due) <= grace_ms, "{schedule} due {due} is neither run nor gap at {t}");
        }
    }

    /// Makes a bundle and checks it, every verdict performed again.
    pub(crate) fn assert_verifies(&self, setup: &Setup) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("bundle");
        let salts = setup.keys.salt_key(setup.keys.epoch()).unwrap();
        let mut builder = Builder::create(&dir, &salts).unwrap();
        for (commit, artefacts) in &self.commits {
            builder.commit(commit, artefacts).unwrap();
        }
        let cover = Cover { page: String::new(), views: BTreeMap::new(), at: self.t().unwrap() };
        builder.finish(&cover).unwrap();
        let report = verify(&Folder::open(&dir).unwrap(), &Trust::default(), true);
        assert_eq!(report.conclusion, Conclusion::Holds, "{}", report.text());
        let replayed = report.replayed.as_ref().unwrap();
        assert_eq!(replayed.equal, replayed.verdicts, "{}", report.text());
        report
    }
}

/// Codes as text.
pub(crate) fn words<'a>(codes: impl IntoIterator<Item = &'a Code>) -> Vec<&'a str> {
    codes.into_iter().map(Code::as_str).collect()
}
