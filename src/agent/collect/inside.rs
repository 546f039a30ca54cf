//! Lists inside of records, as steps of their own: what one request read for many is taken apart again.
//!
//! It sends nothing. A list that does not reach to its end, or past the window, is not whole.

use std::sync::Arc;

use observance_record::{Item, population::Outcome};

use super::{
    Instance,
    exchange::Session,
    list::{Env, Listing, Reading},
    manifest::Step,
    nested::List,
    outcome::why,
    page::record,
    project::Path,
    scan::Tape,
};

/// The list at `at` of the record that `env` names; `of` is the list which that record is of.
pub(super) fn read(
    session: &Session<'_>,
    (step, at): (&Step, &Path),
    (of, env): (Option<&Instance>, &Arc<Env>),
) -> Listing {
    let first = of.map_or_else(|| session.item(&step.id), |of: &Instance| of.listing.first);
    let broken = |outcome, why| Listing { outcome, why: Some(why), ..Reading::new(step, first).done() };
    if step.window.is_some() && session.window(step).is_none() {
        return broken(Outcome::Error, why::WINDOW_MISSING);
    }
    let flaw = env.record.flaws.first().copied();
    let tape = env.record.raw.as_deref().and_then(|raw| Tape::read(raw.as_bytes()).ok());
    let list = tape.as_ref().and_then(|tape| at.find(tape.root())).and_then(List::read);
    let listing = match list
        .map(|list| taken(session, (step, first), &list, reaches(session, (step, at), env, &list)))
    {
        Some(Ok(listing)) => listing,
        Some(Err(why)) => broken(Outcome::Error, why),
        None => broken(Outcome::Error, why::BODY_SHAPE),
    };
    match flaw {
        // what came stands, and is not all
        Some(outcome) => Listing { outcome, why: Some(why::GRAPHQL_ERRORS), whole: false, ..listing },
        None => listing,
    }
}

/// Was it read as far as it is wanted?
fn reaches(session: &Session<'_>, (step, at): (&Step, &Path), env: &Env, list: &List<'_>) -> bool {
    let of = session.manifest.steps.get(env.step);
    let nested = of.and_then(|of| of.nested.iter().find(|nested| nested.at == *at));
    let stop = nested.and_then(|nested| nested.stop.as_ref());
    list.is_whole() || stop.is_some_and(|stop| list.is_past(stop, session.window(step)))
}

fn taken(
    session: &Session<'_>,
    (step, first): (&Step, Item),
    list: &List<'_>,
    whole: bool,
) -> Result<Listing, &'static str> {
    let mut reading = Reading::new(step, first);
    for node in list.nodes.elements() {
        let _past = reading.add(session, &record(step, node, &[])?);
    }
    reading.whole = whole;
    if !whole {
        (reading.listing.outcome, reading.listing.why) = (Outcome::Error, Some(why::PAGE_END_UNSEEN));
    }
    Ok(reading.done())
}
