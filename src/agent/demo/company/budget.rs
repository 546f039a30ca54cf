//! The primary rate limit: requests left to the token until a reset, by the clock.
//!
//! It opens an hour with the first request after the last one ran out, as GitHub does; there is no secondary limit.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use observance_record::Instant;

use super::object::Object;

/// Requests an hour of a person's token.
const LIMIT: u64 = 5_000;
const HOUR_S: i64 = 3_600;
/// In the planted hour: requests until somebody else has spent the rest, and seconds until there are new ones.
const LEFT: u64 = 30;
const WAIT_S: i64 = 660;

const LIMIT_HEADER: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const USED: HeaderName = HeaderName::from_static("x-ratelimit-used");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RESOURCE: HeaderName = HeaderName::from_static("x-ratelimit-resource");

/// What was spent of the present hour.
#[derive(Debug)]
pub(super) struct Budget {
    used: u64,
    reset_s: i64,
    /// The instant of the newest request, and what was spent before it.
    before: (Instant, u64),
    /// Requests until the planted drain empties the budget; it happens once.
    drain: Drain,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Drain {
    #[default]
    Before,
    Running(u64),
    Over,
}

/// Where the budget stands, as the answer says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    used: u64,
    reset_s: i64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { used: 0, reset_s: 0, before: (Instant::EPOCH, 0), drain: Drain::Before }
    }
}

impl Budget {
    /// Where it stands at `now`; `tight` in the hour in which somebody else spends it.
    pub(super) fn standing(&mut self, now: Instant, tight: bool) -> Standing {
        if tight && self.drain == Drain::Before {
            *self = Self { drain: Drain::Running(LEFT), reset_s: now.s() + WAIT_S, ..*self };
        } else if self.reset_s <= now.s() {
            let drain = if self.drain == Drain::Before { Drain::Before } else { Drain::Over };
            *self = Self { used: 0, reset_s: now.s() + HOUR_S, before: (now, 0), drain };
        }
        if self.before.0 != now {
            self.before = (now, self.used);
        }
        Standing { used: self.used, reset_s: self.reset_s }
    }

    /// Counts an answered request; an answer 304 costs nothing, except to the drain. It says what was spent before this
    /// instant and by itself: requests of one instant come in any order, and the same life must give the same answers.
    pub(super) fn charge(&mut self, now: Instant, tight: bool, unchanged: bool) -> Standing {
        self.standing(now, tight);
        self.used += u64::from(!unchanged);
        match self.drain {
            Drain::Running(0 | 1) => (self.used, self.drain) = (LIMIT, Drain::Running(0)),
            Drain::Running(left) => self.drain = Drain::Running(left - 1),
            Drain::Before | Drain::Over => (),
        }
        let standing = self.standing(now, tight);
        let used = if standing.is_spent() { LIMIT } else { self.before.1 + u64::from(!unchanged) };
        Standing { used, ..standing }
    }
}

impl Standing {
    pub(super) const fn is_spent(self) -> bool {
        self.used >= LIMIT
    }

    pub(super) fn write(self, into: &mut HeaderMap) {
        into.insert(LIMIT_HEADER, LIMIT.into());
        into.insert(REMAINING, LIMIT.saturating_sub(self.used).into());
        into.insert(USED, self.used.into());
        into.insert(RESET, self.reset_s.into());
        into.insert(RESOURCE, HeaderValue::from_static("core"));
    }

    /// `rate-limit-overview`.
    pub(super) fn overview(self) -> String {
        let limits = |limit: u64, used: u64| {
            Object::new()
                .put("limit", limit)
                .put("used", used)
                .put("remaining", limit.saturating_sub(used))
                .put("reset", self.reset_s)
                .end()
        };
        let core = limits(LIMIT, self.used);
        let resources = Object::new().raw("core", &core).raw("search", &limits(30, 0)).end();
        Object::new().raw("resources", &resources).raw("rate", &core).end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_opens_with_its_first_request() {
        let mut budget = Budget::default();
        assert_eq!(budget.charge(Instant::from_s(50), false, false).reset_s, 3_650);
        assert_eq!(budget.charge(Instant::from_s(3_649), false, true).used, 1);
        assert_eq!(budget.charge(Instant::from_s(3_650), false, false).used, 1);
    }

    #[test]
    fn the_drain_leaves_thirty_requests_and_ends_after_eleven_minutes() {
        let mut budget = Budget::default();
        budget.charge(Instant::from_s(0), false, false);
        let at = Instant::from_s(100);
        for _ in 0..29 {
            assert!(!budget.charge(at, true, true).is_spent());
        }
        let spent = budget.charge(at, true, true);
        assert!(spent.is_spent());
        assert_eq!(spent.reset_s, 760);
        assert!(budget.standing(Instant::from_s(759), true).is_spent());
        assert!(!budget.standing(Instant::from_s(760), true).is_spent());
        for _ in 0..99 {
            assert!(!budget.charge(Instant::from_s(761), true, false).is_spent());
        }
    }
}
