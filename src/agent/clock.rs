//! The only place that reads the time and the only place that waits.
//!
//! The simulated clock stands still while anybody works and leaps to the next alarm once everybody waits, so that half
//! a year passes in a minute while HTTP, files and faults stay real. It schedules nothing: see `schedule` and `run`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use observance_record::Instant;
use tokio::sync::oneshot;

/// Longest single wait on the system clock; a later alarm is waited for in pieces, so that a changed wall clock is noticed.
const NAP_MS_MAX: i64 = 30_000;

/// Where the agent's time comes from. Cheap to clone; clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Bound>);

/// A simulated clock, as one party sees it.
#[derive(Clone, Debug)]
struct Bound {
    simulated: Arc<Simulated>,
    party: Option<u64>,
    /// The party that waits for this one's result.
    parent: Option<u64>,
}

impl Clock {
    /// The machine's own clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that starts at `start` and moves only while every party that was announced by [`Clock::busy`] sleeps.
    pub fn simulated(start: Instant) -> Self {
        let state = State { now: start, ids: 0, parties: BTreeMap::new(), alarms: BTreeMap::new() };
        Self(Some(Bound { simulated: Arc::new(Simulated(Mutex::new(state))), party: None, parent: None }))
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Some(bound) => bound.simulated.state().now,
            None => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(Instant::EPOCH, |d| {
                Instant::from_ms(i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
            }),
        }
    }

    /// Announces a party that works: simulated time stands still until it sleeps by [`Busy::clock`] or is dropped. A party
    /// sleeps in one place at a time, and only when nothing else of it goes on.
    pub fn busy(&self) -> Busy {
        self.announce(None)
    }

    fn announce(&self, parent: Option<u64>) -> Busy {
        let announced = self.0.as_ref().map(|bound| {
            let mut state = bound.simulated.state();
            let id = state.id();
            state.parties.insert(id, Party::default());
            Bound { simulated: Arc::clone(&bound.simulated), party: Some(id), parent }
        });
        Busy(Self(announced))
    }

    /// Waits until the clock shows `at` or later.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub async fn sleep_until(&self, at: Instant) {
        if let Some(bound) = &self.0 {
            return bound.sleep_until(at, Sleep::Deep).await;
        }
        loop {
            let left = at.ms_since(self.now());
            if left <= 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left.min(NAP_MS_MAX).unsigned_abs())).await;
        }
    }

    /// Waits `ms` milliseconds.
    pub async fn sleep_ms(&self, ms: i64) {
        self.sleep_until(self.now().plus_ms(ms)).await;
    }
}

/// A party that works; see [`Clock::busy`].
#[derive(Debug)]
pub struct Busy(Clock);

impl Busy {
    /// The clock by which this party sleeps.
    pub const fn clock(&self) -> &Clock {
        &self.0
    }

    /// Announces a party whose result this one will take. From its end until [`Busy::taken`] this party counts as awake
    /// while it only waits ([`Busy::wait_until`]), so that time does not leap over the result.
    #[must_use]
    pub fn task(&self) -> Self {
        self.0.announce(self.0.0.as_ref().and_then(|bound| bound.party))
    }

    /// The result of one task that ended is in hand.
    pub fn taken(&self) {
        if let Some(Bound { simulated, party: Some(id), .. }) = &self.0.0
            && let Some(party) = simulated.state().parties.get_mut(id)
        {
            party.ended = party.ended.saturating_sub(1);
        }
    }

    /// Waits until the clock shows `at` or later, ready to take results of tasks meanwhile.
    pub async fn wait_until(&self, at: Instant) {
        match &self.0.0 {
            Some(bound) => bound.sleep_until(at, Sleep::Light).await,
            None => self.0.sleep_until(at).await,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(Bound { simulated, party: Some(id), parent }) = &self.0.0 {
            let mut state = simulated.state();
            state.parties.remove(id);
            if let Some(parent) = parent.and_then(|id| state.parties.get_mut(&id)) {
                parent.ended += 1;
            }
            state.leap();
        }
    }
}

#[derive(Debug)]
struct Simulated(Mutex<State>);

#[derive(Debug)]
struct State {
    now: Instant,
    ids: u64,
    parties: BTreeMap<u64, Party>,
    alarms: BTreeMap<(Instant, u64), Alarm>,
}

#[derive(Debug, Default)]
struct Party {
    sleep: Option<Sleep>,
    /// Tasks that ended and whose results it has not taken.
    ended: u64,
}

/// How a party sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    /// Nothing but its alarm wakes it.
    Deep,
    /// So does the end of a task.
    Light,
}

