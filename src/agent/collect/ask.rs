//! What is asked for one page: its address, and its body where a source is read by POST.
//!
//! It sends nothing. A value goes where the step's verb puts values: into the query, the body, or a document's variables.

use std::borrow::Cow;

use observance_record::{Instant, population::Outcome};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    body::word,
    condition::Window,
    exchange::Session,
    ldap,
    list::{Env, look_up, value_of},
    manifest::{Bound, Feed, Search, Step, Turn, Verb},
    outcome::why,
    template::{Slot, Template, Unfilled, encode},
};

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// One page, asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Where.
    pub url: Url,
    /// What is posted there; nothing for a GET.
    pub body: Option<Value>,
    /// Headers of its own.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    /// What two requests for the same page have in common, and no others.
    pub(super) fn id(&self) -> String {
        match &self.body {
            Some(body) => format!("{}\n{body}", self.url),
            None => self.url.as_str().to_owned(),
        }
    }

    /// What is posted, as it is sent.
    pub(super) fn posted(&self, verb: &Verb) -> Option<String> {
        let body = self.body.as_ref()?;
        let Verb::Form(_) = verb else { return Some(body.to_string()) };
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in body.as_object().into_iter().flatten() {
            form.append_pair(name, value.as_str().unwrap_or_default());
        }
        Some(form.finish())
    }

    /// Puts a value in its place, instead of whatever stood there.
    pub(super) fn set(&mut self, verb: &Verb, name: &str, value: Value) -> Result<(), Unfilled> {
        match (verb, &mut self.body) {
            (Verb::Get | Verb::Inside(_), _) | (_, None) => {
                let word = word(&value)?;
                set_query(&mut self.url, name, &word);
            }
            (Verb::Post(_) | Verb::Search(_), Some(body)) => put(body, name, value),
            (Verb::Form(_), Some(body)) => {
                let word = word(&value)?;
                body.as_object_mut().and_then(|fields| fields.insert(name.to_owned(), word.into()));
            }
            (Verb::GraphQl(_), Some(body)) => put(body, &format!("variables.{name}"), value),
        }
        Ok(())
    }
}

