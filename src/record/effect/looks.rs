//! The instants at which one policy's population was looked at, compressed into runs of equal steps.
//!
//! It holds no item: items refer to looks by their index, and share this one list.

use crate::{
    interval::{Set, Span},
    population::Membership,
    time::Instant,
};

/// What a look could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sees {
    /// Nothing: the run failed, or had no such population.
    Nothing,
    /// Some of the population, and nobody knows how much is missing.
    Part,
    /// All of the population.
    Whole,
    /// All of the population, and there was not a single item in it.
    WholeAndEmpty,
}

impl Sees {
    pub(super) const fn new(membership: Membership, rows: bool) -> Self {
        match (membership, rows) {
            (Membership::Complete, true) => Self::Whole,
            (Membership::Complete, false) => Self::WholeAndEmpty,
            (Membership::Partial | Membership::Unknown, _) => Self::Part,
        }
    }

    /// Was anything seen?
    pub(super) const fn any(self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Does absence mean anything?
    pub(super) const fn whole(self) -> bool {
        matches!(self, Self::Whole | Self::WholeAndEmpty)
    }
}

/// Looks at equal distances that could see alike.
#[derive(Debug, Clone)]
struct Run {
    /// Index of its first look.
    index: u32,
    /// Looks before it that saw anything.
    seen_before: u32,
    first: Instant,
    step_ms: i64,
    count: u32,
    sees: Sees,
    max_gap_ms: i64,
}

impl Run {
    /// The look `n` places after the first.
    fn at(&self, n: u32) -> Instant {
        self.first.plus_ms(self.step_ms.saturating_mul(i64::from(n)))
    }

    fn last(&self) -> Instant {
        self.at(self.count.saturating_sub(1))
    }

    /// Looks among the first `n` that saw anything.
    const fn seen(&self, n: u32) -> u32 {
        if self.sees.any() { n } else { 0 }
    }

    /// Would a look at `at` lengthen this run?
    fn takes(&self, at: Instant, sees: Sees, max_gap_ms: i64) -> bool {
        (self.sees, self.max_gap_ms) == (sees, max_gap_ms)
            && (self.count == 1 || at.ms_since(self.last()) == self.step_ms)
    }

    /// How many of its looks are before `instant`.
    fn before(&self, instant: Instant) -> u32 {
        let ms = instant.ms_since(self.first);
        if ms <= 0 {
            return 0;
        }
        let whole = ms.saturating_sub(1).checked_div(self.step_ms).map_or(i64::MAX, |n| n.saturating_add(1));
        u32::try_from(whole).unwrap_or(u32::MAX).min(self.count)
    }

    /// How long its looks, but for the last, are good for.
    fn hold(&self, to: &mut Vec<Span>) {
        if self.step_ms <= self.max_gap_ms {
            to.push(Span::new(self.first, self.last()));
            return;
        }
        for n in 0..self.count.saturating_sub(1) {
            to.push(Span::new(self.at(n), self.at(n).plus_ms(self.max_gap_ms)));
        }
    }
}

/// All looks, in log order; their instants never decrease.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks {
    runs: Vec<Run>,
}

impl Looks {
    /// Adds a look and gives its index. A look that claims to be earlier than the one before is put at the same
    /// instant, as the log does with its own `t`: a clock set back must not reorder what was seen.
    pub(super) fn push(&mut self, at: Instant, sees: Sees, max_gap_ms: i64) -> u32 {
        let (index, max_gap_ms) = (self.len(), max_gap_ms.max(0));
        let at = self.runs.last().map_or(at, |run| at.max(run.last()));
        match self.runs.last_mut() {
            Some(run) if run.takes(at, sees, max_gap_ms) => {
                run.step_ms = at.ms_since(run.last());
                run.count = run.count.saturating_add(1);
            }
            before => {
                let seen_before = before.map_or(0, |run| run.seen_before.saturating_add(run.seen(run.count)));
                let (first, step_ms, count) = (at, 0, 1);
                self.runs.push(Run { index, seen_before, first, step_ms, count, sees, max_gap_ms });
            }
        }
        index
    }

    /// How many looks there are.
    pub(super) fn len(&self) -> u32 {
        self.runs.last().map_or(0, |run| run.index.saturating_add(run.count))
    }

