//! One exchange from first attempt to last: redirects, waits, retries, conditional requests, its row and its receipt.
//!
//! It never fails: whatever the world does becomes an outcome with a reason. The credential is never sent to another
//! origin than the base address's, and nothing to a host that the manifest does not name.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use observance_record::{
    Digest, Instant, Item,
    item::ItemKey,
    pack::Spool,
    population::Outcome,
    table::{RowBytes, Rows},
};
use url::Url;

use super::{
    ask::Asked,
    auth::{Credential, Door, Granted},
    conditional::{self, Bodies},
    http::{Answer, Ask, Headers, Http},
    kept::{self, Known},
    ldap::{self, Line},
    limit::{Pace, http_date, leave_alone_until, used_up_until},
    manifest::{Conditional, Manifest, Step, Turn, Verb},
    outcome::{broken_off, why},
    page::{Artefact, Meaning, Record, weigh},
    receipt::{Attempt, PriorRow, Receipt, exchange_row},
    spans::Spans,
    turn::{self, Lead, Said},
};
use crate::{chance::Chance, clock::Clock};

/// Redirects that one exchange follows, all on the same origin.
const REDIRECTS_MAX: usize = 3;
/// The scheme of files.
pub(super) const FILE: &str = "file";
/// Longest header that a receipt keeps, in bytes.
const HEADER_BYTES_MAX: usize = 2048;

/// What all exchanges of one run share.
pub(super) struct Session<'a> {
    pub manifest: &'a Manifest,
    pub http: &'a Http,
    pub clock: &'a Clock,
    pub chance: &'a Chance,
    pub pace: Pace,
    /// Nothing is sent anywhere else than to its origin.
    pub base: Url,
    /// Other services that may be asked, by name, and are told who asks.
    pub beside: BTreeMap<String, Url>,
    /// Who asks.
    pub door: Door<'a>,
    pub item_key: &'a ItemKey,
    pub params: &'a BTreeMap<String, String>,
    pub spans: Spans,
    pub started: Instant,
    pub prior: &'a Rows,
    pub etags: &'a HashMap<Digest, Box<Known>>,
    pub bodies: Option<&'a dyn Bodies>,
    pub computed: conditional::Shared,
    /// What is read, until it is sealed.
    pub spool: Mutex<Spool>,
    pub granted: Mutex<Granted>,
    /// The connection of the run, where the source is a directory.
    pub line: Line,
    /// Hosts that were asked beside the base address's.
    pub hosts: Mutex<BTreeSet<String>>,
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
    /// How many records the source says the list has.
    pub stated: Option<u64>,
    /// Of the bytes that are kept.
    pub digest: Option<Digest>,
    pub row: RowBytes,
    /// New evidence: not that of the prior row.
    pub artefact: Option<Artefact>,
    pub receipt: Receipt,
    /// For the next run's conditional requests.
    pub known: Option<(Digest, Box<Known>)>,
}

/// What one attempt sends.
#[derive(Clone, Copy)]
pub(super) struct Call<'c> {
    pub headers: &'c Headers,
    pub etag: Option<&'c str>,
    /// What is posted; nothing for a GET.
    pub body: Option<&'c [u8]>,
}

/// One attempt's result.
pub(super) struct Tried {
    pub outcome: Outcome,
    pub why: Option<&'static str>,
    pub answer: Option<Answer>,
    pub meaning: Option<Meaning>,
    sent_at: Instant,
    took_ms: i64,
    pub skew_ms: Option<i64>,
}

impl Tried {
    /// Of the answer; 0 if there is none.
    pub(super) fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }
}

