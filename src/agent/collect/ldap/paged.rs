//! One page of a search: its entries, what of them came in parts, and what is said of where the list goes on.
//!
//! A limit of the directory's own, or a part of the tree that lies elsewhere, leaves the entries and says that they are not all.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use observance_record::population::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    connection::Connection,
    entry::{self, Cut, ELSEWHERE, ENTRIES, Shape},
    filter,
    message::{self, Look, Scope},
};
use crate::collect::{
    http::{Answer, Broken, Headers},
    outcome::why,
    register::REASON,
};

/// Seconds that the directory may take for a page.
const SECONDS_MAX: u32 = 60;
/// Most requests for values that came in parts, of one page.
const FURTHER_MAX: u64 = 10_000;
/// Most parts of the tree that are told to lie elsewhere, of one page; the first are enough to know it.
const ELSEWHERE_MAX: usize = 100;
/// The header with the place at which a page ended; empty at the end of the list, missing where the directory does not page.
pub(in crate::collect) const NEXT: &str = "next-page";
/// The header that says how many requests were made beside the first.
pub(in crate::collect) const FURTHER: &str = "further-requests";
/// Codes of limits that the directory reached (RFC 4511 appendix A), and what the record says of them.
const LIMITS: [(u16, &str); 3] = [(3, why::TIME_LIMIT), (4, why::SIZE_LIMIT), (11, why::ADMIN_LIMIT)];
/// The code of a name that is not there, or that nobody tells of.
const NO_SUCH_OBJECT: u16 = 32;

/// What is asked for, as an exchange carries it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::collect) struct Search {
    /// The base.
    pub base: String,
    /// How much of the tree.
    pub scope: Scope,
    /// The filter, as people write it.
    pub filter: String,
    /// What is wanted of an entry.
    pub attributes: Vec<(String, Shape)>,
    /// Beginnings of names that may lie elsewhere: nothing that is looked for is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
    /// Entries of a page; all at once unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// What an answer says of itself that no rule of a manifest can say otherwise.
pub(in crate::collect) fn told(headers: &Headers) -> Option<(Outcome, &'static str)> {
    let partial = [why::TIME_LIMIT, why::SIZE_LIMIT, why::ADMIN_LIMIT, why::ELSEWHERE];
    let said = headers.get(REASON)?;
    if said == why::BIND_REFUSED {
        return Some((Outcome::Unauthenticated, why::BIND_REFUSED));
    }
    partial.into_iter().find(|why| *why == said).map(|why| (Outcome::Error, why))
}

/// What came of one request.
#[derive(Default)]
struct Found {
    entries: Vec<Map<String, Value>>,
    cuts: Vec<Cut>,
    elsewhere: Vec<Value>,
    /// Does something lie elsewhere that is looked for?
    short: bool,
    code: u16,
    /// Where the page ended, if the directory says.
    place: Option<String>,
}

/// Asks for one page.
pub(super) async fn page(
    connection: &mut Connection,
    search: &Search,
    bytes_max: u64,
) -> Result<Answer, Broken> {
    let mut left = bytes_max;
    let mut found = first(connection, search, &mut left).await?;
    let mut further = 0;
    while let Some(cut) = found.cuts.pop() {
        further += 1;
        if further > FURTHER_MAX {
            return Err(Broken::TooLarge);
        }
        let entry = found.entries.get_mut(cut.at).ok_or(Broken::Other)?;
        if let Some(next) = go_on(connection, (entry, &cut), search, &mut left).await? {
            found.cuts.push(Cut { next, ..cut });
        }
    }
    answer(found, search, further, bytes_max)
}

async fn first(connection: &mut Connection, search: &Search, left: &mut u64) -> Result<Found, Broken> {
    let filter = filter::read(&search.filter).map_err(|_unfit| Broken::Other)?;
    let place =
        STANDARD.decode(search.place.as_deref().unwrap_or_default()).map_err(|_unfit| Broken::Other)?;
    let names: Vec<&str> = search.attributes.iter().map(|(name, _)| name.as_str()).collect();
    let look = Look {
        base: &search.base,
        scope: search.scope,
        filter: &filter,
        attributes: &names,
        seconds: SECONDS_MAX,
        page: search.size.map(|size| (size, place.as_slice())),
    };
    let id = connection.next();
    connection.send(&message::search(id, &look)).await?;
    let mut found = Found::default();
    // every message is counted, so there is an end
    loop {
        let came = receive(connection, left).await?;
        match message::read(&came).map_err(|_malformed| Broken::Other)? {
            // unasked: the directory hangs up
            (0, message::Answer::Extended(_)) => return Err(Broken::Truncated),
            (n, _) if n != id => return Err(Broken::Other),
            (_, message::Answer::Entry { name, attributes }) => {
                let (entry, cuts) =
                    entry::object((name, found.entries.len()), &attributes, &search.attributes)
                        .map_err(|_unreadable| Broken::Other)?;
                found.entries.push(entry);
                found.cuts.extend(cuts);
            }
            (_, message::Answer::Elsewhere(addresses)) => found.note(&addresses, search),
            (_, message::Answer::Found(done, place)) => {
                found.code = done.code;
                found.place = place.map(|place| STANDARD.encode(place));
                return Ok(found);
            }
            (_, message::Answer::Meanwhile) => {}
            (_, message::Answer::Bound(_) | message::Answer::Extended(_)) => return Err(Broken::Other),
        }
    }
}

