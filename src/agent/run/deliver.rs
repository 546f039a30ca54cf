//! Alerts on their way: what is still owed is read from the log, so that a restart forgets nobody.
//!
//! An alert is recorded before it is sent, and every attempt after; a delivery may happen twice, never not at all unnoticed.

use std::{collections::BTreeMap, sync::Arc};

use observance_record::{
    Instant, Item,
    entry::{Alert, Body, Drift, Entry, Notice},
    pack::{Artefact, Role},
    verdict::{Code, State},
};
use serde::{Deserialize, Serialize};

use super::{Agent, Doing, Done, RunError, batch::By, happening::Happening, open, setup::Setup};
use crate::tell::{self, Attempt, Delivery, Message, Outbox, Since, Word, outbox::Accepted};

/// What an alert says, as it is sealed: the stable id is its drift's and is added when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payload {
    codes: Vec<Code>,
    control: String,
    fails_n: u64,
    from: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    observed_from: Instant,
    observed_to: Instant,
    owner: String,
    policy: String,
    to: State,
    pub(super) word: Word,
}

impl Payload {
    pub(super) fn of(
        drift: &Drift,
        name: Option<String>,
        (word, codes, owner): (Word, Vec<Code>, String),
    ) -> Self {
        Self {
            codes,
            control: drift.control.clone(),
            fails_n: drift.fails_n,
            from: drift.from,
            item: drift.item,
            name,
            observed_from: drift.observed_from,
            observed_to: drift.observed_to,
            owner,
            policy: drift.policy.clone(),
            to: drift.to,
            word,
        }
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, RunError> {
        serde_json::to_vec(self).map_err(RunError::Payload)
    }

    fn message(&self, setup: &Setup, alert: u64) -> Message {
        let what = match self.word {
            Word::Drift => "deviates",
            Word::Fixed if self.item.is_some() => "no longer deviates",
            Word::Fixed => "can be seen again",
            Word::Blind => "cannot be seen whole; nothing is called failed for that",
        };
        tell::Drift {
            word: self.word,
            id: format!("{}#{alert}", setup.origin),
            control: self.control.clone(),
            policy: self.policy.clone(),
            item: self.name.clone().or_else(|| self.item.map(|item| item.to_string())),
            what: what.to_owned(),
            since: Since { from: self.observed_from, to: self.observed_to },
            zone: setup.zone,
            reasons: self.codes.iter().map(ToString::to_string).collect(),
            period: None,
            serves: setup.serves.get(&self.policy).cloned().unwrap_or_default(),
            remedy: None,
            owner: self.owner.clone(),
        }
        .message()
    }
}

/// What is owed, and what it says.
#[derive(Debug, Default)]
pub(super) struct Mail {
    outbox: Outbox,
    payloads: BTreeMap<u64, Payload>,
    on_the_way: std::collections::BTreeSet<u64>,
}

impl Mail {
    /// Hears an entry of the log with its place in its commit and the artefacts of that.
    pub(super) fn hear(&mut self, place: u16, entry: &Entry, artefacts: &[Artefact]) {
        if let Body::Alert(alert) = &entry.body {
            self.hear_alert(place, entry, alert, artefacts);
        } else if let Body::Notice(notice) = &entry.body {
            self.hear_notice(notice);
        }
    }

    /// An alert whose words cannot be read can be sent to nobody; it stands in the log without a notice.
    fn hear_alert(&mut self, place: u16, entry: &Entry, alert: &Alert, artefacts: &[Artefact]) {
        let sealed = artefacts.iter().find(|a| a.role == Role::Notification && a.which == place);
        match sealed.map(|sealed| serde_json::from_slice(sealed.bytes())) {
            Some(Ok(payload)) => {
                // an alert that comes twice cannot be in a log that the ledger took in
                let _first = self.outbox.alert(alert.id, &alert.route, entry.t).is_ok();
                self.payloads.insert(alert.id, payload);
            }
            Some(Err(error)) => tracing::error!(%error, alert = alert.id, "an alert cannot be read"),
            None => tracing::error!(alert = alert.id, "an alert has no words"),
        }
    }

    fn hear_notice(&mut self, notice: &Notice) {
        let accepted = match notice.status.as_str() {
            "delivered" => Accepted::Yes,
            "gave_up" => Accepted::Never,
            _ => Accepted::No,
        };
        let attempt = u32::try_from(notice.attempt).unwrap_or(u32::MAX);
        // a notice of an unknown alert cannot be in a log that the ledger took in
        let _known = self.outbox.notice(notice.alert, attempt, notice.at, accepted).is_ok();
        self.on_the_way.remove(&notice.alert);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        if self.on_the_way.is_empty() { self.outbox.next() } else { None }
    }
}

impl Agent {
    /// Sends what is owed now.
    pub(super) fn deliver(&mut self) {
        let Some(route) = &self.setup.webhook else { return };
        for due in self.mail.outbox.due(self.journal.now()) {
            let Some(payload) = self.mail.payloads.get(&due.alert) else { continue };
            if !self.mail.on_the_way.insert(due.alert) {
                continue;
            }
            let message = payload.message(&self.setup, due.alert);
            let (route, teller, busy) = (Arc::clone(route), self.teller.clone(), self.me.task());
            let spawned = self.tasks.spawn(async move {
                let attempt = teller.attempt(&route, &message, due.attempt).await;
                drop(busy);
                Done::Mail(due.alert, attempt)
            });
            self.doing.insert(spawned.id(), Doing::Mail(due.alert));
        }
    }

    /// Whoever was to be told cannot be reached any more: the configuration names no way.
    pub(super) async fn give_up_mail(&mut self) -> Result<(), RunError> {
        if self.setup.webhook.is_some() {
            return Ok(());
        }
        while let Some(due) = self.mail.outbox.due(Instant::from_ms(i64::MAX)).first().cloned() {
            let (status, code) = (open::code("gave_up"), open::code("route.removed"));
            let (alert, attempt, at) = (due.alert, u64::from(due.attempt), self.journal.now());
            self.push_notice(Notice { alert, attempt, at, status, code }).await?;
        }
        Ok(())
    }

    pub(super) async fn notice(&mut self, alert: u64, attempt: Attempt) -> Result<(), RunError> {
        let delivered = attempt.delivery == Delivery::Delivered;
        let status = match delivered {
            true => "delivered",
            false if self.mail.outbox.is_last(alert, attempt.attempt, attempt.at) => "gave_up",
            false => "failed",
        };
        let code = attempt.status.map(|status| format!("http.{status}"));
        let code = open::code(code.as_deref().unwrap_or_else(|| attempt.delivery.code()));
        let (at, attempt) = (attempt.at, u64::from(attempt.attempt));
        self.push_notice(Notice { alert, attempt, at, status: open::code(status), code }).await?;
        self.say(Happening::Told { alert, delivered });
        Ok(())
    }

    async fn push_notice(&mut self, notice: Notice) -> Result<(), RunError> {
        loop {
            let mut batch = self.journal.batch(By::Start(self.by));
            batch.push(notice.clone());
            if self.commit(&batch, Vec::new(), &[]).await?.is_some() {
                return Ok(());
            }
        }
    }
}
