//! What a resource is at an instant: its version, and the bodies of its items.
//!
//! Equal versions of a resource mean equal bodies; nothing is written twice for one version (the server keeps the pages).

use std::{collections::HashSet, ops::Range};

use observance_record::Instant;

use super::{
    Company, Repository,
    calendar::github,
    change_shapes::{self, Place},
    changes::Pull,
    names::{Guard, Visibility},
    plan,
    route::{Judged, Resource},
    rule_shapes::{self, Reviews},
    shapes::{self, RepositoryLook},
};

const DAY_MS: i64 = 86_400_000;

/// What stands behind a resource.
#[derive(Debug)]
pub(super) enum Look {
    /// One object.
    One(String),
    /// The asked-for items of a list, and how many it has.
    Many(Vec<String>, usize),
    /// Nothing: what GitHub says in its 404.
    Absent(&'static str),
    /// Something this token may not see.
    Forbidden,
}

impl Company {
    /// A number that changes whenever the resource does.
    pub(super) fn version(&self, resource: Resource, now: Instant) -> i64 {
        let people = flag(self.plan.left <= now) + 2 * flag(self.plan.joined <= now);
        let passed = |at: Option<Instant>| flag(at.is_some_and(|at| at <= now));
        let of = |i: usize| self.repository(i);
        let named = |i: usize| passed(of(i).renamed);
        match resource {
            Resource::Organisation | Resource::Members => people,
            Resource::Repositories => {
                let named = flag(self.plan.renamed <= now) + 2 * flag(self.plan.archived <= now);
                midnight(now).ms() + named
            }
            Resource::Rules(i) => named(i) + 2 * flag(self.are_reviews_lifted(i, now)),
            Resource::Protection(i) => named(i),
            Resource::Pulls(i) => {
                let updates = until(&of(i).updates, now);
                long(updates) * 4 + named(i) + 2 * passed(of(i).archived)
            }
            Resource::Reviews(i, k) => {
                let seen = of(i).pulls[k].reviews.iter().filter(|review| review.at <= now).count();
                long(seen) * 4 + named(i) + 2 * flag(self.plan.account_deleted <= now)
            }
            Resource::Commits(i, k) => {
                let seen = of(i).pulls[k].commits.iter().filter(|commit| commit.at <= now).count();
                long(seen) * 2 + named(i)
            }
            Resource::Suites(i, span_ms, _) => {
                let window = of(i).judged(span_ms, now);
                (long(window.start) << 32) + long(window.end) * 2 + named(i)
            }
            Resource::WithoutTwoFactor
            | Resource::NoPulls(_)
            | Resource::NoRules(_)
            | Resource::NoBranch(_)
            | Resource::RateLimit => 0,
        }
    }

    /// The items `part` of a resource as of `now`, or the whole of what is no list.
    pub(super) fn look(&self, resource: Resource, part: Range<usize>, now: Instant) -> Look {
        match resource {
            Resource::Organisation => Look::One(self.organisation(now)),
            Resource::Repositories => self.listed_repositories(&part, now),
            Resource::Members => self.members(&part, now),
            Resource::Rules(i) | Resource::Protection(i) if self.repository(i).named.0 == plan::FORBIDDEN => {
                Look::Forbidden
            }
            Resource::Rules(i) => {
                let reviews =
                    if self.are_reviews_lifted(i, now) { Reviews::Lifted } else { Reviews::Required };
                let repository = self.repository(i);
                let rules = rule_shapes::rules(repository.guard(), repository.name(now), reviews);
                Look::Many(slice(&rules, &part).to_vec(), rules.len())
            }
            Resource::Protection(i) => {
                let repository = self.repository(i);
                rule_shapes::protection(repository.guard(), repository.name(now), repository.branch())
                    .map_or(Look::Absent("Branch not protected"), Look::One)
            }
            Resource::NoBranch(_) => Look::Absent("Branch not found"),
            Resource::Pulls(i) => self.pulls(self.repository(i), &part, now),
            Resource::Reviews(i, k) => {
                self.reviews(self.repository(i), &self.repository(i).pulls[k], &part, now)
            }
            Resource::Commits(i, k) => {
                self.commits(self.repository(i), &self.repository(i).pulls[k], &part, now)
            }
            Resource::Suites(i, span_ms, judged) => {
                self.suites(self.repository(i), span_ms, judged, &part, now)
            }
            Resource::WithoutTwoFactor | Resource::NoPulls(_) | Resource::NoRules(_) => {
                Look::Many(Vec::new(), 0)
            }
            Resource::RateLimit => Look::Absent("Not Found"),
        }
    }

    /// Whether the source answers nothing but 503.
    pub(super) fn is_down(&self, now: Instant) -> bool {
        self.plan.down.0 <= now && now < self.plan.down.1
    }

    /// Whether this page of the member list answers nothing but 502.
    pub(super) fn is_broken(&self, resource: Resource, page: usize, now: Instant) -> bool {
        resource == Resource::Members
            && page == 2
            && self.plan.page_broken.0 <= now
            && now < self.plan.page_broken.1
    }

    /// Whether somebody else spends this token's requests in this hour.
    pub(super) fn is_budget_spent(&self, now: Instant) -> bool {
        self.plan.budget_spent.0 <= now && now < self.plan.budget_spent.1
    }

    fn are_reviews_lifted(&self, i: usize, now: Instant) -> bool {
        let (from, to) = self.plan.lifted;
        self.repository(i).guard() == Guard::Own && from <= now && now < to
    }

