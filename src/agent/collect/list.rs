//! One list of a step, page by page to its end, or to where its window begins.
//!
//! It judges no completeness: it says whether the end was seen and what went wrong on the way.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use observance_record::{Instant, Item, population::Outcome};
use url::Url;

use super::{
    condition::instant,
    exchange::{Sent, Session},
    manifest::{Manifest, Proof, Step, WindowPlan},
    outcome::why,
    page::Record,
    template::{Slot, Template, Unfilled, encode},
};

/// The record in whose name a step is asked, and those of which it was asked in turn.
pub(super) struct Env {
    pub alias: String,
    /// Index of the step that the record is of.
    pub step: usize,
    pub record: Arc<Record>,
    pub outer: Option<Arc<Env>>,
}

/// What came of one list.
pub(super) struct Listing {
    /// The records that are kept, each key once, in the source's order.
    pub records: Vec<Arc<Record>>,
    /// The first outcome that may not feed a verdict; else that of the first page.
    pub outcome: Outcome,
    pub why: Option<&'static str>,
    /// Was its end seen?
    pub whole: bool,
    /// Did a key come twice?
    pub repeated: bool,
    /// How many records the source says there are, as its last page with a word on it has it.
    pub stated: Option<u64>,
    /// Its exchanges, in order.
    pub sent: Vec<Sent>,
    /// The exchange of its first page.
    pub first: Item,
}

/// The value of an enclosing record.
pub(super) fn look_up<'e>(manifest: &Manifest, env: Option<&'e Env>, slot: &Slot) -> Option<Cow<'e, str>> {
    let alias = slot.alias.as_ref()?;
    let mut next = env;
    while let Some(env) = next {
        if env.alias == *alias {
            let step = manifest.steps.get(env.step)?;
            return env.record.mark(step, &slot.path).word().map(Cow::Borrowed);
        }
        next = env.outer.as_deref();
    }
    None
}

/// Reads a list; once more from its beginning if it changed under the reading in a way that its proof does not bear.
pub(super) async fn read_list(session: &Session<'_>, step: &Step, env: Option<&Env>) -> Listing {
    let first = read_once(session, step, env).await;
    if !(first.repeated && first.whole && step.complete.contains(&Proof::UniqueKeys)) {
        return first;
    }
    let mut second = read_once(session, step, env).await;
    let mut sent = first.sent;
    sent.append(&mut second.sent);
    Listing { sent, ..second }
}

async fn read_once(session: &Session<'_>, step: &Step, env: Option<&Env>) -> Listing {
    let mut parameters = Vec::new();
    let address = address(session, step, env, &mut parameters);
    let item = |page: u64| item(session, step, &parameters, page);
    let mut reading = Reading::new(step, item(1));
    let mut url = match address {
        Ok(url) => url,
        Err((outcome, why)) => {
            reading.stop(session.unsent(step, item(1), outcome, why));
            return reading.done();
        }
    };
    let pages_max = step.pages.as_ref().map_or(1, |pages| pages.most);
    let mut seen = BTreeSet::new();
    for page in 1..=pages_max {
        seen.insert(url.as_str().to_owned());
        let sent = session.fetch(step, item(page), item(page + 1), &url).await;
        let next = sent.next.clone();
        let goes_on = reading.take(session, sent);
        let unsent = |why| session.unsent(step, item(page + 1), Outcome::Error, why);
        if !goes_on {
            return reading.done();
        }
        if step.pages.as_ref().and_then(|pages| pages.cap).is_some_and(|cap| reading.read >= cap) {
            reading.stop(unsent(why::SOURCE_CAP));
            return reading.done();
        }
        url = match next {
            Ok(None) => {
                reading.whole = true;
                return reading.done();
            }
            Ok(Some(next)) if seen.contains(next.as_str()) => {
                reading.stop(unsent(why::LINK_LOOP));
                return reading.done();
            }
            Ok(Some(next)) => next,
            Err(why) => {
                reading.stop(unsent(why));
                return reading.done();
            }
        };
    }
    reading.stop(session.unsent(step, item(pages_max + 1), Outcome::Error, why::PAGES_MAX));
    reading.done()
}

/// A list in the course of being read.
struct Reading<'s> {
    step: &'s Step,
    listing: Listing,
    keys: HashMap<String, usize>,
    /// Records that the source returned, kept or not.
    read: u64,
    whole: bool,
    /// The value by which the source sorts, of the record before.
    last: Option<Instant>,
    /// Has the order held so far?
    sorted: bool,
}

impl<'s> Reading<'s> {
    fn new(step: &'s Step, first: Item) -> Self {
        let listing = Listing {
            records: Vec::new(),
            outcome: Outcome::Present,
            why: None,
            whole: false,
            repeated: false,
            stated: None,
            sent: Vec::new(),
            first,
        };
        Self { step, listing, keys: HashMap::new(), read: 0, whole: false, last: None, sorted: true }
    }

