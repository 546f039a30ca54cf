//! How the page says what the record holds in codes: one phrase for each, for people who read no formats.
//!
//! Nothing is said more kindly than it was found.

use std::collections::BTreeSet;

use observance_record::{
    effect::Evidence,
    entry::{Cause, RunResult, Trigger},
    ledger::{How, What},
    population::{Grade, Horizon, Membership},
    verdict::{Code, State},
};

pub(super) const fn membership(membership: Membership) -> &'static str {
    match membership {
        Membership::Complete => "whole",
        Membership::Partial => "NOT whole",
        Membership::Unknown => "not known to be whole",
    }
}

/// Only the last two may be called proved.
pub(super) const fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::ReadToEnd => "its last page was read",
        Grade::SourceCount => "the source's own count agrees",
        Grade::SecondPath => "proved: a second way to the list agrees",
        Grade::Register => "proved: an independent register agrees",
    }
}

pub(super) const fn horizon(horizon: Horizon) -> &'static str {
    match horizon {
        Horizon::Whole => "everything",
        Horizon::Selected => "a selection only",
        Horizon::Unknown => "the source does not say",
    }
}

pub(super) const fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Look => "single looks",
        Evidence::Window => "whole windows",
        Evidence::Event => "each event",
    }
}

pub(super) const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::AgentDown => "the agent was down",
        Cause::StoreDown => "nothing could be recorded",
        Cause::Overlap => "the run before still went on",
        Cause::Shutdown => "the agent was being stopped",
        Cause::Busy => "too many other runs went on",
        Cause::Clock => "the clock moved past it",
        Cause::Crash => "the run was lost before it could be recorded",
        Cause::Removed => "the schedule was taken away",
    }
}

pub(super) const fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Slot => "on schedule",
        Trigger::CatchUp => "read later, its slot was missed",
        Trigger::Manual => "by hand, answers no slot",
        Trigger::Recovery => "found unanswered at start-up",
    }
}

pub(super) const fn result(result: RunResult) -> &'static str {
    match result {
        RunResult::Complete => "complete",
        RunResult::Partial => "partial",
        RunResult::Failed => "failed",
    }
}

pub(super) const fn what(what: What) -> &'static str {
    match what {
        What::Config => "configuration",
        What::Policy => "policy",
        What::Collector => "collector",
        What::Schedule => "schedule",
        What::Period => "period",
    }
}

pub(super) const fn how(how: How) -> &'static str {
    match how {
        How::Added => "added",
        How::Changed => "changed",
        How::Removed => "removed",
    }
}

pub(super) fn state(state: State) -> String {
    state.to_string().replace('_', " ")
}

pub(super) fn codes(codes: &BTreeSet<Code>) -> String {
    let codes: Vec<&str> = codes.iter().map(Code::as_str).collect();
    if codes.is_empty() { "none given".to_owned() } else { codes.join(", ") }
}
