//! The `complete` of a step: what may be said of its list being whole, and what that rests on.

use super::{
    Each, Proof, Records, Says, Step, keys, parts,
    steps::{Asks, refer},
    yaml::{Faults, Section, Spot},
};
use crate::collect::project::Path;

const KINDS: [&str; 4] = ["equals", "total", "header_total", "count_request"];
/// Largest tolerance of a count.
const TOLERANCE_MAX: u64 = 1_000_000;

/// The step that is being read, as far as a proof must know it.
struct Context<'s> {
    before: &'s [Step],
    each: Option<&'s Each>,
    asks: &'s Asks,
}

pub(super) fn read(
    section: &Section<'_>,
    faults: &mut Faults,
    before: &[Step],
    each: Option<&Each>,
    asks: &Asks,
) -> Vec<Proof> {
    let Some(spot) = section.get("complete") else { return Vec::new() };
    let context = Context { before, each, asks };
    let proofs: Vec<_> = spot.list(faults).iter().filter_map(|spot| proof(spot, faults, &context)).collect();
    let counts =
        proofs.iter().filter(|proof| matches!(proof, Proof::Total { .. } | Proof::HeaderTotal { .. }));
    let counts = counts.count();
    if counts > 1 {
        faults.add(spot, format!("{counts} of total and header_total"), "one of them");
    }
    if counts > 0 && section.get("window").is_some() {
        faults.add(spot, "a total beside a window", "no window: the total counts what lies outside it too");
    }
    proofs
}

fn proof(spot: &Spot<'_>, faults: &mut Faults, context: &Context<'_>) -> Option<Proof> {
    if !spot.is_map() {
        let expected = "terminal_page, unique_keys or one of { equals, total, header_total, count_request }";
        return spot.read(faults, expected, |text| match text {
            "terminal_page" => Some(Proof::TerminalPage),
            "unique_keys" => Some(Proof::UniqueKeys),
            _ => None,
        });
    }
    let section = spot.section(faults, &keys::PROOF.names());
    let given: Vec<_> = KINDS.iter().filter_map(|kind| Some((*kind, section.get(kind)?))).collect();
    let [(kind, value)] = given.as_slice() else {
        faults.add(spot, format!("{} proofs", given.len()), format!("exactly one of {}", KINDS.join(", ")));
        return None;
    };
    match *kind {
        "total" => {
            let at = value.section(faults, &keys::TOTAL.names());
            let at = at.need(faults, "at").and_then(|spot| parts::path(spot, faults))?;
            Some(Proof::Total { at })
        }
        "header_total" => parts::header(value, faults).map(|name| Proof::HeaderTotal { name }),
        "count_request" => count_request(value, faults, context),
        _ => equals(value, faults, context),
    }
}

fn count_request(spot: &Spot<'_>, faults: &mut Faults, context: &Context<'_>) -> Option<Proof> {
    let index = refer(spot, faults, context.before)?;
    let step = context.before.get(index)?;
    let of = |each: &Each| (each.step, each.when.len(), each.ask.clone());
    let alike = step.each.as_ref().map(of) == context.each.map(of);
    if !matches!(step.records, Records::Count(_)) || !alike {
        let expected = "a step with records: count, and with the same for_each as this one";
        faults.add(spot, spot.found(), expected);
        return None;
    }
    if let Some(path) = Path::read("count") {
        context.asks.note(index, &path);
    }
    Some(Proof::CountRequest { step: index })
}

fn equals(spot: &Spot<'_>, faults: &mut Faults, context: &Context<'_>) -> Option<Proof> {
    let section = spot.section(faults, &keys::EQUALS.names());
    let from = section.need(faults, "from").and_then(|spot| refer(spot, faults, context.before))?;
    let step = context.before.get(from)?;
    if !matches!(step.records, Records::One | Records::Count(_)) || step.each.is_some() {
        faults.add(section.spot(), "a step with many records", "a step with records: one and no for_each");
    }
    let tolerance = section.get("tolerance").and_then(|spot| spot.number(faults, 0..=TOLERANCE_MAX));
    let says = match (section.get("sum"), section.get("expr")) {
        (Some(sum), None) => Says::Sum(parts::paths(sum, faults)),
        (None, Some(expr)) => Says::Answer(parts::expr(expr, faults)?),
        (Some(_), Some(_)) | (None, None) => {
            faults.add(section.spot(), "both or neither of sum and expr", "one of sum and expr");
            return None;
        }
    };
    match &says {
        Says::Sum(paths) => paths.iter().for_each(|path| context.asks.note(from, path)),
        Says::Answer(expr) => context.asks.note_expr(from, expr),
    }
    Some(Proof::Equals { from, says, tolerance: tolerance.unwrap_or(0) })
}
