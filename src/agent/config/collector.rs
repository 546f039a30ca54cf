//! `collectors`: every shipped collector of every source with its schedule, and what the file says otherwise.
//!
//! It evaluates no cron: it checks the form of the five fields, `schedule` gives them their meaning.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::{
    catalogue::Shipped,
    fault::{Faults, nearest},
    node::{Fields, Node},
    reading::Reading,
    source::Source,
    zone,
};

/// A year, the longest of all waits, in seconds.
const SECONDS_MAX: i64 = 366 * 86_400;
/// Keys that are no collector's id: where further collectors lie, and which shipped ones they replace.
const FOLDER: [&str; 2] = ["folder", "replace"];

/// One collector on one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// The id of its schedule: the collector's, with `@source` behind it if the source is not named as its kind.
    pub schedule: String,
    /// The collector's id.
    pub id: String,
    /// The source's name.
    pub source: String,
    /// When, and with how much patience.
    pub timing: Timing,
    /// Why it does not run, if it does not. It stays listed: what was switched off is part of the record.
    pub disabled: Option<String>,
}

/// When a collector runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// The zone in which `cron` is meant.
    pub zone: Tz,
    /// Random delay of each slot, in seconds, at most.
    pub jitter_s: u32,
    /// How late a run may begin before its slot is missed, in seconds.
    pub grace_s: u32,
    /// Longest time without an observation before the state is unknown, in seconds.
    pub max_gap_s: u32,
}

/// What a file says of one collector.
struct Said {
    timing: Timing,
    disabled: Option<String>,
}

pub(super) fn read(
    fields: &mut Fields<'_>,
    sources: Option<&BTreeMap<String, Source>>,
    reading: &mut Reading<'_>,
) -> Option<Vec<Collector>> {
    let node = fields.may("collectors");
    let mut written: BTreeMap<&str, &Node> = BTreeMap::new();
    if let Some(node) = node {
        for entry in node.entries("a map of collectors", &mut reading.faults)? {
            if FOLDER.contains(&entry.key.as_str()) {
                own(&entry.key, &entry.node, reading);
                continue;
            }
            known(&entry.key, &entry.node, sources, reading);
            written.insert(&entry.key, &entry.node);
        }
    }
    let read: Vec<_> = reading
        .catalogue
        .collectors
        .iter()
        .map(|shipped| {
            (shipped, sources.is_none_or(|sources| sources.values().any(|one| one.kind() == shipped.kind)))
        })
        .filter(|(shipped, wanted)| *wanted || written.contains_key(shipped.id.as_str()))
        .map(|(shipped, _)| (shipped, said(shipped, written.get(shipped.id.as_str()).copied(), reading)))
        .collect();
    let mut collectors = Vec::new();
    for (name, source) in sources? {
        for (shipped, said) in read.iter().filter(|(shipped, _)| shipped.kind == source.kind()) {
            collectors.push(on(name, source, shipped, said.as_ref()?));
        }
    }
    Some(collectors)
}

/// The folder of further collectors is opened by whoever reads files, before this; here it is only a text.
fn own(key: &str, node: &Node, reading: &mut Reading<'_>) {
    if key == "folder" {
        if let Some(folder) = node.text("a folder of collectors", &mut reading.faults) {
            reading.given(node.path(), folder);
        }
        return;
    }
    for node in node.list("a list of ids", &mut reading.faults).unwrap_or_default() {
        if let Some(id) = node.text("the id of a collector", &mut reading.faults) {
            reading.given(node.path(), id);
        }
    }
}

fn on(name: &str, source: &Source, shipped: &Shipped, said: &Said) -> Collector {
    let named = name == source.kind();
    Collector {
        schedule: if named { shipped.id.clone() } else { format!("{}@{name}", shipped.id) },
        id: shipped.id.clone(),
        source: name.to_owned(),
        timing: said.timing.clone(),
        disabled: said.disabled.clone(),
    }
}

/// Refuses a collector that nobody ships, or that reads a kind of source which is not configured.
fn known(id: &str, node: &Node, sources: Option<&BTreeMap<String, Source>>, reading: &mut Reading<'_>) {
    let ids = || reading.catalogue.collectors.iter().map(|shipped| shipped.id.as_str());
    let Some(shipped) = reading.catalogue.collectors.iter().find(|shipped| shipped.id == id) else {
        let hint = nearest(id, ids()).map(|near| format!("did you mean {near}?"));
        let expected = format!("one of {}", ids().collect::<Vec<_>>().join(", "));
        node.refuse_as("an unknown collector".to_owned(), &expected, hint.as_deref(), &mut reading.faults);
        return;
    };
    if sources.is_some_and(|sources| !sources.values().any(|source| source.kind() == shipped.kind)) {
        let expected = format!("a source of kind {}", shipped.kind);
        node.refuse_as("a collector without a source".to_owned(), &expected, None, &mut reading.faults);
    }
}

