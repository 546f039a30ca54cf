//! That a bundle was handed out, written into the log by whoever made it: the auditor sees how many there are.
//!
//! It makes no bundle. Its writer begins and ends with this one entry, beside an agent that may be running.

use observance_record::{
    Digest,
    entry::{Export, Stop},
};

use super::{Journal, RunError, batch::By, fold::Beside, open, setup::Setup};
use crate::{
    chance::Chance,
    clock::Clock,
    store::{HeadFile, Store},
};

/// A bundle that is about to be handed out.
#[derive(Debug, Clone)]
pub struct Handed {
    /// SHA-256 of its tag manifest.
    pub digest: Digest,
    /// Size of its closing checkpoint.
    pub to: u64,
    /// The period that it was made for, if it was made for one.
    pub period: Option<String>,
}

/// Records the export; gives its number among the exports of the same period.
pub async fn export(
    setup: &Setup,
    store: &Store,
    memory: Option<HeadFile>,
    (clock, chance): (Clock, Chance),
    handed: Handed,
) -> Result<u64, RunError> {
    let mut nobody = |_, _: &_, _: &[_]| {};
    let mut away =
        |error: &_| tracing::warn!(error = error as &dyn std::error::Error, "the store does not answer");
    let mut journal = Journal::open(setup, store, memory, (clock, chance.clone()), &mut nobody).await?;
    loop {
        let ledger = journal.ledger();
        let number = ledger.exports().iter().filter(|export| export.period == handed.period).count() + 1;
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let Handed { digest, to, period } = handed.clone();
        let mut batch = journal.batch(By::Here(0));
        batch.push(open::start(setup, &journal, &chance, ledger.config().map(|(seq, _)| seq))?);
        batch.push(Export { digest, from: 0, to, period, number, recipient: None });
        batch.push(Stop { reason: open::code("asked"), clean: true });
        if journal.commit(&batch, (Vec::new(), Beside::default()), &mut nobody, &mut away).await?.is_some() {
            return Ok(number);
        }
    }
}
