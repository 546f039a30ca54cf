//! Who wrote the log: agents, which promise and answer slots, and others who only collected once or handed out a bundle.
//!
//! An agent is known by its deeds: whoever writes a promise or answers a slot is one. Several may overlap.

use std::collections::BTreeMap;

use crate::{
    entry::{Body, Entry},
    time::Instant,
};

/// Every writer, by the entry of its start.
#[derive(Debug, Default)]
pub(super) struct Writers {
    writers: BTreeMap<u64, Writer>,
    /// The agent that promised or answered last.
    newest: Option<u64>,
}

#[derive(Debug, Default)]
struct Writer {
    is_agent: bool,
    stopped: bool,
    last: Option<Instant>,
}

impl Writers {
    pub(super) fn push(&mut self, entry: &Entry) {
        let writer = self.writers.entry(entry.by).or_default();
        writer.last = Some(entry.t);
        writer.stopped = matches!(entry.body, Body::Stop(_));
        if serves(&entry.body) {
            writer.is_agent = true;
            self.newest = Some(entry.by);
        }
    }

    /// Did the newest agent say that it stopped? True if there was none.
    pub(super) fn stopped(&self) -> bool {
        self.newest.and_then(|newest| self.writers.get(&newest)).is_none_or(|writer| writer.stopped)
    }

    /// When any agent wrote last.
    pub(super) fn served_until(&self) -> Option<Instant> {
        self.writers.values().filter(|writer| writer.is_agent).filter_map(|writer| writer.last).max()
    }
}

/// Does only an agent write this?
pub(super) fn serves(body: &Body) -> bool {
    match body {
        Body::Slots(_) | Body::Gap(_) => true,
        Body::Run(run) => run.due.is_some(),
        Body::Genesis(_)
        | Body::Start(_)
        | Body::Stop(_)
        | Body::Config(_)
        | Body::Policy(_)
        | Body::Collector(_)
        | Body::Schedule(_)
        | Body::Verdict(_)
        | Body::Drift(_)
        | Body::Alert(_)
        | Body::Notice(_)
        | Body::PeriodOpen(_)
        | Body::PeriodClose(_)
        | Body::Posture(_)
        | Body::Hook(_)
        | Body::Export(_)
        | Body::Heartbeat(_)
        | Body::Foreign { .. } => false,
    }
}
