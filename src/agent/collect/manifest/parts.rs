//! The small parts that several sections of a manifest share: paths, conditions, rules, queries.

use observance_record::population::Outcome;

use super::{
    keys,
    yaml::{Faults, Scalar, Spot},
};
use crate::collect::{
    condition::{Condition, Test},
    expr::Expr,
    outcome,
    project::{Mark, Path, Wanted},
    redact::{self, Cover},
    template::Template,
};

/// Seconds of a day.
const DAY_S: u32 = 86_400;

/// A duration such as `90s`, `30m`, `24h`, `7d`, in seconds.
pub(super) fn duration_s(spot: &Spot<'_>, faults: &mut Faults) -> Option<u32> {
    spot.read(faults, "a duration like 90s, 30m, 24h or 7d, of at most 366d", |text| {
        let unit = [("s", 1), ("m", 60), ("h", 3600), ("d", DAY_S)];
        let (digits, unit) = unit.iter().find_map(|(name, s)| Some((text.strip_suffix(name)?, *s)))?;
        let number: u32 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
        number.checked_mul(unit).filter(|seconds| *seconds <= 366 * DAY_S)
    })
}

/// A name that could be a host of others: this machine and bare addresses are for the configuration to name.
pub(super) fn is_outside(name: &str) -> bool {
    name.contains('.') && !name.ends_with(".localhost") && !name.ends_with('.')
}

/// An https address of a host that could be of others, without user, query and fragment.
pub(super) fn is_base(text: &str, scheme: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let number = |name: &str| name.parse::<std::net::Ipv4Addr>().is_ok();
    let named = url.domain().is_some_and(|name| is_outside(name) && !number(name));
    url.scheme() == scheme && plain && named
}

/// A share such as `0.25`, in thousandths.
pub(super) fn permille(spot: &Spot<'_>, faults: &mut Faults) -> Option<u64> {
    let read = |number: &str| -> Option<u64> {
        let (whole, digits) = number.split_once('.').unwrap_or((number, "0"));
        let fine = whole == "0" && digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit());
        format!("{digits:0<3}").parse().ok().filter(|permille| fine && *permille <= 900)
    };
    let share = match spot.scalar() {
        Some(Scalar::Number(number)) => read(&number),
        Some(Scalar::Null | Scalar::Bool(_) | Scalar::Text(_)) | None => None,
    };
    if share.is_none() {
        faults.add(spot, spot.found(), "a share from 0 to 0.9 with at most three digits");
    }
    share
}

/// Names of steps, aliases, populations, parameters.
pub(super) fn name(spot: &Spot<'_>, faults: &mut Faults) -> Option<String> {
    let legal = |text: &str| {
        text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    spot.read(faults, "a name of a-z, 0-9 and _, beginning with a letter, at most 64 characters", |text| {
        legal(text).then(|| text.to_owned())
    })
}

pub(super) fn path(spot: &Spot<'_>, faults: &mut Faults) -> Option<Path> {
    spot.read(faults, "a dotted path", Path::read)
}

/// One path, or a list of several whose values are one only together.
pub(super) fn key(spot: &Spot<'_>, faults: &mut Faults) -> Option<Path> {
    if !spot.is_list() {
        return path(spot, faults);
    }
    let key = Path::joined(paths(spot, faults));
    if key.is_none() {
        faults.add(spot, spot.found(), "a path, or a list of two and more");
    }
    key
}

pub(super) fn paths(spot: &Spot<'_>, faults: &mut Faults) -> Vec<Path> {
    spot.list(faults).iter().filter_map(|spot| path(spot, faults)).collect()
}

pub(super) fn texts(spot: &Spot<'_>, faults: &mut Faults) -> Vec<String> {
    spot.list(faults).iter().filter_map(|spot| spot.text(faults)).map(str::to_owned).collect()
}

/// A header's name, lower-cased.
pub(super) fn header(spot: &Spot<'_>, faults: &mut Faults) -> Option<String> {
    spot.read(faults, "a header's name", |text| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-').then(|| text.to_ascii_lowercase())
    })
}

