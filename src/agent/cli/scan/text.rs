//! A scan's report as lines for people.
//!
//! It cuts lists of names, never numbers, and ends with the one next step.

use std::fmt::Write as _;

use super::{
    cause::{Cause, Cure},
    report::{Count, Finding, NAMES_MAX, Report},
    tokens::Limit,
};
use crate::{
    cli::shelf::Criteria,
    status::{counted, hours, number, plural},
    text::visible,
};

/// The type of the items that most lists rest on.
const REPOSITORY: &str = "repository";
/// Reasons that are shown of one policy; the JSON has all.
const REASONS_MAX: usize = 4;

/// The whole report.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        // writing to a string cannot fail
        let _written = writeln!(out, "{}", text.trim_end());
    };
    line(format!("{}{}", report.token.words(), horizon(&report.populations)));
    line(format!("{} · {}", populations(&report.populations), effort(report)));
    for policy in report.policies.iter().filter(|policy| policy.deviates > 0) {
        deviates(policy, &mut line);
    }
    unknown(report, &mut line);
    let quiet = || report.policies.iter().filter(|policy| policy.deviates == 0 && policy.cause.is_none());
    let met =
        quiet().filter(|policy| policy.items > 0).map(|one| format!("{} ({})", one.policy, judged(one)));
    listed("met now", &met.collect::<Vec<_>>(), &mut line);
    let none = quiet().filter(|policy| policy.items == 0).map(|one| one.policy.clone());
    listed("none seen", &none.collect::<Vec<_>>(), &mut line);
    first(report, &mut line);
    line(next(report));
    out
}

/// What the token sees of the list that most others rest on: the repositories, where any were read.
fn horizon(populations: &[Count]) -> String {
    let repositories = populations.iter().any(|count| count.item_type == REPOSITORY);
    let populations = || populations.iter().filter(|count| !repositories || count.item_type == REPOSITORY);
    let short = populations().find(|count| count.stated.is_some_and(|stated| stated > count.seen));
    let whole = populations().find(|count| count.stated == Some(count.seen));
    if let Some((count, stated)) = short.and_then(|count| Some((count, count.stated?))) {
        let things = plural(&visible(&count.item_type), stated);
        let hidden = number(stated - count.seen);
        return format!(
            ", sees {} of {} {things}; {hidden} hidden (the organisation itself counts {}) -> nothing of that list can be called met",
            number(count.seen),
            number(stated),
            number(stated)
        );
    }
    if let Some(count) = populations().find(|count| count.is_uncounted) {
        let things = plural(&visible(&count.item_type), 2);
        return format!(
            ", sees {}; how many {things} there are is hidden from it -> nothing of that list can be called met",
            counted(count.seen, &count.item_type)
        );
    }
    whole.map_or_else(String::new, |count| {
        let things = plural(&visible(&count.item_type), count.seen);
        format!(", sees all {} {things} that the organisation counts", number(count.seen))
    })
}

fn populations(populations: &[Count]) -> String {
    let one = |count: &Count| {
        let days = count.days.map(|days| format!(" (last {})", counted(days.unsigned_abs(), "day")));
        format!("{}{}", counted(count.seen, &count.item_type), days.unwrap_or_default())
    };
    let seen: Vec<_> = populations.iter().filter(|count| count.seen > 0).map(one).collect();
    if seen.is_empty() { "nothing was seen".to_owned() } else { seen.join(", ") }
}

fn effort(report: &Report) -> String {
    let limit = report.limit.as_ref().map(|Limit { left, of, .. }| {
        format!(" · {} of {} requests left this hour", number(*left), number(*of))
    });
    format!(
        "{} · {}{}",
        counted(report.requests, "request"),
        hours(report.took_ms),
        limit.unwrap_or_default()
    )
}

