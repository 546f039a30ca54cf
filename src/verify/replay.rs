//! Re-performance: every verdict judged again from the rows and policies in the bundle.
use observance_record::{entry::Entry, ledger::Ledger};

use crate::{
    bag::Bag,
    report::{Failure, Replayed},
};

/// Stub.
#[derive(Default)]
pub struct Rejudge;

impl Rejudge {
    pub fn entry(
        &mut self,
        _bag: &Bag<'_>,
        _ledger: &Ledger,
        _entry: &Entry,
        _counts: &mut Replayed,
    ) -> Result<(), Failure> {
        Ok(())
    }
}
