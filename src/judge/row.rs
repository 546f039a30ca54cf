//! The shape of a row's bytes before anything parses them, and what the row itself says it was not seen with.
//!
//! It knows no population: keys that begin with `_` are the collector's, all others the policy's.

use std::collections::BTreeSet;

use observance_record::{population::Outcome, verdict::Code};
use regorus::Value;

use crate::{codes::code, meta::Needs};

/// Largest row (formats section 11).
pub const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting of a row (formats section 11).
pub const ROW_DEPTH_MAX: usize = 64;
/// Longest number. `1e99999999` is ten characters and half a minute of arithmetic, so exponents have a bound too.
const NUMBER_BYTES_MAX: usize = 400;
/// Most digits of an exponent.
const EXPONENT_DIGITS_MAX: usize = 3;

/// Why these bytes are not parsed; a look at the bytes alone.
pub(crate) fn refuse(row: &[u8]) -> Result<&str, Code> {
    if row.len() > ROW_BYTES_MAX {
        return Err(code("row.too_large"));
    }
    let text = std::str::from_utf8(row).map_err(|_not_utf8| code("row.unreadable"))?;
    if !text.starts_with('{') {
        return Err(code("row.unreadable"));
    }
    shape(row).map(|()| text)
}

fn shape(row: &[u8]) -> Result<(), Code> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = row.get(at) {
        match byte {
            b'"' => at = after_string(row, at + 1),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'0'..=b'9' => {
                let number = row.iter().skip(at).take_while(|b| b"0123456789.eE+-".contains(b)).count();
                number_fits(row.get(at..at + number).unwrap_or_default())?;
                at += number - 1;
            }
            _ => {}
        }
        if depth > ROW_DEPTH_MAX {
            return Err(code("row.too_deep"));
        }
        at += 1;
    }
    Ok(())
}

/// Where the string ends that begins here.
fn after_string(row: &[u8], mut at: usize) -> usize {
    while let Some(byte) = row.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn number_fits(number: &[u8]) -> Result<(), Code> {
    let exponent = number.iter().position(|b| b"eE".contains(b)).map_or(0, |at| number.len() - at - 1);
    let signed = usize::from(number.iter().skip(1).any(|b| b"+-".contains(b)));
    if number.len() > NUMBER_BYTES_MAX || exponent.saturating_sub(signed) > EXPONENT_DIGITS_MAX {
        return Err(code("row.unreadable"));
    }
    Ok(())
}

/// What keeps this row from being believed: `row.<outcome>` of each step that failed and matters,
/// `row.missing.<field>` of each field that must be there.
pub(crate) fn unseen(row: &Value, needs: &Needs) -> BTreeSet<Code> {
    let mut codes = BTreeSet::new();
    let outcomes = &row["_outcomes"];
    match outcomes.as_object() {
        Ok(steps) => {
            let of = steps.iter().filter(|(step, _)| matters(step, needs));
            codes.extend(of.filter_map(|(_, outcome)| failing(outcome)));
        }
        Err(_) if *outcomes == Value::Undefined => {}
        Err(_) => drop(codes.insert(code("row.unreadable"))),
    }
    for field in &needs.fields {
        let found = field.split('.').fold(row, |at, name| &at[name]);
        if *found == Value::Undefined {
            codes.insert(code(&format!("row.missing.{field}")));
        }
    }
    codes
}

fn matters(step: &Value, needs: &Needs) -> bool {
    let named = |steps: &BTreeSet<String>| step.as_string().is_ok_and(|step| steps.contains(step.as_ref()));
    needs.steps.as_ref().is_none_or(named)
}

/// The code of an outcome that may not feed a verdict; a word that is no outcome is an error.
fn failing(outcome: &Value) -> Option<Code> {
    let word = outcome.as_string().map_or("", AsRef::as_ref);
    let known = Outcome::ALL.into_iter().find(|known| known.as_str() == word).unwrap_or(Outcome::Error);
    (!known.feeds()).then(|| code(&format!("row.{}", known.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_cost_more_than_a_row_is_not_parsed() {
        let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        for (row, why) in [
            (nested(64), Some("row.too_deep")),
            (nested(63), None),
            (r#"{"a":1e99999999}"#.to_owned(), Some("row.unreadable")),
            (r#"{"a":-1.5E-0300}"#.to_owned(), Some("row.unreadable")),
            (r#"{"a":-1.5E-300,"b":"1e99999999 \" [[["}"#.to_owned(), None),
            ("[1]".to_owned(), Some("row.unreadable")),
            (format!("{{\"a\":{}}}", "1".repeat(500)), Some("row.unreadable")),
        ] {
            assert_eq!(refuse(row.as_bytes()).err().as_ref().map(Code::as_str), why, "{row}");
        }
        assert_eq!(refuse(&vec![b'{'; ROW_BYTES_MAX + 1]).unwrap_err().as_str(), "row.too_large");
    }

    #[test]
    fn only_steps_that_matter_count() {
        let row = Value::from_json_str(
            r#"{"_outcomes":{"a":"absent","b":"hidden","c":"throttled","d":"odd"},"x":{"y":null}}"#,
        )
        .unwrap();
        let said = |needs: &Needs| unseen(&row, needs).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(said(&Needs::default()), ["row.error", "row.hidden", "row.throttled"]);
        let needs = Needs {
            steps: Some(BTreeSet::from(["a".to_owned()])),
            fields: BTreeSet::from(["x.y".to_owned(), "x.z".to_owned()]),
        };
        assert_eq!(said(&needs), ["row.missing.x.z"]);
    }
}
