//! The answer to "how did this policy operate in this period, as far as the record knows?": counts and deviations.
//!
//! It draws no conclusion and gives no score.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use super::{
    Effect, Evidence,
    events::Judged,
    looks::Sees,
    trail::{Occasion, Question, Reading},
    windows::{self, Piece, Stay, Windows},
};
use crate::{
    digest::Item,
    interval::{Set, Span},
    time::Instant,
    verdict::{Code, State},
};

/// How one policy operated in one period. Items and events are each in exactly one of `met`, `deviated_items`,
/// `edge_items`, `unknown_items`, `not_due` and `not_applicable`, which add up to `items_n`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PolicyPeriod {
    /// What the policy's evidence speaks about; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Items that were in scope at any time of the period, or events that happened in it.
    pub items_n: u64,
    /// Seen passed, and in no deviation.
    pub met: u64,
    /// In at least one deviation that was seen, or is taken to have held, in the period.
    pub deviated_items: u64,
    /// In no such deviation, but in one that may have reached over the period's edge, between two looks.
    pub edge_items: u64,
    /// Deviations that `deviated_items` had; failed events.
    pub occasions: u64,
    /// Never seen passed or failed, and unknown at least once.
    pub unknown_items: u64,
    /// The obligation's limit has not run out, and nothing more was seen.
    pub not_due: u64,
    /// The policy did not speak about it, and nothing more was seen.
    pub not_applicable: u64,
    /// Time in which somebody looked and every living item was unknown.
    pub part_unknown_ms: i64,
    /// Time in which nobody looked: before the first look, and beyond `max_gap` after any.
    pub gap_ms: i64,
    /// Slots in the period that no run answered.
    pub gap_slots: u64,
    /// By their earliest begin, then by item; clipped to the period.
    pub deviations: Vec<Deviation>,
    /// Failed and unknown events, by instant, then by item.
    pub events: Vec<EventSeen>,
}

/// An interval in which an item failed, clipped to the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deviation {
    /// The item.
    pub item: Item,
    /// When it failed for certain: from the first look that saw it to the last, without what lies beyond `max_gap`
    /// after a look. Usually one interval; empty if one look only saw it.
    pub least: Set,
    /// When it may have failed: from the last look that did not see it to the first that no longer did.
    pub most: Span,
    /// Length of `least`.
    pub least_ms: i64,
    /// Length of `most`.
    pub most_ms: i64,
    /// Looks (for windows: stored results) of the period that saw it failed. None, and `least` empty: it lies over
    /// the period's edge, and counts as `edge_items` only.
    pub sights: u64,
    /// It was so at first sight, and is not drift.
    pub baseline: bool,
    /// No look before the period's end saw it ended.
    pub open: bool,
    /// All reasons that were given while it lasted.
    pub codes: BTreeSet<Code>,
    /// How its begin and its end are known.
    pub known: Bounds,
    /// The entry whose verdict saw it first.
    pub opened_seq: u64,
    /// The entry whose verdict no longer saw it, in the period or after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_seq: Option<u64>,
}

impl Deviation {
    /// Was it seen, or is it taken to have held, in the period? Otherwise it only may have reached into it.
    pub fn is_certain(&self) -> bool {
        self.sights > 0 || !self.least.is_empty()
    }
}

/// How the two ends of a deviation are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Its begin.
    pub begin: Known,
    /// Its end; as long as it is open, what is known of that.
    pub end: Known,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.begin, self.end) {
            (Known::Exact, Known::Exact) => write!(f, "{}", Known::Exact),
            (begin, end) if begin == end => write!(f, "{begin} at both ends"),
            (begin, end) => write!(f, "{begin} at its begin, {end} at its end"),
        }
    }
}

