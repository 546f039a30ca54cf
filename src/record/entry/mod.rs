//! Entries (formats section 7): the leaves of the log, one JSON object each, in canonical form.
//!
//! Bodies are typed and strict. It does not ask whether an entry makes sense beside its neighbours: that is `ledger`.

mod acts;
mod run;
mod verdict;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

pub use self::{
    acts::{
        Agent, Alert, Cause, Collector, Config, Drift, Export, Gap, Genesis, Heartbeat, Hook, Judge, Missed,
        Notice, PeriodClose, PeriodOpen, Policy, Posture, Previous, Schedule, Sealed, Slots, Start, Stop,
    },
    run::{
        Channel, Exchanges, Host, PackRef, Population, Privileges, Proof, Receipts, Run, RunResult, Skew,
        Trigger, Window,
    },
    verdict::{Input, Judged, PolicyVerdict, Verdict},
};
use crate::{
    json::{self, JsonError, Value},
    time::Instant,
};

/// Longest entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = crate::tile::ENTRY_BYTES_MAX;
/// From here on the writer warns.
pub const ENTRY_BYTES_WARN: usize = 16 << 10;

/// Why bytes are not an entry, or an entry cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not canonical JSON of the narrow kind.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A field is missing, unknown or of the wrong type.
    #[error("entry of kind {kind}: {what}")]
    Shape {
        /// The kind that it says it is.
        kind: String,
        /// What is wrong.
        what: String,
    },
    /// Longer than 65,535 bytes.
    #[error("an entry of {0} bytes; the most is 65,535")]
    Long(usize),
}

/// One leaf of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub body: Body,
    /// Sequence number of the writer's `start`; of itself for `genesis` and `start`.
    pub by: u64,
    /// Its place: the leaf index.
    pub seq: u64,
    /// When it was written; never before the entry before it.
    pub t: Instant,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<B> {
    body: B,
    by: u64,
    kind: String,
    seq: u64,
    t: Instant,
    v: u64,
}

impl Entry {
    /// The canonical bytes, which are the leaf.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let (kind, v, body) = self.body.to_value()?;
        let envelope = Envelope { body, by: self.by, kind, seq: self.seq, t: self.t, v };
        let bytes = json::to_canonical(&envelope)?;
        if bytes.len() > ENTRY_BYTES_MAX { Err(EntryError::Long(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads a leaf: canonical, nothing unknown in a known kind and version, and spelt as [`Entry::encode`] spells it.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::Long(bytes.len()));
        }
        // what is spelt as we spell it is canonical; why something else is not is asked only then
        Self::spelt(bytes).map_err(|error| Value::parse_canonical(bytes).err().map_or(error, Into::into))
    }

    fn spelt(bytes: &[u8]) -> Result<Self, EntryError> {
        let envelope: Envelope<&RawValue> = serde_json::from_slice(bytes).map_err(|e| shape("?", &e))?;
        let body = Body::from_raw(&envelope.kind, envelope.v, envelope.body)?;
        let entry = Self { body, by: envelope.by, seq: envelope.seq, t: envelope.t };
        // serde reads a list where an object belongs, and a flag that says `false` where it would be absent; a second
        // spelling of one entry must not stand in the log
        if entry.encode()? == bytes { Ok(entry) } else { Err(spelling(entry.body.kind())) }
    }
}

fn spelling(kind: &str) -> EntryError {
    EntryError::Shape {
        kind: kind.chars().take(40).collect(),
        what: "not spelt as a writer spells it".into(),
    }
}

fn shape(kind: &str, error: &serde_json::Error) -> EntryError {
    EntryError::Shape { kind: kind.chars().take(40).collect(), what: error.to_string() }
}

fn typed<T: DeserializeOwned>(kind: &str, raw: &RawValue) -> Result<T, EntryError> {
    serde_json::from_str(raw.get()).map_err(|e| shape(kind, &e))
}

/// The kinds that this version writes and reads, each at the version named here.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $kind:literal $v:literal),* $(,)?) => {
        /// What an entry says, by kind.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body {
            $($(#[$doc])* $name(Box<$name>),)*
            /// A kind or version that this reader does not know. Integrity is still checked; a conclusion is not drawn,
            /// unless the kind begins with `x.`.
            Foreign {
                /// Its kind.
                kind: String,
                /// Its version.
                v: u64,
                /// Its body, as it stands.
                body: String,
            },
        }

        impl Body {
            /// The names of all kinds that this version knows.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// The kind's name.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$name(_) => $kind,)*
                    Self::Foreign { kind, .. } => kind,
                }
            }

            /// May a reader draw conclusions from it? Not from a kind that it does not know, unless the kind begins `x.`.
            pub fn is_understood(&self) -> bool {
                match self {
                    $(Self::$name(_) => true,)*
                    Self::Foreign { kind, .. } => kind.starts_with("x."),
                }
            }

            fn to_value(&self) -> Result<(String, u64, Box<RawValue>), EntryError> {
                let raw = |result: Result<_, serde_json::Error>| result.map_err(|e| shape(self.kind(), &e));
                Ok(match self {
                    $(Self::$name(body) => ($kind.to_owned(), $v, raw(serde_json::value::to_raw_value(body))?),)*
                    Self::Foreign { kind, v, body } => {
                        (kind.clone(), *v, raw(RawValue::from_string(body.clone()))?)
                    }
                })
            }

            fn from_raw(kind: &str, v: u64, raw: &RawValue) -> Result<Self, EntryError> {
                match (kind, v) {
                    $(($kind, $v) => typed(kind, raw).map(|body| Self::$name(Box::new(body))),)*
                    _ if raw.get().starts_with('{') => {
                        Ok(Self::Foreign { kind: kind.to_owned(), v, body: raw.get().to_owned() })
                    }
                    _ => Err(spelling(kind)),
                }
            }
        }

        $(impl From<$name> for Body {
            fn from(body: $name) -> Self {
                Self::$name(Box::new(body))
            }
        })*
    };
}

