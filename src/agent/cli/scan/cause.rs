//! Why a policy could not tell, in words, and what cures it: a grant, patience, or nothing.
//!
//! It reads what the run wrote down and draws no conclusion from what is missing.

use std::collections::BTreeMap;

use observance_record::{
    population::{Membership, Outcome},
    verdict::{Code, ItemResult, State},
};

use crate::{
    collect::{Population, StepOutline},
    run::once::{Said, Seen},
    status::{counted, plural},
    text::visible,
};

/// Codes that are shown of one policy.
const CODES_MAX: usize = 4;

/// What would make it known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cure {
    /// A right that the credential lacks.
    Grant,
    /// The source, asked again later.
    Later,
    /// A shorter window: the source does not keep it for so long.
    Window,
    /// Nobody can tell any more, or the policy says that it takes a person.
    None,
}

/// Why, and what cures it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cause {
    /// In words.
    pub why: String,
    /// The remedy.
    pub cure: Cure,
}

/// How much of a policy can be judged with what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// All of it.
    Now,
    /// Some items.
    Partly,
    /// Nothing.
    Not,
}

impl Sight {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Now => "can be judged",
            Self::Partly => "can be judged partly",
            Self::Not => "cannot be judged",
        }
    }
}

/// Whether what was seen is enough for the policy; what it cannot tell by itself does not count against the rights.
pub fn sight(said: &Said<'_>) -> Sight {
    let lacks =
        |code: &Code| ["row.", "population.", "input."].iter().any(|kind| code.as_str().starts_with(kind));
    let blind =
        |(_, result): &&(_, ItemResult)| result.state() == State::Unknown && result.codes().iter().any(lacks);
    let blind = said.results.iter().filter(blind).count();
    match (blind, said.results.len(), said.membership) {
        (0, _, Membership::Complete) => Sight::Now,
        (n, all, _) if n == all => Sight::Not,
        _ => Sight::Partly,
    }
}

/// Why the policy leaves items unknown.
pub fn cause(said: &Said<'_>, seen: &[Seen<'_>]) -> Cause {
    let Some(one) = seen.get(said.seen) else {
        return Cause { why: "nothing was read".to_owned(), cure: Cure::None };
    };
    let population = one.collected.populations.iter().find(|p| p.name == said.population.name);
    unseen(said, one)
        .or_else(|| beside(said, seen))
        .or_else(|| population.and_then(|population| short(population, said)))
        .unwrap_or_else(|| Cause { why: codes(said), cure: Cure::None })
}

/// A step that the policy rests on was not answered in full.
fn unseen(said: &Said<'_>, one: &Seen<'_>) -> Option<Cause> {
    let needs = &said.judge.policy.meta().needs;
    let matters = |step: &String| {
        let part = needs.steps.as_ref().is_none_or(|steps| steps.contains(step));
        said.population.list_steps.contains(step) || (said.population.steps.contains(step) && part)
    };
    let worst =
        one.unseen.iter().filter(|unseen| matters(&unseen.step)).min_by_key(|unseen| rank(unseen.outcome))?;
    let steps = one.manifest.step_outlines();
    let step = steps.iter().find(|step| step.id == worst.step);
    Some(Cause {
        why: sentence(worst.outcome, worst.n, worst.why.as_deref(), step),
        cure: cure(worst.outcome),
    })
}

/// What can be cured by a grant is told first.
const fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Unauthenticated => 0,
        Outcome::Forbidden => 1,
        Outcome::Hidden => 2,
        Outcome::OutOfRetention => 3,
        Outcome::Throttled => 4,
        Outcome::Retry => 5,
        Outcome::Error => 6,
        Outcome::Present | Outcome::Unchanged | Outcome::Absent | Outcome::NotApplicable => 7,
    }
}

/// What makes this outcome another one.
pub const fn cure(outcome: Outcome) -> Cure {
    match outcome {
        Outcome::Unauthenticated | Outcome::Forbidden | Outcome::Hidden => Cure::Grant,
        Outcome::OutOfRetention => Cure::Window,
        Outcome::Throttled | Outcome::Retry => Cure::Later,
        Outcome::Error | Outcome::Present | Outcome::Unchanged | Outcome::Absent | Outcome::NotApplicable => {
            Cure::None
        }
    }
}

