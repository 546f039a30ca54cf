//! Asks a policy about one row and keeps what it says, word for word.
//!
//! It draws no conclusion: that a pass needs a whole row and a whole population is said in [`crate::gate`]. One engine
//! is copied per judging and used for every row of it; panics and time-outs inside regorus cost one item each.

use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use observance_record::{Instant, Item, verdict::Code};
use regorus::{Engine, Value};
use serde_json::{Map, json};

use crate::{
    builtins::NOW_NS,
    codes::code,
    policy::{self, Policy},
    row,
};

/// Most codes of one item; of more, the first stand and `judge.codes_max` says so.
pub const CODES_MAX: usize = 32;
/// Most texts of one item, and the longest, in characters; what goes beyond is cut, since no text is evidence.
const MESSAGES_MAX: usize = 16;
const MESSAGE_CHARS_MAX: usize = 500;
/// Most items of joined populations that one row is said to belong to.
const MATCHED_MAX: usize = 64;

/// What was heard about one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// What the policy said; an error is why it said nothing.
    pub(crate) said: Result<Said, Code>,
    /// What keeps the row from being believed.
    pub(crate) unseen: BTreeSet<Code>,
}

/// What a policy said of one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Said {
    pub(crate) passed: bool,
    pub(crate) failed: BTreeSet<Code>,
    pub(crate) unknown: BTreeSet<Code>,
    pub(crate) not_applicable: BTreeSet<Code>,
    pub(crate) not_due: Option<Instant>,
    pub(crate) messages: Vec<String>,
    pub(crate) matched: BTreeSet<Item>,
}

/// A policy's ear for one judging: what all its rows share is given once.
pub(crate) struct Hearing<'a> {
    policy: &'a Policy,
    engine: Engine,
    shared: Value,
    as_of: Instant,
}

impl<'a> Hearing<'a> {
    /// `shared` is the input without `item` and `row`, as JSON.
    pub(crate) fn open(policy: &'a Policy, shared: &str, as_of: Instant) -> Result<Self, Code> {
        let shared = Value::from_json_str(shared).map_err(|_why| code("input.unreadable"))?;
        Ok(Self { policy, engine: engine(policy, as_of)?, shared, as_of })
    }

    /// What the policy says of this row.
    pub(crate) fn of(&mut self, item: Item, bytes: &[u8]) -> Heard {
        let row = match row::refuse(bytes) {
            Ok(text) => Value::from_json_str(text).map_err(|_why| code("row.unreadable")),
            Err(why) => Err(why),
        };
        match row {
            Ok(row) => {
                let unseen = row::unseen(&row, &self.policy.meta().needs);
                Heard { said: self.ask(item, row), unseen }
            }
            Err(why) => Heard { said: Err(why), unseen: BTreeSet::new() },
        }
    }

    fn set(&mut self, item: Item, row: Value) -> Result<(), Code> {
        let mut input = self.shared.clone();
        let fields = input.as_object_mut().map_err(|_why| code("input.unreadable"))?;
        fields.insert(Value::from("item"), Value::from(item.to_string()));
        fields.insert(Value::from("row"), row);
        self.engine.set_input(input);
        Ok(())
    }

    fn ask(&mut self, item: Item, row: Value) -> Result<Said, Code> {
        self.set(item, row)?;
        match contained(|| self.engine.eval_rule(policy::question())) {
            Ok(said) => understand(&said),
            Err(said) => {
                // After a panic nothing is known of the engine's inside.
                self.engine = engine(self.policy, self.as_of)?;
                let late = said.contains("exceeded time limit");
                Err(code(if late { "judge.timeout" } else { "policy.error" }))
            }
        }
    }
}

/// A copy of the policy's engine whose clock stands at `as_of`. An extension is found before the built-in function of
/// its name, so no rule can reach the machine's clock.
fn engine(policy: &Policy, as_of: Instant) -> Result<Engine, Code> {
    let mut engine = policy.engine();
    // A clock that nothing in the policy named answers with no number: an error, never a time.
    let ns = i128::from(as_of.ms()) * 1_000_000;
    let answer = if policy.reads_time() { ns.to_string() } else { "unnamed".to_owned() };
    let clock = move |_: Vec<Value>| Value::from_numeric_string(&answer);
    engine.add_extension(NOW_NS.to_owned(), 0, Box::new(clock)).map_err(|_why| code("policy.error"))?;
    Ok(engine)
}

/// Runs regorus; its errors and its panics both come back as what it said.
pub(crate) fn contained<T, E: fmt::Display>(run: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_panic) => Err("error: the interpreter failed".to_owned()),
    }
}

