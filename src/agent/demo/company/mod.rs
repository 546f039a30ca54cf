//! A small company on GitHub, invented: its repositories, people, rules and changes over half a year.
//!
//! Everything it is at an instant is a pure function of the seed, the period and that instant. It reads no clock, keeps no
//! state and judges nothing; [`serve`] puts it behind real HTTP, in GitHub's own shapes.

mod budget;
mod change_shapes;
mod changes;
#[cfg(test)]
mod contract;
mod names;
#[cfg(test)]
pub(super) mod openapi;
mod page;
mod people;
mod plan;
mod reviews;
mod route;
mod rule_shapes;
mod serve;
mod shapes;
#[cfg(test)]
mod tests;
mod view;

use std::collections::HashMap;

use chrono::Datelike;
use observance_record::Instant;

#[cfg(test)]
use super::described;
use super::{calendar, dice, object, site};

use self::{
    changes::Pull,
    dice::Dice,
    names::{Guard, Named, Visibility},
    people::Account,
    plan::Plan,
};

pub(super) use self::people::capital;
pub use self::{
    plan::{Event, Planted},
    serve::{Server, serve},
};

/// The organisation's login.
pub const ORGANISATION: &str = shapes::LOGIN;
/// The only token that is let in, as `Authorization: Bearer demo-token`. It opens nothing but this company.
pub const TOKEN: &str = "demo-token";

/// The company. Build it once; it is immutable.
#[derive(Debug)]
pub struct Company {
    seed: u64,
    from: Instant,
    to: Instant,
    plan: Plan,
    planted: Vec<Planted>,
    accounts: Vec<Account>,
    /// The shape of each account, written once.
    users: Vec<String>,
    repositories: Vec<Repository>,
    names: HashMap<&'static str, usize>,
    ids: HashMap<u64, usize>,
}

impl Company {
    /// The company over `[from, to)`, which begins in the year whose events are planted (see [`Company::planted`]); half a
    /// year from 1 January, Berlin time, holds all of them and exactly 2,318 merged changes.
    pub fn new(seed: u64, from: Instant, to: Instant) -> Self {
        let plan = Plan::of(calendar::day_of(from).year());
        let accounts = people::accounts(seed, &plan);
        let repositories = repositories(seed, from, to, &plan);
        let mut names: HashMap<&str, usize> =
            repositories.iter().enumerate().map(|(i, repository)| (repository.named.0, i)).collect();
        names.extend(names.get(plan::RENAMED.0).copied().map(|i| (plan::RENAMED.1, i)));
        Self {
            seed,
            from,
            to,
            planted: plan.planted(from),
            users: accounts.iter().map(shapes::user).collect(),
            accounts,
            ids: repositories.iter().enumerate().map(|(i, repository)| (repository.id, i)).collect(),
            names,
            repositories,
            plan,
        }
    }

    /// The seed it was built with.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Everything that was planted, in the order in which it happens.
    pub fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// How many repositories there are, archived or not, at any time.
    pub fn repositories(&self) -> usize {
        self.repositories.len()
    }

    /// How many members the organisation has at `now`.
    pub fn people(&self, now: Instant) -> usize {
        self.accounts.iter().filter(|account| account.is_member(now)).count()
    }

    /// Every member that there ever is, as the company's other systems know them.
    pub(super) fn everybody(&self) -> impl Iterator<Item = Member<'_>> {
        self.accounts[..=people::JOINER].iter().map(|account| Member {
            login: &account.login,
            joined: account.joined,
            left: account.left,
        })
    }

    /// A first and a last name that no member has, and nobody else of another number.
    pub(super) fn name_of_other(&self, n: usize) -> (&'static str, &'static str) {
        people::name(self.seed, self.accounts.len() + n)
    }

    /// How many changes are merged in the period.
    pub fn merged(&self) -> usize {
        let within = |pull: &&Pull| pull.merged && self.from <= pull.closed && pull.closed < self.to;
        self.repositories.iter().flat_map(|repository| &repository.pulls).filter(within).count()
    }

    /// The repository of this name at `now`, or which once had it.
    fn by_name(&self, name: &str, now: Instant) -> Option<usize> {
        self.names.get(name).copied().filter(|_| name != plan::RENAMED.1 || self.plan.renamed <= now)
    }

    fn by_id(&self, id: u64) -> Option<usize> {
        self.ids.get(&id).copied()
    }

    fn repository(&self, index: usize) -> &Repository {
        &self.repositories[index]
    }
}

