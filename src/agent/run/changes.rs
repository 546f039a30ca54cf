//! What verdicts changed, told: a drift for each change, an alert for each drift if there is somebody to tell.
//!
//! What changed is the ledger's to say. It is asked after each verdict and at each start, so nothing stays untold that
//! another writer, or this one before it was killed, only judged.

use observance_record::{
    entry::{self, Body, Drift},
    pack::{Artefact, Media, Role},
    verdict::State,
};

use super::{Agent, RunError, batch::By, deliver::Payload, happening::Happening, open};
use crate::tell::Word;

/// Changes that stand in one commit, each a drift and its alert: a commit has 256 entries.
const CHANGES_PER_COMMIT: usize = 128;

impl Agent {
    /// Records every change that no drift tells yet, and whom to alert.
    pub(super) async fn tell_changes(&mut self) -> Result<(), RunError> {
        loop {
            let untold = self.journal.ledger().untold().take(CHANGES_PER_COMMIT);
            let untold: Vec<(Drift, Payload)> =
                untold.map(|drift| (drift.clone(), self.payload(drift))).collect();
            if untold.is_empty() {
                return Ok(());
            }
            let (mut batch, mut artefacts) = (self.journal.batch(By::Start(self.by)), Vec::new());
            for (drift, payload) in &untold {
                let place = batch.push(drift.clone());
                if self.setup.webhook.is_none() {
                    continue;
                }
                let bytes = payload.bytes()?;
                let payload = open::sealed("alert", &bytes, (self.journal.salts(), self.journal.epoch()));
                let alert = batch.push_with(move |first| {
                    let (id, route) = (first + place, "webhook".to_owned());
                    Body::from(entry::Alert { id, route, payload: payload.clone() })
                });
                let which = u16::try_from(alert).unwrap_or(u16::MAX);
                artefacts.push(Artefact::new(Role::Notification, Media::Json, bytes).numbered(which));
            }
            let packs = self.journal.pack_inline(&artefacts)?;
            if self.commit(&batch, packs, &artefacts).await?.is_some() {
                for (drift, payload) in untold {
                    self.say_change(drift, payload);
                }
            }
        }
    }

    fn payload(&self, drift: &Drift) -> Payload {
        let ledger = self.journal.ledger();
        let facts = drift.item.and_then(|item| ledger.facts(&item));
        let state = ledger.policies().get(&drift.policy);
        let column = state.and_then(|state| state.column.as_ref());
        let word = match (drift.item, drift.to) {
            (None, _) if state.is_some_and(|state| state.blind_since.is_some()) => Word::Blind,
            (Some(_), State::Failed) => Word::Drift,
            (Some(_) | None, _) => Word::Fixed,
        };
        let result = drift.item.and_then(|item| column?.results.get(&item));
        let codes = result.map(|result| result.codes().iter().cloned().collect()).unwrap_or_default();
        let owner = self.setup.owners.get(&drift.policy).cloned().unwrap_or_default();
        Payload::of(drift, facts.and_then(|facts| facts.name.clone()), (word, codes, owner))
    }

    fn say_change(&self, drift: Drift, payload: Payload) {
        let policy = drift.policy;
        self.say(match drift.item {
            None => Happening::Sight { policy, seen: payload.word == Word::Fixed },
            Some(item) => Happening::Changed {
                policy,
                item: payload.name.unwrap_or_else(|| item.to_string()),
                from: drift.from,
                to: drift.to,
                observed_from: drift.observed_from,
                observed_to: drift.observed_to,
            },
        });
    }
}
