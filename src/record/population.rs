//! Outcomes of exchanges, and what may be claimed of a population: is the list whole, and how is that known?
//!
//! It holds the closed sets only; the collector fills them, the judge obeys them.

use serde::{Deserialize, Serialize};

/// What an exchange means: a closed set. Only the first four may feed a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The thing is there and was read.
    Present,
    /// The source says that it has not changed since it was last read (304); stored as the outcome it repeats.
    Unchanged,
    /// The source says, in words that only mean this, that the thing is not there.
    Absent,
    /// The source says that the feature does not exist for this account or plan.
    NotApplicable,
    /// Not there, or not for this credential to see: the source does not tell which.
    Hidden,
    /// The credential may not read it.
    Forbidden,
    /// The credential was not accepted.
    Unauthenticated,
    /// A rate limit outlasted the run's budget.
    Throttled,
    /// The source no longer keeps what was asked for.
    OutOfRetention,
    /// A passing fault that did not pass within the run's attempts.
    Retry,
    /// Everything else, including an answer that could not be understood.
    Error,
}

impl Outcome {
    /// Every outcome, in the order of the specification.
    pub const ALL: [Self; 11] = [
        Self::Present,
        Self::Unchanged,
        Self::Absent,
        Self::NotApplicable,
        Self::Hidden,
        Self::Forbidden,
        Self::Unauthenticated,
        Self::Throttled,
        Self::OutOfRetention,
        Self::Retry,
        Self::Error,
    ];

    /// May a verdict stand on it?
    pub const fn feeds(self) -> bool {
        matches!(self, Self::Present | Self::Unchanged | Self::Absent | Self::NotApplicable)
    }

    /// Its word, as it stands in tables and codes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Unchanged => "unchanged",
            Self::Absent => "absent",
            Self::NotApplicable => "not_applicable",
            Self::Hidden => "hidden",
            Self::Forbidden => "forbidden",
            Self::Unauthenticated => "unauthenticated",
            Self::Throttled => "throttled",
            Self::OutOfRetention => "out_of_retention",
            Self::Retry => "retry",
            Self::Error => "error",
        }
    }
}

/// Is the list whole? Decides whether anything of it may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Read to its end, and every declared proof agrees.
    Complete,
    /// Known to lack something.
    Partial,
    /// Nothing proves that it is whole.
    Unknown,
}

/// What a claim of completeness rests on, weakest first. Only the last two may be called proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The last page was seen.
    ReadToEnd,
    /// The source's own count agrees.
    SourceCount,
    /// A second way to the same list agrees.
    SecondPath,
    /// An independent register agrees.
    Register,
}

/// May the credential see everything there is?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Horizon {
    /// The source says that the credential sees all.
    Whole,
    /// It was granted a selection.
    Selected,
    /// The source does not say.
    Unknown,
}
