//! Instants of the record: milliseconds of UTC, written in exactly 24 characters.
//!
//! It knows no clock and no time zone; leap seconds cannot be written (formats section 0).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const MS_PER_DAY: i64 = 86_400_000;
/// 9999-12-31T23:59:59.999Z; four digits hold no later year.
const MS_MAX: i64 = 253_402_300_799_999;
/// 0000-01-01T00:00:00.000Z.
const MS_MIN: i64 = -62_167_219_200_000;

/// An instant outside the years 0000 to 9999, or a text that is not `YYYY-MM-DDTHH:MM:SS.mmmZ`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an instant (YYYY-MM-DDTHH:MM:SS.mmmZ)")]
pub struct InstantError(String);

/// A point in time, in UTC, to the millisecond. Ordered; never local.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since 1970; clamped to the years that can be written.
    pub const fn from_ms(ms: i64) -> Self {
        if ms < MS_MIN {
            Self(MS_MIN)
        } else if ms > MS_MAX {
            Self(MS_MAX)
        } else {
            Self(ms)
        }
    }

    /// From whole seconds since 1970; clamped likewise.
    pub const fn from_s(s: i64) -> Self {
        Self::from_ms(s.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn s(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `ms` later (earlier if negative).
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; negative if `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(MS_PER_DAY));
        let ms = self.0.rem_euclid(MS_PER_DAY);
        let (h, m, s, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z")
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, InstantError> {
        read(text.as_bytes())
            .filter(|instant| instant.to_string() == text)
            .ok_or_else(|| InstantError(text.chars().take(40).collect()))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// Reads the digits at their places; [`FromStr`] then asks whether they write back as they were.
fn read(text: &[u8]) -> Option<Instant> {
    let field = |from: usize, len: usize| {
        text.get(from..from.checked_add(len)?)?.iter().try_fold(0_i64, |n, &b| {
            b.is_ascii_digit().then(|| n.saturating_mul(10).saturating_add(i64::from(b & 15)))
        })
    };
    let days = days_from_civil(field(0, 4)?, field(5, 2)?, field(8, 2)?);
    let seconds = field(11, 2)?
        .saturating_mul(3600)
        .saturating_add(field(14, 2)?.saturating_mul(60))
        .saturating_add(field(17, 2)?);
    Some(Instant::from_ms(
        days.saturating_mul(MS_PER_DAY)
            .saturating_add(seconds.saturating_mul(1000))
            .saturating_add(field(20, 3)?),
    ))
}

/// Days since 1970 of a proleptic Gregorian date (the usual era arithmetic; inputs have at most four digits).
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let shifted = month.saturating_add(9) % 12;
    let of_year = (shifted.saturating_mul(153).saturating_add(2) / 5).saturating_add(day).saturating_sub(1);
    let days = of_era
        .saturating_mul(365)
        .saturating_add(of_era / 4)
        .saturating_sub(of_era / 100)
        .saturating_add(of_year);
    era.saturating_mul(146_097).saturating_add(days).saturating_sub(719_468)
}

/// The date of a day since 1970; the inverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days.saturating_add(719_468);
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = doe.saturating_sub(doe / 1460).saturating_add(doe / 36_524).saturating_sub(doe / 146_096) / 365;
    let before = yoe.saturating_mul(365).saturating_add(yoe / 4).saturating_sub(yoe / 100);
    let doy = doe.saturating_sub(before);
    let shifted = doy.saturating_mul(5).saturating_add(2) / 153;
    let day = doy.saturating_sub(shifted.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
    let month = if shifted < 10 { shifted.saturating_add(3) } else { shifted.saturating_sub(9) };
    let year = yoe.saturating_add(era.saturating_mul(400));
    (if month <= 2 { year.saturating_add(1) } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_day_of_three_centuries_reads_back() {
        for day in -55_000..55_000 {
            let instant = Instant::from_ms(day * MS_PER_DAY + 3_723_004);
            assert_eq!(instant.to_string().parse(), Ok(instant));
        }
        assert_eq!(Instant::from_s(951_782_400).to_string(), "2000-02-29T00:00:00.000Z");
    }

    #[test]
    fn only_the_24_characters_are_an_instant() {
        for wrong in [
            "",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.000+00:00",
            "2026-02-30T00:00:00.000Z",
            "2026-12-31T23:59:60.000Z",
            "2026-1-01T00:00:00.000Z",
            "2026-01-01 00:00:00.000Z",
        ] {
            assert!(wrong.parse::<Instant>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(any in "\\PC{0,30}", near in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z") {
            for text in [any, near] {
                prop_assert!(text.parse::<Instant>().map_or(true, |read| read.to_string() == text));
            }
        }
    }
}
