//! One exchange from first attempt to last: redirects, waits, retries, conditional requests, its row and its receipt.
//!
//! It never fails: whatever the world does becomes an outcome with a reason. Nothing is ever sent to another origin than
//! the base address's, because the token would go with it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use observance_record::{Digest, Instant, Item, item::ItemKey, population::Outcome};
use url::Url;

use super::{
    ask::Asked,
    condition::Window,
    http::{Answer, Ask, Broken, Headers, Http},
    limit::{Pace, http_date, leave_alone_until, used_up_until},
    manifest::{Manifest, Step, Turn},
    outcome::why,
    page::{Artefact, Meaning, Record, weigh},
    receipt::{Attempt, PriorRow, Receipt, exchange_row},
    turn::{self, Lead, Said},
};
use crate::{chance::Chance, clock::Clock};

/// Redirects that one exchange follows, all on the same origin.
const REDIRECTS_MAX: usize = 3;
/// Longest header that a receipt keeps, in bytes.
const HEADER_BYTES_MAX: usize = 2048;
/// Scopes that are kept of what a credential is granted.
const SCOPES_MAX: usize = 100;

/// What all exchanges of one run share.
pub(super) struct Session<'a> {
    pub manifest: &'a Manifest,
    pub http: &'a Http,
    pub clock: &'a Clock,
    pub chance: &'a Chance,
    pub pace: Pace,
    /// Nothing is sent anywhere else than to its origin.
    pub base: Url,
    /// None if the token is not fit for a header.
    pub headers: Option<Headers>,
    pub item_key: &'a ItemKey,
    pub params: &'a BTreeMap<String, String>,
    pub window: Option<Window>,
    pub started: Instant,
    pub prior: &'a BTreeMap<Item, Vec<u8>>,
    pub etags: &'a HashMap<String, Known>,
    pub granted: Mutex<Granted>,
}

/// What the source said that the credential may do.
#[derive(Debug, Default)]
pub(super) struct Granted {
    last: String,
    /// Was it said at all?
    pub seen: bool,
    /// Each scope.
    pub scopes: BTreeSet<String>,
}

/// A page that was read before, for conditional requests. Holds what came of the body, never the body.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub etag: String,
    pub digest: Digest,
    pub outcome: Outcome,
    pub why: Option<&'static str>,
    pub records: Arc<Vec<Arc<Record>>>,
    pub said: Said,
    /// Number of the last run that used it.
    pub run: u64,
}

/// One exchange, done.
pub(super) struct Sent {
    pub item: Item,
    /// What happened.
    pub outcome: Outcome,
    /// The same, but for `unchanged` the outcome that it repeats.
    pub repeats: Outcome,
    pub why: Option<&'static str>,
    pub records: Arc<Vec<Arc<Record>>>,
    /// Where the list goes on; or why that cannot be read.
    pub said: Result<Said, &'static str>,
    /// Of the bytes that are kept.
    pub digest: Option<Digest>,
    pub row: Vec<u8>,
    /// New evidence: not that of the prior row.
    pub artefact: Option<Artefact>,
    pub receipt: Receipt,
    /// For the next run's conditional requests.
    pub known: Option<(String, Known)>,
}

/// One attempt's result.
struct Tried {
    outcome: Outcome,
    why: Option<&'static str>,
    answer: Option<Answer>,
    meaning: Option<Meaning>,
    sent_at: Instant,
    took_ms: i64,
    skew_ms: Option<i64>,
}