fn deviates(policy: &Finding, line: &mut impl FnMut(String)) {
    let of = format!("{} of {}", number(policy.deviates), judged(policy));
    line(format!(
        "deviates  {}  {of} · {}   {}",
        policy.policy,
        visible(&policy.title),
        criteria(&policy.criteria)
    ));
    let mut reasons: Vec<_> = policy.reasons.iter().collect();
    reasons.sort_by_key(|(code, names)| (std::cmp::Reverse(names.len()), *code));
    for (code, names) in reasons.iter().take(REASONS_MAX) {
        let shown = names.iter().take(NAMES_MAX).map(|name| visible(name)).collect::<Vec<_>>().join(", ");
        let rest = match names.len().saturating_sub(NAMES_MAX) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        line(format!("          {code}: {shown}{rest}"));
    }
    if reasons.len() > REASONS_MAX {
        line(format!("          and {} more reasons (--json has all)", reasons.len() - REASONS_MAX));
    }
}

/// One line for each reason, with all policies that it leaves unknown.
fn unknown(report: &Report, line: &mut impl FnMut(String)) {
    let mut said: Vec<(&Cause, Vec<&Finding>)> = Vec::new();
    for policy in &report.policies {
        let Some(cause) = &policy.cause else { continue };
        match said.iter_mut().find(|(other, _)| *other == cause) {
            Some((_, policies)) => policies.push(policy),
            None => said.push((cause, vec![policy])),
        }
    }
    for (cause, policies) in said {
        let names: Vec<_> = policies.iter().map(|policy| policy.policy.as_str()).collect();
        let cure = cure(cause, &names.join(","), report);
        let of = match policies.as_slice() {
            [policy] if policy.unknown == 0 => {
                format!("  all {}", plural(&visible(&policy.item_type), 2))
            }
            [policy] => format!("  {} of {}", number(policy.unknown), judged(policy)),
            _ => String::new(),
        };
        line(format!("unknown   {}{of}: {}{cure}", names.join(" "), visible(&cause.why)));
    }
}

fn cure(cause: &Cause, policies: &str, report: &Report) -> String {
    match cause.cure {
        Cure::Grant => format!("  -> observance grants github --for {policies}"),
        Cure::Later => match report.limit.as_ref().and_then(|limit| limit.until) {
            Some(until) => format!("  -> scan again after {until}"),
            None => "  -> scan again later".to_owned(),
        },
        Cure::Window => "  -> a smaller --days".to_owned(),
        Cure::None => String::new(),
    }
}

/// `2,204 changes`, with the window where it is not the one at the top.
fn judged(policy: &Finding) -> String {
    let days = policy.days.filter(|_| !policy.events);
    let days = days.map(|days| format!(" over the last {}", counted(days.unsigned_abs(), "day")));
    format!("{}{}", counted(policy.items, &policy.item_type), days.unwrap_or_default())
}

fn criteria(criteria: &Criteria) -> String {
    let Criteria { soc2, iso27001 } = criteria;
    format!("{}  {}", soc2.join(" "), iso27001.join(" ")).trim().to_owned()
}

/// A word and a list; nothing if it is empty.
fn listed(word: &str, list: &[String], line: &mut impl FnMut(String)) {
    if !list.is_empty() {
        line(format!("{word:<10}{}", visible(&list.join(", "))));
    }
}

fn first(report: &Report, line: &mut impl FnMut(String)) {
    let Some(first) = report.policies.iter().find(|one| Some(&one.policy) == report.fix_first.as_ref())
    else {
        return;
    };
    let serves = |list: &[String], what: &str| match list.len() {
        0 => None,
        n => Some(format!("{n} {what}")),
    };
    let n = |list: &[String], one: &str, many: &str| serves(list, if list.len() == 1 { one } else { many });
    let serves: Vec<String> = [
        n(&first.criteria.soc2, "SOC 2 criterion", "SOC 2 criteria"),
        n(&first.criteria.iso27001, "Annex A control", "Annex A controls"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let serves = if serves.is_empty() { String::new() } else { format!(": serves {}", serves.join(", ")) };
    line(format!("fix first: {} on {}{serves}", first.policy, counted(first.deviates, &first.item_type)));
}

fn next(report: &Report) -> String {
    let org = &report.org;
    let mut lacking = report.lacking().map(|one| one.policy.as_str()).peekable();
    if lacking.peek().is_none() {
        return format!(
            "next: observance init --github {org}   (watches it from now on; this scan kept nothing)"
        );
    }
    let policies = lacking.collect::<Vec<_>>().join(",");
    format!(
        "next: observance grants github --org {org} --for {policies}   (what the token lacks; this scan kept nothing)"
    )
}