/// Asks about an empty row: what regorus finds only when it runs is a fault of the load, not of every item.
pub(crate) fn rehearse(policy: Policy) -> Result<Policy, String> {
    let mut engine = policy.engine();
    contained(|| engine.eval_rule(policy::ready()))?;
    let policy = policy.keep(engine);
    let meta = policy.meta();
    let joined: Map<_, _> = meta.joined.iter().map(|name| (name.clone(), json!({}))).collect();
    let mut shared = json!({"contract": 1, "joined": joined, "params": meta.parameters, "populations": {}});
    if policy.reads_time() {
        shared["now"] = json!(Instant::EPOCH);
    }
    let failed = |why: Code| format!("error: {why}");
    let mut hearing = Hearing::open(&policy, &shared.to_string(), Instant::EPOCH).map_err(failed)?;
    hearing.set(Item::from_bytes([0; 16]), Value::new_object()).map_err(failed)?;
    match contained(|| hearing.engine.eval_rule(policy::question())) {
        Ok(_said) => Ok(policy),
        Err(said) => Err(said),
    }
}

fn understand(said: &Value) -> Result<Said, Code> {
    Ok(Said {
        passed: match single(&said["passed"])? {
            None => false,
            Some(value) => *value.as_bool().map_err(|_why| code("policy.error"))?,
        },
        failed: codes(&said["failed"])?,
        unknown: codes(&said["unknown"])?,
        not_applicable: codes(&said["not_applicable"])?,
        not_due: single(&said["not_due"])?.map(until).transpose()?,
        messages: messages(&said["messages"]),
        matched: matched(&said["matched"]),
    })
}

/// The value of a rule: a list of none (undefined) or one.
fn single(list: &Value) -> Result<Option<&Value>, Code> {
    match list.as_array() {
        Ok(values) => Ok(values.get(0)),
        Err(_) if *list == Value::Undefined => Ok(None),
        Err(_) => Err(code("policy.error")),
    }
}

fn codes(list: &Value) -> Result<BTreeSet<Code>, Code> {
    let Some(set) = single(list)? else { return Ok(BTreeSet::new()) };
    let set = set.as_set().map_err(|_why| code("policy.error"))?;
    let read = |value: &Value| value.as_string().ok().and_then(|text| text.parse().ok());
    let all: Option<BTreeSet<Code>> = set.iter_sorted().map(read).collect();
    let mut all = all.ok_or_else(|| code("policy.bad_code"))?;
    if all.len() > CODES_MAX {
        all = all.into_iter().take(CODES_MAX - 1).chain([code("judge.codes_max")]).collect();
    }
    Ok(all)
}

fn messages(list: &Value) -> Vec<String> {
    let texts = |set: &Value| -> Vec<String> {
        let cut =
            |value: &Value| value.as_string().ok().map(|text| text.chars().take(MESSAGE_CHARS_MAX).collect());
        set.as_set()
            .map(|set| set.iter_sorted().filter_map(cut).take(MESSAGES_MAX).collect())
            .unwrap_or_default()
    };
    single(list).ok().flatten().map(texts).unwrap_or_default()
}

/// The items that a row belongs to. What is no item is left out: nothing rests on this set.
fn matched(list: &Value) -> BTreeSet<Item> {
    let Some(set) = single(list).ok().flatten().and_then(|value| value.as_set().ok()) else {
        return BTreeSet::new();
    };
    set.iter_sorted().filter_map(|value| value.as_string().ok()?.parse().ok()).take(MATCHED_MAX).collect()
}

/// An instant as a policy may write it: in our 24 characters, or as sources do in UTC with any fraction or none.
fn until(value: &Value) -> Result<Instant, Code> {
    let bad = || code("policy.bad_instant");
    let text = value.as_string().map_err(|_why| bad())?.strip_suffix('Z').ok_or_else(bad)?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let ms: String = fraction.chars().chain("000".chars()).take(3).collect();
    format!("{seconds}.{ms}Z").parse().map_err(|_why| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_utc_only() {
        let read = |text: &str| until(&Value::from(text)).ok().map(|at| at.to_string());
        assert_eq!(read("2026-01-01T00:00:00Z").as_deref(), Some("2026-01-01T00:00:00.000Z"));
        assert_eq!(read("2026-01-01T00:00:00.123456Z").as_deref(), Some("2026-01-01T00:00:00.123Z"));
        for wrong in ["", "Z", "2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00.Z", "2026-02-30T00:00:00Z"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