async fn receive(connection: &mut Connection, left: &mut u64) -> Result<Bytes, Broken> {
    let came = connection.receive(*left).await?;
    *left = left.saturating_sub(u64::try_from(came.len()).unwrap_or(u64::MAX));
    Ok(came)
}

/// Asks for further values of an attribute; the first that did not come yet, if there is one.
async fn go_on(
    connection: &mut Connection,
    (entry, cut): (&mut Map<String, Value>, &Cut),
    search: &Search,
    left: &mut u64,
) -> Result<Option<u64>, Broken> {
    let part = format!("{};range={}-*", cut.name, cut.next);
    let look = Look {
        base: &cut.entry,
        scope: Scope::Base,
        filter: &filter::read("(objectClass=*)").map_err(|_unfit| Broken::Other)?,
        attributes: &[&part],
        seconds: SECONDS_MAX,
        page: None,
    };
    let id = connection.next();
    connection.send(&message::search(id, &look)).await?;
    let mut came_of = None;
    // every message is counted, so there is an end
    loop {
        let came = receive(connection, left).await?;
        match message::read(&came).map_err(|_malformed| Broken::Other)? {
            (n, message::Answer::Entry { attributes, .. }) if n == id && came_of.is_none() => {
                came_of = entry::go_on(entry, cut, &attributes, &search.attributes);
            }
            // without the part that was asked for the entry is not whole
            (n, message::Answer::Found(done, _)) if n == id && done.code == 0 => {
                return came_of.map(|range| range.next).ok_or(Broken::Truncated);
            }
            _ => return Err(Broken::Truncated),
        }
    }
}

impl Found {
    fn note(&mut self, addresses: &[&str], search: &Search) {
        let known = |address: &&str| {
            let named =
                address.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, name)| name);
            // the whole of a name's first parts: CN=Configuration is not CN=ConfigurationOld
            let begins = |known: &String| {
                named.and_then(|name| name.split_at_checked(known.len())).is_some_and(|(name, rest)| {
                    let ends = rest.is_empty() || rest.starts_with([',', '?']);
                    ends && known.contains('=') && name.eq_ignore_ascii_case(known)
                })
            };
            search.elsewhere.iter().any(begins)
        };
        self.short |= !addresses.iter().any(known);
        let room = ELSEWHERE_MAX.saturating_sub(self.elsewhere.len());
        self.elsewhere.extend(addresses.iter().take(room).map(|address| Value::from(*address)));
    }

    fn reason(&self) -> Option<&'static str> {
        let limit = LIMITS.iter().find(|(code, _)| *code == self.code).map(|(_, why)| *why);
        limit.or_else(|| (self.code == 0 && self.short).then_some(why::ELSEWHERE))
    }
}

fn answer(mut found: Found, search: &Search, further: u64, bytes_max: u64) -> Result<Answer, Broken> {
    let sole = search.scope == Scope::Base && found.code == 0;
    if sole && found.entries.is_empty() {
        // it is there for nobody who asks so
        found.code = NO_SUCH_OBJECT;
    }
    let mut headers = vec![("content-type", "application/json".to_owned()), (FURTHER, further.to_string())];
    if found.code != 0 {
        // no page stands behind an end like this
        found.place.get_or_insert_default();
    }
    headers.extend(found.reason().map(|why| (REASON, why.to_owned())));
    headers.extend(found.place.take().map(|place| (NEXT, place)));
    let body = match found.entries.pop_if(|_| sole) {
        Some(entry) if found.entries.is_empty() => Value::Object(entry),
        last => {
            found.entries.extend(last);
            let mut body = Map::from_iter([(
                ENTRIES.to_owned(),
                found.entries.into_iter().map(Value::Object).collect::<Vec<_>>().into(),
            )]);
            if !found.elsewhere.is_empty() {
                body.insert(ELSEWHERE.to_owned(), found.elsewhere.into());
            }
            Value::Object(body)
        }
    };
    let body = body.to_string();
    if u64::try_from(body.len()).map_or(true, |n| n > bytes_max) {
        return Err(Broken::TooLarge);
    }
    let headers = Headers::of(headers.iter().map(|(name, value)| (*name, value.as_str())));
    Ok(Answer { status: found.code, headers: headers.ok_or(Broken::Other)?, body: Bytes::from(body) })
}
