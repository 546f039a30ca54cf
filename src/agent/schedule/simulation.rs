//! Seeded weeks of stops, slow runs, lost runs, dead stores and clocks that are set: the log must still account for
//! every slot.
//!
//! The log is a list and the runs are only durations; what the agent really does is tested in `run`.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use chrono_tz::{Europe::Berlin, UTC};
use observance_record::{Instant, slots::Due};

use super::{Action, Cause, Ended, Missed, Planner, Schedule, Slot};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const WEEKS: i64 = 4;
const RUNNING_MAX: usize = 2;
/// Quiet days at the end, in which every backlog is caught up.
const BACKLOG_DAYS: i64 = 12;
/// Steps in a row that only commit; more would be a loop.
const COMMITS_MAX: usize = 2_000;

#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Slots { t: Instant, from: Instant, to: Instant, late: bool, due: BTreeMap<String, Due> },
    Run { slot: Slot, started: Instant },
    Gap { schedule: String, due: Due, cause: Cause },
}

/// A run under way, in real time, which no clock shows.
struct Running {
    slot: Option<Slot>,
    from_ms: i64,
    to_ms: i64,
    started: Instant,
}

struct World {
    random: u64,
    real_ms: i64,
    offset_ms: i64,
    /// What the log's time has come to.
    log_t: Instant,
    log: Vec<Entry>,
    schedules: Vec<Schedule>,
    planner: Planner,
    store_up: bool,
    slow: i64,
    running: BTreeMap<String, Running>,
    /// Finished runs of each collector, in real time.
    busy: Vec<(String, i64, i64)>,
    trace: Vec<Action>,
}

impl World {
    fn new(seed: u64) -> Self {
        let schedules = schedules();
        Self {
            random: seed,
            // 2026-10-12, two weeks before clocks change in Berlin
            real_ms: 1_791_763_200_000,
            offset_ms: 0,
            log_t: Instant::EPOCH,
            log: Vec::new(),
            planner: planner(&schedules, seed, Cause::AgentDown),
            schedules,
            store_up: true,
            slow: 1,
            running: BTreeMap::new(),
            busy: Vec::new(),
            trace: Vec::new(),
        }
    }

