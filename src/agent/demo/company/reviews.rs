//! How one change was written and reviewed: the ordinary ways, the awkward ones that are still in order, the planted ones.
//!
//! In every ordinary story somebody who wrote none of the change approved the merged commit before the merge.

use observance_record::Instant;

use super::{
    dice::Dice,
    people::{ADMIN, CONTRACTOR, DEPENDABOT, RENOVATE, WEB_FLOW},
    plan::{Special, Tale},
};

const MINUTE_MS: i64 = 60_000;

/// One review.
#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) id: u64,
    pub(super) by: usize,
    pub(super) state: &'static str,
    pub(super) at: Instant,
    /// Which commit of the change was reviewed, from 0.
    pub(super) commit: usize,
}

/// A commit before it has a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) author: usize,
    pub(super) committer: usize,
    pub(super) at: Instant,
}

/// Everything people did to one change.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) author: usize,
    pub(super) merged_by: usize,
    pub(super) commits: Vec<Made>,
    pub(super) reviews: Vec<Review>,
    pub(super) touched: Option<Instant>,
}

/// Three different people of a team, and the time there is.
struct Cast {
    author: usize,
    one: usize,
    two: usize,
    created: Instant,
    closed: Instant,
}

impl Cast {
    fn of(created: Instant, closed: Instant, team: &[usize], dice: &mut Dice) -> Self {
        let at = dice.index(team.len());
        // At most two short of the whole round, so that the third is not the first again.
        let step = 1 + dice.index(team.len().saturating_sub(2));
        let member = |k: usize| team[k % team.len()];
        Self { author: member(at), one: member(at + step), two: member(at + step + 1), created, closed }
    }

    /// When `percent` of the change's life has passed, to the second.
    fn at(&self, percent: i64) -> Instant {
        let s = self.closed.ms_since(self.created) / 1000 * percent / 100;
        self.created.plus_ms(s * 1000)
    }

    fn commit(&self, author: usize, percent: i64) -> Made {
        let at = if percent == 0 { self.created.plus_ms(-4 * MINUTE_MS) } else { self.at(percent) };
        Made { author, committer: author, at }
    }

    fn review(&self, by: usize, state: &'static str, percent: i64, commit: usize) -> Review {
        Review { id: 0, by, state, at: self.at(percent), commit }
    }

    fn told(self, commits: Vec<Made>, reviews: Vec<Review>) -> Told {
        Told { author: self.author, merged_by: self.author, commits, reviews, touched: None }
    }
}

/// An ordinary change, in one of the ways in which a change can be in order.
pub(super) fn story(created: Instant, closed: Instant, team: &[usize], dice: &mut Dice) -> Told {
    let cast = Cast::of(created, closed, team, dice);
    let (author, one, two) = (cast.author, cast.one, cast.two);
    let first = cast.commit(author, 0);
    let mut told = match dice.between(0, 99) {
        0..=7 => by_bot(cast, if dice.happens(70) { DEPENDABOT } else { RENOVATE }),
        8..=15 => {
            let reviews = vec![cast.review(one, "APPROVED", 50, 0), cast.review(two, "APPROVED", 75, 0)];
            cast.told(vec![first], reviews)
        }
        16..=24 => {
            let reviews =
                vec![cast.review(one, "CHANGES_REQUESTED", 25, 0), cast.review(one, "APPROVED", 75, 1)];
            let commits = vec![first, cast.commit(author, 45)];
            cast.told(commits, reviews)
        }
        25..=29 => {
            let reviews = vec![cast.review(one, "DISMISSED", 30, 0), cast.review(one, "APPROVED", 80, 1)];
            let commits = vec![first, cast.commit(author, 50)];
            cast.told(commits, reviews)
        }
        30..=31 => {
            let reviews = vec![cast.review(one, "DISMISSED", 30, 0), cast.review(two, "APPROVED", 70, 0)];
            cast.told(vec![first], reviews)
        }
        32..=34 => {
            let reviews = vec![cast.review(one, "APPROVED", 55, 1), cast.review(two, "APPROVED", 80, 1)];
            let commits = vec![first, cast.commit(one, 40)];
            cast.told(commits, reviews)
        }
        _ => plain(cast, dice),
    };
    if dice.happens(3) {
        told.touched = Some(closed.plus_ms(dice.between(2, 40 * 60) * MINUTE_MS));
    }
    told
}

/// A planted change.
pub(super) fn tale(special: Special, team: &[usize], dice: &mut Dice) -> Told {
    let cast = Cast::of(special.created, special.merged, team, dice);
    let (author, one) = (cast.author, cast.one);
    let commits = vec![cast.commit(author, 0)];
    match special.tale {
        Tale::Approved => {
            let reviews = vec![cast.review(one, "APPROVED", 70, 0)];
            cast.told(commits, reviews)
        }
        Tale::Bypassed => {
            let reviews = vec![cast.review(one, "APPROVED", 70, 0)];
            Told { merged_by: ADMIN, ..cast.told(commits, reviews) }
        }
        Tale::ByContractor => {
            let reviews = vec![cast.review(CONTRACTOR, "APPROVED", 20, 0)];
            cast.told(commits, reviews)
        }
        Tale::Unapproved { late } => {
            let mut reviews = vec![cast.review(one, "COMMENTED", 60, 0)];
            reviews.extend(late.map(|at| Review { at, ..cast.review(one, "APPROVED", 0, 0) }));
            Told { touched: late, ..cast.told(commits, reviews) }
        }
    }
}

fn by_bot(cast: Cast, bot: usize) -> Told {
    let commits = vec![Made { committer: WEB_FLOW, ..cast.commit(bot, 0) }];
    let reviews = vec![cast.review(cast.one, "APPROVED", 80, 0)];
    let merged_by = cast.one;
    Told { author: bot, merged_by, ..cast.told(commits, reviews) }
}

/// One approval of the last of one to three commits; now and then somebody, or the author, comments before.
fn plain(cast: Cast, dice: &mut Dice) -> Told {
    let mut commits: Vec<Made> = [0, 12, 28]
        .iter()
        .take(1 + dice.index(3))
        .map(|percent| cast.commit(cast.author, *percent))
        .collect();
    if dice.happens(15) {
        for made in &mut commits {
            made.committer = WEB_FLOW;
        }
    }
    let last = commits.len() - 1;
    let mut reviews = Vec::new();
    if dice.happens(25) {
        let by = if dice.happens(40) { cast.author } else { cast.two };
        reviews.push(cast.review(by, "COMMENTED", 35, last));
    }
    reviews.push(cast.review(cast.one, "APPROVED", dice.between(60, 95), last));
    cast.told(commits, reviews)
}
