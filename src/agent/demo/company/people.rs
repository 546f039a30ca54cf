//! The accounts: 131 members (one leaves, one joins), two bots, GitHub's own committer and a contractor.
//!
//! It says nothing of what they did: see `changes`.

use observance_record::Instant;

use super::{dice::Dice, names, plan::Plan};

/// Members who never leave nor join during the year; the leaver and the joiner come after them.
const STEADY: usize = 129;
/// Account of the first owner.
pub(super) const ADMIN: usize = 0;
/// The member who leaves in February.
pub(super) const LEAVER: usize = STEADY;
/// The member who joins in March.
pub(super) const JOINER: usize = STEADY + 1;
/// The bot that updates dependencies.
pub(super) const DEPENDABOT: usize = STEADY + 2;
/// The bot that updates what the other one does not know.
pub(super) const RENOVATE: usize = STEADY + 3;
/// GitHub's own committer for what is committed in the browser or by a bot.
pub(super) const WEB_FLOW: usize = STEADY + 4;
/// An outside collaborator whose account is deleted in February.
pub(super) const CONTRACTOR: usize = STEADY + 5;
/// Owners and the first team; ordinary authors and reviewers are the members after them.
const OWNERS: usize = 2;
/// Coprime to the number of pairs of names, so that no two members share a login.
const PAIR_STEP: usize = 611;
/// What the dice of people are thrown for.
const PEOPLE: u64 = 0x7065_6f70_6c65;

/// One account; its id never changes.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) login: String,
    pub(super) person: String,
    pub(super) kind: &'static str,
    pub(super) joined: Instant,
    pub(super) left: Option<Instant>,
    /// From when the source shows `null` in its place.
    pub(super) deleted: Option<Instant>,
}

impl Account {
    pub(super) fn is_member(&self, at: Instant) -> bool {
        self.joined <= at && self.left.is_none_or(|left| at < left)
    }

    pub(super) fn is_deleted(&self, at: Instant) -> bool {
        self.deleted.is_some_and(|deleted| deleted <= at)
    }
}

/// Every account; members first, by ascending id.
pub(super) fn accounts(seed: u64, plan: &Plan) -> Vec<Account> {
    let mut dice = Dice::of(seed, PEOPLE);
    let mut id = 11_000_000;
    let first = first_pair(&mut dice);
    let mut all: Vec<Account> = (0..=JOINER)
        .map(|i| {
            id += dice.between(1, 400_000).unsigned_abs();
            member(id, pair(first, i))
        })
        .collect();
    all[LEAVER].left = Some(plan.left);
    all[JOINER].joined = plan.joined;
    let outsiders = [
        (49_699_333, "dependabot[bot]", "dependabot[bot]", "Bot"),
        (29_139_614, "renovate[bot]", "renovate[bot]", "Bot"),
        (19_864_447, "web-flow", "GitHub", "User"),
        (98_310_277, "vk-contracting", "Viktor K.", "User"),
    ];
    all.extend(outsiders.map(|(id, login, person, kind)| Account {
        kind,
        left: Some(Instant::EPOCH),
        ..account(id, login.to_owned(), person.to_owned())
    }));
    all[CONTRACTOR].deleted = Some(plan.account_deleted);
    all
}

/// The members who look after the repository of this `index`; they write and review its changes.
pub(super) fn team(seed: u64, index: usize) -> Vec<usize> {
    const SIZE: usize = 7;
    let mut dice = Dice::of(seed, 0x7465_616d_0000 + u64::try_from(index).unwrap_or(0));
    let first = OWNERS + dice.index(STEADY - OWNERS - SIZE);
    (first..first + SIZE).collect()
}

/// The first and the last name of person number `n`; no two share both.
pub(super) fn name(seed: u64, n: usize) -> (&'static str, &'static str) {
    pair(first_pair(&mut Dice::of(seed, PEOPLE)), n)
}

/// Where the list of people begins: the first throw of their dice.
fn first_pair(dice: &mut Dice) -> usize {
    dice.index(names::FIRST.len() * names::LAST.len())
}

fn pair(first: usize, n: usize) -> (&'static str, &'static str) {
    let pair = first + n * PAIR_STEP;
    (names::FIRST[pair / names::LAST.len() % names::FIRST.len()], names::LAST[pair % names::LAST.len()])
}

fn member(id: u64, (first, last): (&str, &str)) -> Account {
    account(id, format!("{first}-{last}"), format!("{} {}", capital(first), capital(last)))
}

const fn account(id: u64, login: String, person: String) -> Account {
    Account { id, login, person, kind: "User", joined: Instant::EPOCH, left: None, deleted: None }
}

pub(in crate::demo) fn capital(word: &str) -> String {
    let (head, tail) = word.split_at_checked(1).unwrap_or((word, ""));
    head.to_ascii_uppercase() + tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::calendar::{berlin, date};

    #[test]
    fn one_hundred_and_thirty_one_people_and_no_login_twice() {
        let plan = Plan::of(2026);
        let all = accounts(7, &plan);
        let mut logins: Vec<&str> = all.iter().map(|a| a.login.as_str()).collect();
        logins.sort_unstable();
        logins.dedup();
        assert_eq!(logins.len(), all.len());
        let members =
            |month, day| all.iter().filter(|a| a.is_member(berlin(date(2026, month, day), 0))).count();
        assert_eq!((members(1, 1), members(3, 2), members(6, 30)), (130, 129, 130));
        assert!(all[..=JOINER].is_sorted_by_key(|a| a.id));
    }
}
