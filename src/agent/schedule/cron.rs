//! Cron expressions as people write them: minute, hour, day of month, month, day of week.
//!
//! It knows wall clocks and calendars only; `wall` brings them to instants of a time zone.
//!
//! The meaning is Vixie's: if both day fields are restricted (neither begins with `*`), a day that matches either is
//! meant, otherwise both must match. The `cron` crate cannot say that: it wants seconds, counts Sunday as 1, always
//! demands both days and leaves times out that a clock change removed.

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};

/// Longest text of an expression, in bytes.
const TEXT_MAX: usize = 256;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// February in the leap year that comes.
const DAYS_OF_MONTH: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const SHORTHANDS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A five-field expression. Fires on some day of every calendar: what never could is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    days_rule: DaysRule,
    pace: Pace,
}

/// How the two day fields go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DaysRule {
    Both,
    Either,
}

/// What is meant when clocks change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Certain hours of the wall clock: once for each time it should show.
    Fixed,
    /// Every so many hours (the hour field begins with `*`, or names all 24): real time that has passed.
    Interval,
}

/// A text that is not a schedule. Holds every fault, not only the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read cron expression `{text}`: {}", .faults.join("; "))]
pub struct CronError {
    text: String,
    faults: Vec<String>,
}

impl CronError {
    /// Each fault: the field, what was found in it, what was expected.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let refuse = |faults| CronError { text: text.chars().take(60).collect(), faults };
        let written = spell_out(text).map_err(|fault| refuse(vec![fault]))?;
        let fields: Vec<&str> = written.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(refuse(vec![format!(
                "found {} fields, expected 5: minute hour day-of-month month day-of-week",
                fields.len()
            )]));
        };
        let mut faults = Vec::new();
        let mut read = |field: &Field, text| {
            field.read(text).unwrap_or_else(|fault| {
                faults.push(format!("{}: {fault}", field.name));
                0
            })
        };
        let minutes = read(&Field { name: "minute", low: 0, high: 59, names: &[] }, minute);
        let hours = read(&Field { name: "hour", low: 0, high: 23, names: &[] }, hour);
        let days = read(&Field { name: "day of month", low: 1, high: 31, names: &[] }, day);
        let months = read(&Field { name: "month", low: 1, high: 12, names: &MONTHS }, month);
        let weekdays = read(&Field { name: "day of week", low: 0, high: 7, names: &WEEKDAYS }, weekday);
        if !faults.is_empty() {
            return Err(refuse(faults));
        }
        let open = |field: &str| field.starts_with('*');
        let cron = Self {
            text: text.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
            minutes,
            hours,
            days,
            months,
            weekdays: weekdays | (weekdays >> 7),
            days_rule: if open(day) || open(weekday) { DaysRule::Both } else { DaysRule::Either },
            pace: if open(hour) || hours == bits(0, 23, 1) { Pace::Interval } else { Pace::Fixed },
        };
        if cron.never() {
            return Err(refuse(vec![format!(
                "never fires: found day of month `{day}` in month `{month}`, expected a date that exists"
            )]));
        }
        Ok(cron)
    }
}

/// The expression as it was written.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cron {
    /// Is anything due on this day of the calendar?
    pub(super) fn on(&self, date: NaiveDate) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().num_days_from_sunday());
        has(self.months, date.month())
            && match self.days_rule {
                DaysRule::Both => day && weekday,
                DaysRule::Either => day || weekday,
            }
    }

    /// The times of such a day, hour and minute, in order.
    pub(super) fn times(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..24).filter(|hour| has(self.hours, *hour)).flat_map(|hour| {
            (0..60).filter(|minute| has(self.minutes, *minute)).map(move |minute| (hour, minute))
        })
    }

    pub(super) const fn pace(&self) -> Pace {
        self.pace
    }

    /// Only a date can be impossible: every weekday occurs in every month, and on 29 February in the end.
    fn never(&self) -> bool {
        let dates = (1..)
            .zip(DAYS_OF_MONTH)
            .any(|(month, last)| has(self.months, month) && (1..=last).any(|day| has(self.days, day)));
        self.days_rule == DaysRule::Both && !dates
    }
}

