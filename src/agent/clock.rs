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
}

impl Clock {
    /// The machine's own clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that starts at `start` and moves only while every party that was announced by [`Clock::busy`] sleeps.
    pub fn simulated(start: Instant) -> Self {
        let state = State { now: start, ids: 0, parties: BTreeMap::new(), alarms: BTreeMap::new() };
        Self(Some(Bound { simulated: Arc::new(Simulated(Mutex::new(state))), party: None }))
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
        let party = self.0.as_ref().map(|bound| {
            let mut state = bound.simulated.state();
            let id = state.id();
            state.parties.insert(id, false);
            id
        });
        let simulated = self.0.as_ref().map(|bound| Bound { simulated: Arc::clone(&bound.simulated), party });
        Busy(Self(simulated))
    }

    /// Waits until the clock shows `at` or later.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub async fn sleep_until(&self, at: Instant) {
        if let Some(bound) = &self.0 {
            return bound.sleep_until(at).await;
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
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(Bound { simulated, party: Some(id) }) = &self.0.0 {
            let mut state = simulated.state();
            state.parties.remove(id);
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
    /// Does it sleep?
    parties: BTreeMap<u64, bool>,
    alarms: BTreeMap<(Instant, u64), Alarm>,
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
        while self.parties.values().all(|asleep| *asleep) {
            let Some(((at, _), alarm)) = self.alarms.pop_first() else { return };
            self.now = self.now.max(at);
            self.set(alarm.party, false);
            // a sleeper that is being dropped does not hear it, and finds its alarm gone
            let _heard = alarm.ring.send(()).is_ok();
        }
    }

    fn set(&mut self, party: Option<u64>, sleeps: bool) {
        if let Some(asleep) = party.and_then(|id| self.parties.get_mut(&id)) {
            *asleep = sleeps;
        }
    }
}

impl Bound {
    async fn sleep_until(&self, at: Instant) {
        let (ring, heard) = oneshot::channel();
        let sleeper = {
            let mut state = self.simulated.state();
            if at <= state.now {
                return;
            }
            let key = (at, state.id());
            state.alarms.insert(key, Alarm { party: self.party, ring });
            state.set(self.party, true);
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
            state.set(alarm.party, false);
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
