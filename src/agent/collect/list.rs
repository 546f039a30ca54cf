//! One list of a step, page by page to its end, or to where its window begins.
//!
//! It judges no completeness: it says whether the end was seen and what went wrong on the way.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use observance_record::{Digest, Instant, Item, population::Outcome};
use serde_json::Value;

use super::{
    ask::{self, Asked},
    condition::instant,
    exchange::{Sent, Session},
    kept::Kept,
    manifest::{Manifest, Proof, Step, Turn, Verb, WindowPlan},
    nested,
    outcome::why,
    page::Record,
    project::Mark,
    resume,
    template::Slot,
    turn::{self, Progress, Said},
};

/// What stands behind the page in the names of a second reading.
const AGAIN: &str = ".2";

/// The record in whose name a step is asked, and those of which it was asked in turn.
pub(super) struct Env {
    pub alias: String,
    /// Index of the step that the record is of.
    pub step: usize,
    pub record: Arc<Record>,
    pub outer: Option<Arc<Env>>,
}

/// What came of one list.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each was seen on the way by itself, and any may be with any"
)]
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
    /// Did the source count others than it listed?
    pub moved: bool,
    /// How many records the source says there are, as its last page with a word on it has it.
    pub stated: Option<u64>,
    /// Did it begin anew, because nobody knows any more where it was?
    pub restarted: bool,
    /// Its exchanges, in order.
    pub sent: Vec<Kept>,
    /// The exchange of its first page.
    pub first: Item,
}

/// The value of an enclosing record, as words.
pub(super) fn look_up<'e>(manifest: &Manifest, env: Option<&'e Env>, slot: &Slot) -> Option<Cow<'e, str>> {
    mark_of(manifest, env, slot)?.word().map(Cow::Borrowed)
}

/// The value of an enclosing record or of a parameter, with its type.
pub(super) fn value_of(session: &Session<'_>, env: Option<&Env>, slot: &Slot) -> Option<Value> {
    if slot.alias.is_none() {
        return session.params.get(slot.path.to_string().as_str()).map(|value| value.as_str().into());
    }
    match mark_of(session.manifest, env, slot)? {
        Mark::Null => Some(Value::Null),
        Mark::Bool(truth) => Some((*truth).into()),
        Mark::Number(token) => serde_json::from_str(token).ok(),
        Mark::Text(text) => Some(text.as_ref().into()),
        Mark::Missing | Mark::Compound => None,
    }
}

fn mark_of<'e>(manifest: &Manifest, env: Option<&'e Env>, slot: &Slot) -> Option<&'e Mark> {
    let alias = slot.alias.as_ref()?;
    let mut next = env;
    while let Some(env) = next {
        if env.alias == *alias {
            let step = manifest.steps.get(env.step)?;
            return Some(env.record.mark(step, &slot.path));
        }
        next = env.outer.as_deref();
    }
    None
}

/// Reads a list; once more from its beginning if it changed under the reading in a way that its proof does not bear.
pub(super) async fn read_list(session: &Session<'_>, step: &Step, env: Option<&Env>) -> Listing {
    if step.state().is_some() {
        // what changed is listed as often as it changed, and once asked for it is over
        return resume::read(session, step, env).await;
    }
    let first = read_once(session, step, env, "").await;
    let repeated = first.repeated && first.whole && step.complete.contains(&Proof::UniqueKeys);
    if !repeated && !first.moved {
        return first;
    }
    // under names of their own, so that what was seen at first keeps its rows
    let mut second = read_once(session, step, env, AGAIN).await;
    let mut sent = first.sent;
    sent.append(&mut second.sent);
    Listing { sent, ..second }.settled()
}

impl Listing {
    /// A list of which the source counts others than it listed is not whole.
    fn settled(self) -> Self {
        if !self.moved {
            return self;
        }
        Self { outcome: Outcome::Error, why: Some(why::COUNT_DIFFERS), whole: false, ..self }
    }
}

async fn read_once(session: &Session<'_>, step: &Step, env: Option<&Env>, again: &str) -> Listing {
    let mut parameters = Vec::new();
    let first = ask::first(session, step, env, &mut parameters);
    let item_of = |step: &Step, more: &str, page: u64| {
        item(session, step, &parameters, more, &format!("{page}{again}"))
    };
    let item = |page: u64| item_of(step, "", page);
    match first {
        Ok(asked) => read_pages(session, step, asked, &item, &item_of).await,
        Err(refusal) => broken(session, step, item(1), refusal),
    }
}

