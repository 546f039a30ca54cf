//! The changes of each repository: who proposed what, who reviewed which commit, what was merged when.
//!
//! A pure function of the seed, the period and the plan. It writes no JSON; see `shapes`.

use chrono::NaiveDate;
use observance_record::Instant;

use super::{
    calendar::{berlin, day_of, earlier, working_days},
    dice::{Dice, sha},
    names, people,
    plan::{self, Plan, Special, Tale},
    reviews::{Review, story, tale},
};

/// Changes merged in a half year (4,343 hours, with its spring change of clocks); other periods have their share.
const MERGED_IN_HALF_YEAR: i64 = 2_318;
const HALF_YEAR_MS: i64 = 4_343 * 3_600_000;
/// Days before the period in which changes are already there.
const DAYS_BEFORE: u64 = 40;
/// Changes of each repository that were merged before the period.
const MERGED_BEFORE: usize = 4;
/// Draws for a place of one change in its repository's calendar; a change that finds none is not made.
const DRAWS_MAX: usize = 200;

/// One commit of a change.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) parent: String,
    pub(super) author: usize,
    pub(super) committer: usize,
    pub(super) at: Instant,
}

/// One pull request, closed at `closed`.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) topic: String,
    pub(super) author: usize,
    pub(super) created: Instant,
    pub(super) closed: Instant,
    pub(super) merged: bool,
    pub(super) merged_by: usize,
    pub(super) bypassed: bool,
    /// Something was said after it was closed: `updated_at` moves.
    pub(super) touched: Option<Instant>,
    pub(super) base: String,
    pub(super) merge: String,
    pub(super) commits: Vec<Commit>,
    pub(super) reviews: Vec<Review>,
}

impl Pull {
    /// The commit that was merged.
    pub(super) fn head(&self) -> &str {
        self.commits.last().map_or(self.base.as_str(), |commit| commit.sha.as_str())
    }

    /// When it last changed, as of `now`.
    pub(super) fn updated(&self, now: Instant) -> Instant {
        self.touched.filter(|touched| *touched <= now).unwrap_or(self.closed)
    }
}

/// Times of one change before anybody has a part in it.
#[derive(Debug, Clone, Copy)]
struct Span {
    created: Instant,
    closed: Instant,
    special: Option<Special>,
    merged: bool,
}

/// The changes of every repository, by ascending number.
pub(super) fn draw(seed: u64, from: Instant, to: Instant, plan: &Plan) -> Vec<Vec<Pull>> {
    let wanted = MERGED_IN_HALF_YEAR * to.ms_since(from).max(0) / HALF_YEAR_MS;
    let planted = plan.specials.iter().filter(|s| from <= s.merged && s.merged < to).count();
    let drawn = usize::try_from(wanted).unwrap_or(0).saturating_sub(planted);
    let shares: usize = names::REPOSITORIES.iter().map(|named| named.5).sum();
    let mut before = 0;
    let mut all = Vec::with_capacity(names::REPOSITORIES.len());
    for (index, named) in names::REPOSITORIES.iter().enumerate() {
        let quota = drawn * (before + named.5) / shares - drawn * before / shares;
        before += named.5;
        let mut dice = Dice::of(seed, 0x6368_616e_6765 + u64::try_from(index).unwrap_or(0));
        let spans = Days::of(named.0, from, to, plan).spans(quota, &mut dice);
        all.push(tell(seed, index, &spans, dice));
    }
    number_all(&mut all);
    all
}

/// The working days on which changes of one repository may be closed, and the spans nobody may overlap.
struct Days {
    place: &'static str,
    before: Vec<NaiveDate>,
    within: Vec<NaiveDate>,
    taken: Option<(Instant, Instant)>,
    specials: Vec<Special>,
}

impl Days {
    fn of(place: &'static str, from: Instant, to: Instant, plan: &Plan) -> Self {
        let (first, end) =
            (day_of(from), day_of(if place == plan::ARCHIVED { to.min(plan.archived) } else { to }));
        Self {
            place,
            before: working_days(earlier(first, DAYS_BEFORE), first),
            within: working_days(first, end).into_iter().filter(|day| from <= berlin(*day, 0)).collect(),
            taken: (place == plan::LIFTED).then_some(plan.lifted),
            specials: plan.specials.clone(),
        }
    }

    /// `quota` merged changes of the period, a tenth as many that were given up, the planted ones, and a few before.
    fn spans(&self, quota: usize, dice: &mut Dice) -> Vec<Span> {
        let mut spans: Vec<Span> = self
            .specials
            .iter()
            .filter(|special| special.place == self.place)
            .map(|s| Span { created: s.created, closed: s.merged, special: Some(*s), merged: true })
            .collect();
        let kinds = [
            (&self.before, MERGED_BEFORE, true),
            (&self.within, quota, true),
            (&self.within, quota / 10, false),
        ];
        let sittings = sittings(self.within.len(), quota, dice);
        for (days, count, merged) in kinds {
            let sittings = if days == &self.within { sittings.as_slice() } else { &[] };
            spans.extend((0..count).filter_map(|_| self.span(days, sittings, merged, dice)));
        }
        spans.sort_by_key(|span| (span.created, span.closed));
        spans
    }

