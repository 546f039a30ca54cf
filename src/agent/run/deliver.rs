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
use tokio::task::JoinSet;

use super::{
    Agent, Done, RunError,
    batch::{Batch, By},
    happening::Happening,
    open,
};
use crate::tell::{self, Attempt, Delivery, Message, Outbox, Since, Word, outbox::Accepted};

/// What an alert says, as it is sealed: the stable id is its entry's and is added when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payload {
    control: String,
    fails_n: u64,
    from: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    observed_from: Instant,
    observed_to: Instant,
    policy: String,
    to: State,
    word: String,
}

impl Payload {
    pub(super) fn of(drift: &Drift, name: Option<String>, word: Word) -> Self {
        Self {
            control: drift.control.clone(),
            fails_n: drift.fails_n,
            from: drift.from,
            item: drift.item,
            name,
            observed_from: drift.observed_from,
            observed_to: drift.observed_to,
            policy: drift.policy.clone(),
            to: drift.to,
            word: word.text().to_owned(),
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn message(&self, origin: &str, alert: u64) -> Message {
        let word = match self.word.as_str() {
            "FIXED" => Word::Fixed,
            "BLIND" => Word::Blind,
            _ => Word::Drift,
        };
        let what = match word {
            Word::Drift => "deviates",
            Word::Fixed if self.item.is_some() => "no longer deviates",
            Word::Fixed => "can be seen again",
            Word::Blind => "cannot be seen whole; nothing is called failed for that",
        };
        tell::Drift {
            word,
            id: format!("{origin}#{alert}"),
            control: self.control.clone(),
            policy: self.policy.clone(),
            item: self.name.clone().or_else(|| self.item.map(|item| item.to_string())),
            what: what.to_owned(),
            since: Since { from: self.observed_from, to: self.observed_to },
            zone: chrono_tz::UTC,
            reasons: Vec::new(),
            period: None,
            serves: Vec::new(),
            remedy: None,
            owner: String::new(),
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

    fn hear_alert(&mut self, place: u16, entry: &Entry, alert: &Alert, artefacts: &[Artefact]) {
        // an alert that comes twice cannot be in a log that the ledger took in
        let _first = self.outbox.alert(alert.id, &alert.route, entry.t).is_ok();
        let sealed = artefacts.iter().find(|a| a.role == Role::Notification && a.which == place);
        let payload = sealed.and_then(|sealed| serde_json::from_slice(sealed.bytes()).ok());
        if let Some(payload) = payload {
            self.payloads.insert(alert.id, payload);
        }
    }

    fn hear_notice(&mut self, notice: &Notice) {
        let accepted = if notice.status.as_str() == "delivered" { Accepted::Yes } else { Accepted::No };
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
    pub(super) fn deliver(&mut self, tasks: &mut JoinSet<Done>) {
        if self.setup.webhook.is_none() {
            return;
        }
        for due in self.mail.outbox.due(self.journal.now()) {
            let Some(payload) = self.mail.payloads.get(&due.alert) else { continue };
            if !self.mail.on_the_way.insert(due.alert) {
                continue;
            }
            let message = payload.message(&self.setup.origin, due.alert);
            let (setup, teller, busy) = (Arc::clone(&self.setup), self.teller.clone(), self.me.task());
            tasks.spawn(async move {
                let attempt = match &setup.webhook {
                    Some(route) => teller.attempt(route, &message, due.attempt).await,
                    None => Attempt {
                        attempt: due.attempt,
                        at: busy.clock().now(),
                        status: None,
                        delivery: Delivery::Unreachable,
                    },
                };
                Done::Mail(due.alert, attempt)
            });
        }
    }

    pub(super) async fn notice(&mut self, alert: u64, attempt: Attempt) -> Result<(), RunError> {
        let delivered = attempt.delivery == Delivery::Delivered;
        let status: Code = open::code(if delivered { "delivered" } else { "failed" });
        let code = attempt.status.map(|status| format!("http.{status}"));
        let code = open::code(code.as_deref().unwrap_or_else(|| attempt.delivery.code()));
        let mut batch = Batch::new(self.journal.now(), By::Start(self.by));
        batch.push(Notice { alert, attempt: u64::from(attempt.attempt), at: attempt.at, status, code });
        self.commit(&batch, Vec::new(), &[]).await?;
        self.say(Happening::Told { alert, delivered });
        Ok(())
    }
}