/// A list that is not asked for, because it is one too many.
pub(super) fn left_out(session: &Session<'_>, step: &Step, env: &Env) -> Listing {
    let mut parameters = Vec::new();
    // only the values are wanted, by which its exchange is named
    drop(ask::first(session, step, Some(env), &mut parameters));
    let first = item(session, step, &parameters, "", "1");
    broken(session, step, first, (Outcome::Error, why::FOR_EACH_MAX))
}

/// A list of which nothing could be asked.
pub(super) fn broken(
    session: &Session<'_>,
    step: &Step,
    first: Item,
    (outcome, why): (Outcome, &'static str),
) -> Listing {
    let mut reading = Reading::new(step, first);
    reading.stop(session, session.unsent(step, first, outcome, why));
    reading.done()
}

/// Goes on with a list inside of a record, from a page on.
pub(super) async fn read_from(
    session: &Session<'_>,
    step: &Step,
    asked: Asked,
    item: &(dyn Fn(u64) -> Item + Sync),
) -> Listing {
    read_pages(session, step, asked, item, &|_, _, page| item(page)).await
}

/// Reads from a page on; `item_of` names what goes on with the lists inside of its records.
pub(super) async fn read_pages(
    session: &Session<'_>,
    step: &Step,
    mut asked: Asked,
    item: &(dyn Fn(u64) -> Item + Sync),
    item_of: &(dyn Fn(&Step, &str, u64) -> Item + Sync),
) -> Listing {
    let mut reading = Reading::new(step, item(1));
    let pages_max = step.pages.as_ref().map_or(1, |pages| pages.most);
    let mut seen = BTreeSet::new();
    for page in 1..=pages_max {
        seen.insert(asked.id());
        let mut sent = session.fetch(step, item(page), item(page + 1), &asked).await;
        let followed = nested::go_on(session, step, &asked, &mut sent, item_of).await;
        let (said, digest) = (sent.said.clone(), sent.digest);
        let progress = reading.progress(page, &sent);
        let goes_on = reading.take(session, sent);
        reading.listing.sent.extend(followed);
        if !goes_on {
            return reading.done();
        }
        let next = said.and_then(|said| {
            reading.check(progress, digest)?;
            let next = turn::follow(session, step, &asked, &said.lead, progress)?;
            if next.as_ref().is_some_and(|next| seen.contains(&next.id())) {
                return Err(why::LINK_LOOP);
            }
            if next.is_none() && step.state().is_some() && said.state.is_none() {
                return Err(why::STATE_MISSING);
            }
            reading.listing.moved = next.is_none() && reading.differs(&said);
            Ok(next)
        });
        asked = match next {
            Ok(None) => {
                reading.whole = true;
                return reading.done();
            }
            Ok(Some(next)) => next,
            Err(why) => {
                reading.stop(session, session.unsent(step, item(page + 1), Outcome::Error, why));
                return reading.done();
            }
        };
    }
    reading.stop(session, session.unsent(step, item(pages_max + 1), Outcome::Error, why::PAGES_MAX));
    reading.done()
}

/// A list in the course of being read.
pub(super) struct Reading<'s> {
    step: &'s Step,
    pub listing: Listing,
    keys: HashMap<String, usize>,
    /// Records that the source returned, kept or not.
    read: u64,
    /// Records of these that had come before.
    again: u64,
    /// Pages with records that were counted off, by what they were.
    pages: BTreeSet<Digest>,
    pub whole: bool,
    /// Did a page come with errors?
    partial: bool,
    /// The value by which the source sorts, of the record before.
    last: Option<Instant>,
    /// Has the order held so far?
    sorted: bool,
}

impl<'s> Reading<'s> {
    pub(super) fn new(step: &'s Step, first: Item) -> Self {
        let listing = Listing {
            records: Vec::new(),
            outcome: Outcome::Present,
            why: None,
            whole: false,
            repeated: false,
            moved: false,
            stated: None,
            restarted: false,
            sent: Vec::new(),
            first,
        };
        Self {
            step,
            listing,
            keys: HashMap::new(),
            read: 0,
            again: 0,
            pages: BTreeSet::new(),
            whole: false,
            partial: false,
            last: None,
            sorted: true,
        }
    }

