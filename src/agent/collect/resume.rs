//! A list that goes on from where the run before it ended: the vendor's own word for that place stands in the evidence.
//!
//! No file of ours holds it. It is read out of the last page that a recorded run sealed, so it moves on only with the
//! record; where it cannot be had, or the source has forgotten it, the list begins anew and the run says so.

use observance_record::{Digest, Item, population::Outcome, table::RowBytes};

use super::{
    ask::{self, Asked},
    exchange::Session,
    kept::Kept,
    list::{Env, Listing, broken, item, read_pages},
    manifest::Step,
    outcome::why,
    page::sealed_state,
    receipt::PriorRow,
    turn::{self, Lead},
};

/// The name of the page that a list goes on from: it was sealed by an earlier run.
const BEFORE: &str = "0";
/// The name of an answer that the source has forgotten where the list was.
const FORGOTTEN: &str = "1.forgotten";

/// Where a list goes on.
enum Found {
    /// It was never read.
    Never,
    /// It was read, and what it ended with cannot be had.
    Lost,
    /// There, and the row of the page that says so.
    At(Lead, RowBytes),
}

/// Reads a list from where the last recorded run ended, or all of it.
pub(super) async fn read(session: &Session<'_>, step: &Step, env: Option<&Env>) -> Listing {
    let mut parameters = Vec::new();
    let asked = ask::first(session, step, env, &mut parameters);
    let name = |page: &str| item(session, step, &parameters, "", page);
    let page = |page: u64| name(&page.to_string());
    let more = |step: &Step, more: &str, page: u64| item(session, step, &parameters, more, &page.to_string());
    let asked = match asked {
        Ok(asked) => asked,
        Err(refusal) => return broken(session, step, page(1), refusal),
    };
    let (lead, row) = match find(session, step, &name).await {
        Found::Never => return read_pages(session, step, asked, &page, &more).await,
        Found::Lost => return restarted(read_pages(session, step, asked, &page, &more).await, Vec::new()),
        Found::At(lead, row) => (lead, row),
    };
    let before = Kept::told(name(BEFORE), row);
    let next = match go_to(session, step, &asked, lead) {
        Ok(next) => next,
        Err(why) => {
            let listing = broken(session, step, page(1), (Outcome::Error, why));
            return Listing { sent: std::iter::once(before).chain(listing.sent).collect(), ..listing };
        }
    };
    let listing = read_pages(session, step, next, &page, &more).await;
    let forgotten = listing.outcome == Outcome::OutOfRetention && listing.sent.len() == 1;
    if !forgotten {
        return Listing { sent: std::iter::once(before).chain(listing.sent).collect(), ..listing };
    }
    // what was refused keeps its row, under a name that no page has
    let mut refused = listing.sent;
    for sent in &mut refused {
        sent.item = name(FORGOTTEN);
    }
    restarted(read_pages(session, step, asked, &page, &more).await, refused)
}

fn restarted(listing: Listing, mut sent: Vec<Kept>) -> Listing {
    sent.extend(listing.sent);
    Listing { sent, restarted: true, ..listing }
}

/// Looks at the last page that was recorded; and, if that list broke off, at the one that it went on from.
async fn find(session: &Session<'_>, step: &Step, name: &impl Fn(&str) -> Item) -> Found {
    let most = step.pages.as_ref().map_or(1, |pages| pages.most);
    let recorded = |page: &u64| session.prior.contains_key(&name(&page.to_string()));
    // rows of a reading that was not whole may lack what the list had, so the list is read from the same place again
    let last = (1..=most).take_while(recorded).last().filter(|_| !session.is_behind(step));
    let pages = last.map(|page| page.to_string()).into_iter().chain(std::iter::once(BEFORE.to_owned()));
    let mut found = Found::Never;
    for page in pages {
        let Some(row) = session.prior.get(&name(&page)) else { continue };
        found = Found::Lost;
        if let Some(lead) = state(session, step, row).await {
            return Found::At(lead, row.clone());
        }
    }
    found
}

/// The word that the sealed body of a row ends with.
async fn state(session: &Session<'_>, step: &Step, row: &[u8]) -> Option<Lead> {
    let row = PriorRow::read(row).filter(PriorRow::is_present)?;
    let evidence = row.artefact?;
    let body = session.bodies?.body(evidence.digest, evidence.since).await?;
    (Digest::of(&body) == evidence.digest).then(|| sealed_state(step, &body)).flatten()
}

/// What is asked for there.
fn go_to(session: &Session<'_>, step: &Step, asked: &Asked, lead: Lead) -> Result<Asked, &'static str> {
    let param = step.state().and_then(|state| state.param.as_deref());
    match (lead, param) {
        (Lead::Link(target), _) => turn::linked(session, asked, &target),
        (Lead::Cursor(value), Some(param)) => {
            let mut next = asked.clone();
            next.set(&step.verb, param, value).map_err(|_unfit| why::LINK_MALFORMED)?;
            Ok(next)
        }
        (Lead::None, _) | (Lead::Cursor(_), None) => Err(why::LINK_MALFORMED),
    }
}
