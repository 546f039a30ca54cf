//! What an auditor would ask to have counted: restarts, changes of what is in force, runs that were not ordinary, and how
//! each source was reached.
//!
//! It judges none of it. Ordinary runs are counted only; everything else is kept with its entry and its instant.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use crate::{
    digest::Digest,
    entry::{self, Body, Entry, Posture, Run, RunResult, Skew, Trigger},
    population::Membership,
    time::Instant,
    verdict::Code,
};

/// Everything counted so far.
#[derive(Debug, Default)]
pub struct Tally {
    starts: Vec<Began>,
    changes: Vec<Changed>,
    odd_runs: Vec<OddRun>,
    reached: BTreeMap<String, Reached>,
    posture: Option<Posture>,
}

/// A writer began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Began {
    /// Its entry.
    pub seq: u64,
    /// When.
    pub t: Instant,
    /// What it says of itself.
    pub start: entry::Start,
    /// Had the writer before it said that it stopped? `true` for the first.
    pub after_stop: bool,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A configuration.
    Config,
    /// A policy or its parameters.
    Policy,
    /// A collector.
    Collector,
    /// A schedule.
    Schedule,
    /// A period's bounds, zone or framework.
    Period,
}

/// How it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was not in force before.
    Added,
    /// It is another one now.
    Changed,
    /// It is in force no longer.
    Removed,
}

/// Something in force changed; an entry that only repeats what is in force is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its entry.
    pub seq: u64,
    /// When it was written.
    pub t: Instant,
    /// What.
    pub what: What,
    /// Which, by its id or name.
    pub id: String,
    /// How.
    pub how: How,
}

/// A run that was not complete, saw a population that is not complete, or did not answer its slot in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRun {
    /// Its entry.
    pub seq: u64,
    /// The instant that it speaks about.
    pub as_of: Instant,
    /// The collector, by its id.
    pub collector: String,
    /// What made it start.
    pub trigger: Trigger,
    /// How it ended.
    pub result: RunResult,
    /// Was any population not seen whole?
    pub membership: Membership,
    /// Why not better: the run's reasons and its populations'.
    pub why: BTreeSet<Code>,
}

/// How a source was reached, over all runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reached {
    /// Runs that spoke to it.
    pub runs: u64,
    /// Of these: with the vendor's address overridden.
    pub base_url: u64,
    /// Of these: with a certificate authority added.
    pub extra_ca: u64,
    /// Of these: through a proxy.
    pub proxy: u64,
    /// Of these: with a credential that may write.
    pub may_write: u64,
    /// The keys that each host showed; none for a host that was spoken to without TLS only.
    pub hosts: BTreeMap<String, BTreeSet<Digest>>,
    /// Hosts that were spoken to without TLS at least once.
    pub bare: BTreeSet<String>,
    /// Least and most distance of its clock from ours.
    pub skew_ms: Option<Skew>,
}

impl Tally {
    /// Writers that began, in order.
    pub fn starts(&self) -> &[Began] {
        &self.starts
    }

    /// What changed, in order; the first configuration, policies and so on are `Added`.
    pub fn changes(&self) -> &[Changed] {
        &self.changes
    }

    /// Runs that were not ordinary, in the order of the log.
    pub fn odd_runs(&self) -> &[OddRun] {
        &self.odd_runs
    }

    /// How each source was reached, by its name in the configuration.
    pub const fn reached(&self) -> &BTreeMap<String, Reached> {
        &self.reached
    }

    /// What the store was last found to do.
    pub const fn posture(&self) -> Option<&Posture> {
        self.posture.as_ref()
    }