/// Replaces a shorthand by its five fields.
fn spell_out(text: &str) -> Result<&str, String> {
    let text = text.trim_ascii();
    if text.len() > TEXT_MAX {
        return Err(format!("found {} bytes, expected at most {TEXT_MAX}", text.len()));
    }
    if !text.starts_with('@') {
        return Ok(text);
    }
    SHORTHANDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, fields)| *fields).ok_or_else(
        || format!("found `{text}`, expected one of {}", SHORTHANDS.map(|(name, _)| name).join(" ")),
    )
}

struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

impl Field {
    /// The numbers that a field names, as bits.
    fn read(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |all, part| Ok(all | self.part(part)?))
    }

    /// One part of a list: `*`, `a`, `a-b`, and `/step` behind `*` or a range.
    fn part(&self, part: &str) -> Result<u64, String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (part, None),
        };
        if range == "*" {
            return Ok(bits(self.low, self.last(), step.unwrap_or(1)));
        }
        let Some((from, to)) = range.split_once('-') else {
            if step.is_some() {
                return Err(format!("found `{part}`, expected `*` or a range before the step"));
            }
            let value = self.value(range)?;
            return Ok(bits(value, value, 1));
        };
        let (from, to) = (self.value(from)?, self.value(to)?);
        // a week may be said to end on Sunday
        let to = if self.high == 7 && to == 0 && from > 0 { 7 } else { to };
        if from > to {
            return Err(format!("found `{range}`, expected a range that goes upwards (or two ranges)"));
        }
        Ok(bits(from, to, step.unwrap_or(1)))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        named
            .and_then(|at| u32::try_from(at).ok())
            .map(|at| at + self.low)
            .or_else(|| number(text).filter(|value| (self.low..=self.high).contains(value)))
            .ok_or_else(|| {
                let names = match (self.names.first(), self.names.last()) {
                    (Some(first), Some(last)) => format!(" or {first} to {last}"),
                    _ => String::new(),
                };
                format!("found `{text}`, expected {} to {}{names}", self.low, self.high)
            })
    }

    /// A step as long as the field would fire once and looks like an interval that it is not (`*/90` minutes).
    fn step(&self, text: &str) -> Result<u32, String> {
        let most = self.last() - self.low;
        number(text)
            .filter(|step| (1..=most).contains(step))
            .ok_or_else(|| format!("found step `{text}`, expected 1 to {most}"))
    }

    /// The last number of `*`: Sunday is not counted twice.
    const fn last(&self) -> u32 {
        if self.high == 7 { 6 } else { self.high }
    }
}

/// Digits only: no sign, which the standard library would take.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `from`, `from + step`, ... up to `to`; all below 64, `step` above 0.
fn bits(from: u32, to: u32, step: u32) -> u64 {
    (from..=to).filter(|n| (n - from).checked_rem(step) == Some(0)).fold(0, |all, n| all | (1 << n))
}

