//! Local time of the company (Europe/Berlin), its working days, and how GitHub and HTTP write an instant.
//!
//! It reads no clock. Nobody here works at weekends, on New Year's Day or on the first of May.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Europe::Berlin;
use observance_record::Instant;

/// Longest span of days that is ever listed.
const DAYS_MAX: usize = 400;

/// The instant at which clocks in Berlin show `second` seconds after midnight of `day`; of two such, the first.
pub(super) fn berlin(day: NaiveDate, second: i64) -> Instant {
    let local = day.and_time(chrono::NaiveTime::MIN) + chrono::TimeDelta::seconds(second);
    let s = Berlin
        .from_local_datetime(&local)
        .earliest()
        .map_or(local.and_utc().timestamp(), |at| at.timestamp());
    Instant::from_s(s)
}

/// The date in Berlin.
pub(super) fn day_of(at: Instant) -> NaiveDate {
    utc(at).with_timezone(&Berlin).date_naive()
}

/// A date of a year; 1 January if the year has no such day.
pub(super) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).or_else(|| NaiveDate::from_yo_opt(year, 1)).unwrap_or_default()
}

/// The working days in `[from, to)`, at most 400 days on.
pub(super) fn working_days(from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    from.iter_days().take(DAYS_MAX).take_while(|day| *day < to).filter(|day| works(*day)).collect()
}

/// `days` days earlier.
pub(super) fn earlier(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

/// `days` days later.
pub(super) fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

/// As GitHub writes it: whole seconds and `Z`.
pub(super) fn github(at: Instant) -> String {
    let mut text = at.to_string();
    text.truncate(19);
    text.push('Z');
    text
}

/// As the `Date` header writes it (RFC 9110, section 5.6.7).
pub(super) fn http(at: Instant) -> String {
    utc(at).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn works(day: NaiveDate) -> bool {
    let holiday = matches!((day.month(), day.day()), (1 | 5, 1));
    !holiday && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn utc(at: Instant) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.ms()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_moves_the_instant_and_not_the_date() {
        assert_eq!(berlin(date(2026, 3, 28), 3600).to_string(), "2026-03-28T00:00:00.000Z");
        assert_eq!(berlin(date(2026, 3, 30), 3600).to_string(), "2026-03-29T23:00:00.000Z");
        assert_eq!(day_of(berlin(date(2026, 3, 30), 3600)), date(2026, 3, 30));
    }

    #[test]
    fn written_as_github_and_as_http() {
        let at = berlin(date(2026, 5, 19), 11 * 3600 + 8 * 60);
        assert_eq!(github(at), "2026-05-19T09:08:00Z");
        assert_eq!(http(at), "Tue, 19 May 2026 09:08:00 GMT");
    }

    #[test]
    fn a_week_with_a_holiday_has_four_working_days() {
        assert_eq!(working_days(date(2026, 4, 27), date(2026, 5, 4)).len(), 4);
    }
}