    /// What the newest look that saw anything saw, and its `max_gap_ms`.
    pub(super) fn newest_seen(&self) -> Option<(Sees, i64)> {
        self.runs.iter().rev().find(|run| run.sees.any()).map(|run| (run.sees, run.max_gap_ms))
    }

    /// The instant of a look.
    pub(super) fn at(&self, index: u32) -> Option<Instant> {
        let run = self.run_of(index)?;
        Some(run.at(index.saturating_sub(run.index)))
    }

    /// The last look before `index` that saw anything: its instant and its `max_gap_ms`.
    pub(super) fn seen_before(&self, index: u32) -> Option<(Instant, i64)> {
        self.last_before(index, Sees::any)
    }

    /// The instant of the last look before `index` that saw the whole population.
    pub(super) fn whole_before(&self, index: u32) -> Option<Instant> {
        self.last_before(index, Sees::whole).map(|(at, _)| at)
    }

    /// How many of the looks `[from, to)` saw anything.
    pub(super) fn seen_n(&self, from: u32, to: u32) -> u32 {
        self.rank(to).saturating_sub(self.rank(from))
    }

    /// Index of the first look at or after `instant`.
    pub(super) fn index_at(&self, instant: Instant) -> u32 {
        let after = self.runs.partition_point(|run| run.first < instant);
        let run = after.checked_sub(1).and_then(|i| self.runs.get(i));
        run.map_or(0, |run| run.index.saturating_add(run.before(instant)))
    }

    /// The time for which looks that are `wanted` are good: each until the next look that `counts`, and for its
    /// `max_gap_ms` at most.
    pub(super) fn cover(&self, counts: fn(Sees) -> bool, wanted: fn(Sees) -> bool) -> Set {
        let mut spans = Vec::new();
        let mut runs = self.runs.iter().filter(|run| counts(run.sees)).peekable();
        while let Some(run) = runs.next() {
            if !wanted(run.sees) {
                continue;
            }
            run.hold(&mut spans);
            let end = run.last().plus_ms(run.max_gap_ms);
            spans.push(Span::new(run.last(), runs.peek().map_or(end, |next| end.min(next.first))));
        }
        spans.into_iter().collect()
    }

    fn run_of(&self, index: u32) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.index <= index);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (index.saturating_sub(run.index) < run.count).then_some(run)
    }

    fn last_before(&self, index: u32, wanted: fn(Sees) -> bool) -> Option<(Instant, i64)> {
        let after = self.runs.partition_point(|run| run.index < index);
        let run = self.runs.iter().take(after).rev().find(|run| wanted(run.sees))?;
        let n = index.saturating_sub(run.index).min(run.count).saturating_sub(1);
        Some((run.at(n), run.max_gap_ms))
    }

    fn rank(&self, index: u32) -> u32 {
        let after = self.runs.partition_point(|run| run.index < index);
        let run = after.checked_sub(1).and_then(|i| self.runs.get(i));
        run.map_or(0, |run| {
            run.seen_before.saturating_add(run.seen(index.saturating_sub(run.index).min(run.count)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_year_of_hourly_looks_is_one_run() {
        let mut looks = Looks::default();
        for hour in 0..4343_u32 {
            assert_eq!(looks.push(Instant::from_s(i64::from(hour) * 3600), Sees::Whole, 5_400_000), hour);
        }
        assert_eq!(looks.runs.len(), 1);
        assert_eq!(looks.at(4342), Some(Instant::from_s(4342 * 3600)));
        assert_eq!(looks.at(4343), None);
        assert_eq!(looks.index_at(Instant::from_s(3600)), 1);
        assert_eq!(looks.index_at(Instant::from_ms(3_600_001)), 2);
        assert_eq!(looks.cover(Sees::any, Sees::any).ms(), 4342 * 3_600_000 + 5_400_000);
    }

    #[test]
    fn a_clock_set_back_reorders_nothing() {
        let mut looks = Looks::default();
        for s in [10, 5, 12] {
            looks.push(Instant::from_s(s), Sees::Whole, 1000);
        }
        let at: Vec<_> = (0..3).filter_map(|i| looks.at(i)).map(Instant::s).collect();
        assert_eq!(at, [10, 10, 12]);
    }
}
