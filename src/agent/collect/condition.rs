//! The few conditions that a manifest may set on a record: a closed set, no expressions.
//!
//! A condition whose value is not there is neither true nor false; who asks decides which side is the safe one.

use chrono::DateTime;
use observance_record::Instant;

use super::project::{Mark, Path};

/// One condition.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// Which value.
    pub path: Path,
    /// What it must be.
    pub test: Test,
}

/// What a value must be.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// `is: <null, true, false, number or text>`.
    Is(Mark),
    /// `in: window`: an instant in [from, to).
    InWindow,
    /// `before: window.from`.
    BeforeWindow,
}

/// The instants that a run is asked for: [from, to).
pub type Window = (Instant, Instant);

impl Condition {
    /// True, false, or not known: the value is absent or of another kind, or there is no window.
    pub(super) fn holds(&self, mark: &Mark, window: Option<Window>) -> Option<bool> {
        match (&self.test, mark) {
            (_, Mark::Missing | Mark::Compound) => None,
            (Test::Is(wanted), found) => Some(wanted == found),
            // an event that has no instant has not happened
            (Test::InWindow | Test::BeforeWindow, Mark::Null) => Some(false),
            (Test::InWindow, found) => {
                let (at, (from, to)) = (instant(found)?, window?);
                Some(from <= at && at < to)
            }
            (Test::BeforeWindow, found) => Some(instant(found)? < window?.0),
        }
    }
}

/// A number from here on is milliseconds since 1970 (from March 1973): as seconds it would lie beyond the year 5000.
const EPOCH_MS_MIN: i64 = 100_000_000_000;

/// The instant that a source wrote as RFC 3339 text, cut to the millisecond, or as a whole number of milliseconds since 1970.
pub(super) fn instant(mark: &Mark) -> Option<Instant> {
    match mark {
        Mark::Text(text) => {
            DateTime::parse_from_rfc3339(text).ok().map(|at| Instant::from_ms(at.timestamp_millis()))
        }
        Mark::Number(ms) => {
            ms.parse().ok().filter(|ms| (EPOCH_MS_MIN..1 << 50).contains(ms)).map(Instant::from_ms)
        }
        Mark::Missing | Mark::Null | Mark::Bool(_) | Mark::Compound => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(test: Test, mark: &Mark) -> Option<bool> {
        let window = Some((Instant::from_s(100), Instant::from_s(200)));
        Condition { path: Path::read("a").unwrap(), test }.holds(mark, window)
    }

    fn text(text: &str) -> Mark {
        Mark::Text(text.into())
    }

    #[test]
    fn windows_are_half_open() {
        assert_eq!(holds(Test::InWindow, &text("1970-01-01T00:01:40Z")), Some(true));
        assert_eq!(holds(Test::InWindow, &text("1970-01-01T01:03:20+01:00")), Some(false));
        assert_eq!(holds(Test::BeforeWindow, &text("1970-01-01T00:01:39.999Z")), Some(true));
        assert_eq!(holds(Test::BeforeWindow, &text("1970-01-01T00:01:40Z")), Some(false));
        assert_eq!(holds(Test::InWindow, &Mark::Null), Some(false));
    }

    #[test]
    fn a_number_is_milliseconds_or_nothing() {
        let number = |text: &str| instant(&Mark::Number(text.into()));
        assert_eq!(number("1773144000000"), Some(Instant::from_s(1_773_144_000)));
        for other in ["1773144000", "1773144000000.5", "-1773144000000", "99999999999999999999", "1e12"] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_false() {
        assert_eq!(holds(Test::Is(Mark::Bool(false)), &Mark::Missing), None);
        assert_eq!(holds(Test::InWindow, &text("yesterday")), None);
        assert_eq!(holds(Test::Is(Mark::Bool(false)), &Mark::Bool(false)), Some(true));
        assert_eq!(holds(Test::Is(Mark::Null), &Mark::Null), Some(true));
    }
}
