//! What a second reading of the same time found of the first, and beyond it.
//!
//! It changes no claim and no row: an event is judged once it is listed, and stays on record when it no longer is.

use observance_record::{
    Instant, Item,
    entry::{Population, Proof},
    interval::Span,
    ledger::{LastRun, Table},
    population::Membership,
    row::Reserved,
    table::{RowBytes, Rows},
};

use super::open;
use crate::collect::why;

/// Two readings of the time that two windows have in common, events only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reread {
    /// Events that the reading before had.
    before: u64,
    /// Of these, those that are still listed.
    again: u64,
    /// Events that it did not have.
    late: u64,
    /// One of the two broke off, and says nothing about what is missing.
    broke: bool,
}

impl Reread {
    /// Compares the rows of a run with those of the run before; `None` if they have no events in common time.
    pub(super) fn of(before: Option<(&LastRun, &Table)>, body: &Population, rows: &Rows) -> Option<Self> {
        let (last, table) = before?;
        let old = last.run.populations.iter().find(|population| population.name == body.name)?;
        let ((from, to), (old_from, old_to)) = (body.window?, old.window?);
        let (from, to) = (from.max(old_from), to.min(old_to));
        let both = (from < to).then(|| Span::new(from, to))?;
        if [old.membership, body.membership].iter().any(|membership| *membership != Membership::Complete) {
            return Some(Self { broke: true, ..Self::default() });
        }
        let mut found = Self::default();
        for (item, row) in table.rows() {
            let lies = at(&row.bytes).is_some_and(|at| both.contains(at));
            found.before += u64::from(lies);
            found.again += u64::from(lies && rows.contains_key(item));
        }
        let new = |item: &Item| !table.rows().contains_key(item);
        let late =
            |(item, row): &(&Item, &RowBytes)| new(item) && at(row).is_some_and(|at| both.contains(at));
        found.late = u64::try_from(rows.iter().filter(late).count()).unwrap_or(u64::MAX);
        (found != Self::default()).then_some(found)
    }

    /// What the record says of it, beside what the list's completeness rests on.
    pub(super) fn proofs(self) -> impl Iterator<Item = Proof> {
        let proof = |kind, stated, counted| Proof { kind: open::code(kind), stated, counted, exchange: None };
        let compared = (!self.broke).then(|| proof("reread", Some(self.before), self.again));
        compared.into_iter().chain((self.late > 0).then(|| proof("reread_late", None, self.late)))
    }

    /// Why an auditor should look.
    pub(super) fn why(self) -> impl Iterator<Item = &'static str> {
        let lost = (self.again < self.before).then_some(why::REREAD_LOST);
        let late = (self.late > 0).then_some(why::REREAD_LATE);
        lost.into_iter().chain(late).chain(self.broke.then_some(why::REREAD_BROKE))
    }
}

fn at(row: &[u8]) -> Option<Instant> {
    Reserved::read(row).ok()?.at
}
