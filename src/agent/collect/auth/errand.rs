//! One exchange that is made for a credential: a step that stands in no manifest, tried as often as any other.
//!
//! Whoever asks proves himself anew at each attempt, since a wait may be longer than a proof holds. An answer that holds a
//! token is kept nowhere.

use bytes::Bytes;
use observance_record::{Item, population::Outcome};
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Refusal, why};
use crate::collect::{
    ask::Asked,
    exchange::{Call, Session, Tried},
    http::{self, Headers},
    manifest::{Step, Verb},
    outcome::Rule,
    receipt::Attempt,
    template::Template,
};

/// The name of an exchange that gives a token. No step of a manifest can have it, for its dot.
pub(super) const TOKEN: &str = "auth.token";

/// Such an exchange.
pub(super) struct Errand {
    /// What stands for it in the record.
    pub step: Step,
    /// Where.
    pub url: Url,
    /// What becomes of its answer.
    pub answer: Answer,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is evidence, like all others.
    Kept,
    /// It holds a token, so nothing of it is kept.
    Token,
}

/// What one attempt shows and posts.
pub(super) struct Shown {
    /// Who asks.
    pub headers: Headers,
    /// What is posted; nothing for a GET.
    pub body: Option<Zeroizing<String>>,
}

/// How an errand went.
pub(super) struct Ran {
    pub outcome: Outcome,
    pub why: Option<&'static str>,
    pub status: u16,
    pub body: Bytes,
    /// The source's clock minus ours.
    pub skew_ms: i64,
}

/// Whoever asks.
pub(super) trait Proves {
    /// What is sent now.
    fn shown(&self) -> Result<Shown, Refusal>;

    /// Is there at once another way to ask, after what was heard?
    fn hears(&self, _answer: &http::Answer) -> bool {
        false
    }
}

impl Session<'_> {
    /// Makes the exchange, and leaves its row and receipt.
    pub(super) async fn run_errand(
        &self,
        errand: Errand,
        serial: u32,
        by: &impl Proves,
    ) -> Result<Ran, Refusal> {
        let Errand { step, url, answer } = errand;
        let mut attempts = Vec::new();
        let mut tried = loop {
            let Shown { headers, body } = by.shown()?;
            let call =
                Call { headers: &headers, etag: None, body: body.as_ref().map(|body| body.as_bytes()) };
            let tried = self.attempt(&step, &url, call).await;
            let tries = u32::try_from(attempts.len()).unwrap_or(u32::MAX) + 1;
            let Some(wait_ms) = self.errand_again(&step, &tried, tries, by).await else { break tried };
            attempts.push(Attempt::failed(tried.status(), tried.outcome, tried.why, wait_ms));
        };
        let body = tried.answer.as_ref().map(|answer| answer.body.clone()).unwrap_or_default();
        let (status, skew_ms) = (tried.status(), tried.skew_ms.unwrap_or(0));
        let holds = answer == Answer::Token;
        if holds {
            tried.meaning = None;
        }
        let item = self.errand_item(&step, serial);
        let asked = Asked { url, body: None, headers: Vec::new() };
        let mut sent = self.finish(&step, item, &asked, tried, None, attempts);
        sent.known = None;
        if holds {
            sent.receipt.etag = None;
        }
        let (outcome, why) = (sent.outcome, sent.why);
        self.door.learnt().sent.push(sent);
        Ok(Ran { outcome, why, status, body, skew_ms })
    }

    async fn errand_again(&self, step: &Step, tried: &Tried, tries: u32, by: &impl Proves) -> Option<i64> {
        if tries >= self.manifest.limits.attempts_max {
            return None;
        }
        if tried.outcome != Outcome::Present && tried.answer.as_ref().is_some_and(|answer| by.hears(answer)) {
            return Some(0);
        }
        self.wait_before_retry(step, tried, tries).await
    }

    fn errand_item(&self, step: &Step, serial: u32) -> Item {
        self.item(&format!("{}\u{1f}{serial}", step.id))
    }

    /// An address below the base address.
    pub(super) fn address(&self, path: &str) -> Result<Url, Refusal> {
        let text = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&text).map_err(|_malformed| Refusal { outcome: Outcome::Error, why: why::VALUE_UNSAFE })
    }
}

impl Ran {
    /// The body and the skew of an answer that is as hoped; else what the refusal means. `denied` is what a denial does.
    pub(super) fn hoped(self, denied: &'static str) -> Result<(Bytes, i64), Refusal> {
        let outcome = match self.outcome {
            Outcome::Present => return Ok((self.body, self.skew_ms)),
            Outcome::Hidden | Outcome::Absent | Outcome::NotApplicable => Outcome::Forbidden,
            Outcome::Unchanged | Outcome::OutOfRetention => Outcome::Error,
            Outcome::Unauthenticated
            | Outcome::Forbidden
            | Outcome::Throttled
            | Outcome::Retry
            | Outcome::Error => self.outcome,
        };
        let why = match outcome {
            Outcome::Unauthenticated => why::AUTH_REFUSED,
            Outcome::Forbidden => denied,
            Outcome::Throttled | Outcome::Retry => self.why.unwrap_or(why::AUTH_UNAVAILABLE),
            Outcome::Present
            | Outcome::Unchanged
            | Outcome::Absent
            | Outcome::NotApplicable
            | Outcome::Hidden
            | Outcome::OutOfRetention
            | Outcome::Error => self.why.unwrap_or(why::AUTH_MALFORMED),
        };
        Err(Refusal { outcome, why })
    }
}

/// What came instead of a credential cannot be read.
pub(super) const fn malformed() -> Refusal {
    Refusal { outcome: Outcome::Error, why: why::AUTH_MALFORMED }
}

/// What any of these statuses means, with these words in the body if there are some.
pub(super) fn rule(status: &[u16], body: Option<&str>, outcome: Outcome) -> Rule {
    Rule { status: status.to_vec(), headers: Vec::new(), body: body.map(str::to_owned), outcome }
}

/// A request that stands in no manifest; whatever its own rules do not know, the manifest's do.
pub(super) fn step(id: &str, path: &str, outcomes: Vec<Rule>) -> Step {
    Step::bare(id.to_owned(), Verb::Get, Template::named(path), outcomes)
}

/// Wipes the bytes if nobody else holds them.
pub(super) fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}