const fn has(bits: u64, n: u32) -> bool {
    bits & (1 << n) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap()
    }

    fn times(text: &str) -> Vec<String> {
        cron(text).times().map(|(h, m)| format!("{h}:{m:02}")).collect()
    }

    /// Days of 2026 that match, as `month-day`.
    fn days(text: &str) -> Vec<String> {
        let cron = cron(text);
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let year = first.iter_days().take(365).filter(|day| cron.on(*day));
        year.map(|day| day.format("%-m-%-d").to_string()).collect()
    }

    fn faults(text: &str) -> Vec<String> {
        text.parse::<Cron>().unwrap_err().faults().to_vec()
    }

    #[test]
    fn lists_ranges_steps_and_names_are_read() {
        assert_eq!(
            times("5,10-12,50-59/4 9 * * *"),
            ["9:05", "9:10", "9:11", "9:12", "9:50", "9:54", "9:58"]
        );
        assert_eq!(times("0 */6 * * *"), ["0:00", "6:00", "12:00", "18:00"]);
        assert_eq!(times("*/30 22-23 * * *"), ["22:00", "22:30", "23:00", "23:30"]);
        assert_eq!(days("0 0 1 JAN,Jul-Sep *"), ["1-1", "7-1", "8-1", "9-1"]);
        assert_eq!(days("0 0 */10 feb *"), ["2-1", "2-11", "2-21"]);
        assert_eq!(times("@hourly").len(), 24);
        assert_eq!(days("@monthly").len(), 12);
        assert_eq!(cron("  0  1 * * * ").to_string(), "0 1 * * *");
    }

    #[test]
    fn sunday_is_0_and_7_and_may_end_a_week() {
        let sundays = days("0 0 * 3 0");
        assert_eq!(sundays, ["3-1", "3-8", "3-15", "3-22", "3-29"]);
        for same in ["0 0 * 3 7", "0 0 * 3 sun", "0 0 * 3 SUN", "0 0 * 3 7-7"] {
            assert_eq!(days(same), sundays, "{same}");
        }
        assert_eq!(days("@weekly").first().unwrap(), "1-4");
        for same in ["0 0 * 3 sat-sun", "0 0 * 3 6-7", "0 0 * 3 0,6", "0 0 * 3 6-0"] {
            assert_eq!(days(same).first().unwrap(), "3-1", "{same}");
            assert_eq!(days(same).len(), 9, "{same}");
        }
        assert_eq!(days("0 0 * 3 */2"), days("0 0 * 3 0,2,4,6"));
    }

    #[test]
    fn either_day_field_is_enough_if_both_are_restricted() {
        assert_eq!(days("0 0 13 2 fri"), ["2-6", "2-13", "2-20", "2-27"]);
        assert_eq!(days("0 0 10 2 fri"), ["2-6", "2-10", "2-13", "2-20", "2-27"]);
        // a field that begins with `*` is not restricted, whatever its step: both must match
        assert_eq!(days("0 0 */2 2 fri"), ["2-13", "2-27"]);
        assert_eq!(days("0 0 10 2 *").len(), 1);
        assert_eq!(days("0 0 30 2 mon"), ["2-2", "2-9", "2-16", "2-23"]);
    }

    #[test]
    fn every_fault_says_field_found_and_expected() {
        assert_eq!(
            faults("60 24 0 13 8"),
            [
                "minute: found `60`, expected 0 to 59",
                "hour: found `24`, expected 0 to 23",
                "day of month: found `0`, expected 1 to 31",
                "month: found `13`, expected 1 to 12 or jan to dec",
                "day of week: found `8`, expected 0 to 7 or sun to sat",
            ]
        );
        assert_eq!(faults("*/90 * * * *"), ["minute: found step `90`, expected 1 to 59"]);
        assert_eq!(faults("*/0 * * * *"), ["minute: found step `0`, expected 1 to 59"]);
        assert_eq!(faults("5/10 * * * *"), ["minute: found `5/10`, expected `*` or a range before the step"]);
        assert_eq!(
            faults("0 22-2 * * *"),
            ["hour: found `22-2`, expected a range that goes upwards (or two ranges)"]
        );
        assert_eq!(
            faults("0 * * * * *"),
            ["found 6 fields, expected 5: minute hour day-of-month month day-of-week"]
        );
        assert!(faults("@reboot")[0].starts_with("found `@reboot`, expected one of @hourly"));
        assert_eq!(faults(&"1".repeat(300)), ["found 300 bytes, expected at most 256"]);
        assert_eq!(
            "0 ? * * *".parse::<Cron>().unwrap_err().to_string(),
            "cannot read cron expression `0 ? * * *`: hour: found `?`, expected 0 to 23"
        );
        for wrong in
            ["", "+1 * * * *", "-1 * * * *", "1, * * * *", "1- * * * *", "* * L * *", "* * * * mon#2"]
        {
            assert!(wrong.parse::<Cron>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_never_fires_is_refused() {
        for never in ["0 0 30 2 *", "0 0 31 2,4,jun,9,11 *", "0 0 30-31 feb *"] {
            assert!(faults(never)[0].starts_with("never fires: found day of month"), "{never}");
        }
        for rare in ["0 0 29 2 *", "0 0 29 2 */6", "0 0 31 4,5 *"] {
            assert!(rare.parse::<Cron>().is_ok(), "{rare}");
        }
    }

    #[test]
    fn an_open_hour_field_is_an_interval() {
        for interval in ["0 * * * *", "0 */6 * * *", "0 0-23 * * *", "@hourly"] {
            assert_eq!(cron(interval).pace(), Pace::Interval, "{interval}");
        }
        for fixed in ["* 2 * * *", "0 0-22/2 * * *", "@daily"] {
            assert_eq!(cron(fixed).pace(), Pace::Fixed, "{fixed}");
        }
    }
}
