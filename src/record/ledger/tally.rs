//! What an auditor would ask to have counted: restarts, changes of what is in force, runs that were not ordinary, and how
//! each source was reached.
//!
//! It judges none of it. Ordinary runs are counted only; everything else is kept with its entry and its instant.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, writers::serves};
use crate::{
    digest::Digest,
    entry::{self, Body, Channel, Entry, Posture, Privileges, Run, RunResult, Skew, Trigger},
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
    /// Is it an agent, which promises and answers slots? Others collect once or hand out a bundle.
    pub is_agent: bool,
    /// Had the agent before it said that it stopped? `true` for the first.
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

/// A run that was not complete, saw a population that is not complete, or neither answered its slot in time nor was
/// brought by a change event.
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
    /// The `hook` that brought it, if one did.
    pub hook: Option<u64>,
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

    fn run(&mut self, seq: u64, run: &Run, (collector, hook): (String, Option<u64>)) {
        self.reached.entry(run.source.clone()).or_default().see(&run.channel, &run.privileges, run.skew_ms);
        let membership = run.populations.iter().map(|population| population.membership).max();
        let membership = membership.unwrap_or(Membership::Complete);
        let expected = hook.is_some() || run.trigger == Trigger::Slot;
        if !expected || (run.result, membership) != (RunResult::Complete, Membership::Complete) {
            let of_populations = run.populations.iter().flat_map(|population| &population.why);
            let why = run.why.iter().chain(of_populations).cloned().collect();
            let (as_of, trigger, result) = (run.as_of, run.trigger, run.result);
            self.odd_runs.push(OddRun { seq, as_of, collector, trigger, hook, result, membership, why });
        }
    }
}

impl Reached {
    fn see(&mut self, channel: &Channel, privileges: &Privileges, skew_ms: Option<Skew>) {
        let add = |n: &mut u64, is: bool| *n = n.saturating_add(u64::from(is));
        add(&mut self.runs, true);
        add(&mut self.base_url, channel.base_url);
        add(&mut self.extra_ca, channel.extra_ca);
        add(&mut self.proxy, channel.proxy);
        add(&mut self.may_write, privileges.write > 0);
        for host in &channel.hosts {
            self.hosts.entry(host.host.clone()).or_default().extend(host.spki);
            if host.spki.is_none() {
                self.bare.insert(host.host.clone());
            }
        }
        if let Some(skew) = skew_ms {
            let known = self.skew_ms.unwrap_or(skew);
            self.skew_ms = Some(Skew { min: known.min.min(skew.min), max: known.max.max(skew.max) });
        }
    }
}

