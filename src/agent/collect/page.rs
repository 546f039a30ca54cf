//! From one answer to what it means: outcome, evidence bytes, records. Pure.
//!
//! An answer that says it is fine but cannot be read is an error, never an empty list.

use std::sync::Arc;

use bytes::Bytes;
use observance_record::{Digest, item::ItemKey, population::Outcome};

use super::{
    decode::Decode,
    expr::Expr,
    graphql::{Trouble, trouble},
    http::{Answer, Headers},
    ldap,
    manifest::{Manifest, Proof, Records, Step, Verb},
    nested,
    outcome::{classify, why},
    project::{Mark, Path},
    redact::redact,
    register,
    scan::{Flaw, Kind, Tape, Value},
    turn::{self, Said},
};

/// The media type of what is made of other answers.
const JSON: &str = "application/json";
/// Longest media type that is kept.
const MEDIA_BYTES_MAX: usize = 100;

/// One record: its part of a row, and the values that the manifest asks for.
#[derive(Debug)]
pub(super) struct Record {
    /// Projected members, without braces.
    pub members: Box<[u8]>,
    /// As many as the step has `marks`, in that order.
    marks: Box<[Mark]>,
    /// As many as the step has `exprs`, in that order.
    answers: Box<[Mark]>,
    /// A required field is not there.
    pub lacks: bool,
    /// Why it was not seen whole: a list of it that is short, an error inside of it.
    pub flaws: Vec<Outcome>,
    /// As it was received, after redaction, where somebody needs it.
    pub raw: Option<Box<str>>,
}

impl Record {
    /// The value at a path that the manifest asks this step for.
    pub(super) fn mark(&self, step: &Step, path: &Path) -> &Mark {
        let at = step.marks.iter().position(|mark| mark == path);
        at.and_then(|at| self.marks.get(at)).unwrap_or(&Mark::Missing)
    }

    /// The answer to an expression that the manifest asks this step for.
    pub(super) fn answer(&self, step: &Step, expr: &Expr) -> &Mark {
        let at = step.exprs.iter().position(|other| other == expr);
        at.and_then(|at| self.answers.get(at)).unwrap_or(&Mark::Missing)
    }
}

/// The bytes of an exchange after redaction, under their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Bytes,
    /// Media type without parameters.
    pub media: String,
}

/// What an answer means.
#[derive(Debug)]
pub(super) struct Meaning {
    /// Its outcome.
    pub outcome: Outcome,
    /// Why it is not what was hoped for.
    pub why: Option<&'static str>,
    /// Its records; none unless it is present.
    pub records: Vec<Arc<Record>>,
    /// How many records the source says there are, if the step has such a proof.
    pub stated: Option<u64>,
    /// Its evidence; none if the body is empty or is not JSON (what cannot be redacted is not kept).
    pub artefact: Option<Artefact>,
    /// Where its list goes on; or why that cannot be read.
    pub said: Result<Said, &'static str>,
}

