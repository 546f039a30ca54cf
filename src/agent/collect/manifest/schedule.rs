//! The `schedule` of a manifest: how often it runs unless the configuration says otherwise.
//!
//! It evaluates no cron; the agent's `schedule` does, and says what is wrong with one.

use super::{
    Schedule, keys, parts,
    yaml::{Faults, Spot},
};

const MINUTE_S: u32 = 60;
const HOUR_S: u32 = 3600;
const DAY_S: u32 = 86_400;
/// Most events of one collector.
const EVENTS_MAX: usize = 32;

impl Default for Schedule {
    fn default() -> Self {
        let cron = "0 0 * * *".to_owned();
        Self { cron, jitter_s: 60, grace_s: HOUR_S, max_gap_s: 26 * HOUR_S, events: Vec::new() }
    }
}

pub(super) fn read(spot: Option<&Spot<'_>>, faults: &mut Faults) -> Schedule {
    let usual = Schedule::default();
    let Some(spot) = spot else { return usual };
    let section = spot.section(faults, &keys::SCHEDULE.names());
    let mut seconds = |name: &str| section.get(name).and_then(|spot| parts::duration_s(spot, faults));
    let (jitter, grace, max_gap) = (seconds("jitter"), seconds("grace"), seconds("max_gap"));
    let cron = match (section.get("every"), section.get("cron")) {
        (Some(every), None) => recurring(every, faults),
        (None, Some(cron)) => {
            cron.read(faults, "five cron fields", |text| is_cron(text).then(|| text.to_owned()))
        }
        (None, None) => None,
        (Some(_), Some(_)) => {
            faults.add(spot, "both every and cron", "one of them");
            None
        }
    };
    let schedule = Schedule {
        cron: cron.unwrap_or(usual.cron),
        jitter_s: jitter.unwrap_or(usual.jitter_s),
        grace_s: grace.unwrap_or(usual.grace_s),
        max_gap_s: max_gap.unwrap_or(usual.max_gap_s),
        events: section.get("events").map(|spot| events(spot, faults)).unwrap_or_default(),
    };
    if schedule.jitter_s > schedule.grace_s {
        faults.add(
            spot,
            "a jitter longer than the grace",
            "a jitter within the grace, else a run could miss its own slot",
        );
    }
    schedule
}

/// Names of the vendor's webhook events.
fn events(spot: &Spot<'_>, faults: &mut Faults) -> Vec<String> {
    let list = spot.list(faults);
    let names: Vec<String> = list.iter().filter_map(|spot| parts::name(spot, faults)).collect();
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    if distinct.len() < names.len() || names.len() > EVENTS_MAX {
        faults.add(spot, "too many events, or one twice", format!("each event once, at most {EVENTS_MAX}"));
    }
    names
}

fn recurring(spot: &Spot<'_>, faults: &mut Faults) -> Option<String> {
    let every = parts::duration_s(spot, faults)?;
    let cron = cron_of(every);
    if cron.is_none() {
        faults.add(spot, spot.found(), "a divisor of an hour or of a day, or 7d");
    }
    cron
}

fn cron_of(every_s: u32) -> Option<String> {
    let (minutes, hours) = (every_s / MINUTE_S, every_s / HOUR_S);
    match every_s {
        0 => None,
        HOUR_S => Some("0 * * * *".to_owned()),
        DAY_S => Some("0 0 * * *".to_owned()),
        _ if every_s == 7 * DAY_S => Some("0 0 * * 1".to_owned()),
        _ if HOUR_S.is_multiple_of(every_s) && every_s.is_multiple_of(MINUTE_S) => {
            Some(format!("*/{minutes} * * * *"))
        }
        _ if DAY_S.is_multiple_of(every_s) && every_s.is_multiple_of(HOUR_S) => {
            Some(format!("0 */{hours} * * *"))
        }
        _ => None,
    }
}

/// Has it the looks of one?
fn is_cron(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"*/,-".contains(&b);
    text.split(' ').count() == 5 && text.split(' ').all(|part| !part.is_empty() && part.bytes().all(legal))
}

#[cfg(test)]
mod tests {
    use super::cron_of;

    #[test]
    fn only_what_divides_evenly_recurs() {
        for (every, cron) in [
            (60, Some("*/1 * * * *")),
            (900, Some("*/15 * * * *")),
            (3600, Some("0 * * * *")),
            (21_600, Some("0 */6 * * *")),
            (86_400, Some("0 0 * * *")),
            (604_800, Some("0 0 * * 1")),
            (0, None),
            (90, None),
            (2520, None),
            (18_000, None),
            (172_800, None),
        ] {
            assert_eq!(cron_of(every).as_deref(), cron, "{every}");
        }
    }
}
