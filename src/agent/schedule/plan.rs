//! What is to be done now: which promise to write, which slots to start, which to record as gaps.
//!
//! A pure state machine of facts and time. It starts, commits and waits for nothing, and believes nothing to be done
//! until it is told so; start-up, tick, manual trigger and recovery are all [`Planner::step`].

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use observance_record::{Instant, slots::Due};

use super::{
    Action, Cause, Ended, Schedule, Slot, Trigger,
    track::{LEAD_MS, Open, Track, down_to},
};

const HOUR_MS: i64 = 3_600_000;
/// Longest window of one promise.
const WINDOW_MS_MAX: i64 = 48 * HOUR_MS;
/// How far a promise reaches, before it is cut to the grid: less than a window after what is left.
const REACH_MS: i64 = 36 * HOUR_MS;
/// Promises end on this grid, so that schedules which began apart are soon promised together.
const GRID_MS: i64 = 6 * HOUR_MS;
/// Most runs of due instants in one entry; at some 30 bytes each they fill two thirds of it.
const RUNS_MAX: usize = 1_500;
/// What naming a schedule weighs in a promise, in runs.
const NAME_RUNS: usize = 4;
/// At one slot a minute and two slots a run, one schedule always fits into one promise.
const _: () = assert!(WINDOW_MS_MAX / 60_000 / 2 + 4 <= 1_500);

/// Knows what was promised and answered, and what runs; says what is to be done.
///
/// Facts of the log are told in their order, at start-up for the whole log and later as they are committed; the same
/// facts, seed and instants always give the same actions. A clock that is set back repeats nothing, since slots are known
/// by their due instant and answered in the log, and loses nothing: what is open waits until its time comes again.
#[derive(Debug)]
pub struct Planner {
    tracks: BTreeMap<String, Track>,
    /// What runs, by collector; a manual run answers no slot.
    running: BTreeMap<String, Option<Slot>>,
    asked: BTreeSet<String>,
    /// Collectors whose source said that something changed.
    heard: BTreeSet<String>,
    running_max: NonZeroUsize,
    seed: u64,
    hindrance: Option<Hindrance>,
    /// The first step of this life, and what the agent was before it.
    since: Option<Instant>,
    before: Cause,
    /// The last step.
    now: Instant,
}

/// A time in which nothing may start.
#[derive(Debug)]
struct Hindrance {
    cause: Cause,
    from: Instant,
    to: Option<Instant>,
}

impl Planner {
    /// A planner that has been told nothing yet. Ids of schedules are unique.
    ///
    /// `seed` decides the jitter of each slot; `before` says why the agent did not run until now ([`Cause::Shutdown`]
    /// after a clean stop, otherwise [`Cause::AgentDown`]).
    pub fn new(schedules: Vec<Schedule>, running_max: NonZeroUsize, seed: u64, before: Cause) -> Self {
        let track = |schedule: Schedule| (schedule.id.clone(), Track::new(schedule));
        Self {
            tracks: schedules.into_iter().map(track).collect(),
            running: BTreeMap::new(),
            asked: BTreeSet::new(),
            heard: BTreeSet::new(),
            running_max,
            seed,
            hindrance: None,
            since: None,
            before,
            now: Instant::EPOCH,
        }
    }

    /// A promise of this schedule is in the log: `due`, in a window that ends at `to`.
    pub fn promised(&mut self, schedule: &str, to: Instant, due: &Due) {
        self.tracks.entry(schedule.to_owned()).or_default().promised(to, due, self.seed);
    }

    /// Slots of this schedule are answered in the log, by a run or by a gap.
    pub fn answered(&mut self, schedule: &str, due: impl IntoIterator<Item = Instant>) {
        let Some(track) = self.tracks.get_mut(schedule) else { return };
        for at in due {
            track.take(at);
        }
    }

    /// The log says that the schedule was removed. Should it come back, it is promised from then on.
    pub fn removed(&mut self, schedule: &str) {
        self.tracks.entry(schedule.to_owned()).or_default().removed();
    }

    /// Somebody wants this collector to run, apart from its schedule: it does as soon as it can.
    pub fn ask(&mut self, collector: &str) {
        self.asked.insert(collector.to_owned());
    }