/// Weighs an answer by the rules of the step and of the manifest.
pub(super) fn weigh(manifest: &Manifest, step: &Step, answer: &Answer, key: &ItemKey) -> Meaning {
    let rules = step.outcomes.iter().chain(&manifest.outcomes);
    let outcome = classify(rules, answer.status, |name| answer.headers.get(name), &answer.body);
    let (outcome, reason) = outcome.map_or((Outcome::Error, Some(why::UNMATCHED)), |outcome| (outcome, None));
    let reason = reason.or_else(|| reason_of(step, answer));
    let told = ldap::told(&answer.headers).filter(|_| matches!(step.verb, Verb::Search(_)));
    let (outcome, reason) = told.map_or((outcome, reason), |(outcome, why)| (outcome, Some(why)));
    let decoded = step.decode.json(&answer.body, answer.headers.get(register::SIGNED_BY));
    let read = decoded.as_ref().map_err(|flaw| *flaw).and_then(|json| {
        let tape = Tape::read(json)?;
        Ok((redact(json, &tape, &step.redact, key), tape))
    });
    let (body, tape) = match read {
        Ok(read) => read,
        Err(flaw) if outcome == Outcome::Present => return Meaning::error(flaw_why(flaw), None),
        Err(_) => return Meaning::without_records(outcome, reason, None),
    };
    let untouched = matches!(body, std::borrow::Cow::Borrowed(_));
    let received = untouched && step.decode == Decode::Json;
    let bytes = if received { answer.body.clone() } else { Bytes::from(body.into_owned()) };
    let media = if step.decode == Decode::Json { media(&answer.headers) } else { JSON.to_owned() };
    let artefact = Some(Artefact { digest: Digest::of(&bytes), bytes: bytes.clone(), media });
    // whoever refuses a signature may say what should have been signed, the token of the session among it
    let artefact = artefact.filter(|_| !(outcome == Outcome::Unauthenticated && manifest.is_for_aws()));
    // a directory that stops in the middle has given entries all the same
    let short = told.filter(|(outcome, _)| *outcome == Outcome::Error);
    if outcome != Outcome::Present && short.is_none() {
        return Meaning::without_records(outcome, reason, artefact);
    }
    let troubled = trouble_of(manifest, step, answer, tape.root());
    if let Some(Trouble { outcome, records: None }) = troubled {
        return Meaning::without_records(outcome, Some(why::GRAPHQL_ERRORS), artefact);
    }
    let read = |root: Value<'_>| {
        let records = records(step, root)?;
        Ok((records, stated(step, root, &answer.headers), turn::of_body(step, root)))
    };
    let read = if untouched {
        read(tape.root())
    } else {
        // rows come from the bytes that are kept, so that anybody can make them again
        Tape::read(&bytes).map_err(flaw_why).and_then(|tape| read(tape.root()))
    };
    match read {
        Ok((records, stated, said)) => {
            let meaning = Meaning { stated, said, ..present(step, records, artefact) };
            match (troubled, short) {
                (Some(troubled), _) => meaning.troubled(troubled),
                (None, Some((outcome, why))) => Meaning { outcome, why: Some(why), ..meaning },
                (None, None) => meaning,
            }
        }
        Err(why) => match (troubled, short) {
            (Some(Trouble { outcome, .. }), _) => {
                Meaning::without_records(outcome, Some(why::GRAPHQL_ERRORS), artefact)
            }
            // what is missing is missing for that reason
            (None, Some((outcome, why))) => Meaning::without_records(outcome, Some(why), artefact),
            (None, None) => Meaning::error(why, artefact),
        },
    }
}

/// A register says why it is not given.
fn reason_of(step: &Step, answer: &Answer) -> Option<&'static str> {
    let Decode::Table(_) = &step.decode else { return None };
    let said = answer.headers.get(register::REASON)?;
    why::OF_REGISTERS.into_iter().find(|known| *known == said)
}

/// A GraphQL source says in a body of status 200 that something went wrong.
fn trouble_of(manifest: &Manifest, step: &Step, answer: &Answer, root: Value<'_>) -> Option<Trouble> {
    let Verb::GraphQl(_) = &step.verb else { return None };
    let list = match &step.records {
        Records::At(path) => Some(path.parts()),
        Records::One | Records::List | Records::Count(_) => None,
    };
    let trouble = trouble(root, list)?;
    let left = manifest.limits.rate.remaining.as_ref().and_then(|name| answer.headers.get(name));
    // over its limit, a source may say so in the header alone
    let over = trouble.outcome == Outcome::Throttled || left.is_some_and(|left| left.trim() == "0");
    Some(if over { Trouble { outcome: Outcome::Throttled, records: None } } else { trouble })
}

impl Meaning {
    fn error(why: &'static str, artefact: Option<Artefact>) -> Self {
        Self::without_records(Outcome::Error, Some(why), artefact)
    }

    fn without_records(outcome: Outcome, why: Option<&'static str>, artefact: Option<Artefact>) -> Self {
        Self { outcome, why, records: Vec::new(), stated: None, artefact, said: Ok(Said::default()) }
    }

    /// What was seen beside errors: the records stay, those that an error touches say so, and the page is not whole.
    fn troubled(mut self, trouble: Trouble) -> Self {
        for (place, outcome) in trouble.records.into_iter().flatten() {
            if let Some(record) = self.records.get_mut(place).and_then(Arc::get_mut) {
                record.flaws.push(outcome);
            }
        }
        Self { outcome: trouble.outcome, why: Some(why::GRAPHQL_ERRORS), ..self }
    }
}