impl Session<'_> {
    /// Makes one exchange. `item` is its name in the table.
    pub(super) async fn fetch(&self, step: &Step, item: Item, asked: &Asked) -> Sent {
        let url = &asked.url;
        let prior = self.prior.get(&item).and_then(|row| PriorRow::read(row));
        let evidence = prior.as_ref().and_then(|prior| prior.artefact.as_ref());
        // a 304 may only repeat what is already sealed, so only that is asked about
        let remembered = self.etags.get(url.as_str()).filter(|_| asked.body.is_none());
        let known = remembered.filter(|known| evidence.is_some_and(|e| e.digest == known.digest));
        let body = asked.body.as_ref().map(ToString::to_string);
        let mut attempts = Vec::new();
        let mut url_now = url.clone();
        let mut redirects = 0;
        loop {
            let tried = self.attempt(step, (&url_now, body.as_deref()), known).await;
            if let Some(to) = self.redirect((&url_now, body.is_some()), &tried) {
                match to {
                    Ok(to) if redirects < REDIRECTS_MAX => {
                        redirects += 1;
                        attempts.push(Attempt::redirect(status(&tried), to.path()));
                        url_now = to;
                        continue;
                    }
                    Ok(_) => return self.broken_off(step, item, &tried, why::REDIRECT_MANY, attempts),
                    Err(why) => return self.broken_off(step, item, &tried, why, attempts),
                }
            }
            let tries = u32::try_from(attempts.len() - redirects).unwrap_or(u32::MAX) + 1;
            if tries < self.manifest.limits.attempts_max
                && let Some(wait_ms) = self.wait_before_retry(&tried, tries).await
            {
                attempts.push(Attempt::failed(status(&tried), tried.outcome, tried.why, wait_ms));
                continue;
            }
            return self.finish(
                step,
                item,
                asked,
                tried,
                known,
                evidence.map(|e| (e.digest, e.since)),
                attempts,
            );
        }
    }

    /// An exchange that could not be made; nothing was sent.
    pub(super) fn unsent(&self, step: &Step, item: Item, outcome: Outcome, why: &'static str) -> Sent {
        let receipt = Receipt::new(self.clock.now().ms_since(self.started), 0, None, outcome);
        Sent {
            item,
            outcome,
            repeats: outcome,
            why: Some(why),
            records: Arc::default(),
            said: Ok(Said::default()),
            digest: None,
            row: exchange_row(&step.id, step.path.source(), outcome, 0, Some(why), None),
            artefact: None,
            receipt,
            known: None,
        }
    }

    async fn attempt(&self, step: &Step, (url, body): (&Url, Option<&str>), known: Option<&Known>) -> Tried {
        let sent_at = self.clock.now();
        let failed = |outcome, why| Tried {
            outcome,
            why: Some(why),
            answer: None,
            meaning: None,
            sent_at,
            took_ms: 0,
            skew_ms: None,
        };
        let Some(headers) = &self.headers else {
            return failed(Outcome::Unauthenticated, why::TOKEN_MALFORMED);
        };
        let pass = match self.pace.enter().await {
            Ok(pass) => pass,
            Err(why) => return failed(Outcome::Throttled, why),
        };
        let sent_at = self.clock.now();
        let ask = Ask {
            headers,
            etag: known.map(|known| known.etag.as_str()),
            body: body.map(str::as_bytes),
            body_bytes_max: self.manifest.limits.body_bytes_max,
        };
        let answer = self.http.send(url, ask).await;
        drop(pass);
        let took_ms = self.clock.now().ms_since(sent_at).max(0);
        match answer {
            Ok(answer) => self.weighed(step, answer, known.is_some(), sent_at, took_ms),
            Err(broken) => {
                let (outcome, why) = broken_off(broken);
                Tried { sent_at, took_ms, ..failed(outcome, why) }
            }
        }
    }

    fn weighed(&self, step: &Step, answer: Answer, asked: bool, sent_at: Instant, took_ms: i64) -> Tried {
        self.pace.read(answer.body.len());
        self.note_granted(&answer.headers);
        let date = answer.headers.get("date").and_then(http_date);
        let skew_ms = date.map(|date| date.ms_since(sent_at.plus_ms(took_ms / 2)));
        let rate = &self.manifest.limits.rate;
        if let Some(until) = used_up_until(rate, &answer.headers, skew_ms.unwrap_or(0)) {
            self.pace.hold(until);
        }
        let meaning = weigh(self.manifest, step, &answer, self.item_key);
        // nobody asked whether it changed, so this answer means nothing
        let unasked = meaning.outcome == Outcome::Unchanged && !asked;
        let (outcome, why) =
            if unasked { (Outcome::Error, Some(why::UNMATCHED)) } else { (meaning.outcome, meaning.why) };
        Tried { outcome, why, answer: Some(answer), meaning: Some(meaning), sent_at, took_ms, skew_ms }
    }

    /// Where the source sends us instead, if it does and no rule of the manifest gives the answer a meaning.
    fn redirect(&self, (from, posted): (&Url, bool), tried: &Tried) -> Option<Result<Url, &'static str>> {
        let answer = tried.answer.as_ref()?;
        // 301 and 302 may turn a POST into a GET, which would ask for something else
        let redirects = matches!(answer.status, 307 | 308) || (matches!(answer.status, 301 | 302) && !posted);
        if !redirects || tried.why != Some(why::UNMATCHED) {
            return None;
        }
        let to = answer.headers.get("location").and_then(|to| from.join(to).ok())?;
        Some(if self.is_ours(&to) { Ok(to) } else { Err(why::REDIRECT_OTHER_HOST) })
    }

    /// May the token go there? Same scheme, host and port, and no user in the address.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.base.origin() && url.username().is_empty() && url.password().is_none()
    }

    /// Waits if there is a point in trying again; how long it waited.
    async fn wait_before_retry(&self, tried: &Tried, tries: u32) -> Option<i64> {
        match tried.outcome {
            Outcome::Throttled => {
                let headers = &tried.answer.as_ref()?.headers;
                let now = self.clock.now();
                let skew_ms = tried.skew_ms.unwrap_or(0);
                let until = leave_alone_until(&self.manifest.limits.rate, headers, now, skew_ms, tries - 1);
                self.pace.wait_for_limit(until).await.ok().map(|()| until.ms_since(now))
            }
            Outcome::Retry => self.pace.back_off(tries, self.chance).await.ok(),
            Outcome::Present
            | Outcome::Unchanged
            | Outcome::Absent
            | Outcome::NotApplicable
            | Outcome::Hidden
            | Outcome::Forbidden
            | Outcome::Unauthenticated
            | Outcome::OutOfRetention
            | Outcome::Error => None,
        }
    }

    fn broken_off(
        &self,
        step: &Step,
        item: Item,
        tried: &Tried,
        why: &'static str,
        attempts: Vec<Attempt>,
    ) -> Sent {
        let mut sent = self.unsent(step, item, Outcome::Error, why);
        sent.row = exchange_row(&step.id, step.path.source(), Outcome::Error, status(tried), Some(why), None);
        sent.receipt = self.receipt(tried, Outcome::Error, attempts);
        sent
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the end of an exchange needs all that was gathered on its way"
    )]
    fn finish(
        &self,
        step: &Step,
        item: Item,
        asked: &Asked,
        tried: Tried,
        known: Option<&Known>,
        prior: Option<(Digest, Instant)>,
        attempts: Vec<Attempt>,
    ) -> Sent {
        let receipt = self.receipt(&tried, tried.outcome, attempts);
        if let (Outcome::Unchanged, Some(known)) = (tried.outcome, known) {
            let stated = tried.answer.as_ref().filter(|answer| answer.headers.has("link"));
            let said = stated.map_or(Ok(known.said.clone()), |answer| said(step, answer, &known.said));
            return self.repeat(step, item, asked, known, said, receipt);
        }
        let status = status(&tried);
        let Tried { outcome, why, answer, meaning, .. } = tried;
        let (records, artefact, in_body) = match meaning {
            Some(meaning) => (Arc::new(meaning.records), meaning.artefact, meaning.said),
            None => (Arc::default(), None, Ok(Said::default())),
        };
        let said = in_body.and_then(|in_body| match &answer {
            Some(answer) => said(step, answer, &in_body),
            None => Ok(in_body),
        });
        let since = |artefact: &Artefact| match prior {
            Some((digest, since)) if digest == artefact.digest => since,
            Some(_) | None => self.started,
        };
        let part = artefact.as_ref().map(|artefact| (artefact, since(artefact)));
        let row = exchange_row(&step.id, step.path.source(), outcome, status, why, part);
        let known = answer
            .as_ref()
            .filter(|_| !records.is_empty() && asked.body.is_none())
            .and_then(|answer| answer.headers.get("etag"))
            .zip(artefact.as_ref())
            .zip(said.as_ref().ok().filter(|said| may_ask_again(step, &records, said)))
            .map(|((etag, artefact), said)| Known {
                etag: etag.to_owned(),
                digest: artefact.digest,
                outcome,
                why,
                records: Arc::clone(&records),
                said: said.clone(),
                run: 0,
            });
        let stored = |artefact: &Artefact| prior.is_none_or(|(digest, _)| digest != artefact.digest);
        Sent {
            item,
            outcome,
            repeats: outcome,
            why,
            records,
            said,
            digest: artefact.as_ref().map(|artefact| artefact.digest),
            row,
            artefact: artefact.filter(stored),
            receipt,
            known: known.map(|known| (asked.url.as_str().to_owned(), known)),
        }
    }

    /// The source says that nothing changed: the row is what it was, so a quiet run changes no row.
    fn repeat(
        &self,
        step: &Step,
        item: Item,
        asked: &Asked,
        known: &Known,
        said: Result<Said, &'static str>,
        receipt: Receipt,
    ) -> Sent {
        let row = self.prior.get(&item).cloned().unwrap_or_default();
        let again = said.as_ref().ok().filter(|said| may_ask_again(step, &known.records, said));
        let again =
            again.map(|said| (asked.url.as_str().to_owned(), Known { said: said.clone(), ..known.clone() }));
        debug_assert!(!row.is_empty(), "only what has a prior row is asked about for step {}", step.id);
        Sent {
            item,
            outcome: Outcome::Unchanged,
            repeats: known.outcome,
            why: known.why,
            records: Arc::clone(&known.records),
            said,
            digest: Some(known.digest),
            row,
            artefact: None,
            receipt,
            known: again,
        }
    }

    fn receipt(&self, tried: &Tried, outcome: Outcome, attempts: Vec<Attempt>) -> Receipt {
        let at_ms = tried.sent_at.ms_since(self.started);
        let mut receipt = Receipt::new(at_ms, tried.took_ms, tried.skew_ms, outcome);
        let Some(answer) = tried.answer.as_ref().filter(|_| outcome != Outcome::Unchanged) else {
            receipt.attempts = attempts;
            return receipt;
        };
        let keep = &self.manifest.receipts;
        let get =
            |name: &str| answer.headers.get(name).filter(|v| v.len() <= HEADER_BYTES_MAX).map(str::to_owned);
        receipt.etag = get("etag");
        receipt.link = get("link");
        receipt.request_id = keep.request_id.as_ref().and_then(|name| get(name));
        receipt.api_version = keep.api_version.as_ref().and_then(|name| get(name));
        receipt.rate = keep.rate.iter().filter_map(|name| Some((name.clone(), get(name)?))).collect();
        receipt.attempts = attempts;
        receipt
    }

    fn note_granted(&self, headers: &Headers) {
        let granted = self.manifest.permissions.granted.as_ref();
        let Some(scopes) = granted.and_then(|name| headers.get(name)) else { return };
        let mut noted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.seen && noted.last == scopes {
            return;
        }
        noted.seen = true;
        scopes.clone_into(&mut noted.last);
        let words = scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty());
        let room = SCOPES_MAX.saturating_sub(noted.scopes.len());
        noted.scopes.extend(words.take(room).map(str::to_owned));
    }
}

