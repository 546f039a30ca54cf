//! What the looks of one policy saw of one item: a segment for every change, none for what stayed.
//!
//! It knows one item at a time; what items come to together is counted in `period`.

use std::{collections::BTreeSet, sync::Arc};

use super::{Evidence, Transition, looks::Looks};
use crate::{
    digest::Item,
    interval::{Set, Span},
    time::Instant,
    verdict::{Code, ItemResult, State},
};

/// What a look saw of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// It was in the population, with this result.
    Listed(Arc<ItemResult>),
    /// It was not in a population of which something was missing, which says nothing.
    Unlisted,
    /// It was not in a population that was whole: it left the scope.
    Gone,
}

impl Sight {
    /// The state that it stands for; none once the item is gone.
    pub(super) fn state(&self) -> Option<State> {
        match self {
            Self::Listed(result) => Some(result.state()),
            Self::Unlisted => Some(State::Unknown),
            Self::Gone => None,
        }
    }
}

/// From this look on, until the next segment; blind looks in between are evidence of nothing.
#[derive(Debug, Clone)]
struct Segment {
    look: u32,
    seq: u64,
    sight: Sight,
}

/// The history of one item.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail {
    segments: Vec<Segment>,
    /// The last look that was told of this item.
    pub(super) told: u32,
}

/// A segment with its instants.
#[derive(Debug, Clone, Copy)]
struct Stretch<'a> {
    sight: &'a Sight,
    seq: u64,
    /// Looks `[from, to)`.
    looks: (u32, u32),
    /// Its first and last look that saw anything.
    first: Instant,
    last: Instant,
    max_gap_ms: i64,
}

impl Trail {
    /// Adds what look `look` saw, if it differs, and says whether that is drift.
    pub(super) fn see(
        &mut self,
        (item, looks): (Item, &Looks),
        (look, seq): (u32, u64),
        sight: Sight,
    ) -> Option<Transition> {
        if self.segments.last().is_some_and(|segment| segment.sight == sight) {
            return None;
        }
        let to = sight.state();
        let before = to.and_then(|to| self.state_before(to, look, looks));
        self.segments.push(Segment { look, seq, sight });
        let ((from, observed_from), to) = (before?, to?);
        let observed_to = looks.at(look)?;
        Some(Transition { item, from, to, observed_from, observed_to, evidence: Evidence::Look })
    }

    /// Is the item out of scope, as far as is known?
    pub(super) fn is_gone(&self) -> bool {
        self.segments.last().is_some_and(|segment| segment.sight == Sight::Gone)
    }

    /// The state from which a change to `to` would be drift, and the last look that saw it.
    fn state_before(&self, to: State, look: u32, looks: &Looks) -> Option<(State, Instant)> {
        let mut until = look;
        for segment in self.segments.iter().rev() {
            let state = segment.sight.state();
            let drift = match (state, to) {
                (Some(State::Passed | State::NotDue), State::Failed)
                | (Some(State::Failed), State::Passed) => true,
                (Some(State::Failed), State::Failed) | (Some(State::Passed), State::Passed) => return None,
                _ => false,
            };
            if let Some(state) = state.filter(|_| drift) {
                return Some((state, looks.seen_before(until)?.0));
            }
            until = segment.look;
        }
        None
    }

    fn stretches<'a>(&'a self, looks: &'a Looks) -> impl Iterator<Item = Stretch<'a>> {
        let ends = self.segments.iter().skip(1).map(|next| next.look).chain([looks.len()]);
        self.segments.iter().zip(ends).filter_map(|(segment, end)| {
            let (last, max_gap_ms) = looks.seen_before(end)?;
            let first = looks.at(segment.look)?;
            let Segment { look, seq, sight } = segment;
            Some(Stretch { sight, seq: *seq, looks: (*look, end), first, last, max_gap_ms })
        })
    }
}

/// What is asked of every trail alike.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) looks: &'a Looks,
    /// The time for which looks that saw anything are good.
    pub(super) cover: &'a Set,
    /// Verdicts on looks that a change event brought.
    pub(super) prompted: &'a BTreeSet<u64>,
    pub(super) period: Span,
    /// The looks of the period, `[from, to)`.
    pub(super) range: (u32, u32),
    pub(super) now: Instant,
}

/// What a trail answers.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Was the item in scope at any time of the period?
    pub(super) lived: bool,
    /// The states that were seen, or taken to hold, in the period.
    pub(super) states: BTreeSet<State>,
    pub(super) occasions: Vec<Occasion>,
    /// Time between the first and the last look of each state, of which [`Question::cover`] is known.
    pub(super) hulls: Vec<Span>,
    /// Time after such a last look for which it is good.
    pub(super) tails: Vec<Span>,
}

/// A deviation, not clipped to any period.
#[derive(Debug, Default)]
pub(super) struct Occasion {
    /// The last look that did not see it yet, and the first that no longer saw it.
    pub(super) after: Option<Instant>,
    pub(super) before: Option<Instant>,
    /// The first and the last look that saw it.
    pub(super) first: Option<Instant>,
    pub(super) last: Option<Instant>,
    pub(super) hulls: Vec<Span>,
    pub(super) bridges: Vec<Span>,
    pub(super) codes: BTreeSet<Code>,
    /// Looks of the period that saw it.
    pub(super) sights_in: u32,
    pub(super) baseline: bool,
    pub(super) opened: u64,
    pub(super) closed: Option<u64>,
}