/// How one end of a deviation is known (formats section 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It lies between two looks, and the later was made because the source said that something changed.
    ChangeFeed,
    /// It lies between two looks.
    Bracketed,
    /// Only one look bounds it: there was none before, or none after.
    SingleLook,
    /// Its windows say so exactly.
    Exact,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChangeFeed => "a change event",
            Self::Bracketed => "two looks",
            Self::SingleLook => "one look",
            Self::Exact => "its windows, exactly",
        })
    }
}

/// An event that failed or is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventSeen {
    /// The event.
    pub item: Item,
    /// When it happened.
    pub at: Instant,
    /// The item that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Item>,
    /// Failed or unknown.
    pub state: State,
    /// Why.
    pub codes: BTreeSet<Code>,
    /// The entry whose verdict said so last.
    pub seq: u64,
}

impl Effect {
    /// How the policy operated in `[from, to)`, as known after everything that was fed; `now` is when that was.
    /// Deviations that nothing has ended reach until `now` at most, and time after `now` is neither gap nor unknown.
    pub fn period(&self, from: Instant, to: Instant, now: Instant) -> PolicyPeriod {
        let period = Span::new(from, to);
        let mut out = PolicyPeriod { evidence: self.evidence(), ..PolicyPeriod::default() };
        let (looked, known) = match out.evidence {
            Some(Evidence::Window | Evidence::Event) => {
                self.windows_of(period, &mut out);
                self.events_of(period, &mut out);
                (self.windows.read.clone(), self.windows.known())
            }
            Some(Evidence::Look) | None => self.looks_of(period, now, &mut out),
        };
        let past = Set::from(Span::new(from, to.min(now)));
        out.part_unknown_ms = past.intersection(&looked.difference(&known)).ms();
        out.gap_ms = past.difference(&looked.union(&known)).ms();
        let slots = self.gaps.partition_point(|due| *due < to);
        let slots = slots.saturating_sub(self.gaps.partition_point(|due| *due < from));
        out.gap_slots = u64::try_from(slots).unwrap_or(u64::MAX);
        out.deviations.sort_by_key(|deviation| (deviation.most.from(), deviation.item));
        out
    }

    /// Counts items by looks; gives the time in which somebody looked, and in which something was known.
    fn looks_of(&self, period: Span, now: Instant, out: &mut PolicyPeriod) -> (Set, Set) {
        let looks = &self.looks;
        let cover = looks.cover(Sees::any, Sees::any);
        let range = (looks.index_at(period.from()), looks.index_at(period.to()));
        let question = Question { looks, cover: &cover, prompted: &self.prompted, period, range, now };
        let (mut hulls, mut tails) = (Vec::new(), Vec::new());
        for (item, trail) in &self.trails {
            let said = question.ask(trail);
            hulls.extend(&said.hulls);
            tails.extend(&said.tails);
            out.count(*item, &question, said);
        }
        let none_there = looks.cover(Sees::any, |sees| sees == Sees::WholeAndEmpty);
        let known = cover.intersection(&hulls.into_iter().collect());
        let known = known.union(&tails.into_iter().collect()).union(&none_there);
        (looks.cover(|_| true, |_| true), known)
    }

    fn windows_of(&self, period: Span, out: &mut PolicyPeriod) {
        for (item, pieces) in &self.windows.items {
            let states: BTreeSet<State> =
                pieces.iter().filter(|piece| !piece.span.clip(period).is_empty()).map(Piece::state).collect();
            if states.is_empty() {
                continue;
            }
            let stays = Windows::stays(pieces);
            let stays = stays.iter().filter(|stay| !stay.span.clip(period).is_empty());
            let end = self.windows.end().unwrap_or(period.to());
            let deviations: Vec<_> = stays.map(|stay| of_stay(*item, stay, period, end)).collect();
            out.class(&states, deviations);
        }
    }

    fn events_of(&self, period: Span, out: &mut PolicyPeriod) {
        for judged in self.events.within(period) {
            out.event(judged);
        }
    }
}

