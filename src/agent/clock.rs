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
pub struct Clock(Option<Arc<Simulated>>);

impl Clock {
    /// The machine's own clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that starts at `start` and moves only while every [`Busy`] holder waits in [`Clock::sleep_until`].
    pub fn simulated(start: Instant) -> Self {
        Self(Some(Arc::new(Simulated(Mutex::new(State {
            now: start,
            busy: 0,
            id: 0,
            alarms: BTreeMap::new(),
        })))))
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Some(simulated) => simulated.state().now,
            None => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(Instant::EPOCH, |d| {
                Instant::from_ms(i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
            }),
        }
    }

    /// Announces that somebody works: simulated time stands still until the guard is dropped or its holder sleeps.
    pub fn busy(&self) -> Busy {
        if let Some(simulated) = &self.0 {
            simulated.state().busy += 1;
        }
        Busy(self.clone())
    }

    /// Waits until the clock shows `at` or later. Under a simulated clock the caller must hold a [`Busy`].
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub async fn sleep_until(&self, at: Instant) {
        if let Some(simulated) = &self.0 {
            return simulated.sleep_until(at).await;
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

/// Held while working; see [`Clock::busy`].
#[derive(Debug)]
pub struct Busy(Clock);

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(simulated) = &self.0.0 {
            simulated.rest();
        }
    }
}

#[derive(Debug)]
struct Simulated(Mutex<State>);

#[derive(Debug)]
struct State {
    now: Instant,
    busy: usize,
    id: u64,
    alarms: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
}

impl Simulated {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep_until(&self, at: Instant) {
        let (ring, alarm) = oneshot::channel();
        {
            let mut state = self.state();
            if at <= state.now {
                return;
            }
            state.id += 1;
            let id = state.id;
            state.alarms.insert((at, id), ring);
        }
        let woken = Woken { simulated: self, rang: false };
        self.rest();
        woken.wait(alarm).await;
    }

    /// One worker fewer; if it was the last one, time leaps to the next alarm and its sleeper becomes the worker.
    fn rest(&self) {
        let mut state = self.state();
        state.busy = state.busy.saturating_sub(1);
        while state.busy == 0 {
            let Some(((at, _), ring)) = state.alarms.pop_first() else { return };
            state.now = state.now.max(at);
            if ring.send(()).is_ok() {
                state.busy = 1;
            }
        }
    }
}

/// A sleeper that gave its place up; if it is dropped before it wakes it takes it back, for its [`Busy`] to give up again.
struct Woken<'a> {
    simulated: &'a Simulated,
    rang: bool,
}

impl Woken<'_> {
    async fn wait(mut self, alarm: oneshot::Receiver<()>) {
        self.rang = alarm.await.is_ok();
    }
}

impl Drop for Woken<'_> {
    fn drop(&mut self) {
        if !self.rang {
            self.simulated.state().busy += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_leaps_to_the_earliest_alarm_once_everybody_waits() {
        let clock = Clock::simulated(Instant::from_s(0));
        let mut order = tokio::task::JoinSet::new();
        let (near, far) = (clock.busy(), clock.busy());
        for (busy, s) in [(far, 20), (near, 10)] {
            let clock = clock.clone();
            order.spawn(async move {
                clock.sleep_until(Instant::from_s(s)).await;
                let now = clock.now().s();
                drop(busy);
                (s, now)
            });
        }
        assert_eq!(order.join_next().await.unwrap().unwrap(), (10, 10));
        assert_eq!(order.join_next().await.unwrap().unwrap(), (20, 20));
    }

    #[tokio::test]
    async fn a_cancelled_sleeper_does_not_stop_time() {
        let clock = Clock::simulated(Instant::from_s(0));
        let (cancelled, other) = (clock.busy(), clock.busy());
        let sleeping = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(Instant::from_s(5)).await;
                drop(cancelled);
            }
        });
        tokio::task::yield_now().await;
        sleeping.abort();
        assert!(sleeping.await.is_err());
        clock.sleep_until(Instant::from_s(9)).await;
        assert_eq!(clock.now().s(), 9);
        drop(other);
    }
}
