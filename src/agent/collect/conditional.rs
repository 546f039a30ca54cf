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
    decode::Decode,
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

/// The body of an empty list, which nobody has to give back.
pub(super) const EMPTY: &[u8] = b"[]";

/// Whether the source answers as it is expected to. Kept between runs, lost without harm.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    hits: u32,
    misses: u32,
    /// Did a 304 leave out where its list goes on?
    without_link: bool,
}

/// What an exchange may repeat if the source says that nothing changed.
pub(super) struct Earlier {
    body: Bytes,
    /// What the body says, read again.
    page: Known,
    /// Is it known what follows the page, whatever stands beside the answer?
    ends: bool,
}

impl Conditional {
    /// The header by which an answer says what it may be asked about by.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::LastModified => "last-modified",
            Self::Etag | Self::GithubEtag | Self::Never => "etag",
        }
    }
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
    /// The sealed body of an exchange, if the manifest wants it asked about and it is what the source sent. Nothing is
    /// asked that would have to be asked twice: where a header says how a list goes on, a full page may be the last or not.
    pub(super) async fn earlier(
        &self,
        step: &Step,
        (item, after): (&Item, &Item),
        prior: Option<&PriorRow>,
        known: Option<&Known>,
    ) -> Option<Earlier> {
        let bodies = self.bodies.filter(|_| self.manifest.conditional == Conditional::GithubEtag)?;
        // what was covered is not what the source would hash
        let prior =
            prior.filter(|_| step.redact.is_empty() && step.decode == Decode::Json && !self.has_missed())?;
        // nor is a count that stood in a header kept with the body
        if step.complete.iter().any(|proof| matches!(proof, Proof::HeaderTotal { .. })) {
            return None;
        }
        let by_header = step.pages.as_ref().is_some_and(|pages| matches!(pages.turn, Turn::Link(_)));
        let goes_on = by_header && self.prior.contains_key(after);
        if goes_on && known.is_none() && self.tally().without_link {
            return None;
        }
        let evidence = prior.artefact.as_ref().filter(|_| prior.is_present())?;
        let body = if evidence.digest == Digest::of(EMPTY) {
            Bytes::from_static(EMPTY)
        } else {
            bodies.body(evidence.digest, evidence.since).await?
        };
        if Digest::of(&body) != evidence.digest {
            return None;
        }
        if let Some(known) = known {
            return Some(Earlier { body, page: known.clone(), ends: true });
        }
        let page = self.read_again(step, item, evidence, &body)?;
        let full = !may_ask_again(step, &page.records, &page.said);
        (goes_on || !by_header || !full).then_some(Earlier { body, page, ends: !goes_on })
    }

    /// What a sealed body says, read as it was then; `None` if the row would not be the same.
    fn read_again(&self, step: &Step, item: &Item, evidence: &PriorArtefact, body: &Bytes) -> Option<Known> {
        let headers = Headers::of([("content-type", evidence.media.as_str())])?;
        let answer = Answer { status: 200, headers, body: body.clone() };
        let Meaning { outcome, why, records, stated, artefact, said } =
            weigh(self.manifest, step, &answer, self.item_key);
        let artefact = artefact.filter(|artefact| artefact.digest == evidence.digest)?;
        let part = Some((&artefact, evidence.since));
        let row = exchange_row(&step.id, step.path.source(), outcome, 200, why, part);
        if outcome != Outcome::Present || self.prior.get(item) != Some(&row) {
            return None;
        }
        Some(Known {
            etag: String::new(),
            by: artefact.digest,
            digest: artefact.digest,
            outcome,
            why,
            records: Arc::new(records),
            said: said.ok()?,
            stated,
            run: 0,
        })
    }

    /// What an answer repeats that says that nothing changed; `None` if what follows the page is not known.
    pub(super) fn revived(
        &self,
        earlier: &Earlier,
        (credential, etag): (&Credential, String),
        tried: &Tried,
    ) -> Option<Known> {
        let stated = tried.answer.as_ref().is_some_and(|answer| answer.headers.has("link"));
        if !stated && !earlier.ends {
            self.computed.lock().unwrap_or_else(PoisonError::into_inner).without_link = true;
            return None;
        }
        Some(Known { etag, by: credential.by, ..earlier.page.clone() })
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
        let tally = self.tally();
        tally.hits == 0 && tally.misses >= MISSES_MAX
    }

    fn tally(&self) -> Tally {
        *self.computed.lock().unwrap_or_else(PoisonError::into_inner)
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