    fn span(&self, days: &[NaiveDate], sittings: &[Sitting], merged: bool, dice: &mut Dice) -> Option<Span> {
        (0..DRAWS_MAX).map(|_| one_span(days, sittings, merged, dice)).find(|span| {
            span.is_some_and(|s| self.taken.is_none_or(|(from, to)| s.closed < from || to < s.created))
        })?
    }
}

const HALF_HOUR: i64 = 1_800;
const MORNING: (i64, i64) = (9 * 3600 + HALF_HOUR, 11 * 3600 + HALF_HOUR);
const AFTERNOON: (i64, i64) = (14 * 3600 + HALF_HOUR, 17 * 3600 + HALF_HOUR);

/// Half a working day in which a team closes several changes: which day, and between which seconds of it.
type Sitting = (usize, (i64, i64));

/// Teams work in bursts: about four changes are closed at a sitting. It also spares every reader of the lists.
fn sittings(days: usize, quota: usize, dice: &mut Dice) -> Vec<Sitting> {
    let half = |dice: &mut Dice| if dice.happens(50) { MORNING } else { AFTERNOON };
    (0..quota.div_ceil(4)).map(|_| (dice.index(days), half(dice))).collect()
}

fn one_span(days: &[NaiveDate], sittings: &[Sitting], merged: bool, dice: &mut Dice) -> Option<Span> {
    const OPENS: i64 = 8 * 3600;
    let alone = (dice.index(days.len()), (MORNING.0, AFTERNOON.1));
    let sitting = sittings.get(dice.index(sittings.len())).copied();
    let (last, (least, most)) = sitting.filter(|_| !dice.happens(6)).unwrap_or(alone);
    let closed_s = dice.between(least, most);
    let lag = [0, 0, 0, 1, 1, 2, 3, 5][dice.index(8)];
    let first = last.saturating_sub(lag);
    let latest = if first == last { closed_s - HALF_HOUR } else { AFTERNOON.1 };
    let created_s = dice.between(OPENS, latest);
    Some(Span {
        created: berlin(*days.get(first)?, created_s),
        closed: berlin(*days.get(last)?, closed_s),
        special: None,
        merged,
    })
}

/// Gives each span its people, commits and reviews.
fn tell(seed: u64, index: usize, spans: &[Span], mut dice: Dice) -> Vec<Pull> {
    let first = first_number(spans, &mut dice);
    let team = people::team(seed, index);
    let key = |n: u64, what: u64| (u64::try_from(index).unwrap_or(0) << 40) | (n << 8) | what;
    spans
        .iter()
        .zip(first..)
        .map(|(span, number)| {
            let base = sha(seed, key(number, 0xff));
            let told = match span.special {
                Some(special) => tale(special, &team, &mut dice),
                None => story(span.created, span.closed, &team, &mut dice),
            };
            let mut parent = base.clone();
            let commits = told.commits.iter().zip(1..).map(|(made, n)| {
                let sha = sha(seed, key(number, n));
                let parent = std::mem::replace(&mut parent, sha.clone());
                Commit { sha, parent, author: made.author, committer: made.committer, at: made.at }
            });
            let commits = commits.collect();
            let topic = topic(told.author, &mut dice);
            Pull {
                id: 0,
                number,
                title: topic.clone(),
                topic: topic.to_ascii_lowercase().replace([' ', '/', '.'], "-"),
                author: told.author,
                created: span.created,
                closed: span.closed,
                merged: span.merged,
                merged_by: told.merged_by,
                bypassed: span.special.is_some_and(|s| s.tale == Tale::Bypassed),
                touched: told.touched,
                merge: sha(seed, key(number, 0xfe)),
                base,
                commits,
                reviews: told.reviews,
            }
        })
        .collect()
}

/// Chosen so that the planted changes get the numbers by which people speak of them.
fn first_number(spans: &[Span], dice: &mut Dice) -> u64 {
    let any = dice.between(40, 900).unsigned_abs();
    let planted = spans.iter().zip(0_u64..).find_map(|(span, i)| Some((span.special?.number?, i)));
    planted.map_or(any, |(number, i)| number.saturating_sub(i))
}

fn topic(author: usize, dice: &mut Dice) -> String {
    if author == people::DEPENDABOT || author == people::RENOVATE {
        let package = names::PACKAGES[dice.index(names::PACKAGES.len())];
        let (minor, patch) = (dice.between(1, 40), dice.between(1, 9));
        return format!("Bump {package} to 4.{minor}.{patch}");
    }
    format!(
        "{} {}",
        names::VERBS[dice.index(names::VERBS.len())],
        names::OBJECTS[dice.index(names::OBJECTS.len())]
    )
}

/// Ids of changes and reviews grow with time over the whole source, as GitHub's do.
fn number_all(all: &mut [Vec<Pull>]) {
    const FIRST_PULL: u64 = 2_210_000_000;
    const FIRST_REVIEW: u64 = 2_560_000_000;
    let mut order: Vec<&mut Pull> = all.iter_mut().flatten().collect();
    order.sort_by_key(|pull| pull.created);
    for (pull, rank) in order.into_iter().zip(0_u64..) {
        pull.id = FIRST_PULL + rank * 70_001;
        for (review, n) in pull.reviews.iter_mut().zip(0_u64..) {
            review.id = FIRST_REVIEW + rank * 160_001 + n;
        }
    }
}
