//! What a planner knows of one schedule: how far it is promised, and which slots nothing has answered yet.
//!
//! It does not know what runs or why something waits: see `plan`.

use std::collections::BTreeMap;

use observance_record::{Instant, slots::Due};

use super::{Cause, Missed, Schedule};

const MINUTE_MS: i64 = 60_000;
/// The next promise is due when less than this is left of the last one.
const AHEAD_MS: i64 = 12 * 60 * MINUTE_MS;
/// Time to commit a promise in before its window begins.
pub(super) const LEAD_MS: i64 = MINUTE_MS;
/// How long after a lost run its window is tried again.
const RETRY_MS: i64 = 5 * MINUTE_MS;

/// What is known of one schedule.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// None: it stands in the log, but no longer in the configuration.
    pub(super) schedule: Option<Schedule>,
    promised_to: Option<Instant>,
    /// Was it removed after its last promise?
    removed: bool,
    /// Promised, neither answered nor running; by due instant.
    open: BTreeMap<Instant, Open>,
}

/// A slot that nothing has answered yet.
#[derive(Debug)]
pub(super) struct Open {
    /// When it may start.
    pub(super) start: Instant,
    /// The last instant at which it is in time.
    deadline: Instant,
    /// What it was last seen to wait for.
    pub(super) held: Option<Cause>,
}

impl Track {
    /// A schedule of the configuration, of which nothing is promised yet.
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule: Some(schedule), ..Self::default() }
    }

    /// A promise is committed.
    pub(super) fn promised(&mut self, to: Instant, due: &Due, seed: u64) {
        self.promised_to = self.promised_to.max(Some(to));
        self.removed = false;
        for at in due.iter() {
            self.open.insert(at, Open::new(at, self.schedule.as_ref(), seed));
        }
    }

    /// The schedule was taken out of the configuration.
    pub(super) const fn removed(&mut self) {
        self.removed = true;
    }

    /// The slot is answered in the log, or a run that will answer it has begun.
    pub(super) fn take(&mut self, due: Instant) -> Option<Open> {
        self.open.remove(&due)
    }

    /// The run that had taken the slot will not answer it: it is missed, or tried again where it can be caught up.
    pub(super) fn lost(&mut self, due: Instant, now: Instant, cause: Cause) {
        let open = Open { start: now.plus_ms(RETRY_MS), deadline: now.plus_ms(-1), held: Some(cause) };
        self.open.insert(due, open);
    }

    /// Where the next promise begins, if it is time for one.
    pub(super) fn next_window(&self, now: Instant) -> Option<Instant> {
        let soon = down_to(now.plus_ms(LEAD_MS + MINUTE_MS - 1), MINUTE_MS);
        let from = match self.promised_to {
            Some(to) if self.removed => to.max(soon),
            Some(to) => to,
            None => soon,
        };
        (from.ms_since(now) < AHEAD_MS).then_some(from)
    }

    /// The slot to start next: windows strictly in order, looks only while they are in time.
    pub(super) fn ready(&self, now: Instant) -> Option<(Instant, &Open)> {
        let mut open = self.open.iter().map(|(due, open)| (*due, open));
        match self.schedule.as_ref()?.missed {
            Missed::Gap => open.find(|(_, open)| open.start <= now && !open.late(now)),
            Missed::CatchUp => open.next().filter(|(_, open)| open.start <= now),
        }
    }

    /// The slots that can only be gaps now.
    pub(super) fn missed(&self, now: Instant) -> impl Iterator<Item = (Instant, &Open)> {
        let open = self.open.iter().filter(move |(_, open)| self.misses() && open.late(now));
        open.map(|(due, open)| (*due, open))
    }

    /// Notes what every slot that could start in time is waiting for, so that a gap can say it.
    pub(super) fn hold(&mut self, now: Instant, cause: Cause) {
        for open in self.open.values_mut().filter(|open| open.start <= now && !open.late(now)) {
            open.held = Some(cause);
        }
    }

    /// When time alone will next change something.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
        let promise = self.promised_to.filter(|_| self.schedule.is_some()).map(|to| to.plus_ms(1 - AHEAD_MS));
        let misses = self.misses();
        let slots = self.open.values().flat_map(move |open| {
            [Some(open.start), misses.then(|| open.deadline.plus_ms(1))].into_iter().flatten()
        });
        promise.into_iter().chain(slots).filter(|at| *at > now).min()
    }

    /// Does a slot that is late become a gap?
    fn misses(&self) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.missed == Missed::Gap)
    }
}

impl Open {
    /// A slot without a schedule is missed as soon as it is due.
    fn new(due: Instant, schedule: Option<&Schedule>, seed: u64) -> Self {
        let Some(schedule) = schedule else {
            return Self { start: due, deadline: due.plus_ms(-1), held: None };
        };
        let start = due.plus_ms(jitter_ms(schedule, due, seed));
        Self { start, deadline: start.plus_ms(i64::from(schedule.grace_s) * 1000), held: None }
    }

    /// Is its grace over?
    pub(super) fn late(&self, now: Instant) -> bool {
        self.deadline < now
    }
}

/// The latest multiple of `grid_ms` that is not after `at`.
pub(super) const fn down_to(at: Instant, grid_ms: i64) -> Instant {
    Instant::from_ms(at.ms() - at.ms().rem_euclid(grid_ms))
}

/// In `0..jitter_s`, spread over seed, schedule and slot (FNV-1a, then the finalizer of SplitMix64); not for secrets.
fn jitter_ms(schedule: &Schedule, due: Instant, seed: u64) -> i64 {
    let bytes = seed.to_be_bytes().into_iter().chain(schedule.id.bytes()).chain(due.ms().to_be_bytes());
    let mut mixed = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let bound = u64::from(schedule.jitter_s) * 1000;
    mixed.checked_rem(bound).and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0)
}
