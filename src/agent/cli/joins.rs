//! How far the populations of two sources know each other, in sentences for people.
//!
//! Who is found on neither side is unknown and never failed; so whoever reads a verdict wants to know how many those are.

use std::collections::BTreeSet;

use observance_judge::Match;
use observance_record::{Item, row::Reserved};

use crate::{
    run::once::{Said, Seen},
    status::number,
};

/// Names that are listed of each side.
const NAMES_MAX: usize = 5;

/// One for each policy that says what belongs together, and each population that it joins.
pub(super) fn sentences(seen: &[Seen<'_>], said: &[Said<'_>]) -> Vec<String> {
    let of = |said| move |found| sentence(seen, said, found);
    said.iter().flat_map(|said| said.matches.iter().map(of(said))).collect()
}

fn sentence(seen: &[Seen<'_>], said: &Said<'_>, found: &Match) -> String {
    let there = seen.iter().flat_map(|one| &one.collected.populations).find(|p| p.name == found.with);
    let name_there = |item: &Item| Reserved::read(there?.rows.get(item)?).ok()?.name;
    let own = side(&said.population.name, &found.unmatched, found.of, |item| said.names.get(item).cloned());
    let other = side(&found.with, &found.unmatched_there, found.of_there, name_there);
    format!("{}: {own} · {other}", said.judge.policy.meta().id)
}

fn side(
    population: &str,
    lacking: &BTreeSet<Item>,
    of: u64,
    name: impl Fn(&Item) -> Option<String>,
) -> String {
    let n = u64::try_from(lacking.len()).unwrap_or(u64::MAX);
    let sum = format!("{} of {} {population} matched", number(of.saturating_sub(n)), number(of));
    if n == 0 {
        return sum;
    }
    let named = lacking.iter().take(NAMES_MAX).map(|item| name(item).unwrap_or_else(|| item.to_string()));
    let named: Vec<String> = named.collect();
    let more = lacking.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{sum} (not {}{more})", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_told_with_its_numbers_and_the_first_names() {
        let items = |n: u8| (0..n).map(|at| Item::from_bytes([at; 16])).collect::<BTreeSet<_>>();
        let name =
            |item: &Item| (*item != Item::from_bytes([1; 16])).then(|| format!("P-{}", item.as_bytes()[0]));
        assert_eq!(side("people", &items(0), 1_200, name), "1,200 of 1,200 people matched");
        let second = Item::from_bytes([1; 16]);
        let said = format!("8 of 10 people matched (not P-0, {second})");
        assert_eq!(side("people", &items(2), 10, name), said);
        assert!(side("people", &items(7), 10, name).ends_with("P-4 and 2 more)"));
    }
}
