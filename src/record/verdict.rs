//! What a policy may say: states of items, reason codes, and how they roll up.
//!
//! It judges nothing; the judge does, and the record keeps what it said.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Longest reason code, in bytes.
pub const CODE_BYTES_MAX: usize = 64;
/// Most bytes of the codes of one result, joined: their length travels in 16 bits.
pub const CODES_BYTES_MAX: usize = 65_535;

/// A text that is not a reason code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a code ([a-z0-9_.], 1 to 64 characters)")]
pub struct CodeError(String);

/// A reason, drawn from the product's or a policy's own table; never text from a source (formats section 0).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

impl Code {
    /// `error`: something that has no better word.
    pub fn error() -> Self {
        Self("error".to_owned())
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let legal = (1..=CODE_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'));
        if legal { Ok(Self(text.to_owned())) } else { Err(CodeError(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// The state of one item under one policy; the numbers are those of the result leaf (formats section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum State {
    /// The policy ran on a row seen whole, of a complete population, and said nothing against it.
    Passed = 1,
    /// Something observed contradicts the policy.
    Failed = 2,
    /// It could not be told; the codes say why.
    Unknown = 3,
    /// The policy does not speak about this item; the code says why.
    NotApplicable = 4,
    /// The obligation exists and its time limit has not run out.
    NotDue = 5,
}

impl State {
    /// The state of a result leaf's byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Passed),
            2 => Some(Self::Failed),
            3 => Some(Self::Unknown),
            4 => Some(Self::NotApplicable),
            5 => Some(Self::NotDue),
            _ => None,
        }
    }

    /// The byte in a result leaf.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// failed > unknown > passed > not_due > not_applicable.
    const fn rank(self) -> u8 {
        match self {
            Self::Failed => 4,
            Self::Unknown => 3,
            Self::Passed => 2,
            Self::NotDue => 1,
            Self::NotApplicable => 0,
        }
    }

    /// The roll-up of a policy's items: the worst of them; `None` when there are none (the policy's `empty` decides).
    pub fn roll_up(states: impl IntoIterator<Item = Self>) -> Option<Self> {
        states.into_iter().max_by_key(|state| state.rank())
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
            Self::NotDue => "not_due",
        })
    }
}

/// What one policy said of one item. `Passed` carries no code; every other state carries at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemResult {
    state: State,
    codes: BTreeSet<Code>,
}

impl ItemResult {
    /// Nothing was said against the item.
    pub const fn passed() -> Self {
        Self { state: State::Passed, codes: BTreeSet::new() }
    }

    /// A state with its codes; `None` if a state other than passed has none, passed has some, or they are longer than
    /// [`CODES_BYTES_MAX`].
    pub fn new(state: State, codes: BTreeSet<Code>) -> Option<Self> {
        let said = Self { state, codes };
        let fits = said.codes_joined().len() <= CODES_BYTES_MAX;
        (fits && (state == State::Passed) == said.codes.is_empty()).then_some(said)
    }

    /// A state with its one code; passed ignores it.
    pub fn because(state: State, code: Code) -> Self {
        let codes = if state == State::Passed { BTreeSet::new() } else { BTreeSet::from([code]) };
        Self { state, codes }
    }

    /// The state.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The codes, sorted.
    pub const fn codes(&self) -> &BTreeSet<Code> {
        &self.codes
    }

    /// The codes as the leaf and the results artefact carry them: sorted, joined by commas.
    pub fn codes_joined(&self) -> String {
        self.codes.iter().map(Code::as_str).collect::<Vec<_>>().join(",")
    }
}

/// What an empty population means, as its policy declares; `unknown` unless it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// Nobody said that there may be none.
    #[default]
    Unknown,
    /// None is fine: there is nothing that could deviate.
    Passed,
    /// There must be at least one.
    Failed,
    /// Without any the control does not apply.
    NotApplicable,
}

impl Empty {
    /// The roll-up of no items.
    pub const fn state(self) -> State {
        match self {
            Self::Unknown => State::Unknown,
            Self::Passed => State::Passed,
            Self::Failed => State::Failed,
            Self::NotApplicable => State::NotApplicable,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_failure_outweighs_what_is_unknown_and_that_outweighs_a_pass() {
        use State::{Failed, NotApplicable, NotDue, Passed, Unknown};
        assert_eq!(State::roll_up([Passed, Unknown, Failed]), Some(Failed));
        assert_eq!(State::roll_up([Passed, Unknown, NotDue]), Some(Unknown));
        assert_eq!(State::roll_up([NotApplicable, NotDue]), Some(NotDue));
        assert_eq!(State::roll_up([]), None);
    }

    #[test]
    fn text_from_a_source_is_no_code() {
        for wrong in ["", "Not Found", "a/b", "é", &"a".repeat(65)] {
            assert!(wrong.parse::<Code>().is_err(), "{wrong}");
        }
        assert!("review.none".parse::<Code>().is_ok());
    }

    #[test]
    fn every_state_but_passed_says_why() {
        assert!(ItemResult::new(State::Failed, BTreeSet::new()).is_none());
        assert!(ItemResult::new(State::Passed, BTreeSet::new()).is_some());
        let many = |n| (0..n).map(|i| format!("{i:064}").parse().unwrap()).collect();
        assert!(ItemResult::new(State::Failed, many(1008)).is_some());
        assert!(ItemResult::new(State::Failed, many(1009)).is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,70}") {
            prop_assert!(text.parse::<Code>().map_or(true, |read| read.to_string() == text));
        }
    }
}
