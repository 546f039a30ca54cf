//! What could be hidden, counted; and what the page does not show, in words.
//!
//! A count of zero is said too: it is what an auditor asks for.

use observance_record::{
    entry::{RunResult, Trigger},
    ledger::{Changed, How, OddRun, Reached, What},
    population::Membership,
};

use super::{Content, html::Html};
use crate::status::{counted, number};

pub(super) fn hidden(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "What could be hidden, counted");
    let (ledger, view) = (content.ledger, content.view);
    html.raw("<dl>\n");
    let mut say = |name: &str, text: &str| {
        html.put("dt", "", name);
        html.put("dd", "", text);
    };
    say("Exclusions", &format!("{}, in the newest runs", counted(excluded(content), "item")));
    say("Exceptions, mutes", "0, 0 (this version has neither; retroactive: 0)");
    for (name, what) in [
        ("Policies", What::Policy),
        ("Configuration, scope", What::Config),
        ("Collectors", What::Collector),
        ("Schedules", What::Schedule),
    ] {
        let within = |change: &&Changed| change.what == what && content.within(change.t);
        say(name, &changes(&ledger.tally().changes().iter().filter(within)));
    }
    let moved = ledger.tally().changes().iter();
    let moved = moved.filter(|change| change.what == What::Period && change.how == How::Changed).count();
    say("Bounds of periods", &format!("changed {moved} times, ever"));
    say("Key", "0 changes: one key signs every checkpoint, or the check fails");
    say("Restarts", &restarts(content));
    say("Promises", &format!("{} written late, ever", number(ledger.promises().late())));
    let slots = view.slots;
    say(
        "Slots without a run",
        &format!("{} missed, {} unaccounted for", number(slots.missed), number(slots.unanswered)),
    );
    say("Runs", &runs(content));
    let heard = ledger.heard();
    let (events, refused) = (number(heard.events), number(heard.refused));
    say("Change events", &format!("{events} heard, {refused} deliveries refused, ever; none is evidence"));
    say("Alerts", &alerts(content));
    html.raw("</dl>\n");
    if !ledger.foreign().is_empty() {
        let kinds: Vec<&str> = ledger.foreign().keys().map(String::as_str).collect();
        let text = format!("This version does not understand entries of kind {}.", kinds.join(", "));
        html.put("p", "warn", &text);
    }
}

/// Each population once, however many policies judge it.
fn excluded(content: &Content<'_>) -> u64 {
    let populations = content.ledger.runs().values().flat_map(|last| &last.run.populations);
    populations.fold(0, |sum, population| sum.saturating_add(population.excluded))
}

fn changes<'a>(changes: &(impl Iterator<Item = &'a Changed> + Clone)) -> String {
    let n = |how: How| changes.clone().filter(|change| change.how == how).count();
    format!("{} changed, {} added, {} removed", n(How::Changed), n(How::Added), n(How::Removed))
}

fn restarts(content: &Content<'_>) -> String {
    let agents = content.ledger.tally().starts().iter().filter(|began| began.is_agent);
    let again = agents.skip(1).filter(|began| content.within(began.t));
    let unclean = again.clone().filter(|began| !began.after_stop).count();
    let forgot = again.clone().filter(|began| began.start.memory == "none").count();
    let behind = again.clone().filter(|began| began.start.clock.is_some()).count();
    let mut parts = vec![again.count().to_string(), format!("{unclean} of them after no clean stop")];
    parts.extend((forgot > 0).then(|| format!("{forgot} without memory of the head")));
    parts.extend((behind > 0).then(|| format!("{behind} with a clock behind the log")));
    parts.join(", ")
}

fn runs(content: &Content<'_>) -> String {
    let odd = content.ledger.tally().odd_runs().iter().filter(|run| content.within(run.as_of));
    let count = |of: &dyn Fn(&OddRun) -> bool| {
        number(u64::try_from(odd.clone().filter(|run| of(run)).count()).unwrap_or(u64::MAX))
    };
    let ended = |result: RunResult| count(&|run| run.result == result);
    let began = |trigger: Trigger| count(&|run| run.trigger == trigger && run.hook.is_none());
    let unwhole = count(&|run| run.membership != Membership::Complete);
    format!(
        "{} failed, {} partial, {unwhole} with a population not whole; {} read later, {} by hand (causes below)",
        ended(RunResult::Failed),
        ended(RunResult::Partial),
        began(Trigger::CatchUp),
        began(Trigger::Manual)
    )
}

fn alerts(content: &Content<'_>) -> String {
    let alerts = content.ledger.alerts().values().filter(|alert| content.within(alert.at));
    let told = |alert: &&_| {
        let observance_record::ledger::AlertState { notices, .. } = alert;
        notices.iter().any(|notice| notice.status.as_str() == "delivered")
    };
    let (n, told) = (alerts.clone().count(), alerts.filter(told).count());
    format!("{n} recorded, {} never delivered", n - told)
}

pub(super) fn not_shown(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "What this does not show");
    html.raw("<ul>\n");
    let mut say = |text: &str| html.put("li", "", text);
    let schedules = content.ledger.schedules().values();
    let due: Vec<String> =
        schedules.map(|schedule| format!("{} at {}", schedule.collector, schedule.cron)).collect();
    let due = due.join("; ");
    say(&format!(
        "Anything between two looks: what was changed and changed back was not seen. Due (cron): {due}."
    ));
    say("Anything outside the populations above, and every control that needs an interview or a document.");
    for (source, reached) in content.ledger.tally().reached() {
        say(&channel(source, reached));
    }
    if let Some(posture) = content.ledger.tally().posture() {
        let text = format!(
            "Whether the {} store was emptied: kept from deletion: {}; second write of a name refused: {}.",
            posture.backend, posture.retention, posture.create_only
        );
        say(&text);
    }
    say("Whether a control is designed well, or whether what deviated mattered: that is yours to judge.");
    html.raw("</ul>\n");
}

/// How the source was reached; every run of the log counts.
fn channel(source: &str, reached: &Reached) -> String {
    let hosts: Vec<&str> = reached.hosts.keys().map(String::as_str).collect();
    if hosts.is_empty() {
        let runs = counted(reached.runs, "run");
        return format!(
            "Whether what {source} says is true: none of {runs} reached it over a network, and for a file answers whoever writes it and signs it."
        );
    }
    let mut text = format!(
        "Whether {source} really answered so: the operator controls the network to {}",
        hosts.join(", ")
    );
    let mut facts = Vec::new();
    if !reached.bare.is_empty() {
        let bare: Vec<&str> = reached.bare.iter().map(String::as_str).collect();
        facts.push(format!("WITHOUT TLS to {}", bare.join(", ")));
    }
    let of = |n: u64| format!("in {} of {}", number(n), counted(reached.runs, "run"));
    for (n, what) in [
        (reached.base_url, "the vendor's address was overridden"),
        (reached.extra_ca, "a certificate authority was added"),
        (reached.proxy, "a proxy stood between"),
        (reached.may_write, "the credential could also write"),
    ] {
        if n > 0 {
            facts.push(format!("{what} {}", of(n)));
        }
    }
    if let Some(skew) = reached.skew_ms {
        facts.push(format!("its clock was {} to {} s from ours", seconds(skew.min), seconds(skew.max)));
    }
    if facts.is_empty() {
        facts.push("over TLS, with public authorities, without a proxy".to_owned());
    }
    text.push_str("; ");
    text.push_str(&facts.join("; "));
    text.push('.');
    text
}

fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000)
}
