//! Half-open intervals `[from, to)` of instants, and normalised sets of them: what all arithmetic of time rests on.
//!
//! It knows no looks, no states and no time zone; it adds milliseconds, and nothing else.

use serde::{Serialize, Serializer};

use crate::time::Instant;

/// The interval `[from, to)`; empty if both are one instant. It never ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    from: Instant,
    to: Instant,
}

impl Span {
    /// From `from` until just before `to`; empty, at `from`, if `to` is earlier.
    pub fn new(from: Instant, to: Instant) -> Self {
        Self { from, to: to.max(from) }
    }

    /// The first instant that it holds, unless it is empty.
    pub const fn from(self) -> Instant {
        self.from
    }

    /// The first instant after it.
    pub const fn to(self) -> Instant {
        self.to
    }

    /// Its length in milliseconds; never negative.
    pub const fn ms(self) -> i64 {
        self.to.ms_since(self.from)
    }

    /// Does it hold no instant?
    pub fn is_empty(self) -> bool {
        self.from == self.to
    }

    /// Does it hold this instant?
    pub fn contains(self, instant: Instant) -> bool {
        self.from <= instant && instant < self.to
    }

    /// What lies in both; empty if nothing does.
    #[must_use]
    pub fn clip(self, other: Self) -> Self {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.from, self.to).serialize(to)
    }
}

/// A set of instants as intervals: sorted, not empty, neither overlapping nor touching, so that one set is written in
/// one way only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct Set {
    spans: Vec<Span>,
}

impl FromIterator<Span> for Set {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut spans: Vec<Span> = spans.into_iter().filter(|span| !span.is_empty()).collect();
        spans.sort_unstable();
        spans.dedup_by(|next, kept| {
            let joins = next.from <= kept.to;
            if joins {
                kept.to = kept.to.max(next.to);
            }
            joins
        });
        Self { spans }
    }
}

impl From<Span> for Set {
    fn from(span: Span) -> Self {
        Self::from_iter([span])
    }
}

impl Set {
    /// The intervals, in order.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Does it hold no instant?
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How long all intervals are together, in milliseconds.
    pub fn ms(&self) -> i64 {
        self.spans.iter().fold(0, |sum, span| sum.saturating_add(span.ms()))
    }

    /// The shortest interval that holds the set; `None` if it is empty.
    pub fn hull(&self) -> Option<Span> {
        Some(Span::new(self.spans.first()?.from, self.spans.last()?.to))
    }

    /// Does it hold this instant?
    pub fn contains(&self, instant: Instant) -> bool {
        let after = self.spans.partition_point(|span| span.to <= instant);
        self.spans.get(after).is_some_and(|span| span.contains(instant))
    }

    /// What lies in this set or the other.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.spans.iter().chain(&other.spans).copied().collect()
    }

    /// What lies in this set and the other.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.spans.iter().flat_map(|span| other.within(*span)).collect()
    }

    /// What lies in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.spans.iter().flat_map(|span| other.holes(*span)).collect()
    }

    /// What lies in this set and in one interval.
    #[must_use]
    pub fn clip(&self, span: Span) -> Self {
        self.within(span).collect()
    }

    /// Its parts inside an interval, in order; finds the first of them by bisection.
    fn within(&self, span: Span) -> impl Iterator<Item = Span> + '_ {
        let first = self.spans.partition_point(|mine| mine.to <= span.from);
        let inside = self.spans.iter().skip(first).take_while(move |mine| mine.from < span.to);
        inside.map(move |mine| mine.clip(span))
    }

    /// What it leaves of an interval, in order.
    fn holes(&self, span: Span) -> Vec<Span> {
        let (mut holes, mut from) = (Vec::new(), span.from);
        for inside in self.within(span) {
            holes.push(Span::new(from, inside.from));
            from = inside.to;
        }
        holes.push(Span::new(from, span.to));
        holes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn span(from: i64, to: i64) -> Span {
        Span::new(Instant::from_ms(from), Instant::from_ms(to))
    }

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        prop::collection::vec((0_i64..40, 0_i64..12).prop_map(|(from, ms)| span(from, from + ms)), 0..8)
    }

    /// The same set, instant by instant.
    fn points(spans: &[Span]) -> BTreeSet<i64> {
        spans.iter().flat_map(|span| span.from.ms()..span.to.ms()).collect()
    }

    fn is_normal(set: &Set) -> bool {
        set.spans.iter().all(|span| !span.is_empty())
            && set.spans.windows(2).all(|two| two[0].to < two[1].from)
    }

    proptest! {
        #[test]
        fn sets_of_intervals_are_sets_of_instants(a in spans(), b in spans(), window in (0_i64..40, 0_i64..20)) {
            let (x, y) = (points(&a), points(&b));
            let window = span(window.0, window.0 + window.1);
            let (a, b): (Set, Set) = (a.into_iter().collect(), b.into_iter().collect());
            for (made, wanted) in [
                (a.clone(), x.clone()),
                (a.union(&b), &x | &y),
                (a.intersection(&b), &x & &y),
                (a.difference(&b), &x - &y),
                (a.clip(window), &x & &points(&[window])),
            ] {
                prop_assert!(is_normal(&made));
                prop_assert_eq!(points(made.spans()), wanted.clone());
                prop_assert_eq!(usize::try_from(made.ms()), Ok(wanted.len()));
                prop_assert!((0..60).all(|ms| made.contains(Instant::from_ms(ms)) == wanted.contains(&ms)));
                let hull = wanted.first().map(|first| span(*first, wanted.last().unwrap() + 1));
                prop_assert_eq!(made.hull(), hull);
            }
        }
    }

    #[test]
    fn an_interval_never_ends_before_it_begins() {
        assert!(span(5, 3).is_empty());
        assert_eq!(span(5, 3).ms(), 0);
        assert!(span(0, 2).clip(span(4, 6)).is_empty());
        assert_eq!(
            serde_json::to_string(&span(0, 1)).unwrap(),
            "[\"1970-01-01T00:00:00.000Z\",\"1970-01-01T00:00:00.001Z\"]"
        );
    }
}
