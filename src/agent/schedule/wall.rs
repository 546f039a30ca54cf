//! From wall clocks to instants: when an expression is due in a time zone, and what that means when clocks change.
//!
//! It promises nothing and remembers nothing; the same expression, zone and window always give the same instants.
//!
//! Where clocks change, the hour field decides (see [`Pace`]):
//! * **Certain hours** (`30 2 * * *`) are due once for each time that the wall clock should show. A time that clocks
//!   leap over is due at the first instant after the leap, together with whatever else is due there; a time that they
//!   show twice is due the first time.
//! * **Intervals** (`0 * * * *`, `0 */6 * * *`) go by real time. A time that clocks leap over is due when it would have
//!   come had they not been changed, together with whatever else is due there; a time that they show twice is due
//!   twice. An hourly schedule thus has 23 or 25 slots on such a day, each an hour after the last; where clocks change
//!   by half an hour, one step is half an hour shorter or longer.

use chrono::{DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};
use observance_record::Instant;

use super::cron::{Cron, Pace};

/// Longest window that is worked out at once; at one slot a minute it holds 527,040.
const WINDOW_MS_MAX: i64 = 366 * DAY_MS;
/// Days looked at on either side of a window: clocks leap by a day at most, and are set back across midnight.
const MARGIN_DAYS: u64 = 1;
const DAY_MS: i64 = 86_400_000;
/// Later days are not due: an instant has four digits for its year in every zone.
const YEAR_MAX: i32 = 9998;

impl Cron {
    /// The instants due in `[from, to)` in a zone, in order, each once, whole seconds. A window of more than 366 days
    /// is cut to its first 366.
    pub fn due(&self, zone: Tz, from: Instant, to: Instant) -> Vec<Instant> {
        let to = to.min(from.plus_ms(WINDOW_MS_MAX));
        let last = date(zone, to) + Days::new(MARGIN_DAYS);
        let mut due = Vec::new();
        for day in self.days_from(zone, from).take_while(|day| *day <= last) {
            self.due_on(day, zone, &mut due);
        }
        due.retain(|at| (from..to).contains(at));
        due.sort_unstable();
        due.dedup();
        due
    }

    /// The first instant due after this one in a zone; none only where the calendar ends.
    pub fn next(&self, zone: Tz, after: Instant) -> Option<Instant> {
        let mut on_day = Vec::new();
        // no later day is due before this one: a day that was leapt over has the times of the day after it
        self.days_from(zone, after).find_map(|day| {
            on_day.clear();
            self.due_on(day, zone, &mut on_day);
            on_day.iter().copied().filter(|at| *at > after).min()
        })
    }

    /// The days of the calendar on which something is due, from a little before this instant.
    fn days_from(&self, zone: Tz, from: Instant) -> impl Iterator<Item = NaiveDate> + '_ {
        let first = date(zone, from) - Days::new(MARGIN_DAYS);
        first.iter_days().take_while(|day| day.year() <= YEAR_MAX).filter(|day| self.on(*day))
    }

    /// Adds what is due on one day of the calendar.
    fn due_on(&self, day: NaiveDate, zone: Tz, due: &mut Vec<Instant>) {
        for wall in self.times().filter_map(|(hour, minute)| day.and_hms_opt(hour, minute, 0)) {
            match zone.from_local_datetime(&wall) {
                MappedLocalTime::Single(at) => due.push(instant(&at)),
                MappedLocalTime::Ambiguous(first, second) => {
                    due.push(instant(&first));
                    if self.pace() == Pace::Interval {
                        due.push(instant(&second));
                    }
                }
                MappedLocalTime::None => due.push(leapt_over(wall, zone, self.pace())),
            }
        }
    }
}