impl Session<'_> {
    /// Makes one exchange. `item` is its name in the table, `after` that of the page behind it.
    pub(super) async fn fetch(&self, step: &Step, item: Item, after: Item, asked: &Asked) -> Sent {
        let prior = self.prior.get(&item).and_then(|row| PriorRow::read(row));
        let evidence = prior.as_ref().and_then(|prior| prior.artefact.as_ref());
        let by_address = self.may_ask_conditionally(asked);
        let remembered = self.etags.get(&kept::address(&asked.url)).filter(|_| by_address).map(AsRef::as_ref);
        // a 304 may only repeat what is already sealed, so only that is asked about
        let known = remembered.filter(|known| evidence.is_some_and(|e| e.digest == known.digest));
        let body = asked.posted(&step.verb);
        let (mut attempts, mut url_now, mut redirects) = (Vec::new(), asked.url.clone(), 0);
        let worth_it = known.is_none_or(|known| may_ask_again(step, &known.records, &known.said));
        let (mut earlier, mut asks) = (None, by_address && worth_it);
        loop {
            let credential = match self.credential().await {
                Ok(credential) => credential,
                Err(refusal) => return self.unsent(step, item, refusal.outcome, refusal.why),
            };
            let same = known.filter(|known| known.by == credential.by);
            if asks && same.is_none() && earlier.is_none() {
                earlier = self.earlier(step, (&item, &after), prior.as_ref(), known).await;
            }
            let computed = earlier.as_ref().filter(|_| asks).map(|body| body.etag(&credential.headers));
            let given = same.filter(|_| asks).map(|known| known.etag.clone());
            // what is made from a credential goes to no other host
            let etag = given.or_else(|| computed.clone()).filter(|_| self.is_ours(&url_now));
            let headers = match self.shown(&credential, (step, &url_now, &asked.headers), body.as_deref()) {
                Ok(headers) => headers,
                Err(refusal) => return self.unsent(step, item, refusal.outcome, refusal.why),
            };
            let posted = body.as_deref().map(str::as_bytes);
            let call = Call { headers: &headers, etag: etag.as_deref(), body: posted };
            let tried = self.attempt(step, &url_now, call).await;
            if let Some(to) = self.redirect((&url_now, posted.is_some()), &tried) {
                match to {
                    Ok(to) if redirects < REDIRECTS_MAX => {
                        redirects += 1;
                        attempts.push(Attempt::redirect(tried.status(), to.path()));
                        url_now = to;
                        continue;
                    }
                    Ok(_) => return self.broken_off(step, item, &tried, why::REDIRECT_MANY, attempts),
                    Err(why) => return self.broken_off(step, item, &tried, why, attempts),
                }
            }
            let tries = u32::try_from(attempts.len() - redirects).unwrap_or(u32::MAX) + 1;
            if let Some(wait_ms) = self.again(step, &tried, tries, (&credential, &url_now)).await {
                attempts.push(Attempt::failed(tried.status(), tried.outcome, tried.why, wait_ms));
                continue;
            }
            let mut revived = None;
            if let (Outcome::Unchanged, Some(earlier), Some(etag)) = (tried.outcome, &earlier, computed) {
                revived = self.revived(earlier, (&credential, etag), &tried);
                if revived.is_none() {
                    // what did not change cannot stand in for itself, so it is read
                    asks = false;
                    attempts.push(Attempt::failed(tried.status(), tried.outcome, tried.why, 0));
                    continue;
                }
            }
            let is_computed = etag.is_some() && same.is_none();
            let mut sent = self.finish(step, item, asked, tried, revived.as_ref().or(same), attempts);
            if let Some((_, known)) = &mut sent.known {
                known.by = credential.by;
            }
            if is_computed {
                self.note_computed(&sent);
            }
            return sent;
        }
    }

    /// Only what is read by its address alone is asked whether it changed.
    fn may_ask_conditionally(&self, asked: &Asked) -> bool {
        let by_address = asked.body.is_none() && asked.headers.is_empty();
        by_address && self.manifest.conditional != Conditional::Never
    }

    /// Whether to try once more, after how long a wait.
    async fn again(&self, step: &Step, tried: &Tried, tries: u32, by: (&Credential, &Url)) -> Option<i64> {
        if tries >= self.manifest.limits.attempts_max {
            return None;
        }
        if tried.outcome == Outcome::Unauthenticated {
            return self.renewed(by.0, (by.1, tried.answer.as_ref())).await.map(|_| 0);
        }
        self.wait_before_retry(step, tried, tries).await
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
            stated: None,
            digest: None,
            row: exchange_row(&step.id, step.path.source(), outcome, 0, Some(why), None),
            artefact: None,
            receipt,
            known: None,
        }
    }

    /// Sends once, when there is leave to.
    pub(super) async fn attempt(&self, step: &Step, url: &Url, call: Call<'_>) -> Tried {
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
        let pass = match self.pace.enter(self.pace.bucket(step.path.source())).await {
            Ok(pass) => pass,
            Err(why) => return failed(Outcome::Throttled, why),
        };
        let sent_at = self.clock.now();
        let ask = Ask {
            headers: call.headers,
            etag: call.etag,
            by_date: self.manifest.conditional == Conditional::LastModified,
            body: call.body,
            body_bytes_max: self.manifest.limits.body_bytes_max,
            line: &self.line,
        };
        if let Some(host) = url.host_str().filter(|host| Some(*host) != self.base.host_str()) {
            self.hosts.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
        }
        let answer = self.http.send(url, ask).await;
        drop(pass);
        let took_ms = self.clock.now().ms_since(sent_at).max(0);
        match answer {
            Ok(answer) => self.weighed(step, answer, call.etag.is_some(), sent_at, took_ms),
            Err(broken) => {
                let (outcome, why) = broken_off(broken);
                Tried { sent_at, took_ms, ..failed(outcome, why) }
            }
        }
    }

    fn weighed(&self, step: &Step, answer: Answer, asked: bool, sent_at: Instant, took_ms: i64) -> Tried {
        self.pace.read(answer.body.len());
        // said by our own reader of directories; a server that says so is not believed
        let further = answer.headers.get(ldap::FURTHER).filter(|_| matches!(step.verb, Verb::Search(_)));
        self.pace.also(further.and_then(|n| n.parse().ok()).unwrap_or(0));
        self.note_granted(&answer.headers);
        let date = answer.headers.get("date").and_then(http_date);
        let skew_ms = date.map(|date| date.ms_since(sent_at.plus_ms(took_ms / 2)));
        let rate = &self.manifest.limits.rate;
        if let Some(until) = used_up_until(rate, &answer.headers, self.clock.now(), skew_ms.unwrap_or(0)) {
            self.pace.hold(self.pace.bucket(step.path.source()), until);
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
        Some(if self.may_go(&to) { Ok(to) } else { Err(why::REDIRECT_OTHER_HOST) })
    }

    /// Waits if there is a point in trying again; how long it waited.
    pub(super) async fn wait_before_retry(&self, step: &Step, tried: &Tried, tries: u32) -> Option<i64> {
        match tried.outcome {
            Outcome::Throttled => {
                let headers = &tried.answer.as_ref()?.headers;
                let now = self.clock.now();
                let skew_ms = tried.skew_ms.unwrap_or(0);
                let until = leave_alone_until(&self.manifest.limits.rate, headers, now, skew_ms, tries - 1);
                let bucket = self.pace.bucket(step.path.source());
                self.pace.wait_for_limit(bucket, until).await.ok().map(|()| until.ms_since(now))
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
        sent.row =
            exchange_row(&step.id, step.path.source(), Outcome::Error, tried.status(), Some(why), None);
        sent.receipt = self.receipt(tried, Outcome::Error, attempts);
        sent
    }

    /// The natural name of an exchange is in the collector's scope.
    pub(super) fn item(&self, natural: &str) -> Item {
        // no part can hold a zero byte: templates refuse control characters
        self.item_key
            .item("exchange", &self.manifest.id, natural)
            .unwrap_or_else(|_zero| Item::from_bytes([0; 16]))
    }

    /// The end of an exchange: what its last attempt came to.
    pub(super) fn finish(
        &self,
        step: &Step,
        item: Item,
        asked: &Asked,
        tried: Tried,
        known: Option<&Known>,
        attempts: Vec<Attempt>,
    ) -> Sent {
        let prior = self.prior.get(&item).and_then(|row| PriorRow::read(row)).and_then(|row| row.artefact);
        let prior = prior.map(|evidence| (evidence.digest, evidence.since));
        let receipt = self.receipt(&tried, tried.outcome, attempts);
        if let (Outcome::Unchanged, Some(known)) = (tried.outcome, known) {
            let stated = tried.answer.as_ref().filter(|answer| answer.headers.has("link"));
            let said = stated.map_or(Ok(known.said.clone()), |answer| said(step, answer, &known.said));
            return self.repeat(step, item, asked, known, said, receipt);
        }
        let status = tried.status();
        let Tried { outcome, why, answer, meaning, .. } = tried;
        let (records, stated, artefact, in_body) = match meaning {
            Some(meaning) => (Arc::new(meaning.records), meaning.stated, meaning.artefact, meaning.said),
            None => (Arc::default(), None, None, Ok(Said::default())),
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
            .filter(|_| outcome == Outcome::Present || !records.is_empty())
            .filter(|_| asked.body.is_none())
            .and_then(|answer| answer.headers.get(self.manifest.conditional.header()))
            // to ask about an empty list, nothing has to be remembered
            .zip(artefact.as_ref().filter(|artefact| artefact.bytes != conditional::EMPTY))
            .zip(said.as_ref().ok())
            .map(|((etag, artefact), said)| Known {
                etag: etag.to_owned(),
                by: artefact.digest,
                digest: artefact.digest,
                outcome,
                why,
                records: Arc::clone(&records),
                said: said.clone(),
                stated,
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
            stated,
            digest: artefact.as_ref().map(|artefact| artefact.digest),
            row,
            artefact: artefact.filter(stored),
            receipt,
            known: known.map(|known| (kept::address(&asked.url), Box::new(known))),
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
        let again = said.as_ref().ok().filter(|_| known.digest != Digest::of(conditional::EMPTY));
        let again = again.map(|said| Box::new(Known { said: said.clone(), ..known.clone() }));
        debug_assert!(!row.is_empty(), "only what has a prior row is asked about for step {}", step.id);
        Sent {
            item,
            outcome: Outcome::Unchanged,
            repeats: known.outcome,
            why: known.why,
            records: Arc::clone(&known.records),
            said,
            stated: known.stated,
            digest: Some(known.digest),
            row,
            artefact: None,
            receipt,
            known: again.map(|again| (kept::address(&asked.url), again)),
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
        receipt.accepted = self.manifest.permissions.accepted.as_ref().and_then(|name| get(name));
        receipt.attempts = attempts;
        receipt
    }
}

/// What an answer says of its list, in its headers if its step looks there.
fn said(step: &Step, answer: &Answer, in_body: &Said) -> Result<Said, &'static str> {
    match &step.pages {
        Some(pages) if matches!(pages.turn, Turn::Link(_) | Turn::Place) => {
            Ok(Said { lead: turn::of_headers(pages, &answer.headers)?, ..in_body.clone() })
        }
        Some(_) | None => Ok(in_body.clone()),
    }
}

/// A full last page is read anew each time: a further page could begin without changing it.
pub(super) fn may_ask_again(step: &Step, records: &[Arc<Record>], said: &Said) -> bool {
    let Some(pages) = &step.pages else { return true };
    let counts = matches!(pages.turn, Turn::Page { .. } | Turn::Offset { .. });
    let full = |size: u64| u64::try_from(records.len()).is_ok_and(|n| n >= size);
    // what is counted goes on until a page is short or empty, whatever this one says
    counts || said.lead != Lead::None || !pages.size.as_ref().is_some_and(|(_, size)| full(*size))
}
