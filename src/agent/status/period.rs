//! A period as text: what was met, deviated, unknown, missed, control by control, and every deviation by itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use observance_record::{
    effect::{Deviation, EventSeen, Evidence},
    verdict::{Code, State},
    view::{Exposed, PeriodView, PolicyView, worst_first},
};

use super::{counted, hours, local, number, push, table, visible};

/// Most lines of one list; the rest is counted, and in the JSON.
const LINES_MAX: usize = 40;
/// Longest title in the table.
const TITLE_CHARS_MAX: usize = 44;
const DAY_MS: i64 = 86_400_000;

/// The period for a terminal: a header, the table, the deviations with least and most and what happened meanwhile, the
/// failed events.
pub fn period_text(view: &PeriodView, zone: Tz) -> String {
    period_text_with(view, zone, &BTreeMap::new())
}

/// [`period_text`] with a line for people on each policy, by its id.
pub fn period_text_with(view: &PeriodView, zone: Tz, titles: &BTreeMap<String, String>) -> String {
    let mut out = header(view, zone);
    out.push_str(&summary(view, titles));
    for policy in &view.policies {
        out.push_str(&remainder(policy));
    }
    out.push_str(&deviations(view, zone));
    out.push_str(&events(view, zone));
    out
}

fn header(view: &PeriodView, zone: Tz) -> String {
    let mut out = String::new();
    let (from, to) = (local(view.from, zone), local(view.to, zone));
    // a period may hold a change of clocks, which makes it an hour longer or shorter than its days
    let days = |ms: i64| (ms.max(0) + DAY_MS / 2) / DAY_MS;
    let length = days(view.to.ms_since(view.from));
    let day = (view.until.ms_since(view.from).max(0) / DAY_MS + 1).min(length.max(1));
    let long = counted(length.unsigned_abs(), "day");
    push(&mut out, format_args!("{} · [{from}, {to}) {zone} = {long} · day {day}\n", visible(&view.id)));
    let slots = view.slots;
    push(
        &mut out,
        format_args!(
            "as known after {} entries, until {} · {} due, {} ran, {} missed, {} unaccounted for\n",
            number(view.known_at),
            local(view.until, zone),
            counted(slots.due, "slot"),
            number(slots.ran),
            number(slots.missed),
            number(slots.unanswered),
        ),
    );
    out
}