/// When a time is due that no clock shows.
fn leapt_over(wall: NaiveDateTime, zone: Tz, pace: Pace) -> Instant {
    let leap = GapInfo::new(&wall, &zone);
    let at = match pace {
        Pace::Fixed => leap.and_then(|leap| leap.end).map(|end| end.to_utc()),
        Pace::Interval => leap
            .and_then(|leap| leap.begin)
            .and_then(|(_, before)| before.fix().from_local_datetime(&wall).single())
            .map(|at| at.to_utc()),
    };
    // a leap lies between two offsets, so its sides are known; were they not, the slot is still not lost
    instant(&at.unwrap_or_else(|| wall.and_utc()))
}

fn instant<Z: TimeZone>(at: &DateTime<Z>) -> Instant {
    Instant::from_s(at.timestamp())
}

/// The day that a wall clock shows at this instant.
fn date(zone: Tz, at: Instant) -> NaiveDate {
    let utc = DateTime::from_timestamp_millis(at.ms()).unwrap_or_default();
    zone.from_utc_datetime(&utc.naive_utc()).date_naive()
}

#[cfg(test)]
mod tests {
    use chrono_tz::{
        America::New_York, Asia::Tokyo, Australia::Lord_Howe, Europe::Berlin, Pacific::Apia, Tz::UTC,
    };
    use proptest::prelude::*;

    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap()
    }

    fn midnight(zone: Tz, (year, month, day): (i32, u32, u32)) -> Instant {
        let wall = NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(0, 0, 0).unwrap();
        instant(&zone.from_local_datetime(&wall).earliest().unwrap())
    }

    /// What is due on one day, as a wall clock with its offset shows it.
    fn day(text: &str, zone: Tz, date: (i32, u32, u32)) -> Vec<String> {
        let from = midnight(zone, date);
        let next = NaiveDate::from_ymd_opt(date.0, date.1, date.2).unwrap() + Days::new(1);
        let to = midnight(zone, (next.year(), next.month(), next.day()));
        let due = cron(text).due(zone, from, to);
        due.into_iter().map(|at| shown(zone, at, "%H:%M%z").trim_end_matches("00").to_owned()).collect()
    }

    fn shown(zone: Tz, at: Instant, format: &str) -> String {
        let utc = DateTime::from_timestamp_millis(at.ms()).unwrap();
        utc.with_timezone(&zone).format(format).to_string()
    }

    fn steps_min(text: &str, zone: Tz, date: (i32, u32, u32)) -> Vec<i64> {
        let from = midnight(zone, date);
        let due = cron(text).due(zone, from, from.plus_ms(DAY_MS));
        due.windows(2).map(|two| two[1].ms_since(two[0]) / 60_000).collect()
    }

    const BERLIN_SPRING: (i32, u32, u32) = (2026, 3, 29);
    const BERLIN_AUTUMN: (i32, u32, u32) = (2026, 10, 25);

    #[test]
    fn certain_hours_fire_once_when_clocks_change() {
        assert_eq!(day("30 2 * * *", Berlin, BERLIN_SPRING), ["03:00+02"]);
        assert_eq!(day("30 2 * * *", Berlin, BERLIN_AUTUMN), ["02:30+02"]);
        assert_eq!(day("30 2 * * *", New_York, (2026, 3, 8)), ["03:00-04"]);
        assert_eq!(day("30 1 * * *", New_York, (2026, 11, 1)), ["01:30-04"]);
        assert_eq!(day("15 2 * * *", Lord_Howe, (2026, 10, 4)), ["02:30+11"]);
        assert_eq!(day("45 1 * * *", Lord_Howe, (2026, 4, 5)), ["01:45+11"]);
        assert_eq!(day("30 2 * * *", Tokyo, BERLIN_SPRING), ["02:30+09"]);
    }

    #[test]
    fn times_leapt_over_join_what_is_due_there_anyway() {
        assert_eq!(
            day("*/15 2,3 * * *", Berlin, BERLIN_SPRING),
            ["03:00+02", "03:15+02", "03:30+02", "03:45+02"]
        );
        assert_eq!(day("0 2,3 * * *", Berlin, BERLIN_SPRING), ["03:00+02"]);
        assert_eq!(day("*/20 2 * * *", Berlin, BERLIN_AUTUMN), ["02:00+02", "02:20+02", "02:40+02"]);
    }

    #[test]
    fn an_hourly_schedule_follows_real_time() {
        for text in ["0 * * * *", "30 * * * *", "@hourly", "59 0-23 * * *"] {
            for (zone, spring, autumn) in
                [(Berlin, BERLIN_SPRING, BERLIN_AUTUMN), (New_York, (2026, 3, 8), (2026, 11, 1))]
            {
                assert_eq!(day(text, zone, spring).len(), 23, "{text} {zone}");
                assert_eq!(day(text, zone, autumn).len(), 25, "{text} {zone}");
                for date in [spring, autumn] {
                    assert!(steps_min(text, zone, date).iter().all(|min| *min == 60), "{text} {zone}");
                }
            }
            assert_eq!(day(text, Tokyo, BERLIN_SPRING).len(), 24);
        }
        assert_eq!(day("*/10 * * * *", Berlin, BERLIN_SPRING).len(), 6 * 23);
        assert_eq!(day("*/10 * * * *", Berlin, BERLIN_AUTUMN).len(), 6 * 25);
    }

    #[test]
    fn an_interval_of_hours_loses_no_slot() {
        assert_eq!(day("0 */2 * * *", Berlin, BERLIN_SPRING)[..3], ["00:00+01", "03:00+02", "04:00+02"]);
        assert_eq!(day("30 */2 * * *", Berlin, BERLIN_SPRING)[..3], ["00:30+01", "03:30+02", "04:30+02"]);
        assert_eq!(
            day("0 */2 * * *", Berlin, BERLIN_AUTUMN)[..4],
            ["00:00+02", "02:00+02", "02:00+01", "04:00+01"]
        );
        assert_eq!(day("0 */6 * * *", Berlin, BERLIN_AUTUMN).len(), 4);
    }

    #[test]
    fn half_an_hour_is_a_change_too() {
        assert_eq!(
            day("0 * * * *", Lord_Howe, (2026, 10, 4))[..4],
            ["00:00+1030", "01:00+1030", "02:30+11", "03:00+11"]
        );
        assert_eq!(day("0 * * * *", Lord_Howe, (2026, 4, 5)).len(), 24);
        assert_eq!(
            day("30 * * * *", Lord_Howe, (2026, 4, 5))[..4],
            ["00:30+11", "01:30+11", "01:30+1030", "02:30+1030"]
        );
    }

    #[test]
    fn a_day_that_never_was_is_made_up_for_once() {
        let (from, to) = (midnight(Apia, (2011, 12, 29)), midnight(Apia, (2012, 1, 1)));
        let due = |text: &str| -> Vec<String> {
            cron(text).due(Apia, from, to).into_iter().map(|at| shown(Apia, at, "%d %H:%M")).collect()
        };
        assert_eq!(due("0 9 * * *"), ["29 09:00", "31 00:00", "31 09:00"]);
        assert_eq!(due("0 0 * * *"), ["29 00:00", "31 00:00"]);
        assert_eq!(due("0 9 30 12 *"), ["31 00:00"]);
        assert_eq!(due("0 * * * *").len(), 48);
        assert_eq!(due("0 */6 30 12 *"), ["31 00:00", "31 06:00", "31 12:00", "31 18:00"]);
        assert_eq!(
            cron("0 */6 29,30 12 *")
                .next(Apia, midnight(Apia, (2011, 12, 31)))
                .map(|at| shown(Apia, at, "%d %H:%M")),
            Some("31 06:00".into())
        );
    }

    #[test]
    fn the_next_instant_may_be_years_away() {
        let leap_day = cron("0 0 29 2 *");
        let after = midnight(UTC, (2096, 2, 29));
        assert_eq!(leap_day.next(UTC, after), Some(midnight(UTC, (2104, 2, 29))));
        assert_eq!(leap_day.next(UTC, midnight(UTC, (9997, 1, 1))), None);
        assert_eq!(cron("* * * * *").due(UTC, Instant::EPOCH, Instant::from_ms(i64::MAX)).len(), 366 * 1440);
    }

    fn zones() -> impl Strategy<Value = Tz> {
        prop::sample::select(vec![Berlin, New_York, Lord_Howe, Tokyo, Apia, UTC])
    }

    fn expressions() -> impl Strategy<Value = Cron> {
        let minute = prop::sample::select(vec!["0", "*/20", "7,31", "45"]);
        let hour = prop::sample::select(vec!["*", "*/2", "*/5", "1,2,3", "2", "0-4/2", "23"]);
        let day = prop::sample::select(vec!["*", "*/2", "1,29-31"]);
        let weekday = prop::sample::select(vec!["*", "sun", "1-5"]);
        (minute, hour, day, weekday).prop_map(|(m, h, d, w)| cron(&format!("{m} {h} {d} * {w}")))
    }

    /// Hours of 2011 and 2012: all changes of these zones, the day that Apia leapt over included.
    fn hours() -> impl Strategy<Value = Instant> {
        (0_i64..2 * 366 * 24).prop_map(|hour| Instant::from_s(1_293_840_000 + hour * 3600))
    }

    proptest! {
        #[test]
        fn windows_join_without_holes(cron in expressions(), zone in zones(), from in hours(), a in 0_i64..90, b in 0_i64..90) {
            let (middle, to) = (from.plus_ms(a * 3_600_000), from.plus_ms((a + b) * 3_600_000));
            let mut joined = cron.due(zone, from, middle);
            joined.extend(cron.due(zone, middle, to));
            prop_assert_eq!(joined, cron.due(zone, from, to));
        }

        #[test]
        fn next_is_the_first_of_what_is_due(cron in expressions(), zone in zones(), after in hours()) {
            let due = cron.due(zone, after.plus_ms(1), after.plus_ms(40 * DAY_MS));
            prop_assert_eq!(cron.next(zone, after), due.first().copied());
        }

        /// Every minute at which the wall clock shows what was asked for, found by looking at every minute.
        #[test]
        fn what_the_clock_shows_is_due(cron in expressions(), zone in zones(), from in hours()) {
            let to = from.plus_ms(2 * DAY_MS);
            let due = cron.due(zone, from, to);
            for minute in 0..2 * 1440 {
                let at = from.plus_ms(minute * 60_000);
                let wall = zone.from_utc_datetime(&DateTime::from_timestamp_millis(at.ms()).unwrap().naive_utc()).naive_local();
                let asked = cron.on(wall.date()) && cron.times().any(|(h, m)| wall.time() == chrono::NaiveTime::from_hms_opt(h, m, 0).unwrap());
                let known = zone.from_local_datetime(&wall);
                let first = known.earliest().is_some_and(|first| instant(&first) == at);
                let shown = asked && (cron.pace() == Pace::Interval || first);
                let leapt = from_a_leap(&cron, zone, at);
                prop_assert_eq!(due.contains(&at), shown || leapt, "{} in {} at {}", cron, zone, at);
            }
        }
    }

    /// Did clocks change shortly before, so that something leapt over may be due now?
    fn from_a_leap(cron: &Cron, zone: Tz, at: Instant) -> bool {
        let mut due = Vec::new();
        for day in cron.days_from(zone, at).take(5) {
            for (hour, minute) in cron.times() {
                let wall = day.and_hms_opt(hour, minute, 0).unwrap();
                if zone.from_local_datetime(&wall) == MappedLocalTime::None {
                    due.push(leapt_over(wall, zone, cron.pace()));
                }
            }
        }
        due.contains(&at)
    }
}
