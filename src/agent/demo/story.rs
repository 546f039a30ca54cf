//! What is planted in the company outside of GitHub: who comes, moves and leaves, who loses a factor, which source of logs
//! falls silent. What is planted on GitHub stands in `company`.
//!
//! It makes no answers and judges nothing.

use chrono::{Datelike as _, NaiveDate};
use observance_record::Instant;

use super::{
    calendar::{berlin, date, day_of},
    staff::{Leaving, Person},
};

/// What kind of thing was planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happens {
    /// The account of somebody who had left stayed open beyond the time that is allowed.
    LeaverLate,
    /// An administrator had no factor that resists phishing.
    AdministratorWeak,
    /// A registered source sent no logs.
    SourceSilent,
}

/// One planted thing: from when to when it was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twist {
    /// What happens.
    pub happens: Happens,
    /// When it begins.
    pub from: Instant,
    /// When it ends (exclusive).
    pub to: Instant,
}

/// The source of logs that falls silent.
pub(super) const SILENT: &str = "vpn-gateway";
/// The administrator whose security key is lost, by their place among the people.
pub(super) const KEYLESS: usize = 2;
/// Month and day.
type Day = (u32, u32);
/// Places, among the people, of those who leave, come and move.
const LATE: usize = 13;
const LEAVERS: [(usize, Day, (i64, i64)); 2] = [(8, (1, 30), (17, 5)), (18, (5, 29), (16, 40))];
const JOINERS: [(usize, Day); 2] = [(20, (2, 2)), (21, (4, 1))];
const MOVERS: [(usize, Day, (&str, &str)); 2] =
    [(14, (3, 2), ("Support", "Solutions engineer")), (16, (6, 15), ("Sales", "Account executive"))];
/// Hours that an account may stay open after the last day (`within_h` of ID-05-okta).
pub const WITHIN_H: i64 = 24;
const HOUR_MS: i64 = 3_600_000;

/// The instants of one year; all times of day are Berlin's.
#[derive(Debug, Clone)]
pub struct Story {
    year: i32,
    /// When the late leaver's account is shut; the last day is two days before.
    shut_late: Instant,
    /// While an administrator has no security key.
    pub(super) keyless: (Instant, Instant),
    /// While a source sends nothing.
    pub(super) silent: (Instant, Instant),
}

impl Story {
    /// The story of the year in which a period begins.
    pub fn of(from: Instant) -> Self {
        let year = day_of(from).year();
        let at =
            |month, day, hour: i64, minute: i64| berlin(date(year, month, day), hour * 3_600 + minute * 60);
        Self {
            year,
            shut_late: at(4, 23, 9, 0),
            keyless: (at(6, 2, 10, 20), at(6, 4, 11, 40)),
            silent: (at(5, 5, 3, 20), at(5, 7, 3, 20)),
        }
    }

    /// Everything that is planted, in the order in which it happens.
    pub fn planted(&self) -> [Twist; 3] {
        let twist = |happens, (from, to)| Twist { happens, from, to };
        let due = berlin(self.day((4, 22)), 0).plus_ms(WITHIN_H * HOUR_MS);
        [
            twist(Happens::LeaverLate, (due, self.shut_late)),
            twist(Happens::SourceSilent, self.silent),
            twist(Happens::AdministratorWeak, self.keyless),
        ]
    }

    /// Lets people come, move and leave.
    pub(super) fn tell(&self, people: &mut [Person]) {
        for (n, day, (hour, minute)) in LEAVERS {
            let last_day = self.day(day);
            people[n].leaving =
                Some(Leaving::noticed(last_day, berlin(last_day, hour * 3_600 + minute * 60)));
        }
        people[LATE].leaving = Some(Leaving::noticed(self.day((4, 21)), self.shut_late));
        for (n, day) in JOINERS {
            people[n].come(self.day(day));
        }
        for (n, day, post) in MOVERS {
            people[n].shift(self.day(day), post);
        }
    }

    fn day(&self, (month, day): Day) -> NaiveDate {
        date(self.year, month, day)
    }
}