type Unasked = (Outcome, &'static str);

/// The first page of a list. Every value that came in from outside is appended to `parameters`, as words.
pub(super) fn first(
    session: &Session<'_>,
    step: &Step,
    env: Option<&Env>,
    parameters: &mut Vec<String>,
) -> Result<Asked, Unasked> {
    if let Verb::Search(search) = &step.verb {
        return searched(session, (step, search), env, parameters);
    }
    let url = address(session, step, env, parameters)?;
    let look_up = |slot: &Slot| value_of(session, env, slot);
    let body = match &step.verb {
        Verb::Get | Verb::Inside(_) | Verb::Search(_) => None,
        Verb::Post(body) => Some(body.fill(parameters, &look_up).map_err(unasked)?),
        Verb::Form(fields) => Some(words(fields.fill(parameters, &look_up).map_err(unasked)?)?),
        Verb::GraphQl(document) => {
            let variables = document.variables.fill(parameters, &look_up).map_err(unasked)?;
            Some(json!({ "query": document.text, "variables": variables }))
        }
    };
    let mut asked = Asked { url, body, headers: headers(step, parameters, &look_up)? };
    if let Some(pages) = &step.pages {
        let mut set = |name: &str, value: u64| asked.set(&step.verb, name, value.into()).map_err(unasked);
        if let Some((name, size)) = &pages.size {
            set(name, *size)?;
        }
        match &pages.turn {
            Turn::Page { param, start } | Turn::Offset { param, start } => set(param, *start)?,
            Turn::Link(_) | Turn::BodyLink(_) | Turn::Cursor(_) | Turn::Place => {}
        }
    }
    if let (Some(feed), Some(window)) =
        (step.window.as_ref().and_then(|plan| plan.feed.as_ref()), session.window(step))
    {
        let kept = step.window.as_ref().and_then(|plan| plan.retention).map(|retention| retention.within_ms);
        let bounds = bounds(feed, window, kept.map(|ms| session.started.plus_ms(-ms)));
        for (name, value) in bounds {
            asked.set(&step.verb, name, value).map_err(unasked)?;
        }
    }
    Ok(asked)
}

/// A search in a directory: its address is what it is known by, the rest stands in what would be posted.
fn searched(
    session: &Session<'_>,
    (step, search): (&Step, &Search),
    env: Option<&Env>,
    parameters: &mut Vec<String>,
) -> Result<Asked, Unasked> {
    let look_up = |slot: &Slot| word(&value_of(session, env, slot)?).ok();
    let base = search.base.as_ref().map(|base| ldap::base(base, parameters, look_up)).transpose();
    let base = base.map_err(unasked)?.unwrap_or_default();
    let filter = ldap::filter(&search.filter, parameters, look_up).map_err(unasked)?;
    let url = ldap::url(&session.base, (&base, search.scope, &filter));
    let url = url.filter(|url| session.is_ours(url)).ok_or((Outcome::Error, why::VALUE_UNSAFE))?;
    let size = step.pages.as_ref().and_then(|pages| u32::try_from(pages.size.as_ref()?.1).ok());
    let wanted = ldap::Search {
        base,
        scope: search.scope,
        filter,
        attributes: search.attributes.clone(),
        elsewhere: search.elsewhere.clone(),
        size,
        place: None,
    };
    let body = serde_json::to_value(wanted).map_err(|_unfit| (Outcome::Error, why::VALUE_UNSAFE))?;
    Ok(Asked { url, body: Some(body), headers: Vec::new() })
}

/// The fields of a form: texts, whatever the value was.
fn words(fields: Value) -> Result<Value, Unasked> {
    let Value::Object(fields) = fields else { return Ok(fields) };
    let field = |(name, value): (String, Value)| Ok((name, Value::String(word(&value).map_err(unasked)?)));
    fields.into_iter().map(field).collect::<Result<_, _>>().map(Value::Object)
}

/// A step's own headers.
fn headers(
    step: &Step,
    parameters: &mut Vec<String>,
    look_up: &dyn Fn(&Slot) -> Option<Value>,
) -> Result<Vec<(String, String)>, Unasked> {
    let form = matches!(step.verb, Verb::Form(_)).then(|| ("content-type".to_owned(), FORM.to_owned()));
    let mut headers = Vec::from_iter(form);
    for (name, template) in &step.headers {
        let value = template.plain(parameters, |slot| word(&look_up(slot)?).ok()).map_err(unasked)?;
        headers.push((name.clone(), value));
    }
    Ok(headers)
}

/// What the source is asked for of a window, by parameter: never what it has forgotten.
fn bounds(feed: &Feed, (from, to): Window, oldest: Option<Instant>) -> Vec<(&str, Value)> {
    let write = |at: Instant| match feed.bound {
        Bound::Rfc3339 => Value::from(at.to_string()),
        Bound::EpochS => at.ms().div_euclid(1000).into(),
        Bound::EpochMs => at.ms().into(),
    };
    let asked = from.plus_ms(-feed.overlap_ms);
    let start = oldest.map_or(asked, |oldest| asked.max(oldest.min(from)));
    let end = feed.end.as_deref().map(|end| (end, write(to)));
    std::iter::once((feed.start.as_str(), write(start))).chain(end).collect()
}

fn unasked(unfilled: Unfilled) -> Unasked {
    match unfilled {
        Unfilled::Missing => (Outcome::Error, why::VALUE_MISSING),
        Unfilled::Unsafe => (Outcome::Error, why::VALUE_UNSAFE),
    }
}

fn address(
    session: &Session<'_>,
    step: &Step,
    env: Option<&Env>,
    parameters: &mut Vec<String>,
) -> Result<Url, Unasked> {
    let value = |slot: &Slot| match &slot.alias {
        Some(_) => look_up(session.manifest, env, slot),
        None => session.params.get(slot.path.to_string().as_str()).map(|value| Cow::Borrowed(value.as_str())),
    };
    let mut fill = |template: &Template| template.fill(parameters, value).map_err(unasked);
    let base = match &step.service {
        None => &session.base,
        Some(service) => session.beside.get(service).ok_or((Outcome::Error, why::VALUE_MISSING))?,
    };
    let base = base.as_str().trim_end_matches('/');
    // a server of one's own has its documents beside the versions of its paths: /api/graphql, /api/v3
    let beside = matches!(step.verb, Verb::GraphQl(_)).then(|| base.strip_suffix("/api/v3")).flatten();
    let mut text = beside.map_or_else(|| base.to_owned(), |host| format!("{host}/api"));
    text.push_str(&fill(&step.path)?);
    let mut separator = '?';
    for (name, template) in step.query.iter().chain(reach(session, step)?) {
        text.push(separator);
        separator = '&';
        encode(&mut text, name);
        text.push('=');
        // values are encoded, so a plus is the manifest's own; in a query it would be read as a blank
        text.push_str(&fill(template)?.replace('+', "%2B"));
    }
    let url = Url::parse(&text).map_err(|_malformed| (Outcome::Error, why::VALUE_UNSAFE))?;
    if session.is_ours(&url) { Ok(url) } else { Err((Outcome::Error, why::VALUE_UNSAFE)) }
}

type Query = [(String, Template)];

/// What must be asked for so that the answer reaches back to the window's beginning.
fn reach<'s>(session: &Session<'_>, step: &'s Step) -> Result<&'s Query, Unasked> {
    let Some(plan) = &step.window else { return Ok(&[]) };
    let Some((from, _)) = session.window(step) else { return Err((Outcome::Error, why::WINDOW_MISSING)) };
    let back_ms = session.started.ms_since(from);
    if plan.retention.is_some_and(|retention| back_ms > retention.within_ms) {
        return Err((Outcome::OutOfRetention, why::WINDOW_REACH));
    }
    if plan.reach.is_empty() {
        return Ok(&[]);
    }
    let enough = plan.reach.iter().find(|reach| back_ms <= reach.within_ms);
    enough.map(|reach| reach.query.as_slice()).ok_or((Outcome::OutOfRetention, why::WINDOW_REACH))
}

/// Replaces a query parameter; the others keep their places and their bytes.
fn set_query(url: &mut Url, name: &str, word: &str) {
    let is_it = |pair: &&str| url::form_urlencoded::parse(pair.as_bytes()).any(|(key, _)| key == name);
    let others = url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_it(pair));
    let mut text = others.collect::<Vec<_>>().join("&");
    if !text.is_empty() {
        text.push('&');
    }
    encode(&mut text, name);
    text.push('=');
    encode(&mut text, word);
    url.set_query(Some(&text));
}

