//! Asking only whether something changed, also by another token and after a restart: from the sealed body and the
//! headers of the request follows the ETag that the source would give it.
//!
//! It rests on how one vendor makes its ETags, which no contract promises: a 304 proves that the bytes are those that
//! were hashed; anything else is read as if nobody had asked. Where 304 never comes, it stops by itself.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use observance_record::{Digest, Instant, Item, population::Outcome};
use sha2::{Digest as _, Sha256};

use super::{
    auth::Credential,
    exchange::{Sent, Session, Tried, may_ask_again},
    http::{Answer, Headers},
    kept::Known,
    manifest::{Conditional, Proof, Step, Turn},
    page::{Meaning, weigh},
    receipt::{PriorArtefact, PriorRow, exchange_row},
};

/// Unchanged bodies that came in full although they were asked about, before nobody asks any more.
const MISSES_MAX: u32 = 8;

/// Gives back what earlier runs sealed.
pub trait Bodies: fmt::Debug + Send + Sync {
    /// The bytes of this digest from the run that began at `since`; `None` if they cannot be had now.
    fn body(&self, digest: Digest, since: Instant) -> BoxFuture<'_, Option<Bytes>>;
}

/// Whether the source answers as it is expected to. Kept between runs, lost without harm.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    hits: u32,
    misses: u32,
}

/// What an exchange may repeat if the source says that nothing changed.
pub(super) struct Earlier {
    evidence: PriorArtefact,
    body: Bytes,
}

impl Earlier {
    /// The ETag that the source would give to this body now.
    pub(super) fn etag(&self, headers: &Headers) -> String {
        github_etag(headers, &self.body)
    }
}

/// SHA-256 over the values of three headers, where there are any, each with a colon behind it, and the body.
pub(super) fn github_etag(headers: &Headers, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for (name, otherwise) in [("accept", Some("*/*")), ("authorization", None), ("cookie", None)] {
        if let Some(value) = headers.get(name).or(otherwise) {
            hash.update(value.as_bytes());
            hash.update(b":");
        }
    }
    hash.update(body);
    format!("\"{}\"", Digest::from_bytes(hash.finalize().into()).to_hex())
}

impl Session<'_> {
    /// The sealed body of an exchange, if the manifest wants it asked about and it is what the source sent.
    pub(super) async fn earlier(&self, step: &Step, prior: Option<&PriorRow>) -> Option<Earlier> {
        let bodies = self.bodies.filter(|_| self.manifest.conditional == Conditional::GithubEtag)?;
        // what was covered is not what the source would hash
        let prior = prior.filter(|_| step.redact.is_empty() && !self.has_missed())?;
        // nor is a count that stood in a header kept with the body
        if step.complete.iter().any(|proof| matches!(proof, Proof::HeaderTotal { .. })) {
            return None;
        }
        let evidence = prior.artefact.clone().filter(|_| prior.is_present())?;
        let body = bodies.body(evidence.digest, evidence.since).await?;
        (Digest::of(&body) == evidence.digest).then_some(Earlier { evidence, body })
    }

    /// What the sealed body says, read again as it was then; `None` if the row would not be the same, or if what follows
    /// the page is not known.
    pub(super) fn revived(
        &self,
        step: &Step,
        (item, after): (&Item, &Item),
        known: Option<&Known>,
        earlier: &Earlier,
        (credential, etag): (&Credential, String),
        tried: &Tried,
    ) -> Option<Known> {
        if let Some(known) = known {
            return Some(Known { etag, ..known.clone() });
        }
        let headers = Headers::of([("content-type", earlier.evidence.media.as_str())])?;
        let answer = Answer { status: 200, headers, body: earlier.body.clone() };
        let Meaning { outcome, why, records, stated: total, artefact, said } =
            weigh(self.manifest, step, &answer, self.item_key);
        let artefact = artefact.filter(|artefact| artefact.digest == earlier.evidence.digest)?;
        let part = Some((&artefact, earlier.evidence.since));
        let row = exchange_row(&step.id, step.path.source(), outcome, 200, why, part);
        if outcome != Outcome::Present || self.prior.get(item) != Some(&row) {
            return None;
        }
        // what the body says of the next page was read again with it; a header is not kept
        let said = said.ok()?;
        let by_header = step.pages.as_ref().is_some_and(|pages| matches!(pages.turn, Turn::Link(_)));
        let stated = tried.answer.as_ref().is_some_and(|answer| answer.headers.has("link"));
        // without a link in the answer, the page is the last one only if it was and is not full
        let is_last = || !self.prior.contains_key(after) && may_ask_again(step, &records, &said);
        (!by_header || stated || is_last()).then(|| Known {
            etag,
            by: credential.by,
            digest: artefact.digest,
            outcome,
            why,
            records: Arc::new(records),
            stated: total,
            said,
            run: 0,
        })
    }

    /// Counts how the source took a computed ETag.
    pub(super) fn note_computed(&self, sent: &Sent) {
        let mut tally = self.computed.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.outcome == Outcome::Unchanged {
            tally.hits = tally.hits.saturating_add(1);
        } else if sent.outcome == Outcome::Present && sent.artefact.is_none() {
            tally.misses = tally.misses.saturating_add(1);
        }
    }

    fn has_missed(&self) -> bool {
        let tally = self.computed.lock().unwrap_or_else(PoisonError::into_inner);
        tally.hits == 0 && tally.misses >= MISSES_MAX
    }
}

/// A tally that the exchanges of a run share.
pub(super) type Shared = Mutex<Tally>;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn the_etag_is_of_the_headers_and_the_body() {
        let pairs = [("accept".to_owned(), "application/json".to_owned())];
        let token = BTreeMap::from([("authorization".to_owned(), Secret::new("Bearer t".to_owned()))]);
        let headers = Headers::outgoing(&pairs, &token).unwrap();
        let expected = Digest::of(b"application/json:Bearer t:[]").to_hex();
        assert_eq!(github_etag(&headers, b"[]"), format!("\"{expected}\""));
        let none = Headers::of([]).unwrap();
        assert_eq!(github_etag(&none, b"[]"), format!("\"{}\"", Digest::of(b"*/*:[]").to_hex()));
    }
}
