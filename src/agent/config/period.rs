//! `periods`: half-open observation windows `[from, to)` in the organisation's zone. It computes nothing over them.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use observance_record::Instant;

use super::{
    fault::Faults,
    node::{Fields, Node},
    reading::Reading,
    source::is_id,
};

/// Most periods.
const PERIODS_MAX: usize = 200;
/// The categories of the trust services criteria.
const CATEGORIES: [&str; 5] =
    ["security", "availability", "confidentiality", "processing_integrity", "privacy"];
/// Quarters of an hour in a day and a half: no zone ever left out more.
const QUARTERS_MAX: i32 = 144;

/// One observation window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The framework's id, such as `soc2`.
    pub framework: String,
    /// SOC 2 alone: the categories in the engagement, in their usual order; `security` is always among them.
    pub categories: Vec<String>,
    /// SOC 2 alone: 1 (design) or 2 (operation).
    pub report_type: Option<u8>,
    /// The zone in which dates were meant and events are shown.
    pub zone: Tz,
    /// The first instant within.
    pub from: Instant,
    /// The first instant no longer within.
    pub to: Instant,
}

pub(super) fn read(
    fields: &mut Fields<'_>,
    zone: Tz,
    reading: &mut Reading<'_>,
) -> Option<BTreeMap<String, Period>> {
    let mut periods = BTreeMap::new();
    let Some(node) = fields.may("periods") else {
        reading.defaulted("periods", "none");
        return Some(periods);
    };
    let entries = node.entries("{ NAME: { framework: .., from: .., to: .. } }", &mut reading.faults)?;
    if entries.len() > PERIODS_MAX {
        node.refuse(&format!("at most {PERIODS_MAX} periods"), None, &mut reading.faults);
        return None;
    }
    for entry in entries {
        if !is_id(&entry.key) {
            let expected = "a period's name of a-z, 0-9, - and _";
            entry.node.refuse_as("another name".to_owned(), expected, None, &mut reading.faults);
        }
        if let Some(period) = period(&entry.node, zone, reading) {
            periods.insert(entry.key.clone(), period);
        }
    }
    Some(periods)
}

fn period(node: &Node, zone: Tz, reading: &mut Reading<'_>) -> Option<Period> {
    let mut fields = node.fields("{ framework: .., from: .., to: .. }", &mut reading.faults)?;
    let words: Vec<&str> = reading.catalogue.frameworks.iter().map(String::as_str).collect();
    let framework = fields
        .must("framework", &format!("one of {}", words.join(", ")), &mut reading.faults)
        .and_then(|node| node.word(&words, &mut reading.faults));
    if let Some(framework) = framework {
        reading.given(&fields.path("framework"), framework);
    }
    let (categories, report_type) = soc2(framework, &mut fields, reading);
    let from = end(&mut fields, "from", zone, reading);
    let to = end(&mut fields, "to", zone, reading);
    fields.done(&mut reading.faults);
    let (from, to) = (from?, to?);
    if from >= to {
        let hint = "the day named as to is the first day after the period";
        node.refuse_as(
            format!("from {from} to {to}"),
            "a from before its to",
            Some(hint),
            &mut reading.faults,
        );
        return None;
    }
    let framework = framework?.to_owned();
    Some(Period { framework, categories: categories?, report_type: report_type?, zone, from, to })
}

/// What only SOC 2 knows: categories and the type of the report.
#[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
fn soc2(
    framework: Option<&str>,
    fields: &mut Fields<'_>,
    reading: &mut Reading<'_>,
) -> (Option<Vec<String>>, Option<Option<u8>>) {
    if framework == Some("soc2") {
        let usual = Words(vec![CATEGORIES[0].to_owned()]);
        let categories = reading.or(fields, "categories", usual, categories);
        let report_type = reading.or(fields, "type", 2, |node, faults| {
            node.integer(1..=2, faults).and_then(|n| u8::try_from(n).ok())
        });
        return (categories.map(|words| words.0), report_type.map(Some));
    }
    for key in ["categories", "type"] {
        if let Some(node) = fields.may(key).filter(|_| framework.is_some()) {
            node.refuse("this key only in a period of soc2", None, &mut reading.faults);
        }
    }
    (Some(Vec::new()), Some(None))
}