/// Puts a value at a dotted path, through objects that are made where there are none.
fn put(body: &mut Value, path: &str, value: Value) {
    let mut at = body;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Some(members) = at.as_object_mut() else { return };
        if parts.peek().is_none() {
            members.insert(part.to_owned(), value);
            return;
        }
        at = members.entry(part).or_insert(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_replaced_where_it_stands_twice_or_not_at_all() {
        let set = |url: &str, name: &str, word: &str| {
            let mut url = Url::parse(url).unwrap();
            set_query(&mut url, name, word);
            url.to_string()
        };
        assert_eq!(set("https://x/a", "after", "1/2=&c"), "https://x/a?after=1%2F2%3D%26c");
        assert_eq!(
            set("https://x/a?q=b%2Fc&page%5Bno%5D=1&z", "page[no]", "2"),
            "https://x/a?q=b%2Fc&z&page%5Bno%5D=2"
        );
    }

    #[test]
    fn a_value_is_put_deep_into_a_body() {
        let mut body = json!({ "page": { "size": 5 }, "q": "x" });
        put(&mut body, "page.after", json!([1, "b"]));
        put(&mut body, "search.from", json!(3));
        assert_eq!(body.to_string(), r#"{"page":{"size":5,"after":[1,"b"]},"q":"x","search":{"from":3}}"#);
    }
}
