//! What a run may spend, and when it must wait: requests, bytes, time, and the source's own rate limits.
//!
//! Waiting is done by one at a time and only while no exchange of the run is under way, so that a simulated clock leaps
//! only when everybody waits. Nothing waits without end: what lies beyond the budget ends the run's further requests.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::DateTime;
use observance_record::Instant;
use tokio::sync::{RwLock, RwLockReadGuard};

use super::{
    http::Headers,
    manifest::{Limits, Rate, ResetUnit},
    outcome::why,
};
use crate::{chance::Chance, clock::Clock};

/// First pause before a retry; doubled from one to the next, half of it by chance.
pub(super) const BACKOFF_MS: i64 = 500;
/// Longest pause before a retry.
pub(super) const BACKOFF_MS_MAX: i64 = 30_000;
/// A reset is told in whole seconds, so this much is waited beyond it.
const RESET_MARGIN_MS: i64 = 1000;

/// One run's spending.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Clock,
    limits: Limits,
    started: Instant,
    spent: Mutex<Spent>,
    road: RwLock<()>,
}

#[derive(Debug, Default)]
struct Spent {
    requests: u64,
    bytes: u64,
    waited_ms: i64,
    buckets: BTreeMap<String, Bucket>,
}

/// One of the source's own limits. What holds one back holds no other back.
#[derive(Debug, Default, Clone, Copy)]
struct Bucket {
    not_before: Option<Instant>,
    closed: Option<&'static str>,
}

/// Held during one exchange.
pub(super) type Pass<'a> = RwLockReadGuard<'a, ()>;

impl Pace {
    /// Nothing spent yet.
    pub(super) fn new(clock: &Clock, limits: &Limits, started: Instant) -> Self {
        Self {
            clock: clock.clone(),
            limits: limits.clone(),
            started,
            spent: Mutex::default(),
            road: RwLock::new(()),
        }
    }

    /// Leave to make one request, after waiting for a limit that is already known; the reason if the budget is used up.
    pub(super) async fn enter(&self, bucket: &str) -> Result<Pass<'_>, &'static str> {
        loop {
            let pass = self.road.read().await;
            let Some(until) = self.count(bucket)? else { return Ok(pass) };
            drop(pass);
            self.wait_for_limit(bucket, until).await?;
        }
    }