/// A member of the organisation: who, and from when to when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// `first-last`.
    pub(super) login: &'a str,
    /// The epoch for whoever was there before everything.
    pub(super) joined: Instant,
    pub(super) left: Option<Instant>,
}

/// One repository and its changes, by ascending number.
#[derive(Debug)]
struct Repository {
    id: u64,
    named: Named,
    created: Instant,
    renamed: Option<Instant>,
    archived: Option<Instant>,
    pulls: Vec<Pull>,
    /// Every closing and every later word, in the order of time: which change was updated when.
    updates: Vec<(Instant, usize)>,
    /// The merged changes, in the order of time.
    pushes: Vec<(Instant, usize)>,
}

impl Repository {
    fn name(&self, now: Instant) -> &'static str {
        if self.renamed.is_some_and(|at| at <= now) { plan::RENAMED.1 } else { self.named.0 }
    }

    fn branch(&self) -> &'static str {
        self.named.1
    }

    fn visibility(&self) -> Visibility {
        self.named.3
    }

    fn guard(&self) -> Guard {
        self.named.4
    }

    fn is_archived(&self, now: Instant) -> bool {
        self.archived.is_some_and(|at| at <= now)
    }

    fn has_moved_from(&self, name: Option<&str>, now: Instant) -> bool {
        name != Some(self.name(now))
    }

    /// The index of the change of this number, if it was proposed by `now`.
    fn change(&self, number: &str, now: Instant) -> Option<usize> {
        let first = self.pulls.first()?.number;
        let index = usize::try_from(number.parse::<u64>().ok()?.checked_sub(first)?).ok()?;
        (self.pulls.get(index)?.created <= now).then_some(index)
    }
}

fn repositories(seed: u64, from: Instant, to: Instant, plan: &Plan) -> Vec<Repository> {
    const DAY_MS: i64 = 86_400_000;
    let mut dice = Dice::of(seed, 0x7265_706f);
    let mut id = 310_000_000;
    let mut age_days = 2_700;
    names::REPOSITORIES
        .iter()
        .zip(changes::draw(seed, from, to, plan))
        .map(|(named, pulls)| {
            id += dice.between(1_000, 9_000_000).unsigned_abs();
            age_days -= dice.between(5, 60);
            repository(id, *named, from.plus_ms(-age_days * DAY_MS), pulls, plan)
        })
        .collect()
}

fn repository(id: u64, named: Named, created: Instant, pulls: Vec<Pull>, plan: &Plan) -> Repository {
    let numbered = || pulls.iter().zip(0_usize..);
    let closings = numbered().map(|(pull, k)| (pull.closed, k));
    let mut updates: Vec<(Instant, usize)> =
        closings.chain(numbered().filter_map(|(pull, k)| Some((pull.touched?, k)))).collect();
    updates.sort_unstable();
    let mut pushes: Vec<(Instant, usize)> =
        numbered().filter(|(pull, _)| pull.merged).map(|(pull, k)| (pull.closed, k)).collect();
    pushes.sort_unstable();
    Repository {
        id,
        named,
        created: Instant::from_s(created.s()),
        renamed: (named.0 == plan::RENAMED.0).then_some(plan.renamed),
        archived: (named.0 == plan::ARCHIVED).then_some(plan.archived),
        pulls,
        updates,
        pushes,
    }
}