    fn progress(&self, pages: u64, sent: &Sent) -> Progress {
        let last = u64::try_from(sent.records.len()).unwrap_or(u64::MAX);
        Progress { pages, records: self.read.saturating_add(last), last }
    }

    /// Why the list may not go on after this page.
    fn check(&mut self, progress: Progress, digest: Option<Digest>) -> Result<(), &'static str> {
        let Some(pages) = &self.step.pages else { return Ok(()) };
        if pages.cap.is_some_and(|cap| progress.records >= cap) {
            return Err(why::SOURCE_CAP);
        }
        let counts = matches!(pages.turn, Turn::Page { .. } | Turn::Offset { .. });
        // a source that does not know the parameter answers with the same page for ever
        let again = counts && progress.last > 0 && digest.is_some_and(|digest| !self.pages.insert(digest));
        if again { Err(why::LINK_LOOP) } else { Ok(()) }
    }

    /// Does the source count others than it listed?
    fn differs(&self, said: &Said) -> bool {
        said.total.is_some_and(|total| total != self.read.saturating_sub(self.again))
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
            self.listing.sent.push(session.kept(sent));
            self.whole |= stopped;
            return !stopped;
        }
        if matches!(self.step.verb, Verb::GraphQl(_) | Verb::Search(_))
            && !outcome.feeds()
            && !records.is_empty()
        {
            // beside its errors the page has records and says where it goes on; whole it is no more
            (self.listing.outcome, self.listing.why) = (outcome, sent.why);
            self.partial = true;
            self.listing.sent.push(session.kept(sent));
            return !stopped;
        }
        if self.listing.sent.is_empty() && outcome.feeds() {
            self.listing.sent.push(session.kept(sent));
            self.whole = true;
            return false;
        }
        self.stop(session, sent);
        if outcome.feeds() {
            // there is a list, for it has begun; that it now is not there is no end of it
            (self.listing.outcome, self.listing.why) = (Outcome::Error, Some(why::PAGE_END_UNSEEN));
        }
        false
    }

    /// An exchange that ends the list before its end.
    fn stop(&mut self, session: &Session<'_>, sent: Sent) {
        (self.listing.outcome, self.listing.why) = (sent.repeats, sent.why);
        self.listing.sent.push(session.kept(sent));
    }

    /// Takes a record; returns whether nothing after it can lie in the window, if the source sorts.
    pub(super) fn add(&mut self, session: &Session<'_>, record: &Arc<Record>) -> bool {
        self.read += 1;
        let Some(plan) = &self.step.window else {
            self.keep(record);
            return false;
        };
        let kept = |condition: &super::condition::Condition| {
            condition.holds(record.mark(self.step, &condition.path), session.window(self.step)) != Some(false)
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
        stop.holds(mark, session.window(self.step)) == Some(true)
    }

    fn keep(&mut self, record: &Arc<Record>) {
        let key = self.step.key.as_ref().and_then(|key| record.mark(self.step, key).word());
        let Some(key) = key else { return self.listing.records.push(Arc::clone(record)) };
        if let Some(earlier) = self.keys.get(key).and_then(|at| self.listing.records.get_mut(*at)) {
            // the list moved while it was read; what was read last is newer
            *earlier = Arc::clone(record);
            self.listing.repeated = true;
            self.again += 1;
        } else {
            self.keys.insert(key.to_owned(), self.listing.records.len());
            self.listing.records.push(Arc::clone(record));
        }
    }

    pub(super) fn done(mut self) -> Listing {
        self.listing.sent.shrink_to_fit();
        self.listing.records.shrink_to_fit();
        Listing { whole: self.whole && !self.partial, ..self.listing }
    }
}

/// The natural name of an exchange: step, parameters in order, page (formats section 3). Its scope is the collector.
pub(super) fn item(
    session: &Session<'_>,
    step: &Step,
    parameters: &[String],
    more: &str,
    page: &str,
) -> Item {
    let mut natural = step.id.clone();
    for parameter in parameters.iter().map(String::as_str).chain((!more.is_empty()).then_some(more)) {
        natural.push('\u{1f}');
        natural.push_str(parameter);
    }
    natural.push('\u{1f}');
    natural.push_str(page);
    session.item(&natural)
}