pub(super) fn headers(spot: &Spot<'_>, faults: &mut Faults) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, value) in spot.members(faults) {
        let visible = |text: &str| text.bytes().all(|b| (32..127).contains(&b)).then(|| text.to_owned());
        let legal = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !legal || name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("host") {
            faults.add(&value, format!("the header {name:?}"), "a header that the collector may set");
        } else if let Some(value) = value.read(faults, "visible characters", visible) {
            out.push((name.to_ascii_lowercase(), value));
        }
    }
    out
}

pub(super) fn template(spot: &Spot<'_>, faults: &mut Faults, aliases: &[&str]) -> Option<Template> {
    let text = spot.text(faults)?;
    match Template::read(text, aliases) {
        Ok(template) => Some(template),
        Err(found) => {
            faults.add(spot, format!("{found} in {}", spot.found()), "text with {name} or {alias.path}");
            None
        }
    }
}

pub(super) fn query(spot: &Spot<'_>, faults: &mut Faults, aliases: &[&str]) -> Vec<(String, Template)> {
    spot.members(faults)
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), template(&value, faults, aliases)?)))
        .collect()
}

pub(super) fn conditions(spot: &Spot<'_>, faults: &mut Faults) -> Vec<Condition> {
    if spot.is_map() {
        return condition(spot, faults).into_iter().collect();
    }
    spot.list(faults).iter().filter_map(|spot| condition(spot, faults)).collect()
}

/// Conditions and expressions: one of them, or a list.
pub(super) fn filters(spot: &Spot<'_>, faults: &mut Faults) -> (Vec<Condition>, Vec<Expr>) {
    let spots = if spot.is_list() { spot.list(faults) } else { vec![spot.clone()] };
    let (mut conditions, mut exprs) = (Vec::new(), Vec::new());
    for spot in spots {
        if spot.is_map() {
            conditions.extend(condition(&spot, faults));
        } else {
            exprs.extend(expr(&spot, faults));
        }
    }
    (conditions, exprs)
}

/// An expression that a manifest may have.
pub(super) fn expr(spot: &Spot<'_>, faults: &mut Faults) -> Option<Expr> {
    let text = spot.text(faults)?;
    match Expr::read(text) {
        Ok(expr) => Some(expr),
        Err(found) => {
            faults.add(
                spot,
                format!("{found} in {}", spot.found()),
                "a jq expression of what collectors/REFERENCE.md allows",
            );
            None
        }
    }
}

pub(super) fn condition(spot: &Spot<'_>, faults: &mut Faults) -> Option<Condition> {
    const TESTS: [&str; 3] = ["is", "in", "before"];
    let section = spot.section(faults, &keys::CONDITION.names());
    let path = section.need(faults, "path").and_then(|spot| path(spot, faults))?;
    let given: Vec<_> = TESTS.iter().filter_map(|test| Some((*test, section.get(test)?))).collect();
    let [(test, value)] = given.as_slice() else {
        faults.add(spot, format!("{} tests", given.len()), "exactly one of is, in, before");
        return None;
    };
    let test = match *test {
        "in" => value.read(faults, "window", |text| (text == "window").then_some(Test::InWindow))?,
        "before" => {
            value.read(faults, "window.from", |text| (text == "window.from").then_some(Test::BeforeWindow))?
        }
        _ => Test::Is(mark(value, faults)?),
    };
    Some(Condition { path, test })
}

fn mark(spot: &Spot<'_>, faults: &mut Faults) -> Option<Mark> {
    match spot.scalar() {
        Some(Scalar::Null) => Some(Mark::Null),
        Some(Scalar::Bool(truth)) => Some(Mark::Bool(truth)),
        Some(Scalar::Number(number)) => Some(Mark::Number(number.into())),
        Some(Scalar::Text(text)) => Some(Mark::Text(text.into())),
        None => {
            faults.add(spot, spot.found(), "null, true, false, a number or text");
            None
        }
    }
}