    /// The source of this collector said that something changed: it runs as soon as it can without keeping a slot waiting,
    /// unless it runs for another reason first.
    pub fn hear(&mut self, collector: &str) {
        self.heard.insert(collector.to_owned());
    }

    /// The run of this collector is over. A lost slot becomes a gap, or is tried again where its window can be read.
    pub fn ended(&mut self, now: Instant, collector: &str, how: Ended) {
        let Some(Some(slot)) = self.running.remove(collector) else { return };
        if let (Ended::Lost(cause), Some(track)) = (how, self.tracks.get_mut(&slot.schedule)) {
            track.lost(slot.due, now, cause);
        }
    }

    /// From now on nothing may start, for this reason; or, with none, everything may again.
    pub fn hinder(&mut self, now: Instant, cause: Option<Cause>) {
        match (&mut self.hindrance, cause) {
            (Some(same), Some(cause)) if same.to.is_none() && same.cause == cause => (),
            (hindrance, Some(cause)) => *hindrance = Some(Hindrance { cause, from: now, to: None }),
            (Some(open), None) => open.to = open.to.or(Some(now)),
            (None, None) => (),
        }
    }

    /// What is to be done now, which is the later of the clock and the last entry's `t`. To be called at start-up, at
    /// [`Planner::wake`] and after every fact; while it asks for promises or gaps, again as soon as they are committed.
    pub fn step(&mut self, now: Instant) -> Vec<Action> {
        self.now = now;
        self.since.get_or_insert(now);
        let mut actions = self.promises();
        actions.extend(self.gaps());
        if self.hindered().is_none() {
            self.start(&mut actions);
        }
        self.hold();
        actions
    }

    /// When time alone will next change what is to be done, after the last step; none without schedules.
    pub fn wake(&self) -> Option<Instant> {
        self.tracks.values().filter_map(|track| track.wake(self.now)).min()
    }

    /// The next window of every schedule of which little is left; of a long stop, one window at a time.
    fn promises(&self) -> Vec<Action> {
        let mut windows: BTreeMap<Instant, Vec<&Schedule>> = BTreeMap::new();
        for track in self.tracks.values() {
            if let (Some(schedule), Some(from)) = (&track.schedule, track.next_window(self.now)) {
                windows.entry(from).or_default().push(schedule);
            }
        }
        windows.into_iter().flat_map(|(from, schedules)| self.promise(from, &schedules)).collect()
    }

    /// One window of schedules that were promised equally far, in as many entries as it takes.
    fn promise(&self, from: Instant, schedules: &[&Schedule]) -> Vec<Action> {
        let reach = down_to(self.now.plus_ms(REACH_MS), GRID_MS);
        let to = reach.min(from.plus_ms(WINDOW_MS_MAX));
        let late = from < self.now.plus_ms(LEAD_MS);
        let (mut entries, mut runs) = (Vec::new(), RUNS_MAX);
        for schedule in schedules {
            let due = listed(schedule.due(from, to));
            runs += due.runs() + NAME_RUNS;
            if runs > RUNS_MAX {
                runs = due.runs() + NAME_RUNS;
                entries.push(BTreeMap::new());
            }
            if let Some(entry) = entries.last_mut() {
                entry.insert(schedule.id.clone(), due);
            }
        }
        entries.into_iter().map(|due| Action::Promise { from, to, late, due }).collect()
    }

    /// One gap for each schedule and cause of missed slots.
    fn gaps(&self) -> Vec<Action> {
        let mut gaps = Vec::new();
        for (id, track) in &self.tracks {
            let mut causes: BTreeMap<Cause, Vec<Instant>> = BTreeMap::new();
            for (at, open) in track.missed(self.now) {
                causes.entry(self.cause(track, open)).or_default().push(at);
            }
            gaps.extend(causes.into_iter().map(|(cause, missed)| Action::Gap {
                schedule: id.clone(),
                due: listed(missed),
                cause,
            }));
        }
        gaps
    }