/// A single record that lacks a required field is not one that was seen; of a list, each record answers for itself.
fn present(step: &Step, records: Vec<Arc<Record>>, artefact: Option<Artefact>) -> Meaning {
    let lacks = records.iter().any(|record| record.lacks);
    let forbidden = lacks && step.records == Records::One;
    let outcome = if forbidden { Outcome::Forbidden } else { Outcome::Present };
    let why = lacks.then_some(why::FIELD_MISSING);
    Meaning { outcome, why, records, stated: None, artefact, said: Ok(Said::default()) }
}

/// Where the next run goes on, as a sealed body says; nothing if it does not say, or cannot be read.
pub(super) fn sealed_state(step: &Step, body: &[u8]) -> Option<turn::Lead> {
    turn::state(step, Tape::read(body).ok()?.root()).ok()?
}

/// The source's own count of what a list holds, in the body or in a header.
fn stated(step: &Step, root: Value<'_>, headers: &Headers) -> Option<u64> {
    step.complete.iter().find_map(|proof| match proof {
        Proof::Total { at } => at.mark(root).count(),
        Proof::HeaderTotal { name } => headers.get(name)?.trim().parse().ok(),
        Proof::TerminalPage | Proof::UniqueKeys | Proof::Equals { .. } | Proof::CountRequest { .. } => None,
    })
}

fn records(step: &Step, root: Value<'_>) -> Result<Vec<Arc<Record>>, &'static str> {
    let list = match &step.records {
        Records::One => return Ok(vec![record(step, root, &[])?]),
        Records::Count(path) => return Ok(vec![count(step, path.as_ref(), root)?]),
        Records::List => root,
        Records::At(path) => path.find(root).ok_or(why::BODY_SHAPE)?,
    };
    if list.kind() != Kind::List {
        return Err(why::BODY_SHAPE);
    }
    list.elements().map(|element| record(step, element, &[])).collect()
}

/// One record; `followed` are those of its lists that were gone on with.
pub(super) fn record(
    step: &Step,
    value: Value<'_>,
    followed: &[(usize, Outcome)],
) -> Result<Arc<Record>, &'static str> {
    if value.kind() != Kind::Object {
        return Err(why::BODY_SHAPE);
    }
    let mut members = Vec::new();
    step.projection.write(value, &mut members);
    let marks: Box<[Mark]> = step.marks.iter().map(|path| path.mark(value)).collect();
    let answers: Box<[Mark]> = step.exprs.iter().map(|expr| expr.mark(value)).collect();
    let flaws = nested::flaws(step, value, followed)?;
    let raw = (step.raw || nested::is_open(step, value)).then(|| value.raw().into());
    let mut record = Record { members: members.into(), marks, answers, lacks: false, flaws, raw };
    if step.key.as_ref().is_some_and(|key| record.mark(step, key).word().is_none()) {
        return Err(why::KEY_MISSING);
    }
    // a source that may not tell writes null as often as nothing
    record.lacks =
        step.require.iter().any(|path| matches!(record.mark(step, path), Mark::Missing | Mark::Null));
    Ok(Arc::new(record))
}

/// A body that says how many there are, as a record with the one member `count`.
fn count(step: &Step, path: Option<&Path>, root: Value<'_>) -> Result<Arc<Record>, &'static str> {
    let value = path.map_or(Some(root), |path| path.find(root)).ok_or(why::BODY_SHAPE)?;
    let count: u64 = Some(value)
        .filter(|v| v.kind() == Kind::Number)
        .and_then(|v| v.raw().parse().ok())
        .ok_or(why::BODY_SHAPE)?;
    let body = format!("{{\"count\":{count}}}");
    record(step, Tape::read(body.as_bytes()).map_err(flaw_why)?.root(), &[])
}

const fn flaw_why(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Syntax => why::BODY_MALFORMED,
        Flaw::Repeated => why::BODY_REPEATED_KEY,
        Flaw::Size => why::BODY_SIZE,
        Flaw::Table => why::TABLE_FAULTS,
    }
}

/// The media type alone, if it looks like one.
fn media(headers: &Headers) -> String {
    let essence =
        headers.get("content-type").and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"/+.-".contains(&b);
    let fine = essence.contains('/') && essence.len() <= MEDIA_BYTES_MAX && essence.bytes().all(legal);
    if fine { essence.to_ascii_lowercase() } else { "application/octet-stream".to_owned() }
}