fn said(shipped: &Shipped, node: Option<&Node>, reading: &mut Reading<'_>) -> Option<Said> {
    let Some(node) = node else {
        reading.defaulted(&format!("collectors.{}", quoted(&shipped.id)), &in_short(shipped));
        return Some(Said { timing: timing_of(shipped), disabled: None });
    };
    let mut fields =
        node.fields("{ cron: .., zone: .., jitter_s: .., disabled: .. }", &mut reading.faults)?;
    let usual = timing_of(shipped);
    let cron = reading.or(&mut fields, "cron", usual.cron, |node, faults| {
        let expected = "five cron fields: minute hour day-of-month month day-of-week";
        node.read(expected, faults, |text| is_cron(text).then(|| text.to_owned()))
    });
    let zone = reading.or(&mut fields, "zone", usual.zone, zone);
    let jitter_s = reading.or(&mut fields, "jitter_s", usual.jitter_s, seconds);
    let grace_s = reading.or(&mut fields, "grace_s", usual.grace_s, seconds);
    let max_gap_s = reading.or(&mut fields, "max_gap_s", usual.max_gap_s, seconds);
    if let (Some(jitter_s), Some(grace_s)) = (jitter_s, grace_s)
        && jitter_s > grace_s
    {
        let found = format!("a jitter of {jitter_s} s and a grace of {grace_s} s");
        let expected = "a jitter within the grace, else a run could miss its own slot";
        node.refuse_as(found, expected, None, &mut reading.faults);
    }
    let disabled = disabled(&mut fields, reading);
    fields.done(&mut reading.faults);
    let timing =
        Timing { cron: cron?, zone: zone?, jitter_s: jitter_s?, grace_s: grace_s?, max_gap_s: max_gap_s? };
    Some(Said { timing, disabled: disabled? })
}

/// A collector is switched off only with a reason.
#[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
fn disabled(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Option<String>> {
    let Some(node) = fields.may("disabled") else { return Some(None) };
    let mut inner = node.fields("{ reason: .. }", &mut reading.faults)?;
    let reason = inner
        .must("reason", "why this is not collected", &mut reading.faults)
        .and_then(|node| reading.name(node, "why this is not collected"));
    inner.done(&mut reading.faults);
    reason.map(Some)
}

fn seconds(node: &Node, faults: &mut Faults) -> Option<u32> {
    node.integer(0..=SECONDS_MAX, faults).and_then(|n| u32::try_from(n).ok())
}

fn timing_of(shipped: &Shipped) -> Timing {
    Timing {
        cron: shipped.cron.clone(),
        zone: Tz::UTC,
        jitter_s: shipped.jitter_s,
        grace_s: shipped.grace_s,
        max_gap_s: shipped.max_gap_s,
    }
}

fn in_short(shipped: &Shipped) -> String {
    let Shipped { cron, jitter_s, grace_s, max_gap_s, .. } = shipped;
    format!("{cron} UTC, jitter {jitter_s} s, grace {grace_s} s, max gap {max_gap_s} s")
}

/// An id with a dot is one key of its path.
fn quoted(id: &str) -> String {
    format!("\"{id}\"")
}

/// Whether the text has the form of five cron fields with numbers in their ranges.
fn is_cron(text: &str) -> bool {
    const MONTHS: &[&str] =
        &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    const FIELDS: [(u8, u8, &[&str]); 5] =
        [(0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, MONTHS), (0, 7, DAYS)];
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    parts.len() == FIELDS.len()
        && parts.iter().zip(FIELDS).all(|(part, field)| part.split(',').all(|one| is_cron_part(one, field)))
}

/// `*`, `n`, `n-m`, each with an optional `/step`.
fn is_cron_part(part: &str, (least, most, names): (u8, u8, &[&str])) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let value = |text: &str| {
        let named = names.iter().any(|name| name.eq_ignore_ascii_case(text));
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        named || digits && text.parse::<u8>().is_ok_and(|n| (least..=most).contains(&n))
    };
    let step_fits = step.is_none_or(|step| step.parse::<u8>().is_ok_and(|n| (1..=most).contains(&n)));
    step_fits
        && (range == "*" || range.split_once('-').map_or(value(range), |(from, to)| value(from) && value(to)))
}

#[cfg(test)]
mod tests {
    use super::is_cron;

    #[test]
    fn five_fields_in_their_ranges_are_a_cron() {
        for good in ["0 * * * *", "*/15 0-6,12 1 jan-mar MON-FRI", "59 23 31 12 7"] {
            assert!(is_cron(good), "{good}");
        }
        for bad in [
            "",
            "* * * *",
            "0 * * * * *",
            "60 * * * *",
            "0 24 * * *",
            "a * * * *",
            "*/0 * * * *",
            "1- * * * *",
        ] {
            assert!(!is_cron(bad), "{bad}");
        }
    }
}