/// A list of words that prints as one line.
struct Words(Vec<String>);

#[expect(clippy::to_string_trait_impl, reason = "it is shown in one place and nowhere formatted")]
impl ToString for Words {
    fn to_string(&self) -> String {
        self.0.join(", ")
    }
}

fn categories(node: &Node, faults: &mut Faults) -> Option<Words> {
    let expected = format!("a list of {}", CATEGORIES.join(", "));
    let given: Vec<_> =
        node.list(&expected, faults)?.iter().map(|one| one.word(&CATEGORIES, faults)).collect();
    let given: Vec<&str> = given.into_iter().collect::<Option<_>>()?;
    if !given.contains(&CATEGORIES[0]) {
        node.refuse("security among the categories: its criteria are common to all", None, faults);
        return None;
    }
    let ordered = CATEGORIES.iter().filter(|word| given.contains(word)).map(|word| (*word).to_owned());
    Some(Words(ordered.collect()))
}

fn end(fields: &mut Fields<'_>, key: &'static str, zone: Tz, reading: &mut Reading<'_>) -> Option<Instant> {
    let expected = "a date as 2027-01-01, or an instant as 2027-01-01T00:00:00Z";
    let node = fields.must(key, expected, &mut reading.faults)?;
    let instant = node.read(expected, &mut reading.faults, |text| instant(text, zone))?;
    reading.given(node.path(), &format!("{instant}, in {zone} {}", shown_in(instant, zone)?));
    Some(instant)
}

/// A date means its first instant in the zone; a text with a `T` is an instant of RFC 3339 and needs no zone.
fn instant(text: &str, zone: Tz) -> Option<Instant> {
    if text.contains('T') {
        return DateTime::parse_from_rfc3339(text).ok().map(|at| Instant::from_ms(at.timestamp_millis()));
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?;
    first_instant(date, zone)
}

/// The first instant of a day. Where clocks leap over midnight that is when they land; where they pass it twice, the
/// first time.
fn first_instant(date: NaiveDate, zone: Tz) -> Option<Instant> {
    date.checked_add_days(Days::new(2))?;
    let midnight = date.and_time(NaiveTime::MIN);
    (0..QUARTERS_MAX)
        .find_map(|quarter| {
            let local = midnight.checked_add_signed(TimeDelta::minutes(i64::from(quarter) * 15))?;
            zone.from_local_datetime(&local).earliest()
        })
        .map(|at| Instant::from_ms(at.timestamp_millis()))
}

fn shown_in(instant: Instant, zone: Tz) -> Option<String> {
    let at = DateTime::from_timestamp_millis(instant.ms())?;
    Some(at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_when_it_begins_in_its_zone() {
        for (date, zone, first) in [
            ("2027-01-01", Tz::UTC, "2027-01-01T00:00:00.000Z"),
            ("2027-07-01", Tz::Europe__Berlin, "2027-06-30T22:00:00.000Z"),
            // clocks leapt from 00:00 to 01:00
            ("2018-11-04", Tz::America__Sao_Paulo, "2018-11-04T03:00:00.000Z"),
            // midnight came twice
            ("2018-02-18", Tz::America__Sao_Paulo, "2018-02-18T03:00:00.000Z"),
            ("2020-11-01", Tz::America__Havana, "2020-11-01T04:00:00.000Z"),
            // a whole day was left out
            ("2011-12-30", Tz::Pacific__Apia, "2011-12-30T10:00:00.000Z"),
        ] {
            assert_eq!(instant(date, zone).map(|at| at.to_string()).as_deref(), Some(first), "{date} {zone}");
        }
    }

    #[test]
    fn an_instant_carries_its_own_offset() {
        let at = |text| instant(text, Tz::Europe__Berlin).map(|at| at.to_string());
        assert_eq!(at("2027-01-01T00:00:00+02:00").as_deref(), Some("2026-12-31T22:00:00.000Z"));
        for wrong in ["2027-1-1", "2027-02-30", "2027-01-01T00:00", "01.01.2027", "tomorrow", "T"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