    fn cause(&self, track: &Track, open: &Open) -> Cause {
        let hindered = |hindrance: &&Hindrance| hindrance.covers(open.start);
        if track.schedule.is_none() {
            Cause::Removed
        } else if let Some(held) = open.held {
            held
        } else if let Some(hindrance) = self.hindrance.as_ref().filter(hindered) {
            hindrance.cause
        } else if self.since.is_some_and(|since| open.start < since) {
            self.before
        } else {
            Cause::Clock
        }
    }

    /// Starts what was asked for, then what is in time, then what is caught up, each in the order of its start; then what
    /// a change event brings.
    fn start(&mut self, actions: &mut Vec<Action>) {
        for collector in std::mem::take(&mut self.asked) {
            if self.may_run(&collector) {
                self.running.insert(collector.clone(), None);
                actions.push(Action::Start { collector, slot: None, trigger: Trigger::Manual, late_ms: 0 });
            } else {
                self.asked.insert(collector);
            }
        }
        let mut ready: Vec<_> = self
            .tracks
            .iter()
            .filter_map(|(id, track)| {
                let (due, open) = track.ready(self.now)?;
                Some((open.late(self.now), open.start, id.clone(), due))
            })
            .collect();
        ready.sort_unstable();
        for (_, _, schedule, due) in ready {
            actions.extend(self.start_slot(Slot { schedule, due }));
        }
        for action in &*actions {
            if let Action::Start { collector, .. } = action {
                self.heard.remove(collector);
            }
        }
        for collector in std::mem::take(&mut self.heard) {
            // one place stays free: no flood of change events takes the last from a slot
            let is_last = self.running.len() + 1 >= self.running_max.get().max(2);
            if !is_last && self.may_run(&collector) {
                self.running.insert(collector.clone(), None);
                actions.push(Action::Start { collector, slot: None, trigger: Trigger::Manual, late_ms: 0 });
            } else {
                self.heard.insert(collector);
            }
        }
    }

    fn start_slot(&mut self, slot: Slot) -> Option<Action> {
        let collector = self.tracks.get(&slot.schedule)?.schedule.as_ref()?.collector.clone();
        if !self.may_run(&collector) {
            return None;
        }
        let open = self.tracks.get_mut(&slot.schedule)?.take(slot.due)?;
        let trigger = if open.late(self.now) {
            Trigger::CatchUp
        } else if self.since.is_some_and(|since| open.start < since) {
            Trigger::Recovery
        } else {
            Trigger::Slot
        };
        self.running.insert(collector.clone(), Some(slot.clone()));
        let late_ms = self.now.ms_since(slot.due);
        Some(Action::Start { collector, slot: Some(slot), trigger, late_ms })
    }

    /// Notes for every slot that could start what it waits for: its own collector, or others.
    fn hold(&mut self) {
        let hindered = self.hindered();
        for track in self.tracks.values_mut() {
            let runs = track
                .schedule
                .as_ref()
                .is_some_and(|schedule| self.running.contains_key(&schedule.collector));
            track.hold(self.now, hindered.unwrap_or(if runs { Cause::Overlap } else { Cause::Busy }));
        }
    }

    fn may_run(&self, collector: &str) -> bool {
        self.running.len() < self.running_max.get() && !self.running.contains_key(collector)
    }

    fn hindered(&self) -> Option<Cause> {
        self.hindrance.as_ref().filter(|hindrance| hindrance.to.is_none()).map(|hindrance| hindrance.cause)
    }
}

impl Hindrance {
    fn covers(&self, at: Instant) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// As many as one entry holds; the rest is asked for again.
fn listed(instants: Vec<Instant>) -> Due {
    let mut due = Due::default();
    for at in instants {
        if due.runs() >= RUNS_MAX || due.push(at).is_err() {
            break;
        }
    }
    due
}

#[cfg(test)]
mod tests {
    use Trigger::{CatchUp, Recovery};

    use super::*;
    use crate::schedule::Missed;

    const MINUTE_MS: i64 = 60_000;
    const DAY_MS: i64 = 24 * HOUR_MS;

    /// A gap: schedule, slots, cause.
    type Lost = (String, Vec<Instant>, Cause);