    fn run(&mut self, seq: u64, run: &Run, collector: String) {
        self.reached.entry(run.source.clone()).or_default().see(run);
        let membership = run.populations.iter().map(|population| population.membership).max();
        let membership = membership.unwrap_or(Membership::Complete);
        let ordinary = (RunResult::Complete, Trigger::Slot, Membership::Complete);
        if (run.result, run.trigger, membership) != ordinary {
            let of_populations = run.populations.iter().flat_map(|population| &population.why);
            let why = run.why.iter().chain(of_populations).cloned().collect();
            let (as_of, trigger, result) = (run.as_of, run.trigger, run.result);
            self.odd_runs.push(OddRun { seq, as_of, collector, trigger, result, membership, why });
        }
    }
}

impl Reached {
    fn see(&mut self, run: &Run) {
        let add = |n: &mut u64, is: bool| *n = n.saturating_add(u64::from(is));
        add(&mut self.runs, true);
        add(&mut self.base_url, run.channel.base_url);
        add(&mut self.extra_ca, run.channel.extra_ca);
        add(&mut self.proxy, run.channel.proxy);
        add(&mut self.may_write, run.privileges.write > 0);
        for host in &run.channel.hosts {
            self.hosts.entry(host.host.clone()).or_default().extend(host.spki);
            if host.spki.is_none() {
                self.bare.insert(host.host.clone());
            }
        }
        if let Some(skew) = run.skew_ms {
            let known = self.skew_ms.unwrap_or(skew);
            self.skew_ms = Some(Skew { min: known.min.min(skew.min), max: known.max.max(skew.max) });
        }
    }
}

impl Ledger {
    /// Counts an entry; the ledger is still as it was before it.
    pub(super) fn count(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Start(start) => {
                let after_stop = self.stopped || self.starts.is_empty();
                let start = (**start).clone();
                self.tally.starts.push(Began { seq: entry.seq, t: entry.t, start, after_stop });
            }
            Body::Posture(posture) => self.tally.posture = Some((**posture).clone()),
            Body::Run(run) => {
                if let Some(collector) = self.collector_of(run).map(|collector| collector.id.clone()) {
                    self.tally.run(entry.seq, run, collector);
                }
            }
            Body::Config(config) => {
                let before = self.config.map(|(_, root)| root);
                let how = how(before.as_ref(), &config.digest.root, false);
                self.changed(entry, What::Config, &config.name, how);
            }
            Body::Policy(policy) => {
                let before = self.policies.get(&policy.id).map(|state| &state.body);
                let how = how(before.filter(|before| !before.removed), policy, policy.removed);
                self.changed(entry, What::Policy, &policy.id, how);
            }
            Body::Collector(collector) => {
                let how = how(self.collectors.get(&collector.id), collector, collector.removed);
                self.changed(entry, What::Collector, &collector.id, how);
            }
            Body::Schedule(schedule) => {
                let how = how(self.schedules.get(&schedule.id), schedule, schedule.removed);
                self.changed(entry, What::Schedule, &schedule.id, how);
            }
            Body::PeriodOpen(period) => {
                let how = how(self.periods.get(&period.id), period, false);
                self.changed(entry, What::Period, &period.id, how);
            }
            Body::Genesis(_)
            | Body::Stop(_)
            | Body::Slots(_)
            | Body::Gap(_)
            | Body::Verdict(_)
            | Body::Drift(_)
            | Body::Alert(_)
            | Body::Notice(_)
            | Body::PeriodClose(_)
            | Body::Export(_)
            | Body::Heartbeat(_)
            | Body::Foreign { .. } => {}
        }
    }

    fn changed(&mut self, entry: &Entry, what: What, id: &str, how: Option<How>) {
        let (seq, t, id) = (entry.seq, entry.t, id.to_owned());
        self.tally.changes.extend(how.map(|how| Changed { seq, t, what, id, how }));
    }
}

/// `None` if nothing changes.
fn how<T: PartialEq>(before: Option<&T>, now: &T, removed: bool) -> Option<How> {
    match (before, removed) {
        (Some(_), true) => Some(How::Removed),
        (Some(before), false) if before != now => Some(How::Changed),
        (None, false) => Some(How::Added),
        (None, true) | (Some(_), false) => None,
    }
}