    /// Takes a page; returns whether a further one may be asked for.
    fn take(&mut self, session: &Session<'_>, sent: Sent) -> bool {
        if self.listing.sent.is_empty() {
            (self.listing.outcome, self.listing.why) = (sent.repeats, sent.why);
        }
        self.listing.stated = sent.stated.or(self.listing.stated);
        let records = Arc::clone(&sent.records);
        let outcome = sent.repeats;
        // a single record that lacks a field is still what was seen
        let mut past = false;
        for record in records.iter() {
            past |= self.add(session, record);
        }
        // whether the source sorts is seen on whole pages, so no list is left in the middle of one
        let stopped = past && self.sorted;
        if outcome == Outcome::Present {
            self.listing.sent.push(sent);
            self.whole |= stopped;
            return !stopped;
        }
        let ends = outcome.feeds();
        if ends {
            self.listing.sent.push(sent);
        } else {
            self.stop(sent);
        }
        self.whole |= ends;
        false
    }

    /// An exchange that ends the list before its end.
    fn stop(&mut self, sent: Sent) {
        (self.listing.outcome, self.listing.why) = (sent.repeats, sent.why);
        self.listing.sent.push(sent);
    }

    /// Takes a record; returns whether nothing after it can lie in the window, if the source sorts.
    fn add(&mut self, session: &Session<'_>, record: &Arc<Record>) -> bool {
        self.read += 1;
        let Some(plan) = &self.step.window else {
            self.keep(record);
            return false;
        };
        let kept = |condition: &super::condition::Condition| {
            condition.holds(record.mark(self.step, &condition.path), session.window) != Some(false)
        };
        if plan.keep.iter().all(kept) {
            self.keep(record);
        }
        self.is_past(session, plan, record)
    }

    fn is_past(&mut self, session: &Session<'_>, plan: &WindowPlan, record: &Record) -> bool {
        let Some(stop) = &plan.stop else { return false };
        let mark = record.mark(self.step, &stop.path);
        let at = instant(mark);
        // the list may only be left early while it is seen to be sorted, newest first
        self.sorted &= at.is_some_and(|at| self.last.is_none_or(|last| at <= last));
        self.last = at;
        stop.holds(mark, session.window) == Some(true)
    }

    fn keep(&mut self, record: &Arc<Record>) {
        let key = self.step.key.as_ref().and_then(|key| record.mark(self.step, key).word());
        let Some(key) = key else { return self.listing.records.push(Arc::clone(record)) };
        if let Some(earlier) = self.keys.get(key).and_then(|at| self.listing.records.get_mut(*at)) {
            // the list moved while it was read; what was read last is newer
            *earlier = Arc::clone(record);
            self.listing.repeated = true;
        } else {
            self.keys.insert(key.to_owned(), self.listing.records.len());
            self.listing.records.push(Arc::clone(record));
        }
    }

    fn done(self) -> Listing {
        Listing { whole: self.whole, ..self.listing }
    }
}

/// The natural name of an exchange: step, parameters in order, page (formats section 3). Its scope is the collector.
fn item(session: &Session<'_>, step: &Step, parameters: &[String], page: u64) -> Item {
    let mut natural = step.id.clone();
    for parameter in parameters {
        natural.push('\u{1f}');
        natural.push_str(parameter);
    }
    natural.push('\u{1f}');
    natural.push_str(&page.to_string());
    session.item(&natural)
}

fn address(
    session: &Session<'_>,
    step: &Step,
    env: Option<&Env>,
    parameters: &mut Vec<String>,
) -> Result<Url, (Outcome, &'static str)> {
    let value = |slot: &Slot| match &slot.alias {
        Some(_) => look_up(session.manifest, env, slot),
        None => session.params.get(slot.path.to_string().as_str()).map(|value| Cow::Borrowed(value.as_str())),
    };
    let unfilled = |unfilled| match unfilled {
        Unfilled::Missing => (Outcome::Error, why::VALUE_MISSING),
        Unfilled::Unsafe => (Outcome::Error, why::VALUE_UNSAFE),
    };
    let mut fill = |template: &Template| template.fill(parameters, value).map_err(unfilled);
    let mut text = session.base.as_str().trim_end_matches('/').to_owned();
    text.push_str(&fill(&step.get)?);
    let mut separator = '?';
    let mut pair = |text: &mut String, name: &str, value: &str| {
        text.push(separator);
        separator = '&';
        encode(text, name);
        text.push('=');
        text.push_str(value);
    };
    for (name, template) in step.query.iter().chain(reach(session, step)?) {
        pair(&mut text, name, &fill(template)?);
    }
    if let Some((name, size)) = step.pages.as_ref().and_then(|pages| pages.size.as_ref()) {
        pair(&mut text, name, &size.to_string());
    }
    let url = Url::parse(&text).map_err(|_malformed| (Outcome::Error, why::VALUE_UNSAFE))?;
    if session.is_ours(&url) { Ok(url) } else { Err((Outcome::Error, why::VALUE_UNSAFE)) }
}

type Query = [(String, Template)];

/// What must be asked for so that the answer reaches back to the window's beginning.
fn reach<'s>(session: &Session<'_>, step: &'s Step) -> Result<&'s Query, (Outcome, &'static str)> {
    let Some(plan) = &step.window else { return Ok(&[]) };
    let Some((from, _)) = session.window else { return Err((Outcome::Error, why::WINDOW_MISSING)) };
    if plan.reach.is_empty() {
        return Ok(&[]);
    }
    let back_ms = session.started.ms_since(from);
    let enough = plan.reach.iter().find(|reach| back_ms <= reach.within_ms);
    enough.map(|reach| reach.query.as_slice()).ok_or((Outcome::OutOfRetention, why::WINDOW_REACH))
}
