//! From what was heard to a result: the conditions of a pass, in code and not in Rego.
//!
//! Pure: no policy can talk its way past it. A pass needs a policy that ran and said so, nothing said against it, a row
//! that was seen whole, and a population that is complete. A failure stands without the last two.

use std::collections::BTreeSet;

use observance_record::{
    Instant,
    population::Membership,
    verdict::{Code, ItemResult, State},
};

use crate::{
    codes::code,
    hear::{Heard, Said},
};

/// The result of one item.
pub(crate) fn result(heard: &Heard, membership: Membership, as_of: Instant) -> ItemResult {
    let said = match &heard.said {
        Ok(said) => said,
        Err(why) => return ItemResult::because(State::Unknown, why.clone()),
    };
    let unknown: BTreeSet<Code> = said.unknown.union(&heard.unseen).cloned().collect();
    coded(State::Failed, &said.failed)
        .or_else(|| coded(State::Unknown, &unknown))
        .or_else(|| not_due(said, as_of))
        .or_else(|| coded(State::NotApplicable, &said.not_applicable))
        .unwrap_or_else(|| passed(said, membership))
}

/// Until when the item is not due, if that lies ahead.
pub(crate) fn due(heard: &Heard, as_of: Instant) -> Option<Instant> {
    heard.said.as_ref().ok()?.not_due.filter(|until| *until > as_of)
}

fn coded(state: State, codes: &BTreeSet<Code>) -> Option<ItemResult> {
    if codes.is_empty() { None } else { ItemResult::new(state, codes.clone()) }
}

/// The instant becomes part of the code, so that the record says until when: `until.20260101t000000.000z`.
fn not_due(said: &Said, as_of: Instant) -> Option<ItemResult> {
    let until = said.not_due.filter(|until| *until > as_of)?;
    let digits: String = until.to_string().to_ascii_lowercase().replace(['-', ':'], "");
    Some(ItemResult::because(State::NotDue, code(&format!("until.{digits}"))))
}

fn passed(said: &Said, membership: Membership) -> ItemResult {
    let unknown = |word| ItemResult::because(State::Unknown, code(word));
    match (said.passed, membership) {
        (false, _) => unknown("policy.silent"),
        (true, Membership::Complete) => ItemResult::passed(),
        (true, Membership::Partial) => unknown("population.partial"),
        (true, Membership::Unknown) => unknown("population.unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &[&str]) -> BTreeSet<Code> {
        words.iter().map(|word| code(word)).collect()
    }

    fn say(said: Said, unseen: &[&str], membership: Membership) -> String {
        let heard = Heard { said: Ok(said), unseen: set(unseen) };
        let result = result(&heard, membership, Instant::from_ms(1000));
        format!("{} {}", result.state(), result.codes_joined())
    }

    #[test]
    fn a_pass_needs_everything_and_a_failure_nothing_more() {
        use Membership::{Complete, Partial, Unknown};
        let pass = || Said { passed: true, ..Said::default() };
        let fail = || Said { failed: set(&["b", "a"]), unknown: set(&["c"]), ..pass() };
        assert_eq!(say(pass(), &[], Complete), "passed ");
        assert_eq!(say(pass(), &[], Partial), "unknown population.partial");
        assert_eq!(say(pass(), &[], Unknown), "unknown population.unknown");
        assert_eq!(say(pass(), &["row.hidden"], Complete), "unknown row.hidden");
        assert_eq!(say(fail(), &["row.hidden"], Partial), "failed a,b");
        assert_eq!(say(Said::default(), &[], Complete), "unknown policy.silent");
    }

    #[test]
    fn what_is_not_due_falls_due() {
        let due = |ms| Said { passed: true, not_due: Some(Instant::from_ms(ms)), ..Said::default() };
        let said = say(due(1001), &[], Membership::Complete);
        assert_eq!(said, "not_due until.19700101t000001.001z");
        assert_eq!(say(due(1000), &[], Membership::Complete), "passed ");
    }

    #[test]
    fn the_worse_word_wins() {
        let said = Said { not_applicable: set(&["x"]), passed: true, ..Said::default() };
        assert_eq!(say(said.clone(), &[], Membership::Partial), "not_applicable x");
        assert_eq!(say(said, &["row.error"], Membership::Complete), "unknown row.error");
    }
}