impl Occasion {
    /// The time in which the item failed for certain, as far as looks can say.
    pub(super) fn held(&self, cover: &Set, period: Span) -> Set {
        let hulls = self.hulls.iter().flat_map(|hull| cover.clip(*hull).spans().to_vec());
        hulls.chain(self.bridges.iter().copied()).map(|span| span.clip(period)).collect()
    }
}

/// Walks one trail from its first segment to its last.
#[derive(Default)]
struct Walk {
    /// When the item came into scope, at the earliest, and was first seen there; none while it is out of scope.
    life: Option<(Instant, Instant)>,
    /// The last evidence of this life: its state, its last look, and how long that is good for.
    evidence: Option<(State, Instant, i64)>,
    /// The last look of this life that saw another state than failed.
    not_failed: Option<Instant>,
    /// Was it ever passed, failed or not due?
    judged: bool,
    open: Option<Occasion>,
    said: Reading,
}

impl Question<'_> {
    /// What one trail says of the period.
    pub(super) fn ask(&self, trail: &Trail) -> Reading {
        let mut walk = Walk::default();
        for stretch in trail.stretches(self.looks) {
            match stretch.sight.state() {
                Some(state) => walk.state(self, &stretch, state),
                None => walk.gone(self, &stretch),
            }
        }
        walk.end(self)
    }

    /// How many of a stretch's looks lie in the period.
    fn sights(&self, stretch: &Stretch<'_>) -> u32 {
        let ((a, b), (from, to)) = (stretch.looks, self.range);
        self.looks.seen_n(a.max(from), b.min(to).max(a.max(from)))
    }

    fn touches(&self, span: Span) -> bool {
        !span.clip(self.period).is_empty()
    }
}

impl Walk {
    fn state(&mut self, question: &Question<'_>, stretch: &Stretch<'_>, state: State) {
        if self.life.is_none() {
            let earliest = question.looks.whole_before(stretch.looks.0).unwrap_or(stretch.first);
            self.life = Some((earliest, stretch.first));
        }
        let sights = question.sights(stretch);
        if sights > 0 {
            self.said.states.insert(state);
        }
        if state == State::Unknown {
            return;
        }
        let bridge = self.bridge(question, stretch.first, Some(state));
        let hull = Span::new(stretch.first, stretch.last);
        if question.touches(hull) && !question.cover.clip(hull.clip(question.period)).is_empty() {
            self.said.states.insert(state);
        }
        self.said.hulls.push(hull);
        if state == State::Failed {
            self.fail(stretch, (bridge, hull), sights);
        } else {
            self.close(stretch);
            self.not_failed = Some(stretch.last);
        }
        self.judged |= state != State::NotApplicable;
        self.evidence = Some((state, stretch.last, stretch.max_gap_ms));
    }

    /// The time from the last evidence until `next` for which that evidence is good. It is known in any case; if the
    /// next evidence is of the same state, that state is taken to have held.
    fn bridge(&mut self, question: &Question<'_>, next: Instant, state: Option<State>) -> Option<Span> {
        let (before, last, max_gap_ms) = self.evidence?;
        let good = Span::new(last, last.plus_ms(max_gap_ms).min(next));
        self.said.tails.push(good);
        let held = state == Some(before);
        if held && question.touches(good) {
            self.said.states.insert(before);
        }
        held.then_some(good)
    }

    fn fail(&mut self, stretch: &Stretch<'_>, (bridge, hull): (Option<Span>, Span), sights_in: u32) {
        let opens = Occasion {
            after: self.not_failed.or(self.life.map(|(earliest, _)| earliest)),
            first: Some(stretch.first),
            baseline: !self.judged,
            opened: stretch.seq,
            ..Occasion::default()
        };
        let open = self.open.get_or_insert(opens);
        open.last = Some(stretch.last);
        open.hulls.push(hull);
        open.bridges.extend(bridge);
        open.sights_in = open.sights_in.saturating_add(sights_in);
        if let Sight::Listed(result) = stretch.sight {
            open.codes.extend(result.codes().iter().cloned());
        }
    }

    fn close(&mut self, stretch: &Stretch<'_>) {
        if let Some(mut open) = self.open.take() {
            (open.before, open.closed) = (Some(stretch.first), Some(stretch.seq));
            self.said.occasions.push(open);
        }
    }

    fn gone(&mut self, question: &Question<'_>, stretch: &Stretch<'_>) {
        self.bridge(question, stretch.first, None);
        self.close(stretch);
        if let Some((_, born)) = self.life.take() {
            let last = question.looks.seen_before(stretch.looks.0).map_or(born, |(at, _)| at);
            self.live(question, born, last);
        }
        (self.evidence, self.not_failed) = (None, None);
    }

    /// An item lives from its first to its last observation in scope, both included.
    fn live(&mut self, question: &Question<'_>, born: Instant, last: Instant) {
        self.said.lived |= born < question.period.to() && last >= question.period.from();
    }

    fn end(mut self, question: &Question<'_>) -> Reading {
        if let Some((_, born)) = self.life {
            // nothing has shown it gone, so it stays in the denominator, seen or not
            let newest = question.looks.seen_before(question.looks.len()).map_or(born, |(at, _)| at);
            self.live(question, born, question.now.max(newest));
        }
        if let Some((_, last, max_gap_ms)) = self.evidence {
            self.said.tails.push(Span::new(last, last.plus_ms(max_gap_ms)));
        }
        self.said.occasions.extend(self.open.take());
        self.said
    }
}