    /// Counts bytes that were read.
    pub(super) fn read(&self, bytes: usize) {
        let mut spent = self.spent();
        spent.bytes = spent.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts requests that were made beside one that had leave.
    pub(super) fn also(&self, requests: u64) {
        let mut spent = self.spent();
        spent.requests = spent.requests.saturating_add(requests);
    }

    /// Requests and bytes so far.
    pub(super) fn totals(&self) -> (u64, u64) {
        let spent = self.spent();
        (spent.requests, spent.bytes)
    }

    /// The limit that a step's requests count against; all one unless the manifest says otherwise.
    pub(super) fn bucket<'p>(&self, path_template: &'p str) -> &'p str {
        if self.limits.rate.by_path { path_template } else { "" }
    }

    /// Notes that the source answers nothing before `until`.
    pub(super) fn hold(&self, bucket: &str, until: Instant) {
        let mut spent = self.spent();
        let held = spent.buckets.entry(bucket.to_owned()).or_default();
        held.not_before = held.not_before.max(Some(until));
    }

    /// Waits for the source's limit; if that is too long for the budget, no further request against it is made.
    pub(super) async fn wait_for_limit(&self, bucket: &str, until: Instant) -> Result<(), &'static str> {
        self.hold(bucket, until);
        let waited = self.pause(until).await;
        if let Err(why) = waited {
            self.spent().buckets.entry(bucket.to_owned()).or_default().closed = Some(why);
        }
        waited
    }

    /// Waits before retry number `attempt` (from 1).
    pub(super) async fn back_off(&self, attempt: u32, chance: &Chance) -> Result<i64, &'static str> {
        let whole = BACKOFF_MS.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(BACKOFF_MS_MAX);
        let half = whole / 2;
        // without chance the pause is the whole one
        let jitter =
            chance.below(half.unsigned_abs() + 1).map_or(half, |ms| i64::try_from(ms).unwrap_or(half));
        let pause_ms = half + jitter;
        self.pause(self.clock.now().plus_ms(pause_ms)).await.map(|()| pause_ms)
    }

    async fn pause(&self, until: Instant) -> Result<(), &'static str> {
        let _alone = self.road.write().await;
        let wait_ms = until.ms_since(self.clock.now());
        if wait_ms <= 0 {
            return Ok(());
        }
        {
            let mut spent = self.spent();
            if spent.waited_ms.saturating_add(wait_ms) > self.limits.wait_ms {
                return Err(why::BUDGET_WAIT);
            }
            spent.waited_ms += wait_ms;
        }
        self.clock.sleep_until(until).await;
        Ok(())
    }

    /// Counts a request, or tells until when to wait before it may be counted.
    fn count(&self, bucket: &str) -> Result<Option<Instant>, &'static str> {
        let now = self.clock.now();
        let mut spent = self.spent();
        let held = spent.buckets.get(bucket).copied().unwrap_or_default();
        if let Some(why) = held.closed {
            return Err(why);
        }
        if spent.requests >= self.limits.requests_max {
            return Err(why::BUDGET_REQUESTS);
        }
        if spent.bytes >= self.limits.bytes_max {
            return Err(why::BUDGET_BYTES);
        }
        if now.ms_since(self.started) > self.limits.wall_ms {
            return Err(why::BUDGET_TIME);
        }
        if let Some(until) = held.not_before.filter(|until| *until > now) {
            return Ok(Some(until));
        }
        spent.requests += 1;
        Ok(None)
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until when a source that refuses for its rate limit must be left alone: what it says, else `attempt` doublings of
/// the manifest's own wait. `skew_ms` is its clock minus ours.
pub(super) fn leave_alone_until(
    rate: &Rate,
    headers: &Headers,
    now: Instant,
    skew_ms: i64,
    attempt: u32,
) -> Instant {
    let get = |name: &Option<String>| name.as_ref().and_then(|name| headers.get(name));
    let asked = get(&rate.retry_after).and_then(|value| match value.trim().parse::<i64>() {
        Ok(seconds) => Some(now.plus_ms(seconds.clamp(0, 1 << 32).saturating_mul(1000))),
        Err(_) => http_date(value).map(|at| at.plus_ms(-skew_ms)),
    });
    let used_up = get(&rate.remaining).is_none_or(|left| left.trim() == "0");
    let reset = || reset(rate, headers, now, skew_ms).filter(|_| used_up);
    let doubled = rate.no_header_wait_ms.saturating_mul(1 << attempt.min(16));
    asked.or_else(reset).unwrap_or_else(|| now.plus_ms(doubled)).max(now)
}

/// When the source's count starts anew, if an answer says that nothing is left of it, or no more than is to be left to
/// others.
pub(super) fn used_up_until(rate: &Rate, headers: &Headers, now: Instant, skew_ms: i64) -> Option<Instant> {
    let number = |name: &Option<String>| headers.get(name.as_ref()?)?.trim().parse::<u64>().ok();
    let left = number(&rate.remaining)?;
    let kept = number(&rate.limit).map_or(0, |limit| limit.saturating_mul(rate.reserve_permille) / 1000);
    if left == 0 || left < kept { reset(rate, headers, now, skew_ms) } else { None }
}

fn reset(rate: &Rate, headers: &Headers, now: Instant, skew_ms: i64) -> Option<Instant> {
    let told: i64 = headers.get(rate.reset.as_ref()?)?.trim().parse().ok()?;
    let ms = |n: i64| n.clamp(0, 1 << 40).saturating_mul(1000);
    let theirs = RESET_MARGIN_MS.saturating_sub(skew_ms);
    Some(match rate.reset_unit {
        ResetUnit::EpochSeconds => Instant::from_ms(ms(told)).plus_ms(theirs),
        ResetUnit::EpochMs => Instant::from_ms(told.clamp(0, 1 << 50)).plus_ms(theirs),
        ResetUnit::Seconds => now.plus_ms(ms(told)).plus_ms(RESET_MARGIN_MS),
    })
}