impl Ledger {
    /// Counts an entry; the ledger is still as it was before it.
    pub(super) fn count(&mut self, entry: &Entry) {
        if serves(&entry.body)
            && let Some(began) = self.tally.starts.iter_mut().rfind(|began| began.seq == entry.by)
        {
            began.is_agent = true;
        }
        match &entry.body {
            Body::Start(start) => {
                let (start, after_stop) = ((**start).clone(), self.stopped());
                let began = Began { seq: entry.seq, t: entry.t, start, is_agent: false, after_stop };
                self.tally.starts.push(began);
            }
            Body::Posture(posture) => self.tally.posture = Some((**posture).clone()),
            Body::Run(run) => {
                if let Some(collector) = self.collector_of(run).map(|collector| collector.id.clone()) {
                    let hook = self.hooks.brought(&collector, entry.by, run.started);
                    self.tally.run(entry.seq, run, (collector, hook));
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
            | Body::Hook(_)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entry::{Genesis, Host, Judge, Policy, Slots, Start, Stop},
        item::Salt,
        ledger::Artefacts,
        table::Change,
        verdict::Empty,
    };

    /// No table is read here.
    struct Nothing;

    impl Artefacts for Nothing {
        fn change(&self, _: u64, _: Option<u16>, name: &str) -> Result<(Change, Vec<Salt>), String> {
            Err(name.to_owned())
        }

        fn column(&self, _: u64, _: u16, policy: &str) -> Result<Vec<u8>, String> {
            Err(policy.to_owned())
        }
    }

    fn ledger(bodies: Vec<Body>) -> Ledger {
        let (mut ledger, mut by) = (Ledger::default(), 0);
        for (seq, body) in (0_u64..).zip(bodies) {
            if matches!(body, Body::Start(_)) {
                by = seq;
            }
            let entry = Entry { body, by, seq, t: Instant::from_s(i64::try_from(seq).unwrap()) };
            ledger.push(&entry, &Nothing).unwrap();
        }
        ledger
    }

    fn genesis() -> Body {
        Genesis {
            origin: "a.example/b".into(),
            vkey: "key".into(),
            estate: "a".into(),
            shards: vec![],
            formats: 1,
            previous: None,
            tsa: vec![],
            witness_policy: "none".into(),
        }
        .into()
    }

    fn start() -> Body {
        Start {
            agent: "00".into(),
            version: "0.1.0".into(),
            build: None,
            judge: Judge { regorus: "0".into(), mode: "interpreter".into() },
            tzdb: "2026a".into(),
            memory: "none".into(),
            config: None,
            clock: None,
        }
        .into()
    }

    fn policy(digest: &[u8], removed: bool) -> Body {
        Policy {
            id: "GH-05".into(),
            digest: Digest::of(digest),
            controls: vec![],
            populations: vec![],
            params: Digest::of(b"{}"),
            reads_time: false,
            empty: Empty::Unknown,
            severity: "high".parse().unwrap(),
            removed,
        }
        .into()
    }

    #[test]
    fn what_only_repeats_is_no_change_and_what_comes_back_is_added() {
        let bodies =
            [(&b"1"[..], false), (b"1", false), (b"2", false), (b"2", true), (b"2", true), (b"2", false)];
        let policies = bodies.map(|(digest, removed)| policy(digest, removed));
        let ledger = ledger([genesis(), start()].into_iter().chain(policies).collect());
        let changes = ledger.tally().changes();
        let found: Vec<_> = changes.iter().map(|change| (change.seq, change.what, change.how)).collect();
        assert_eq!(
            found,
            [(2, How::Added), (4, How::Changed), (5, How::Removed), (7, How::Added)].map(|(seq, how)| (
                seq,
                What::Policy,
                how
            ))
        );
        assert_eq!(changes[0].t, Instant::from_s(2));
    }

    #[test]
    fn an_agent_that_follows_no_stop_is_told_from_one_that_does() {
        let stop = || Body::from(Stop { reason: "signal".parse().unwrap(), clean: true });
        let (from, to) = (Instant::from_s(100), Instant::from_s(160));
        let promise = || Slots { from, to, tzdb: String::new(), due: BTreeMap::new(), late: false }.into();
        let agents = [genesis(), start(), promise(), start(), promise(), stop(), start(), promise()];
        // one that only collects or exports is no agent, however it ends
        let others = [start(), stop(), start(), start()];
        let ledger = ledger(agents.into_iter().chain(others).collect());
        let found = ledger.tally().starts().iter().map(|began| (began.seq, began.is_agent, began.after_stop));
        let agents = [(1, true, true), (3, true, false), (6, true, true)];
        let others = [(8, false, false), (10, false, false), (11, false, false)];
        assert_eq!(found.collect::<Vec<_>>(), [agents, others].concat());
        assert!(!ledger.stopped());
        assert_eq!(ledger.served_until(), Some(Instant::from_s(7)));
    }

    #[test]
    fn how_a_source_was_reached_is_counted_run_by_run() {
        let host = |spki: Option<&[u8]>| Host { host: "h".into(), spki: spki.map(Digest::of), root: None };
        let channel = |hosts| Channel { hosts, proxy: false, extra_ca: true, base_url: false };
        let mut reached = Reached::default();
        let runs = [
            (channel(vec![host(Some(b"1"))]), 0, Skew { min: -5, max: 2 }),
            (channel(vec![host(Some(b"2"))]), 3, Skew { min: 0, max: 9 }),
            (Channel { proxy: true, ..Channel::default() }, 0, Skew { min: 1, max: 1 }),
            (channel(vec![host(None)]), 0, Skew { min: 1, max: 1 }),
        ];
        for (channel, write, skew) in &runs {
            reached.see(channel, &Privileges { granted: vec![], write: *write }, Some(*skew));
        }
        assert_eq!((reached.runs, reached.base_url, reached.extra_ca), (4, 0, 3));
        assert_eq!((reached.proxy, reached.may_write), (1, 1));
        assert_eq!(reached.hosts["h"], BTreeSet::from([Digest::of(b"1"), Digest::of(b"2")]));
        assert_eq!(reached.bare, BTreeSet::from(["h".to_owned()]));
        assert_eq!(reached.skew_ms, Some(Skew { min: -5, max: 9 }));
    }
}
