//! What windows said of items: a result speaks about the whole of its window, exactly.
//!
//! Nothing is taken to hold outside a window.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Evidence, Transition};
use crate::{
    digest::Item,
    interval::{Set, Span},
    population::Membership,
    time::Instant,
    verdict::{Code, ItemResult, State},
};

/// All windows that were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Windows {
    /// Windows that were read, well or badly.
    pub(super) read: Set,
    /// Windows that were read whole and had no rows: nothing is unknown in them.
    pub(super) bare: Set,
    pub(super) items: BTreeMap<Item, Vec<Piece>>,
}

/// What is known of one item in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) span: Span,
    /// Absent: not in a population of which something was missing.
    pub(super) result: Option<Arc<ItemResult>>,
    pub(super) seq: u64,
}

impl Piece {
    pub(super) fn state(&self) -> State {
        self.result.as_ref().map_or(State::Unknown, |result| result.state())
    }
}

/// Failed windows of one item that touch.
#[derive(Debug)]
pub(super) struct Stay<'a> {
    pub(super) span: Span,
    pub(super) pieces: Vec<&'a Piece>,
    pub(super) baseline: bool,
}

impl Windows {
    /// A window was read; what was known of it before is superseded.
    pub(super) fn read(
        &mut self,
        (span, seq): (Span, u64),
        membership: Membership,
        results: BTreeMap<Item, Arc<ItemResult>>,
    ) -> Vec<Transition> {
        let whole = membership == Membership::Complete;
        self.read = self.read.union(&Set::from(span));
        if whole && results.is_empty() {
            self.bare = self.bare.union(&Set::from(span));
        }
        for (_, pieces) in self.items.iter_mut().filter(|(item, _)| !results.contains_key(item)) {
            if whole {
                cut(pieces, span);
            } else {
                fill(pieces, span, seq);
            }
        }
        let mut transitions = Vec::new();
        for (item, result) in results {
            let pieces = self.items.entry(item).or_default();
            transitions.extend(transition(item, pieces, span, result.state()));
            cut(pieces, span);
            insert(pieces, Piece { span, result: Some(result), seq });
        }
        self.items.retain(|_, pieces| !pieces.is_empty());
        transitions
    }

    /// The occasions of one item's pieces, in order.
    pub(super) fn stays(pieces: &[Piece]) -> Vec<Stay<'_>> {
        let (mut stays, mut judged): (Vec<Stay<'_>>, _) = (Vec::new(), false);
        for piece in pieces {
            let failed = piece.state() == State::Failed;
            match stays.last_mut() {
                Some(stay) if failed && stay.span.to() == piece.span.from() => {
                    stay.span = Span::new(stay.span.from(), piece.span.to());
                    stay.pieces.push(piece);
                }
                _ if failed => stays.push(Stay { span: piece.span, pieces: vec![piece], baseline: !judged }),
                _ => {}
            }
            judged |= matches!(piece.state(), State::Passed | State::Failed | State::NotDue);
        }
        stays
    }

    /// The time in which something was known of any item, or that there was none.
    pub(super) fn known(&self) -> Set {
        let pieces = self.items.values().flatten().filter(|piece| piece.state() != State::Unknown);
        pieces.map(|piece| piece.span).chain(self.bare.spans().iter().copied()).collect()
    }

    /// The last instant that any window reached.
    pub(super) fn end(&self) -> Option<Instant> {
        self.read.hull().map(Span::to)
    }
}

/// The change that a window with state `to` makes to what was last judged before its end.
fn transition(item: Item, pieces: &[Piece], span: Span, to: State) -> Option<Transition> {
    let before = pieces.iter().rev().filter(|piece| piece.span.from() < span.to());
    let before = before.map(|piece| (piece.state(), piece.span)).find(|(state, _)| match to {
        State::Failed => matches!(state, State::Passed | State::Failed | State::NotDue),
        State::Passed => matches!(state, State::Passed | State::Failed),
        State::Unknown | State::NotApplicable | State::NotDue => false,
    });
    let (from, old) = before.filter(|(from, _)| *from != to)?;
    let observed_from = old.to().min(span.from());
    Some(Transition { item, from, to, observed_from, observed_to: span.to(), evidence: Evidence::Window })
}

/// Takes an interval out.
fn cut(pieces: &mut Vec<Piece>, span: Span) {
    if pieces.last().is_none_or(|last| last.span.to() <= span.from()) {
        return;
    }
    let whole = std::mem::take(pieces);
    for piece in whole {
        for left in Set::from(piece.span).difference(&Set::from(span)).spans() {
            pieces.push(Piece { span: *left, ..piece.clone() });
        }
    }
}

/// Puts "unknown" where nothing is known yet: absence from a part says nothing against what was seen before. Until it
/// was first seen, an item is not in scope, as far as is known.
fn fill(pieces: &mut Vec<Piece>, span: Span, seq: u64) {
    let Some(first) = pieces.first().map(|piece| piece.span.from()) else { return };
    let span = Span::new(span.from().max(first), span.to());
    let known: Set = pieces.iter().map(|piece| piece.span).collect();
    for hole in Set::from(span).difference(&known).spans() {
        insert(pieces, Piece { span: *hole, result: None, seq });
    }
}

/// Adds a piece where there is none, and joins it to the one before if that says the same.
fn insert(pieces: &mut Vec<Piece>, piece: Piece) {
    if piece.span.is_empty() {
        return;
    }
    let place = pieces.partition_point(|other| other.span.from() < piece.span.from());
    let before = place.checked_sub(1).and_then(|i| pieces.get_mut(i));
    match before {
        Some(before) if before.span.to() == piece.span.from() && before.result == piece.result => {
            before.span = Span::new(before.span.from(), piece.span.to());
        }
        _ => pieces.insert(place, piece),
    }
}

/// The codes of some pieces.
pub(super) fn codes(pieces: &[&Piece]) -> BTreeSet<Code> {
    pieces
        .iter()
        .filter_map(|piece| piece.result.as_ref())
        .flat_map(|result| result.codes().clone())
        .collect()
}
