//! What was observed, as the log shows it, and what nobody excluded: content beside the proofs.
//!
//! It says observed, deviated, unknown, missed; conclusions are the auditor's.

use std::collections::BTreeSet;

use observance_record::{
    effect::{Deviation, EventSeen},
    entry::Body,
    ledger::Ledger,
    verdict::State,
    view::{Exposed, PeriodView, PolicyView, worst_first},
};

use crate::{log::Log, report::Report};

const HOUR_MS: i64 = 3_600_000;
/// Events that are listed for one policy; the rest is counted.
const EVENTS_MAX: usize = 20;

/// Fills in what the log shows and what stays open.
pub(crate) fn observe(log: &Log, ledger: &Ledger, report: &mut Report) {
    let periods = ledger.periods().values();
    report.periods =
        periods.map(|period| PeriodView::new(ledger, &period.id, period.from, period.to)).collect();
    let open = &mut report.not_excluded;
    if !report.key_trusted {
        open.push(
            "the key came only from inside the bundle and is not trusted: whoever made the bundle may have made the key"
                .to_owned(),
        );
    }
    if report.pins == 0 {
        open.push(
            "no checkpoint from outside was compared: a second log kept from the start, or a tail that was cut, is not \
             excluded"
                .to_owned(),
        );
    }
    open.push(
        "no outside time: that entries are as old as they say rests on the operator's clock".to_owned(),
    );
    open.push("no witness: that everybody was shown this log rests on the operator".to_owned());
    open.push(channel(log));
}

/// A period in lines: slots, each policy, each deviation, each failed or unknown event.
pub(crate) fn lines(view: &PeriodView) -> Vec<String> {
    let slots = view.slots;
    let mut lines = vec![format!(
        "period {} [{}, {}): {} slots due, {} ran, {} missed",
        safe(&view.id),
        view.from,
        view.to,
        slots.due,
        slots.ran,
        slots.missed
    )];
    for id in &view.never_judged {
        lines.push(format!("{} was never judged in this period", safe(id)));
    }
    for policy in &view.policies {
        lines.push(policy_line(policy));
        let deviations = policy.period.deviations.iter().zip(&policy.exposures);
        lines.extend(deviations.map(|(deviation, exposed)| deviation_line(view, policy, deviation, exposed)));
        let events = worst_first(&policy.period.events);
        lines.extend(events.iter().take(EVENTS_MAX).map(|event| event_line(view, policy, event)));
        if let Some(more) = events.len().checked_sub(EVENTS_MAX).filter(|more| *more > 0) {
            lines.push(format!("{} and {more} more", policy.policy));
        }
    }
    lines
}

fn policy_line(policy: &PolicyView) -> String {
    let period = &policy.period;
    format!(
        "{} on {} items of type {}: {} met, {} deviated, {} unknown, {} not due; all unknown for {}; not looked for {}",
        policy.policy,
        period.items_n,
        safe(&policy.unit),
        period.met,
        period.deviated_items,
        period.unknown_items,
        period.not_due,
        hours(period.part_unknown_ms),
        hours(period.gap_ms)
    )
}

fn deviation_line(
    view: &PeriodView,
    policy: &PolicyView,
    deviation: &Deviation,
    exposed: &Exposed,
) -> String {
    format!(
        "{} {} deviated for {} to {}, from {} at the earliest to {} at the latest{}, known by {}; meanwhile {} events, {} of them failed",
        policy.policy,
        safe(&view.name(&deviation.item)),
        hours(deviation.least_ms),
        hours(deviation.most_ms),
        deviation.most.from(),
        deviation.most.to(),
        if deviation.open { ", still open" } else { "" },
        deviation.known,
        exposed.n(),
        exposed.in_state(State::Failed)
    )
}

fn event_line(view: &PeriodView, policy: &PolicyView, event: &EventSeen) -> String {
    let codes: Vec<&str> = event.codes.iter().map(observance_record::verdict::Code::as_str).collect();
    let name = safe(&view.name(&event.item));
    format!("{} {name} {} at {}: {}", policy.policy, event.state, event.at, codes.join(", "))
}

/// `30.6 h`, to a tenth, rounded to nothing's favour: the parts are exact in the JSON report.
fn hours(ms: i64) -> String {
    let tenths = ms.checked_div(HOUR_MS / 10).unwrap_or(0);
    format!("{}.{} h", tenths / 10, tenths % 10)
}

/// A name from a source, with everything that could paint over a terminal made visible.
fn safe(text: &str) -> String {
    text.escape_debug().to_string()
}

/// How the sources were reached: the part that cryptography does not authenticate.
fn channel(log: &Log) -> String {
    let (mut hosts, mut ways) = (BTreeSet::new(), BTreeSet::new());
    for entry in &log.entries {
        let Body::Run(run) = &entry.body else { continue };
        hosts.extend(run.channel.hosts.iter().map(|host| {
            format!("{}{}", safe(&host.host), if host.spki.is_some() { " over TLS" } else { " WITHOUT TLS" })
        }));
        let overrides = [
            (run.channel.base_url, "the vendor's address was overridden"),
            (run.channel.extra_ca, "a certificate authority was added"),
            (run.channel.proxy, "a proxy was used"),
        ];
        ways.extend(overrides.into_iter().filter_map(|(on, what)| on.then_some(what)));
    }
    let hosts = hosts.into_iter().collect::<Vec<_>>().join(", ");
    let mut text = format!("source answers came from {}", if hosts.is_empty() { "nowhere" } else { &hosts });
    for way in ways {
        text.push_str("; ");
        text.push_str(way);
    }
    text.push_str("; the operator controls that network: read a sample again yourself");
    text
}