kinds! {
    /// The log begins.
    Genesis = "genesis" 1,
    /// A writer begins.
    Start = "start" 1,
    /// A writer ends.
    Stop = "stop" 1,
    /// Configuration in force.
    Config = "config" 1,
    /// A policy in force, or removed.
    Policy = "policy" 1,
    /// A collector in force, or removed.
    Collector = "collector" 1,
    /// A schedule in force, or removed.
    Schedule = "schedule" 1,
    /// Slots promised before they come.
    Slots = "slots" 1,
    /// The source said that something changed.
    Hook = "hook" 1,
    /// A collector ran.
    Run = "run" 1,
    /// Policies judged a run.
    Verdict = "verdict" 1,
    /// Slots that will never have a run.
    Gap = "gap" 1,
    /// An item's state changed.
    Drift = "drift" 1,
    /// Somebody is to be told.
    Alert = "alert" 1,
    /// A delivery was tried.
    Notice = "notice" 1,
    /// An observation period is opened.
    PeriodOpen = "period.open" 1,
    /// An observation period is closed.
    PeriodClose = "period.close" 1,
    /// What the store was found to do.
    Posture = "posture" 1,
    /// A bundle was handed out.
    Export = "export" 1,
    /// Nothing happened, and somebody was there.
    Heartbeat = "heartbeat" 1,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let entry = Entry {
            body: Heartbeat { last_size: 7 }.into(),
            by: 1,
            seq: 7,
            t: Instant::from_s(1_800_000_000),
        };
        let bytes = entry.encode().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            r#"{"body":{"last_size":7},"by":1,"kind":"heartbeat","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#
        );
        assert_eq!(Entry::decode(&bytes), Ok(entry));
    }

    #[test]
    fn unknown_fields_are_refused_and_unknown_kinds_are_kept() {
        let field = br#"{"body":{"last_size":7,"more":1},"by":1,"kind":"heartbeat","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#;
        assert!(matches!(Entry::decode(field), Err(EntryError::Shape { .. })));
        let kind =
            br#"{"body":{"a":1},"by":1,"kind":"erasure","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#;
        let entry = Entry::decode(kind).unwrap();
        assert!(!entry.body.is_understood());
        assert_eq!(entry.encode().unwrap(), kind);
        let newer =
            br#"{"body":{"a":1},"by":1,"kind":"heartbeat","seq":7,"t":"2027-01-15T08:00:00.000Z","v":2}"#;
        assert!(!Entry::decode(newer).unwrap().body.is_understood());
    }

    #[test]
    fn other_spellings_of_the_same_entry_are_refused() {
        let spaced = br#"{"body":{"last_size":7}, "by":1,"kind":"heartbeat","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#;
        let repeated = br#"{"body":{"last_size":7},"by":1,"by":1,"kind":"heartbeat","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#;
        let list = br#"{"body":[7],"by":1,"kind":"heartbeat","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#;
        let bare = br#"[{"last_size":7},1,"heartbeat",7,"2027-01-15T08:00:00.000Z",1]"#;
        let flag = br#"{"body":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","id":"a","removed":false,"source":"b","yields":[]},"by":1,"kind":"collector","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#;
        let foreign = br#"{"body":7,"by":1,"kind":"erasure","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}"#;
        for wrong in [spaced.as_slice(), repeated, list, bare, flag, foreign] {
            assert!(Entry::decode(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
        let removed = String::from_utf8_lossy(flag).replace("false", "true");
        assert!(Entry::decode(removed.as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            kind in prop::sample::select(vec!["run", "verdict", "slots", "gap", "period.open", "genesis", "x.y"]),
            body in "[\\[\\]{}:,\"a-f0-9]{0,40}",
        ) {
            let _read = Entry::decode(&bytes).is_ok();
            let text = format!(r#"{{"body":{body},"by":1,"kind":"{kind}","seq":7,"t":"2027-01-15T08:00:00.000Z","v":1}}"#);
            if let Ok(entry) = Entry::decode(text.as_bytes()) {
                prop_assert_eq!(entry.encode(), Ok(text.into_bytes()));
            }
        }
    }
}