impl Party {
    fn is_asleep(&self) -> bool {
        match self.sleep {
            None => false,
            Some(Sleep::Deep) => true,
            Some(Sleep::Light) => self.ended == 0,
        }
    }
}

#[derive(Debug)]
struct Alarm {
    party: Option<u64>,
    ring: oneshot::Sender<()>,
}

impl Simulated {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// While everybody sleeps, time goes to the next alarm, whose sleeper is thereby awake.
    fn leap(&mut self) {
        while self.parties.values().all(Party::is_asleep) {
            let Some(((at, _), alarm)) = self.alarms.pop_first() else { return };
            self.now = self.now.max(at);
            self.set(alarm.party, None);
            // a sleeper that is being dropped does not hear it, and finds its alarm gone
            let _heard = alarm.ring.send(()).is_ok();
        }
    }

    fn set(&mut self, party: Option<u64>, sleep: Option<Sleep>) {
        if let Some(party) = party.and_then(|id| self.parties.get_mut(&id)) {
            party.sleep = sleep;
        }
    }
}

impl Bound {
    async fn sleep_until(&self, at: Instant, sleep: Sleep) {
        let (ring, heard) = oneshot::channel();
        let sleeper = {
            let mut state = self.simulated.state();
            if at <= state.now {
                return;
            }
            let key = (at, state.id());
            state.alarms.insert(key, Alarm { party: self.party, ring });
            state.set(self.party, Some(sleep));
            state.leap();
            Sleeper { simulated: &self.simulated, key }
        };
        let _rang = heard.await.is_ok();
        drop(sleeper);
    }
}

/// Takes an alarm back that did not ring: whoever waited for it is awake for another reason.
struct Sleeper<'a> {
    simulated: &'a Simulated,
    key: (Instant, u64),
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut state = self.simulated.state();
        if let Some(alarm) = state.alarms.remove(&self.key) {
            state.set(alarm.party, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_leaps_to_the_earliest_alarm_once_everybody_sleeps() {
        let clock = Clock::simulated(Instant::from_s(0));
        let mut order = tokio::task::JoinSet::new();
        let (near, far) = (clock.busy(), clock.busy());
        for (busy, s) in [(far, 20), (near, 10)] {
            order.spawn(async move {
                busy.clock().sleep_until(Instant::from_s(s)).await;
                (s, busy.clock().now().s())
            });
        }
        assert_eq!(order.join_next().await.unwrap().unwrap(), (10, 10));
        assert_eq!(order.join_next().await.unwrap().unwrap(), (20, 20));
    }

    #[tokio::test]
    async fn time_waits_for_a_result_to_be_taken_but_not_while_its_taker_sleeps_for_another_reason() {
        let clock = Clock::simulated(Instant::from_s(0));
        let me = clock.busy();
        let (first, second) = (me.task(), me.task());
        drop(first);
        tokio::select! {
            biased;
            () = me.wait_until(Instant::from_s(5)) => panic!("time leapt over a result"),
            () = tokio::task::yield_now() => me.taken(),
        }
        drop(second);
        // it cannot take the second one now, and must not wait for itself
        me.clock().sleep_until(Instant::from_s(7)).await;
        me.taken();
        me.wait_until(Instant::from_s(9)).await;
        assert_eq!(clock.now().s(), 9);
    }

    #[tokio::test]
    async fn a_cancelled_sleeper_is_awake() {
        let clock = Clock::simulated(Instant::from_s(0));
        let (party, other) = (clock.busy(), clock.busy());
        tokio::select! {
            biased;
            () = party.clock().sleep_until(Instant::from_s(5)) => panic!("time moved"),
            () = tokio::task::yield_now() => {}
        }
        drop(other);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(clock.now().s(), 0);
        party.clock().sleep_until(Instant::from_s(9)).await;
        assert_eq!(clock.now().s(), 9);
    }
}