    fn at(text: &str) -> Instant {
        format!("2026-{text}:00.000Z").parse().unwrap()
    }

    fn schedule(id: &str, cron: &str, missed: Missed) -> Schedule {
        Schedule {
            id: id.into(),
            collector: format!("{id}@acme"),
            cron: cron.parse().unwrap(),
            zone: chrono_tz::UTC,
            jitter_s: 0,
            grace_s: 600,
            max_gap_s: 7200,
            missed,
        }
    }

    fn planner(schedules: Vec<Schedule>, running_max: usize) -> Planner {
        Planner::new(schedules, NonZeroUsize::new(running_max).unwrap(), 7, Cause::AgentDown)
    }

    /// Steps until nothing is left to commit; gives what is started and what became a gap.
    fn settle(planner: &mut Planner, now: Instant) -> (Vec<Action>, Vec<Lost>) {
        let (mut starts, mut gaps) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            let (now_started, asked): (Vec<_>, Vec<_>) =
                planner.step(now).into_iter().partition(|action| matches!(action, Action::Start { .. }));
            starts.extend(now_started);
            if asked.is_empty() {
                return (starts, gaps);
            }
            for action in asked {
                gaps.extend(commit(planner, action));
            }
        }
        panic!("the planner never rests");
    }

    fn commit(planner: &mut Planner, action: Action) -> Option<Lost> {
        match action {
            Action::Promise { to, due, .. } => due.iter().for_each(|(id, due)| planner.promised(id, to, due)),
            Action::Gap { schedule, due, cause } => {
                planner.answered(&schedule, due.iter());
                return Some((schedule, due.iter().collect(), cause));
            }
            Action::Start { .. } => (),
        }
        None
    }

    fn started(actions: &[Action]) -> Vec<(Option<Instant>, Trigger, i64)> {
        let start = |action: &Action| match action {
            Action::Start { slot, trigger, late_ms, .. } => {
                Some((slot.as_ref().map(|s| s.due), *trigger, *late_ms))
            }
            Action::Promise { .. } | Action::Gap { .. } => None,
        };
        actions.iter().filter_map(start).collect()
    }

    #[test]
    fn promises_are_written_ahead_and_join() {
        let mut planner =
            planner(vec![schedule("a", "0 * * * *", Missed::Gap), schedule("w", "@weekly", Missed::Gap)], 4);
        let now = at("07-01T09:30");
        let [Action::Promise { from, to, late: false, due }] = &planner.step(now)[..] else {
            panic!("no promise")
        };
        assert_eq!((*from, *to), (at("07-01T09:31"), at("07-02T18:00")));
        assert_eq!(due["a"].triples().collect::<Vec<_>>(), [[at("07-01T10:00").s(), 3600, 32]]);
        assert!(due["w"].is_empty());
        assert_eq!(planner.step(now), planner.step(now), "asked for until it is committed");
        settle(&mut planner, now);
        assert_eq!(planner.wake(), Some(at("07-01T10:00")));
        settle(&mut planner, at("07-02T06:00"));
        assert_eq!(planner.step(at("07-02T06:00")), []);
        let late = planner.step(at("07-02T06:00").plus_ms(1));
        let [Action::Promise { from, to, late: false, .. }] = &late[..] else { panic!("{late:?}") };
        assert_eq!((*from, *to), (at("07-02T18:00"), at("07-03T18:00")));
    }

