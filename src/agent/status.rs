//! Views as text: a period and its deviations in the shape that people read. Values in, text out.
//!
//! The worst comes first, nothing is rounded in anybody's favour, and no conclusion is drawn.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use observance_record::{
    Instant,
    effect::{Deviation, EventSeen, Evidence},
    interval::Span,
    verdict::State,
    view::{Exposed, PeriodView, PolicyView, worst_first},
};

use crate::text::visible;

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// Failed and unknown events that are listed for one policy; the rest is counted.
const EVENTS_MAX: usize = 12;

/// A period: its slots, a line for each policy, then what deviated, with least and most hours and what happened meanwhile.
pub fn period_text(view: &PeriodView, zone: Tz) -> String {
    let mut out = String::new();
    let days = view.to.ms_since(view.from).saturating_add(HOUR_MS) / (24 * HOUR_MS);
    put(
        &mut out,
        format_args!(
            "{} · [{}, {}) {} = {days} days · as known at entry {}\n",
            visible(&view.id),
            local(view.from, zone),
            local(view.to, zone),
            zone.name(),
            view.known_at
        ),
    );
    let slots = view.slots;
    put(
        &mut out,
        format_args!(
            "{} slots due, {} ran, {} missed, {} unaccounted for\n\n",
            slots.due, slots.ran, slots.missed, slots.unanswered
        ),
    );
    put(
        &mut out,
        format_args!(
            "{:<10} {:<16} {:>7} {:>16} {:>16} {:>10} {:>8}\n",
            "policy", "unit", "met", "deviated", "unknown", "gap", "not due"
        ),
    );
    for policy in &view.policies {
        row(&mut out, policy);
    }
    for policy in &view.policies {
        details(&mut out, view, policy, zone);
    }
    out
}

fn row(out: &mut String, policy: &PolicyView) {
    let period = &policy.period;
    let deviated = match (period.deviated_items, period.evidence) {
        (0, _) => "0".to_owned(),
        (n, Some(Evidence::Event)) => n.to_string(),
        (n, _) => format!("{n}, {} x", period.occasions),
    };
    let unknown = match (period.unknown_items, period.part_unknown_ms) {
        (n, 0) => n.to_string(),
        (n, ms) => format!("{n}; all {}", hours(ms)),
    };
    let gap = if period.gap_ms == 0 { "-".to_owned() } else { hours(period.gap_ms) };
    let unit = format!("{} {}", period.items_n, plural(&policy.unit, period.items_n));
    put(
        out,
        format_args!(
            "{:<10} {unit:<16} {:>7} {deviated:>16} {unknown:>16} {gap:>10} {:>8}\n",
            policy.policy, period.met, period.not_due
        ),
    );
}

fn details(out: &mut String, view: &PeriodView, policy: &PolicyView, zone: Tz) {
    for (deviation, exposed) in policy.period.deviations.iter().zip(&policy.exposures) {
        deviation_lines(out, view, (policy, deviation, exposed), zone);
    }
    let events = worst_first(&policy.period.events);
    for event in events.iter().take(EVENTS_MAX) {
        event_line(out, view, policy, event, zone);
    }
    if events.len() > EVENTS_MAX {
        put(out, format_args!("  and {} more of {}\n", events.len() - EVENTS_MAX, policy.policy));
    }
}

fn deviation_lines(
    out: &mut String,
    view: &PeriodView,
    (policy, deviation, exposed): (&PolicyView, &Deviation, &Exposed),
    zone: Tz,
) {
    let codes: Vec<&str> = deviation.codes.iter().map(observance_record::verdict::Code::as_str).collect();
    put(
        out,
        format_args!(
            "\n{} {} deviated{}: {}\n",
            policy.policy,
            visible(&view.name(&deviation.item)),
            if deviation.baseline { " at first sight" } else { "" },
            codes.join(", ")
        ),
    );
    put(
        out,
        format_args!(
            "  out between {} and {}: {}{}\n",
            hours(deviation.least_ms),
            hours(deviation.most_ms),
            span(deviation.most, zone),
            if deviation.open { ", still open" } else { "" }
        ),
    );
    if exposed.n() > 0 {
        put(
            out,
            format_args!(
                "  meanwhile {} happened to it: {} failed, {} unknown, {} passed\n",
                exposed.n(),
                exposed.in_state(State::Failed),
                exposed.in_state(State::Unknown),
                exposed.in_state(State::Passed)
            ),
        );
    }
}

fn event_line(out: &mut String, view: &PeriodView, policy: &PolicyView, event: &EventSeen, zone: Tz) {
    let codes: Vec<&str> = event.codes.iter().map(observance_record::verdict::Code::as_str).collect();
    put(
        out,
        format_args!(
            "\n{} {} {} at {}: {}\n",
            policy.policy,
            visible(&view.name(&event.item)),
            event.state,
            local(event.at, zone),
            codes.join(", ")
        ),
    );
}

/// An instant by the clocks of a zone, to the minute.
pub fn local(at: Instant, zone: Tz) -> String {
    let utc = DateTime::<Utc>::from_timestamp_millis(at.ms()).unwrap_or_default();
    utc.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

/// `30 h 48 min`; under a minute in seconds.
pub fn hours(ms: i64) -> String {
    match (ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS) {
        (0, 0) => format!("{} s", ms / 1000),
        (0, min) => format!("{min} min"),
        (h, 0) => format!("{h} h"),
        (h, min) => format!("{h} h {min} min"),
    }
}

/// `item`, `items`; `repository`, `repositories`.
pub fn plural(word: &str, n: u64) -> String {
    match (n, word.strip_suffix('y')) {
        (1, _) => word.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{word}s"),
    }
}

fn span(span: Span, zone: Tz) -> String {
    format!("({}, {}]", local(span.from(), zone), local(span.to(), zone))
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // writing to a String cannot fail
    let _infallible = out.write_fmt(text);
}
