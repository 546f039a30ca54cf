//! That a bundle was handed out, written into the log by whoever made it: the auditor sees how many there are.
//!
//! It makes no bundle. Its writer begins and ends with this one entry, beside an agent that may be running.

use observance_record::{
    Digest,
    entry::{self, Export, Stop},
};

use super::{
    Journal, RunError,
    batch::{Batch, By},
    open,
    setup::Setup,
};
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
    let remembers = memory.is_some();
    let mut nobody = |_, _: &_, _: &[_]| {};
    let mut journal = Journal::open(setup, store, memory, (clock, chance.clone()), &mut nobody).await?;
    let ledger = journal.ledger();
    let memory = if remembers { ledger.size().to_string() } else { "none".to_owned() };
    let number = ledger.exports().iter().filter(|export| export.period == handed.period).count() + 1;
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    let Handed { digest, to, period } = handed;
    let export = Export { digest, from: 0, to, period, number, recipient: None };
    let mut batch = Batch::new(journal.now(), By::Here(0));
    let start = open::start(setup, &memory, &chance, ledger.config().map(|(seq, _)| seq))?;
    batch.push(entry::Start { clock: journal.held(), ..start });
    batch.push(export);
    if ledger.stopped() {
        // the agent had ended in order before, and that is still so
        batch.push(Stop { reason: open::code("asked"), clean: true });
    }
    let mut away =
        |error: &_| tracing::warn!(error = error as &dyn std::error::Error, "the store does not answer");
    journal.commit(&batch, (Vec::new(), &[]), &mut nobody, &mut away).await?;
    Ok(number)
}