/// An HTTP date (RFC 9110 section 5.6.7), as servers write it today.
pub(super) fn http_date(value: &str) -> Option<Instant> {
    DateTime::parse_from_rfc2822(value.trim()).ok().map(|at| Instant::from_ms(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let rate = Rate {
            remaining: Some("left".into()),
            reset: Some("reset".into()),
            retry_after: Some("retry-after".into()),
            no_header_wait_ms: 60_000,
            limit: Some("limit".into()),
            reserve_permille: 250,
            ..Rate::default()
        };
        Limits {
            concurrency: 1,
            requests_max: 3,
            bytes_max: 100,
            wall_ms: 1_000_000,
            wait_ms: 10_000,
            attempts_max: 3,
            body_bytes_max: 100,
            rate,
        }
    }

    #[tokio::test]
    async fn waits_within_the_budget_and_stops_beyond_it() {
        let busy = Clock::simulated(Instant::from_s(1000)).busy();
        let clock = busy.clock();

        let pace = Pace::new(clock, &limits(), clock.now());
        pace.hold("", Instant::from_s(1008));
        drop(pace.enter("").await.unwrap());
        assert_eq!(clock.now(), Instant::from_s(1008));
        assert_eq!(pace.wait_for_limit("", Instant::from_s(1011)).await, Err(why::BUDGET_WAIT));
        assert_eq!(pace.enter("").await.unwrap_err(), why::BUDGET_WAIT);
        assert_eq!(clock.now(), Instant::from_s(1008));
    }

    #[tokio::test]
    async fn what_holds_one_bucket_holds_no_other() {
        let busy = Clock::simulated(Instant::from_s(1000)).busy();
        let clock = busy.clock();
        let rate = Rate { by_path: true, ..limits().rate };
        let pace = Pace::new(clock, &Limits { rate, ..limits() }, clock.now());
        let (users, logs) = (pace.bucket("/users"), pace.bucket("/logs"));
        pace.hold(users, Instant::from_s(1005));
        drop(pace.enter(logs).await.unwrap());
        assert_eq!(clock.now(), Instant::from_s(1000), "nothing is known of this limit");
        drop(pace.enter(users).await.unwrap());
        assert_eq!(clock.now(), Instant::from_s(1005));
        assert_eq!(pace.wait_for_limit(users, Instant::from_s(9999)).await, Err(why::BUDGET_WAIT));
        assert_eq!(pace.enter(users).await.unwrap_err(), why::BUDGET_WAIT);
        assert!(pace.enter(logs).await.is_ok());
        let one = Pace::new(clock, &limits(), clock.now());
        assert_eq!((one.bucket("/users"), one.bucket("/logs")), ("", ""));
    }

    #[test]
    fn a_share_is_left_to_others() {
        let (rate, now) = (limits().rate, Instant::from_s(1000));
        let until = |rate: &Rate, pairs: &[(&str, &str)]| {
            used_up_until(rate, &Headers::of(pairs.iter().copied()).unwrap(), now, 0).map(Instant::ms)
        };
        let at = |left: &'static str| [("limit", "5000"), ("left", left), ("reset", "1500")];
        assert_eq!(until(&rate, &at("1250")), None);
        assert_eq!(until(&rate, &at("1249")), Some(1_501_000));
        assert_eq!(until(&rate, &at("0")), Some(1_501_000));
        assert_eq!(until(&rate, &[("left", "1"), ("reset", "1500")]), None, "a share of what is not known");
        assert_eq!(until(&rate, &[("limit", "5000"), ("left", "x"), ("reset", "1500")]), None);
        let with = |reset_unit| Rate { reset_unit, ..limits().rate };
        assert_eq!(until(&with(ResetUnit::Seconds), &at("0")), Some(2_501_000));
        assert_eq!(until(&with(ResetUnit::EpochMs), &at("0")), Some(2500));
    }

    #[tokio::test]
    async fn requests_and_bytes_are_counted() {
        let busy = Clock::simulated(Instant::from_s(0)).busy();
        let clock = busy.clock();

        let pace = Pace::new(clock, &limits(), clock.now());
        for _ in 0..3 {
            drop(pace.enter("").await.unwrap());
        }
        assert_eq!(pace.enter("").await.unwrap_err(), why::BUDGET_REQUESTS);
        let pace = Pace::new(clock, &limits(), clock.now());
        pace.read(100);
        assert_eq!(pace.enter("").await.unwrap_err(), why::BUDGET_BYTES);
        assert_eq!(pace.totals(), (0, 100));
    }

    #[test]
    fn the_source_says_how_long() {
        let (rate, now) = (limits().rate, Instant::from_s(1000));
        let until = |pairs: &[(&str, &str)], attempt| {
            leave_alone_until(&rate, &Headers::of(pairs.iter().copied()).unwrap(), now, 2000, attempt).ms()
        };
        assert_eq!(until(&[("retry-after", "7"), ("left", "0"), ("reset", "1500")], 0), 1_007_000);
        assert_eq!(until(&[("retry-after", "Thu, 01 Jan 1970 00:17:00 GMT")], 0), 1_018_000);
        assert_eq!(until(&[("left", "0"), ("reset", "1500")], 0), 1_499_000);
        assert_eq!(until(&[("left", "9"), ("reset", "1500")], 1), 1_120_000);
        assert_eq!(until(&[("retry-after", "-9")], 0), 1_000_000);
    }
}