pub(super) fn rules(spot: &Spot<'_>, faults: &mut Faults) -> Vec<outcome::Rule> {
    spot.list(faults).iter().filter_map(|spot| rule(spot, faults)).collect()
}

fn rule(spot: &Spot<'_>, faults: &mut Faults) -> Option<outcome::Rule> {
    let section = spot.section(faults, &keys::OUTCOME.names());
    let mut status = Vec::new();
    // which of the two it may be is the kind's to say
    let code = section.get("code").map(|spot| (spot, 0..=80));
    let given = code.or_else(|| section.need(faults, "status").map(|spot| (spot, 100..=599)));
    if let Some((spot, bounds)) = given {
        let spots = if spot.is_list() { spot.list(faults) } else { vec![spot.clone()] };
        for spot in spots {
            status.extend(spot.number(faults, bounds.clone()).and_then(|n| u16::try_from(n).ok()));
        }
    }
    let headers = section.get("header").map(|spot| headers(spot, faults)).unwrap_or_default();
    let body = section.get("body").and_then(|spot| spot.text(faults)).map(str::to_owned);
    let words: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    let expected = format!("one of {}", words.join(", "));
    let outcome = section.need(faults, "as").and_then(|spot| {
        spot.read(faults, &expected, |text| Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == text))
    })?;
    if outcome == Outcome::Unchanged && status != [304] {
        faults.add(spot, "unchanged for another status", "unchanged for status 304 alone");
    }
    Some(outcome::Rule { status, headers, body, outcome })
}

/// One line of `project`: a path, `{ path, lines }`, or `{ path, expr }`, where the path is a new name.
pub(super) fn wanted(spot: &Spot<'_>, faults: &mut Faults) -> Option<Wanted> {
    if !spot.is_map() {
        return path(spot, faults).map(|path| Wanted { path, lines: None, expr: None });
    }
    let section = spot.section(faults, &keys::WANTED.names());
    let at = section.need(faults, "path");
    let path = at.and_then(|spot| path(spot, faults))?;
    if let Some(source) = section.get("expr") {
        if section.get("lines").is_some() || path.parts().len() > 1 {
            faults.add(spot, "an expr with lines or a dotted path", "a name of one part and an expr");
        }
        return Some(Wanted { path, lines: None, expr: Some(expr(source, faults)?) });
    }
    Some(Wanted { path, lines: Some(section.need_text(faults, "lines")), expr: None })
}

/// One line of `redact`: `{ drop | mask | length: path }` or `{ hmac: path, type: person }`, with `having` if need be.
pub(super) fn cover(spot: &Spot<'_>, faults: &mut Faults) -> Option<redact::Rule> {
    const COVERS: [&str; 4] = ["drop", "mask", "hmac", "length"];
    let section = spot.section(faults, &keys::REDACT.names());
    let given: Vec<_> = COVERS.iter().filter_map(|cover| Some((*cover, section.get(cover)?))).collect();
    let [(cover, at)] = given.as_slice() else {
        faults.add(spot, format!("{} of them", given.len()), "exactly one of drop, mask, hmac, length");
        return None;
    };
    let kind = section.get("type").and_then(|spot| name(spot, faults));
    if kind.is_some() && *cover != "hmac" {
        faults.add(
            spot,
            "a type without hmac",
            "a type with hmac only: it says what the value is a pseudonym of",
        );
    }
    let cover = match *cover {
        "drop" => Cover::Drop,
        "mask" => Cover::Mask,
        "length" => Cover::Length,
        _ => Cover::Hmac(kind.unwrap_or_else(|| "value".to_owned())),
    };
    let having = section.get("having").and_then(|spot| spot.text(faults)).map(str::to_owned);
    let path = path(at, faults)?;
    Some(redact::Rule { cover, parts: path.parts().to_vec(), having })
}