/// What an outcome means for people: `no_2fa is forbidden for this token; needs an owner of the organisation`.
pub fn sentence(outcome: Outcome, n: u64, why: Option<&str>, step: Option<&StepOutline>) -> String {
    let id = step.map_or("a step", |step| step.id.as_str());
    let needs = step.and_then(|step| step.needs.as_deref()).map(|needs| format!("; needs {needs}"));
    let needs = needs.unwrap_or_default();
    let lacks = match (why, step) {
        (Some("field.missing"), Some(step)) => Some(step.required.join(", ")),
        _ => None,
    };
    let why = why.map(|why| format!(" ({})", visible(why))).unwrap_or_default();
    let requests = counted(n, "request");
    match outcome {
        Outcome::Unauthenticated => "the token was not accepted".to_owned(),
        Outcome::Forbidden => lacks.map_or_else(
            || format!("{id} is forbidden for this token{needs}"),
            |fields| format!("{fields} is hidden from this token{needs}"),
        ),
        Outcome::Hidden => format!("{id} is hidden: not there, or not for this token{needs}"),
        Outcome::OutOfRetention => format!("the source does not keep {id} for so long"),
        Outcome::Throttled => format!("the rate limit was reached, {requests} of {id} not answered"),
        Outcome::Retry => format!("{requests} of {id} not answered{why}"),
        Outcome::Error => format!("{requests} of {id} not understood{why}"),
        Outcome::Present | Outcome::Unchanged | Outcome::Absent | Outcome::NotApplicable => {
            format!("{id} was seen")
        }
    }
}

/// A population that is read beside the policy's own was not seen whole.
fn beside(said: &Said<'_>, seen: &[Seen<'_>]) -> Option<Cause> {
    let joined = &said.judge.policy.meta().joined;
    let populations = || seen.iter().flat_map(|one| &one.collected.populations);
    let lacking = joined.iter().find(|name| {
        let whole = Membership::Complete;
        !populations().any(|population| population.name == **name && population.claim.membership == whole)
    })?;
    Some(Cause { why: format!("it also reads {lacking}, which could not be seen whole"), cure: Cure::Grant })
}

/// The list is not known to be whole, though every request was answered.
fn short(population: &Population, said: &Said<'_>) -> Option<Cause> {
    let claim = &population.claim;
    let proof = claim.proofs.iter().find(|proof| proof.kind == "equals")?;
    let things = plural(&visible(said.item_type()), proof.counted);
    let why = match proof.stated {
        None => "the source's own count is hidden from this token, so the list cannot be known to be whole"
            .to_owned(),
        Some(stated) if stated != proof.counted && said.population.counted => {
            format!("only {} of {stated} {things} are seen", proof.counted)
        }
        Some(stated) if stated != proof.counted => {
            format!("it rests on a list of which only {} of {stated} are seen", proof.counted)
        }
        Some(_) => return None,
    };
    Some(Cause { why, cure: Cure::Grant })
}

/// The codes of what is unknown, the most frequent first.
fn codes(said: &Said<'_>) -> String {
    let mut by: BTreeMap<&Code, u64> = BTreeMap::new();
    for code in said.results.iter().filter(|(_, r)| r.state() == State::Unknown).flat_map(|(_, r)| r.codes())
    {
        *by.entry(code).or_default() += 1;
    }
    if by.is_empty() {
        by.extend(said.why.iter().map(|code| (code, 1)));
    }
    let mut by: Vec<_> = by.into_iter().collect();
    by.sort_by_key(|(code, n)| (std::cmp::Reverse(*n), *code));
    let shown: Vec<&str> = by.iter().take(CODES_MAX).map(|(code, _)| code.as_str()).collect();
    if shown.is_empty() { "nothing was seen that could be judged".to_owned() } else { shown.join(", ") }
}