    fn below(&mut self, bound: i64) -> i64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % bound.unsigned_abs()).unwrap()
    }

    fn clock(&self) -> Instant {
        Instant::from_ms(self.real_ms + self.offset_ms)
    }

    /// The later of the clock and the last entry's `t`.
    fn now(&self) -> Instant {
        self.clock().max(self.log_t)
    }

    fn commit(&mut self, entry: Entry) {
        self.log_t = self.now();
        self.log.push(entry);
    }

    /// Does what the planner asks for until nothing is left to commit.
    fn settle(&mut self) {
        for _ in 0..COMMITS_MAX {
            let actions = self.planner.step(self.now());
            self.trace.extend(actions.iter().cloned());
            let mut committed = false;
            for action in actions {
                committed |= self.act(action);
            }
            if !committed {
                return;
            }
        }
        panic!("the planner never rests");
    }

    fn act(&mut self, action: Action) -> bool {
        match action {
            Action::Start { collector, slot, .. } => {
                let took = (1 + self.below(9)) * MINUTE_MS * self.slow;
                let running =
                    Running { slot, from_ms: self.real_ms, to_ms: self.real_ms + took, started: self.now() };
                assert!(self.running.insert(collector, running).is_none(), "overlap");
                assert!(self.running.len() <= RUNNING_MAX);
                false
            }
            _ if !self.store_up => false,
            Action::Promise { from, to, late, due } => {
                for (id, due) in &due {
                    self.planner.promised(id, to, due);
                }
                self.commit(Entry::Slots { t: self.now(), from, to, late, due });
                true
            }
            Action::Gap { schedule, due, cause } => {
                self.planner.answered(&schedule, due.iter());
                self.commit(Entry::Gap { schedule, due, cause });
                true
            }
        }
    }

    /// Real time passes; runs that end on the way are recorded, or lost.
    fn pass_to(&mut self, end_ms: i64) {
        while self.real_ms < end_ms {
            self.settle();
            let wake = self.planner.wake().map_or(end_ms, |wake| wake.ms() - self.offset_ms);
            let over = self.running.values().map(|running| running.to_ms).min().unwrap_or(end_ms);
            self.real_ms = wake.min(over).min(end_ms).max(self.real_ms + 1);
            self.end_runs();
        }
        self.settle();
    }

    fn end_runs(&mut self) {
        let over: Vec<_> =
            self.running.iter().filter(|(_, r)| r.to_ms <= self.real_ms).map(|(c, _)| c.clone()).collect();
        for collector in over {
            let running = self.running.remove(&collector).unwrap();
            self.busy.push((collector.clone(), running.from_ms, self.real_ms));
            let how = if !self.store_up {
                Ended::Lost(Cause::StoreDown)
            } else if self.below(50) == 0 {
                Ended::Lost(Cause::Crash)
            } else {
                if let Some(slot) = running.slot {
                    self.commit(Entry::Run { slot, started: running.started });
                }
                Ended::Recorded
            };
            self.planner.ended(self.now(), &collector, how);
        }
    }

    /// The process is gone; another one reads the log.
    fn restart(&mut self, before: Cause, down_ms: i64) {
        self.running.clear();
        self.real_ms += down_ms;
        let seed = self.random;
        self.planner = planner(&self.schedules, seed, before);
        for entry in &self.log {
            match entry {
                Entry::Slots { to, due, .. } => {
                    for (id, due) in due {
                        self.planner.promised(id, *to, due);
                    }
                }
                Entry::Run { slot, .. } => self.planner.answered(&slot.schedule, [slot.due]),
                Entry::Gap { schedule, due, .. } => self.planner.answered(schedule, due.iter()),
            }
        }
    }

    fn disturb(&mut self) {
        match self.below(9) {
            0 => {
                let down = self.below(30 * HOUR_MS);
                self.restart(Cause::AgentDown, down);
            }
            1 => self.restart(Cause::AgentDown, 2000),
            2 => {
                self.planner.hinder(self.now(), Some(Cause::Shutdown));
                self.pass_to(self.real_ms + 10 * MINUTE_MS);
                let down = self.below(6 * HOUR_MS);
                self.restart(Cause::Shutdown, down);
            }
            3 => self.restart(Cause::AgentDown, 3 * DAY_MS),
            4 => self.offset_ms += self.below(5 * HOUR_MS),
            5 => self.offset_ms -= self.below(5 * HOUR_MS),
            6 => self.slow = 1 + self.below(8),
            7 => self.real_ms += self.below(3 * HOUR_MS),
            _ => {
                self.store_up = false;
                self.planner.hinder(self.now(), Some(Cause::StoreDown));
                let down = self.below(20 * HOUR_MS);
                self.pass_to(self.real_ms + down);
                self.store_up = true;
                self.planner.hinder(self.now(), None);
            }
        }
    }

    fn live(mut self) -> Self {
        let end_ms = self.real_ms + WEEKS * 7 * DAY_MS;
        while self.real_ms < end_ms {
            let quiet = self.below(30 * HOUR_MS);
            self.pass_to(self.real_ms + quiet);
            self.disturb();
        }
        (self.slow, self.offset_ms) = (1, self.offset_ms.max(0));
        self.pass_to(self.real_ms + BACKLOG_DAYS * DAY_MS);
        self
    }
}

fn planner(schedules: &[Schedule], seed: u64, before: Cause) -> Planner {
    Planner::new(schedules.to_vec(), NonZeroUsize::new(RUNNING_MAX).unwrap(), seed, before)
}

fn schedules() -> Vec<Schedule> {
    let schedule = |id: &str, collector: &str, cron: &str, zone, missed| Schedule {
        id: id.into(),
        collector: collector.into(),
        cron: cron.parse().unwrap(),
        zone,
        jitter_s: 120,
        grace_s: 900,
        max_gap_s: 7200,
        missed,
    };
    vec![
        schedule("rules", "rules", "0 * * * *", Berlin, Missed::Gap),
        schedule("rules-night", "rules", "30 2 * * *", Berlin, Missed::Gap),
        schedule("members", "members", "15 6 * * mon-fri", Berlin, Missed::Gap),
        schedule("changes", "changes", "0 */6 * * *", UTC, Missed::CatchUp),
        schedule("sign-ins", "sign-ins", "*/20 * * * *", UTC, Missed::CatchUp),
    ]
}

/// What the log says of one schedule.
#[derive(Default)]
struct Account {
    windows: Vec<(Instant, Instant)>,
    promised: BTreeSet<Instant>,
    runs: Vec<(Instant, Instant)>,
    gaps: Vec<(Instant, Cause)>,
}

