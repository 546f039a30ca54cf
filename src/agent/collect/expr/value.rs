//! Between the bytes of a record and the values of jaq: numbers keep their tokens, strings their characters.
//!
//! It writes JSON alone: what JSON cannot say (not a number, infinity, bytes) is not written.

use jaq_core::{
    Error,
    native::{Fun, bome, run, unary, v},
};
use jaq_json::{Map, Num, Val};

use super::{Data, Kind, Mark, Value};
use crate::collect::scan::push_text;

/// Longest token of a whole number that is computed with exactly; a longer one is a floating-point number.
const DIGITS_MAX: usize = 40;

/// A value of a record.
pub(super) fn read(value: Value<'_>) -> Val {
    match value.kind() {
        Kind::Null => Val::Null,
        Kind::Bool => Val::Bool(value.raw() == "true"),
        Kind::Number => Val::Num(number(value.raw())),
        Kind::Plain | Kind::Escaped => Val::from(value.text().unwrap_or_default().into_owned()),
        Kind::List => value.elements().map(read).collect(),
        Kind::Object => {
            let text = |key: Value<'_>| Val::from(key.text().unwrap_or_default().into_owned());
            Val::obj(value.members().map(|(key, value)| (text(key), read(value))).collect::<Map>())
        }
    }
}

/// The answer as the one value that conditions and counts look at.
pub(super) fn mark(value: &Val) -> Mark {
    match value {
        Val::Null => Mark::Null,
        Val::Bool(truth) => Mark::Bool(*truth),
        Val::Num(number) => token(number).map_or(Mark::Missing, |token| Mark::Number(token.into())),
        Val::TStr(bytes) => std::str::from_utf8(bytes).map_or(Mark::Missing, |text| Mark::Text(text.into())),
        Val::BStr(_) => Mark::Missing,
        Val::Arr(_) | Val::Obj(_) => Mark::Compound,
    }
}

/// Appends the answer as JSON; `None` if JSON cannot say it. Its depth is bounded by the record's and the expression's.
pub(super) fn write(value: &Val, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Val::Num(number) => out.extend_from_slice(token(number)?.as_bytes()),
        Val::TStr(bytes) => push_text(out, std::str::from_utf8(bytes).ok()?),
        Val::BStr(_) => return None,
        Val::Arr(list) => {
            out.push(b'[');
            for (i, element) in list.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(element, out)?;
            }
            out.push(b']');
        }
        Val::Obj(map) => {
            out.push(b'{');
            for (i, (key, member)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                let Val::TStr(key) = key else { return None };
                push_text(out, std::str::from_utf8(key).ok()?);
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
    }
    Some(())
}

/// Functions that jaq has only in forms that reach too far: its `tonumber` reads any JSON, as deep as it comes.
pub(super) fn funs() -> impl Iterator<Item = Fun<Data>> {
    let tonumber = run::<Data>(("tonumber", v(0), |cv| {
        bome(match &cv.1 {
            Val::Num(_) => Ok(cv.1),
            Val::TStr(bytes) => std::str::from_utf8(bytes)
                .ok()
                .filter(|text| is_number(text))
                .map(|text| Val::Num(number(text)))
                .ok_or_else(|| Error::str("not a number")),
            Val::Null | Val::Bool(_) | Val::BStr(_) | Val::Arr(_) | Val::Obj(_) => {
                Err(Error::str("not a number"))
            }
        })
    }));
    let split = run::<Data>(("split", v(1), |cv| {
        unary(cv, |text, by| match (&text, &by) {
            (Val::TStr(_), Val::TStr(_)) => text / by,
            (
                Val::Null
                | Val::Bool(_)
                | Val::Num(_)
                | Val::BStr(_)
                | Val::TStr(_)
                | Val::Arr(_)
                | Val::Obj(_),
                _,
            ) => Err(Error::str("not two strings")),
        })
    }));
    [tonumber, split].into_iter()
}

/// Is it a number token of JSON and nothing else?
fn is_number(text: &str) -> bool {
    crate::collect::scan::Tape::read(text.as_bytes())
        .is_ok_and(|tape| tape.root().kind() == Kind::Number && tape.root().raw() == text)
}

fn number(token: &str) -> Num {
    let whole = token.len() <= DIGITS_MAX && !token.contains(['.', 'e', 'E']);
    let exact = || if whole { Num::from_str_radix(token, 10) } else { None };
    exact().unwrap_or_else(|| Num::Dec(token.to_owned().into()))
}

/// A number as JSON writes it; whole ones without a fraction.
fn token(number: &Num) -> Option<String> {
    match number {
        Num::Int(n) => Some(n.to_string()),
        Num::BigInt(n) => Some(n.to_string()),
        Num::Dec(token) => Some(token.to_string()),
        Num::Float(n) if !n.is_finite() => None,
        // Rust writes the shortest digits that read back as the same number, without an exponent
        Num::Float(n) => Some(if *n == 0.0 { "0".to_owned() } else { n.to_string() }),
    }
}