fn summary(view: &PeriodView, titles: &BTreeMap<String, String>) -> String {
    let heads = ["policy", "unit", "met", "deviated", "unknown", "gap", "not yet due", "rests on"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(view.worst_first().into_iter().map(|policy| line(policy, titles)));
    for id in &view.never_judged {
        rows.push(vec![title(id, titles), "never judged".to_owned()]);
    }
    if rows.len() == 1 {
        return "no control has been looked at yet\n".to_owned();
    }
    table(&rows)
}

fn line(policy: &PolicyView, titles: &BTreeMap<String, String>) -> Vec<String> {
    let period = &policy.period;
    let deviated = match (period.deviated_items, period.occasions) {
        (items, occasions) if occasions > items => format!("{} ({} x)", number(items), number(occasions)),
        (items, _) => number(items),
    };
    let unknown = match (period.unknown_items, period.part_unknown_ms) {
        (items, 0) => number(items),
        (items, ms) => format!("{}; all for {}", number(items), hours(ms)),
    };
    let gap = match (period.gap_slots, period.gap_ms) {
        (0, 0) => "0".to_owned(),
        (0, ms) => hours(ms),
        (slots, 0) => counted(slots, "slot"),
        (slots, ms) => format!("{}; {}", hours(ms), counted(slots, "slot")),
    };
    let rests = match period.evidence {
        Some(Evidence::Look) => "single looks",
        Some(Evidence::Window) => "windows",
        Some(Evidence::Event) => "each event",
        None => "nothing",
    };
    vec![
        title(&policy.policy, titles),
        counted(period.items_n, &policy.unit),
        number(period.met),
        deviated,
        unknown,
        gap,
        number(period.not_due),
        rests.to_owned(),
    ]
}

/// A policy's id and what people call it, cut so that the figures stay on the line.
fn title(id: &str, titles: &BTreeMap<String, String>) -> String {
    let Some(title) = titles.get(id) else { return visible(id).into_owned() };
    let whole = visible(title);
    let mut short: String = whole.chars().take(TITLE_CHARS_MAX).collect();
    if short.len() < whole.len() {
        short.pop();
        short.push('\u{2026}');
    }
    format!("{} {short}", visible(id))
}

/// The classes that have no column of their own: the columns and these add up to the unit.
fn remainder(policy: &PolicyView) -> String {
    let (period, mut parts) = (&policy.period, Vec::new());
    if period.not_applicable > 0 {
        parts.push(format!("{} not applicable", number(period.not_applicable)));
    }
    if period.edge_items > 0 {
        parts.push(format!("{} may have deviated over the period's edge, unseen", number(period.edge_items)));
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("{}: {}\n", visible(&policy.policy), parts.join("; "))
    }
}

fn deviations(view: &PeriodView, zone: Tz) -> String {
    let all = || view.policies.iter().flat_map(|p| p.period.deviations.iter().map(move |d| (p, d)));
    let n = all().count();
    let open = all().filter(|(_, deviation)| deviation.open).count();
    let mut out = format!("deviations {n} · open {open}\n");
    let exposed = view.policies.iter().flat_map(|policy| &policy.exposures);
    for ((policy, deviation), exposed) in all().zip(exposed).take(LINES_MAX) {
        let name = view.name(&deviation.item);
        let what = format!("{}  {}", visible(&policy.policy), visible(&name));
        push(&mut out, format_args!("  {what}  {}\n", extent(deviation, zone)));
        push(
            &mut out,
            format_args!(
                "    why: {}\n    known by: {}\n    meanwhile: {}\n",
                codes(&deviation.codes),
                deviation.known,
                meanwhile(exposed)
            ),
        );
    }
    more(&mut out, n);
    out
}

/// How long, at least and at most, and between when and when.
fn extent(deviation: &Deviation, zone: Tz) -> String {
    let (least, most) = (hours(deviation.least_ms), hours(deviation.most_ms));
    let length = if deviation.least_ms == deviation.most_ms {
        format!("out {least}")
    } else {
        format!("out between {least} and {most}")
    };
    let from = local(deviation.most.from(), zone);
    let end = if deviation.open {
        "open".to_owned()
    } else {
        format!("until {}", local(deviation.most.to(), zone))
    };
    let baseline = if deviation.baseline { ", found at first sight" } else { "" };
    let edge = if deviation.is_certain() { "" } else { ", not seen in this period" };
    format!("{length} · from {from}, {end}{baseline}{edge}")
}

fn meanwhile(exposed: &Exposed) -> String {
    if exposed.n() == 0 {
        return "no event that is collected".to_owned();
    }
    let states = [State::Passed, State::Failed, State::Unknown, State::NotApplicable, State::NotDue];
    let parts = states.into_iter().filter(|state| exposed.in_state(*state) > 0);
    let parts: Vec<String> = parts
        .map(|state| format!("{} {}", number(exposed.in_state(state)), state.to_string().replace('_', " ")))
        .collect();
    format!("{}: {}", counted(exposed.n(), "event"), parts.join(", "))
}

fn events(view: &PeriodView, zone: Tz) -> String {
    let n: usize = view.policies.iter().map(|policy| policy.period.events.len()).sum();
    if n == 0 {
        return String::new();
    }
    let mut out = format!("failed and unknown events {n}\n");
    let sorted =
        view.policies.iter().flat_map(|p| worst_first(&p.period.events).into_iter().map(move |e| (p, e)));
    for (policy, event) in sorted.take(LINES_MAX) {
        push(&mut out, format_args!("  {}  {}\n", visible(&policy.policy), event_line(view, event, zone)));
    }
    more(&mut out, n);
    out
}

fn event_line(view: &PeriodView, event: &EventSeen, zone: Tz) -> String {
    let name = view.name(&event.item);
    format!("{}  {}  {}: {}", visible(&name), local(event.at, zone), event.state, codes(&event.codes))
}

fn more(out: &mut String, n: usize) {
    if n > LINES_MAX {
        push(out, format_args!("  and {} more (--json has all)\n", n - LINES_MAX));
    }
}

fn codes(codes: &BTreeSet<Code>) -> String {
    let codes: Vec<&str> = codes.iter().map(Code::as_str).collect();
    if codes.is_empty() { "no reason given".to_owned() } else { codes.join(", ") }
}