    #[test]
    fn after_a_stop_the_windows_still_join_and_say_that_they_are_late() {
        let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 4);
        planner.promised("a", at("07-01T00:00"), &Due::default());
        let [Action::Promise { from, to, late: true, .. }] = &planner.step(at("07-05T12:05"))[..] else {
            panic!("not late")
        };
        assert_eq!((*from, *to), (at("07-01T00:00"), at("07-03T00:00")));
        let (starts, gaps) = settle(&mut planner, at("07-05T12:05"));
        assert_eq!(started(&starts), [(Some(at("07-05T12:00")), Trigger::Recovery, 5 * MINUTE_MS)]);
        let missed: Vec<_> = gaps.iter().flat_map(|(_, due, _)| due).collect();
        assert_eq!(missed.len(), 4 * 24 + 12);
        assert!(gaps.iter().all(|(_, _, cause)| *cause == Cause::AgentDown));
    }

    #[test]
    fn windows_are_caught_up_in_order_one_at_a_time() {
        let mut planner = planner(vec![schedule("e", "0 */6 * * *", Missed::CatchUp)], 4);
        planner.promised("e", at("07-01T00:00"), &Due::default());
        let (mut now, mut seen) = (at("07-02T00:01"), Vec::new());
        for _ in 0..6 {
            let (starts, gaps) = settle(&mut planner, now);
            assert_eq!(gaps, []);
            seen.extend(
                started(&starts)
                    .into_iter()
                    .map(|(due, trigger, _)| (due.unwrap().ms_since(at("07-01T00:00")) / HOUR_MS, trigger)),
            );
            now = now.plus_ms(1000);
            planner.ended(now, "e@acme", Ended::Recorded);
        }
        assert_eq!(seen, [(0, CatchUp), (6, CatchUp), (12, CatchUp), (18, CatchUp), (24, Recovery)]);
    }

    #[test]
    fn a_collector_never_overlaps_with_itself() {
        let mut planner = planner(
            vec![schedule("a", "0 * * * *", Missed::Gap), schedule("e", "0 * * * *", Missed::CatchUp)],
            4,
        );
        settle(&mut planner, at("07-01T09:30"));
        assert_eq!(started(&settle(&mut planner, at("07-01T10:00")).0).len(), 2);
        assert_eq!(settle(&mut planner, at("07-01T11:00")), (vec![], vec![]));
        assert_eq!(planner.wake(), Some(at("07-01T11:10").plus_ms(1)));
        assert_eq!(settle(&mut planner, at("07-01T11:10")), (vec![], vec![]));
        let (_, gaps) = settle(&mut planner, at("07-01T11:11"));
        assert_eq!(gaps, [("a".into(), vec![at("07-01T11:00")], Cause::Overlap)]);
        planner.ended(at("07-01T11:12"), "e@acme", Ended::Recorded);
        planner.ended(at("07-01T11:12"), "a@acme", Ended::Recorded);
        let starts = settle(&mut planner, at("07-01T11:12")).0;
        assert_eq!(started(&starts), [(Some(at("07-01T11:00")), Trigger::CatchUp, 12 * MINUTE_MS)]);
    }

    #[test]
    fn change_events_never_take_the_last_place_from_a_slot() {
        let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 3);
        settle(&mut planner, at("07-01T09:30"));
        for collector in ["x@acme", "y@acme", "z@acme"] {
            planner.hear(collector);
        }
        let starts = settle(&mut planner, at("07-01T09:40")).0;
        assert_eq!(started(&starts), [(None, Trigger::Manual, 0); 2]);
        let starts = settle(&mut planner, at("07-01T10:00")).0;
        assert_eq!(started(&starts), [(Some(at("07-01T10:00")), Trigger::Slot, 0)]);
        planner.ended(at("07-01T10:01"), "x@acme", Ended::Recorded);
        assert_eq!(settle(&mut planner, at("07-01T10:01")), (vec![], vec![]));
        planner.ended(at("07-01T10:02"), "y@acme", Ended::Recorded);
        assert_eq!(started(&settle(&mut planner, at("07-01T10:02")).0), [(None, Trigger::Manual, 0)]);
    }

    #[test]
    fn a_slot_that_comes_first_looks_for_a_change_event_too() {
        let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 1);
        settle(&mut planner, at("07-01T09:30"));
        planner.hear("a@acme");
        let starts = settle(&mut planner, at("07-01T10:00")).0;
        assert_eq!(started(&starts), [(Some(at("07-01T10:00")), Trigger::Slot, 0)]);
        planner.ended(at("07-01T10:01"), "a@acme", Ended::Recorded);
        assert_eq!(settle(&mut planner, at("07-01T10:01")), (vec![], vec![]));
        // with one place only, it runs when that is free
        planner.hear("a@acme");
        assert_eq!(started(&settle(&mut planner, at("07-01T10:02")).0), [(None, Trigger::Manual, 0)]);
    }

    #[test]
    fn a_short_overrun_only_makes_the_next_slot_late() {
        let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 1);
        settle(&mut planner, at("07-01T09:30"));
        settle(&mut planner, at("07-01T10:00"));
        settle(&mut planner, at("07-01T11:00"));
        planner.ended(at("07-01T11:02"), "a@acme", Ended::Recorded);
        let (starts, gaps) = settle(&mut planner, at("07-01T11:02"));
        assert_eq!(started(&starts), [(Some(at("07-01T11:00")), Trigger::Slot, 2 * MINUTE_MS)]);
        assert_eq!(gaps, []);
    }

    #[test]
    fn only_so_many_run_at_a_time_and_manual_runs_count() {
        let all = ["a", "b", "c"].map(|id| schedule(id, "0 * * * *", Missed::Gap)).to_vec();
        let mut planner = planner(all, 2);
        planner.ask("b@acme");
        let starts = settle(&mut planner, at("07-01T09:30")).0;
        assert_eq!(started(&starts), [(None, Trigger::Manual, 0)]);
        let starts = settle(&mut planner, at("07-01T10:00")).0;
        assert_eq!(started(&starts), [(Some(at("07-01T10:00")), Trigger::Slot, 0)]);
        let (_, gaps) = settle(&mut planner, at("07-01T10:11"));
        let slot = vec![at("07-01T10:00")];
        assert_eq!(gaps, [("b".into(), slot.clone(), Cause::Overlap), ("c".into(), slot, Cause::Busy)]);
    }

    #[test]
    fn a_manual_run_waits_for_its_collector() {
        let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 4);
        settle(&mut planner, at("07-01T09:30"));
        assert_eq!(settle(&mut planner, at("07-01T10:00")).0.len(), 1);
        planner.ask("a@acme");
        assert_eq!(settle(&mut planner, at("07-01T10:01")).0, []);
        planner.ended(at("07-01T10:02"), "a@acme", Ended::Recorded);
        assert_eq!(started(&settle(&mut planner, at("07-01T10:02")).0), [(None, Trigger::Manual, 0)]);
    }

    #[test]
    fn what_is_in_time_goes_before_what_is_caught_up() {
        let both =
            vec![schedule("e", "0 * * * *", Missed::CatchUp), schedule("look", "0 * * * *", Missed::Gap)];
        let mut planner = planner(both, 1);
        planner.promised("e", at("07-01T06:00"), &Due::default());
        planner.promised("look", at("07-01T06:00"), &Due::default());
        let starts = settle(&mut planner, at("07-01T10:00")).0;
        let [Action::Start { collector, .. }] = &starts[..] else { panic!("{starts:?}") };
        assert_eq!(collector, "look@acme");
    }

    #[test]
    fn a_clock_set_back_neither_repeats_nor_loses() {
        let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 1);
        settle(&mut planner, at("07-01T09:30"));
        let mut seen = Vec::new();
        for now in ["07-01T10:00", "07-01T11:00", "07-01T09:59", "07-01T10:30", "07-01T11:00", "07-01T12:00"]
        {
            seen.extend(started(&settle(&mut planner, at(now)).0).into_iter().filter_map(|start| start.0));
            planner.ended(at(now), "a@acme", Ended::Recorded);
        }
        assert_eq!(seen, [at("07-01T10:00"), at("07-01T11:00"), at("07-01T12:00")]);
    }

    #[test]
    fn every_gap_says_why() {
        let fresh = || {
            let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 1);
            settle(&mut planner, at("07-01T09:30"));
            planner
        };
        let cause = |planner: &mut Planner, now| {
            let gaps = settle(planner, at(now)).1;
            assert_eq!(gaps.iter().map(|gap| gap.1.clone()).collect::<Vec<_>>(), [vec![at("07-01T10:00")]]);
            gaps[0].2
        };
        let mut leapt = fresh();
        assert_eq!(cause(&mut leapt, "07-01T10:50"), Cause::Clock);

        let mut hindered = fresh();
        hindered.hinder(at("07-01T09:40"), Some(Cause::StoreDown));
        assert_eq!(settle(&mut hindered, at("07-01T10:00")).0, []);
        hindered.hinder(at("07-01T10:40"), None);
        assert_eq!(cause(&mut hindered, "07-01T10:50"), Cause::StoreDown);

        // nobody stepped while nothing could be committed
        let mut hindered = fresh();
        hindered.hinder(at("07-01T09:40"), Some(Cause::StoreDown));
        hindered.hinder(at("07-01T10:40"), None);
        assert_eq!(cause(&mut hindered, "07-01T10:50"), Cause::StoreDown);

        let mut lost = fresh();
        assert_eq!(settle(&mut lost, at("07-01T10:00")).0.len(), 1);
        lost.ended(at("07-01T10:05"), "a@acme", Ended::Lost(Cause::Crash));
        assert_eq!(cause(&mut lost, "07-01T10:05"), Cause::Crash);

        let mut removed = planner(vec![], 1);
        removed.promised("a", at("07-02T00:00"), &Due::new(&[at("07-01T10:00"), at("07-01T20:00")]).unwrap());
        removed.removed("a");
        assert_eq!(settle(&mut removed, at("07-01T09:30")).1, []);
        assert_eq!(removed.wake(), Some(at("07-01T10:00")));
        assert_eq!(cause(&mut removed, "07-01T10:00"), Cause::Removed);
    }

    #[test]
    fn a_lost_window_is_tried_again_later() {
        let mut planner = planner(vec![schedule("e", "0 * * * *", Missed::CatchUp)], 1);
        settle(&mut planner, at("07-01T09:30"));
        settle(&mut planner, at("07-01T10:00"));
        planner.ended(at("07-01T10:01"), "e@acme", Ended::Lost(Cause::StoreDown));
        assert_eq!(settle(&mut planner, at("07-01T10:02")), (vec![], vec![]));
        assert_eq!(planner.wake(), Some(at("07-01T10:06")));
        let starts = settle(&mut planner, at("07-01T10:06")).0;
        assert_eq!(started(&starts), [(Some(at("07-01T10:00")), Trigger::CatchUp, 6 * MINUTE_MS)]);
    }

    #[test]
    fn a_schedule_that_comes_back_is_promised_from_then_on() {
        let mut planner = planner(vec![schedule("a", "0 * * * *", Missed::Gap)], 1);
        planner.promised("a", at("06-01T00:00"), &Due::default());
        planner.removed("a");
        let [Action::Promise { from, late: false, .. }] = &planner.step(at("07-01T09:30"))[..] else {
            panic!("late")
        };
        assert_eq!(*from, at("07-01T09:31"));
    }

    #[test]
    fn jitter_spreads_starts_within_its_bound() {
        let jittered = Schedule { jitter_s: 900, ..schedule("a", "*/30 * * * *", Missed::CatchUp) };
        let mut planner = planner(vec![jittered], 1);
        let (mut now, mut late) = (at("07-01T00:00"), BTreeSet::new());
        while now < at("07-01T00:00").plus_ms(DAY_MS) {
            late.extend(started(&settle(&mut planner, now).0).into_iter().map(|start| start.2));
            planner.ended(now, "a@acme", Ended::Recorded);
            now = planner.wake().unwrap();
        }
        assert!(late.len() > 40 && late.iter().all(|ms| (0..900_000).contains(ms)), "{late:?}");
        assert!(late.last().unwrap() - late.first().unwrap() > 600_000);
    }

    #[test]
    fn a_promise_too_large_for_one_entry_becomes_several() {
        let many =
            (0..40).map(|n| schedule(&format!("s{n:02}"), "1,2,4,7,11,16,22,29,37,46 * * * *", Missed::Gap));
        let promises = planner(many.collect(), 1).step(at("07-01T09:30"));
        let mut named = Vec::new();
        for promise in &promises {
            let Action::Promise { due, .. } = promise else { panic!("{promise:?}") };
            assert!(serde_json::to_string(due).unwrap().len() < 60_000);
            named.extend(due.keys());
        }
        assert!(promises.len() > 1);
        assert_eq!(named.len(), 40);
    }
}