impl PolicyPeriod {
    fn count(&mut self, item: Item, question: &Question<'_>, said: Reading) {
        let occasions = said.occasions.into_iter();
        let deviations: Vec<_> =
            occasions.filter_map(|occasion| of_occasion(item, occasion, question)).collect();
        if said.lived || !deviations.is_empty() {
            self.class(&said.states, deviations);
        }
    }

    fn class(&mut self, states: &BTreeSet<State>, deviations: Vec<Deviation>) {
        let certain = deviations.iter().filter(|deviation| deviation.is_certain()).count();
        let class = if certain > 0 {
            self.occasions = self.occasions.saturating_add(u64::try_from(certain).unwrap_or(u64::MAX));
            &mut self.deviated_items
        } else if !deviations.is_empty() {
            &mut self.edge_items
        } else if states.contains(&State::Passed) {
            &mut self.met
        } else if states.is_empty() || states.contains(&State::Unknown) {
            &mut self.unknown_items
        } else if states.contains(&State::NotDue) {
            &mut self.not_due
        } else {
            &mut self.not_applicable
        };
        *class = class.saturating_add(1);
        self.items_n = self.items_n.saturating_add(1);
        self.deviations.extend(deviations);
    }

    fn event(&mut self, judged: &Judged) {
        let (event, result) = (judged.event, &judged.result);
        let class = match result.state() {
            State::Passed => &mut self.met,
            State::Failed => &mut self.deviated_items,
            State::Unknown => &mut self.unknown_items,
            State::NotApplicable => &mut self.not_applicable,
            State::NotDue => &mut self.not_due,
        };
        *class = class.saturating_add(1);
        self.items_n = self.items_n.saturating_add(1);
        if result.state() == State::Failed {
            self.occasions = self.occasions.saturating_add(1);
        }
        if matches!(result.state(), State::Failed | State::Unknown) {
            let (state, codes) = (result.state(), result.codes().clone());
            let seen =
                EventSeen { item: event.item, at: event.at, of: event.of, state, codes, seq: judged.seq };
            self.events.push(seen);
        }
    }
}

/// A deviation as the period sees it; `None` if it lies outside.
fn of_occasion(item: Item, occasion: Occasion, question: &Question<'_>) -> Option<Deviation> {
    let period = question.period;
    let least = occasion.held(question.cover, period);
    let last = occasion.last?;
    let most = Span::new(occasion.after?, occasion.before.unwrap_or(question.now.max(last))).clip(period);
    let open = occasion.before.is_none_or(|before| before >= period.to());
    let between =
        |seq: u64| if question.prompted.contains(&seq) { Known::ChangeFeed } else { Known::Bracketed };
    let is_bounded = occasion.after < occasion.first;
    let begin = if is_bounded { between(occasion.opened) } else { Known::SingleLook };
    let end = occasion.closed.filter(|_| !open).map_or(Known::SingleLook, between);
    let deviation = Deviation {
        item,
        least_ms: least.ms(),
        most_ms: most.ms(),
        least,
        most,
        sights: u64::from(occasion.sights_in),
        baseline: occasion.baseline,
        open,
        known: Bounds { begin, end },
        codes: occasion.codes,
        opened_seq: occasion.opened,
        closed_seq: occasion.closed,
    };
    (deviation.is_certain() || !most.is_empty()).then_some(deviation)
}

fn of_stay(item: Item, stay: &Stay<'_>, period: Span, end: Instant) -> Deviation {
    let most = stay.span.clip(period);
    let sights = stay.pieces.iter().filter(|piece| !piece.span.clip(period).is_empty()).count();
    Deviation {
        item,
        least: Set::from(most),
        most,
        least_ms: most.ms(),
        most_ms: most.ms(),
        sights: u64::try_from(sights).unwrap_or(u64::MAX),
        baseline: stay.baseline,
        open: stay.span.to() >= period.to().min(end),
        codes: windows::codes(&stay.pieces),
        known: Bounds { begin: Known::Exact, end: Known::Exact },
        opened_seq: stay.pieces.first().map_or(0, |piece| piece.seq),
        closed_seq: None,
    }
}