/// Reads the log as a stranger would: whatever is answered must have been promised before.
fn account(world: &World) -> BTreeMap<String, Account> {
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    for entry in &world.log {
        match entry {
            Entry::Slots { t, from, to, late, due } => {
                assert!(*late || t <= from, "a promise after its window began: {entry:?}");
                assert!(to.ms_since(*from) <= 48 * HOUR_MS && to > from, "{entry:?}");
                for (id, due) in due {
                    let account = accounts.entry(id.clone()).or_default();
                    account.windows.push((*from, *to));
                    account.promised.extend(due.iter());
                }
            }
            Entry::Run { slot, started } => {
                let account = accounts.get_mut(&slot.schedule).unwrap();
                assert!(account.promised.contains(&slot.due));
                account.runs.push((slot.due, *started));
            }
            Entry::Gap { schedule, due, cause } => {
                let account = accounts.get_mut(schedule).unwrap();
                assert!(due.iter().all(|at| account.promised.contains(&at)));
                account.gaps.extend(due.iter().map(|at| (at, *cause)));
            }
        }
    }
    accounts
}

/// What occurred at all, so that the simulation cannot pass by doing nothing.
#[derive(Debug, Default)]
struct Seen {
    causes: BTreeSet<Cause>,
    /// Promised and run, by schedule.
    slots: BTreeMap<String, (usize, usize)>,
}

fn check(world: &World, seen: &mut Seen) {
    let accounts = account(world);
    for schedule in &world.schedules {
        let account = &accounts[&schedule.id];
        assert!(account.windows.windows(2).all(|two| two[0].1 == two[1].0), "{} has a hole", schedule.id);
        let (first, last) = (account.windows[0].0, account.windows.last().unwrap().1);
        let asked: BTreeSet<_> = schedule.due(first, last).into_iter().collect();
        assert!(account.promised == asked, "{}: promised something else", schedule.id);

        let mut answered: Vec<_> = account.runs.iter().map(|run| run.0).collect();
        answered.extend(account.gaps.iter().map(|gap| gap.0));
        answered.sort();
        assert!(answered.windows(2).all(|two| two[0] < two[1]), "{}: a slot answered twice", schedule.id);
        let settled = world.now().plus_ms(-2 * HOUR_MS);
        let open = account.promised.range(..settled).find(|due| answered.binary_search(due).is_err());
        assert_eq!(open, None, "{}: a slot without run or gap", schedule.id);

        let in_time = i64::from(schedule.jitter_s + schedule.grace_s) * 1000;
        match schedule.missed {
            Missed::Gap => assert!(account.runs.iter().all(|(due, at)| at.ms_since(*due) <= in_time)),
            Missed::CatchUp => assert!(account.gaps.is_empty() && account.runs.is_sorted()),
        }
        assert!(account.runs.iter().all(|(due, at)| at >= due), "{}: a run before its slot", schedule.id);
        seen.causes.extend(account.gaps.iter().map(|gap| gap.1));
        let (promised, ran) = seen.slots.entry(schedule.id.clone()).or_default();
        (*promised, *ran) = (*promised + account.promised.len(), *ran + account.runs.len());
    }
}

#[test]
fn every_promised_slot_has_one_run_or_lies_in_a_gap() {
    let mut seen = Seen::default();
    for seed in 0..24 {
        let world = World::new(seed).live();
        check(&world, &mut seen);
        for (i, (collector, from, to)) in world.busy.iter().enumerate() {
            let overlaps =
                |other: &&(String, i64, i64)| other.0 == *collector && other.1 < *to && *from < other.2;
            assert_eq!(world.busy[i + 1..].iter().find(overlaps), None, "seed {seed}");
        }
    }
    let all =
        [Cause::AgentDown, Cause::Shutdown, Cause::StoreDown, Cause::Overlap, Cause::Clock, Cause::Crash];
    assert!(all.iter().all(|cause| seen.causes.contains(cause)), "only saw {seen:?}");
    assert!(seen.slots.values().all(|(promised, ran)| ran * 2 > *promised && ran < promised), "{seen:?}");
}

#[test]
fn the_same_seed_gives_the_same_actions() {
    let (one, other) = (World::new(3).live(), World::new(3).live());
    assert_eq!(one.trace, other.trace);
    assert_eq!(one.log, other.log);
    assert_ne!(one.trace, World::new(4).live().trace);
}
