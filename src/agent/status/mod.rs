//! What people read of the record: how the controls stand now, how a period looks. Pure: values in, text out.
//!
//! It says what was observed, deviated, unknown, missed. It draws no conclusion, gives no score, and reads no clock.

mod now;
mod period;

use std::fmt::Write as _;

use chrono::DateTime;
use chrono_tz::Tz;
use observance_record::Instant;

pub use self::{
    now::{Standing, Status, StatusRow, status_of, status_text},
    period::{period_text, period_text_with},
};
use crate::text::visible;

/// `30 h 48 min`; under a minute in seconds. Nothing is rounded up.
pub fn hours(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{} s", ms.max(0) / 1000),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{} h", number(hours.unsigned_abs())),
        (hours, minutes) => format!("{} h {minutes} min", number(hours.unsigned_abs())),
    }
}

/// A number with a comma after each three digits.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `item`, `items`; `repository`, `repositories`; `day`, `days`; `bypass`, `bypasses`; `deploy_key`, `deploy keys`.
pub fn plural(word: &str, n: u64) -> String {
    let word = word.replace('_', " ");
    match (n, word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']))) {
        (1, _) => word,
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) if word.ends_with(['s', 'x']) => format!("{word}es"),
        (_, None) => format!("{word}s"),
    }
}

/// So many things of a kind: `1 repository`, `2,318 changes`.
pub fn counted(n: u64, unit: &str) -> String {
    format!("{} {}", number(n), plural(&visible(unit), n))
}

/// An instant on the clocks of a zone, to the minute.
pub fn local(at: Instant, zone: Tz) -> String {
    DateTime::from_timestamp_millis(at.ms())
        .map_or_else(|| at.to_string(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
}

/// Rows as columns, two spaces between them; nothing is cut.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, &width) in row.iter().zip(&widths) {
            push(&mut line, format_args!("{cell:width$}  "));
        }
        push(&mut out, format_args!("{}\n", line.trim_end()));
    }
    out
}

/// Adds text; writing to a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).unwrap_or_default();
}

/// A control with its policy, as columns name it.
fn control(controls: &[String], policy: &str) -> String {
    controls.first().map_or_else(
        || visible(policy).into_owned(),
        |control| format!("{} ({})", visible(control), visible(policy)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_numbers_and_counts_read_as_people_say_them() {
        let of = |minutes: i64| hours(minutes * 60_000);
        assert_eq!(
            [of(30 * 60 + 48), of(7 * 60), of(59), of(4343 * 60)],
            ["30 h 48 min", "7 h", "59 min", "4,343 h"]
        );
        assert_eq!([hours(-5), hours(59_999)], ["0 s", "59 s"]);
        assert_eq!(
            [number(0), number(999), number(1000), number(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([counted(1, "repository"), counted(2318, "change")], ["1 repository", "2,318 changes"]);
        assert_eq!([counted(0, "repository"), counted(2, "day")], ["0 repositories", "2 days"]);
    }

    #[test]
    fn instants_are_shown_on_the_clocks_of_a_zone() {
        let at = Instant::from_s(1_798_761_600);
        assert_eq!(local(at, Tz::Europe__Berlin), "2027-01-01 01:00");
    }

    #[test]
    fn columns_are_aligned_and_lines_end_where_their_text_does() {
        let rows = [vec!["a".to_owned(), "bcd".to_owned()], vec!["größer".to_owned(), String::new()]];
        assert_eq!(table(&rows), "a       bcd\ngrößer\n");
    }
}