    fn organisation(&self, now: Instant) -> String {
        let public = self.repositories.iter().filter(|r| r.visibility() == Visibility::Public).count();
        let changed =
            [self.plan.joined, self.plan.left].into_iter().find(|at| *at <= now).unwrap_or(self.from);
        shapes::organisation(public, self.repositories.len() - public, self.people(now), changed)
    }

    fn listed_repositories(&self, part: &Range<usize>, now: Instant) -> Look {
        let mut all: Vec<&Repository> = self.repositories.iter().collect();
        all.sort_by_key(|repository| repository.name(now));
        let items = slice(&all, part).iter().map(|repository| {
            // Moved once a day, so that an hour in which no setting changed is an unchanged hour.
            let pushed = repository.pushed(midnight(now));
            shapes::listed_repository(repository.look(pushed, now))
        });
        Look::Many(items.collect(), all.len())
    }

    fn members(&self, part: &Range<usize>, now: Instant) -> Look {
        let all: Vec<&String> = self
            .accounts
            .iter()
            .zip(&self.users)
            .filter(|(account, _)| account.is_member(now))
            .map(|(_, user)| user)
            .collect();
        Look::Many(slice(&all, part).iter().map(|user| (*user).clone()).collect(), all.len())
    }

    fn pulls(&self, repository: &Repository, part: &Range<usize>, now: Instant) -> Look {
        let order = repository.by_last_update(now);
        let owner = shapes::owner();
        let place = repository.place(now);
        let base = shapes::repository(repository.look(repository.pushed(now), now));
        let items = slice(&order, part).iter().map(|k| {
            let pull = &repository.pulls[*k];
            let updated = github(pull.updated(now));
            change_shapes::pull(pull, &updated, place, &self.users[pull.author], &owner, &base)
        });
        Look::Many(items.collect(), order.len())
    }

    fn reviews(&self, repository: &Repository, pull: &Pull, part: &Range<usize>, now: Instant) -> Look {
        let seen: Vec<_> = pull.reviews.iter().filter(|review| review.at <= now).collect();
        let place = repository.place(now);
        let items = slice(&seen, part).iter().map(|review| {
            let account = &self.accounts[review.by];
            let user = if account.is_deleted(now) { "null" } else { &self.users[review.by] };
            let association = if account.left == Some(Instant::EPOCH) { "COLLABORATOR" } else { "MEMBER" };
            change_shapes::review(review, pull, place, user, association)
        });
        Look::Many(items.collect(), seen.len())
    }

    fn commits(&self, repository: &Repository, pull: &Pull, part: &Range<usize>, now: Instant) -> Look {
        let seen: Vec<_> = pull.commits.iter().filter(|commit| commit.at <= now).collect();
        let place = repository.place(now);
        let items = slice(&seen, part).iter().map(|commit| {
            let by = [commit.author, commit.committer];
            let users = by.map(|account| self.users[account].as_str());
            change_shapes::commit(
                commit,
                &pull.title,
                place,
                by.map(|account| &self.accounts[account]),
                users,
            )
        });
        Look::Many(items.collect(), seen.len())
    }

    fn suites(
        &self,
        repository: &Repository,
        span_ms: i64,
        judged: Judged,
        part: &Range<usize>,
        now: Instant,
    ) -> Look {
        let window = slice(&repository.pushes, &repository.judged(span_ms, now));
        let all: Vec<&Pull> = window
            .iter()
            .rev()
            .map(|(_, k)| &repository.pulls[*k])
            .filter(|pull| match judged {
                Judged::All => true,
                Judged::Pass => !pull.bypassed,
                Judged::Fail => false,
                Judged::Bypass => pull.bypassed,
            })
            .collect();
        let place = repository.place(now);
        let items = slice(&all, part)
            .iter()
            .map(|pull| change_shapes::suite(pull, place, &self.accounts[pull.merged_by]));
        Look::Many(items.collect(), all.len())
    }
}

impl Repository {
    fn place(&self, now: Instant) -> Place<'static> {
        Place { id: self.id, name: self.name(now), branch: self.branch() }
    }

    fn look(&self, pushed: Instant, now: Instant) -> RepositoryLook<'static> {
        RepositoryLook {
            id: self.id,
            name: self.name(now),
            branch: self.branch(),
            language: self.named.2,
            visibility: self.visibility(),
            archived: self.is_archived(now),
            created: self.created,
            pushed,
        }
    }

    fn pushed(&self, now: Instant) -> Instant {
        until(&self.pushes, now).checked_sub(1).map_or(self.created, |last| self.pushes[last].0)
    }

    /// Closed changes by `now`, the last updated first.
    fn by_last_update(&self, now: Instant) -> Vec<usize> {
        let mut seen = HashSet::new();
        let past = self.updates[..until(&self.updates, now)].iter().rev();
        past.map(|(_, k)| *k).filter(|k| seen.insert(*k)).collect()
    }

    /// The pushes that rulesets judged in the last `span_ms`; where no ruleset applies, none.
    fn judged(&self, span_ms: i64, now: Instant) -> Range<usize> {
        if self.guard() == Guard::Classic {
            return 0..0;
        }
        until(&self.pushes, now.plus_ms(-span_ms))..until(&self.pushes, now)
    }
}

/// How many have happened by `now`.
fn until(past: &[(Instant, usize)], now: Instant) -> usize {
    past.partition_point(|(at, _)| *at <= now)
}

fn slice<'a, T>(all: &'a [T], part: &Range<usize>) -> &'a [T] {
    all.get(part.start..part.end.min(all.len())).unwrap_or_default()
}

const fn midnight(now: Instant) -> Instant {
    Instant::from_ms(now.ms().div_euclid(DAY_MS) * DAY_MS)
}

fn flag(is: bool) -> i64 {
    i64::from(is)
}

fn long(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX >> 34)
}