/// What an answer says of its list, in its headers if its step looks there.
fn said(step: &Step, answer: &Answer, in_body: &Said) -> Result<Said, &'static str> {
    match &step.pages {
        Some(pages) if matches!(pages.turn, Turn::Link(_)) => {
            Ok(Said { lead: turn::of_headers(pages, &answer.headers)?, ..in_body.clone() })
        }
        Some(_) | None => Ok(in_body.clone()),
    }
}

/// A full last page is read anew each time: a further page could begin without changing it.
fn may_ask_again(step: &Step, records: &[Arc<Record>], said: &Said) -> bool {
    let Some(pages) = &step.pages else { return true };
    let counts = matches!(pages.turn, Turn::Page { .. } | Turn::Offset { .. });
    let full = |size: u64| u64::try_from(records.len()).is_ok_and(|n| n >= size);
    // what is counted goes on until a page is short or empty, whatever this one says
    counts || said.lead != Lead::None || !pages.size.as_ref().is_some_and(|(_, size)| full(*size))
}

fn status(tried: &Tried) -> u16 {
    tried.answer.as_ref().map_or(0, |answer| answer.status)
}

const fn broken_off(broken: Broken) -> (Outcome, &'static str) {
    match broken {
        Broken::Timeout => (Outcome::Retry, why::TIMEOUT),
        Broken::Connect => (Outcome::Retry, why::CONNECT),
        Broken::Truncated => (Outcome::Retry, why::TRUNCATED),
        Broken::Other => (Outcome::Retry, why::BROKEN),
        Broken::TooLarge => (Outcome::Error, why::TOO_LARGE),
    }
}
