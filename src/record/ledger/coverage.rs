//! How far each stream of a collector was read: what the next run's window begins with follows from it.
//!
//! It judges nothing: what was read badly stays unknown where the record says so, however often it is read again.

use crate::{entry, time::Instant};

/// How far one stream was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Until then it was read whole, and nothing more is expected; at first, where reading began.
    pub whole: Instant,
    /// Until then it was read, well or badly.
    pub read: Instant,
}

impl Coverage {
    /// What is known after one more window, if anything was known before.
    pub(super) fn after(before: Option<Self>, window: &entry::Window) -> Self {
        let Self { whole, read } = before.unwrap_or(Self { whole: window.from, read: window.from });
        // what lies before a window that is final was given up by whoever read it, and stands in the record as it was read
        let whole = if window.is_final { whole.max(window.to) } else { whole };
        Self { whole, read: read.max(window.to) }
    }

    /// Where the next window begins, if what was read badly is tried again for so long.
    pub fn next(self, again_ms: i64) -> Instant {
        self.whole.max(self.read.plus_ms(again_ms.saturating_neg()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: i64, to: i64, is_final: bool) -> entry::Window {
        let (from, to) = (Instant::from_s(from), Instant::from_s(to));
        entry::Window { stream: "changes".to_owned(), from, to, is_final }
    }

    fn next(windows: &[(i64, i64, bool)], again_s: i64) -> i64 {
        let fold = |before, (from, to, is_final): &(i64, i64, bool)| {
            Some(Coverage::after(before, &window(*from, *to, *is_final)))
        };
        windows.iter().fold(None, fold).unwrap().next(again_s * 1000).ms() / 1000
    }

    #[test]
    fn what_was_read_badly_is_read_again_for_a_while() {
        assert_eq!(next(&[(10, 20, true)], 100), 20);
        assert_eq!(next(&[(10, 20, true), (20, 30, false)], 100), 20);
        assert_eq!(next(&[(10, 20, false)], 100), 10, "from where reading began");
        assert_eq!(next(&[(10, 17, true), (17, 20, false)], 100), 17, "its end may still grow");
        assert_eq!(next(&[(10, 20, false), (10, 120, false)], 100), 20, "then it is given up");
        assert_eq!(next(&[(10, 20, false), (10, 120, false), (20, 130, true)], 100), 130);
        assert_eq!(next(&[(10, 30, true), (12, 20, false)], 100), 30, "nothing reaches back");
    }
}
