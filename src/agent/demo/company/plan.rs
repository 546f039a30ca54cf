//! What is planted in the company's half year: every instant at which something happens that a control should see,
//! or that should not disturb it.
//!
//! It makes no bodies and answers no requests; ordinary changes are drawn in `changes`.

use observance_record::Instant;

use super::calendar::{berlin, date};

/// What kind of thing was planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A change was merged past a rule, by an owner; the change itself was approved.
    RuleBypassed,
    /// The account of the only approver of two changes was deleted before they were merged.
    AccountDeleted,
    /// A change was merged whose only approver is `null` in every answer: nobody can say who approved it.
    ApproverUnknown,
    /// A repository got another name; its id and its changes stay.
    Renamed,
    /// A list page answers 502 for as long as the event lasts.
    PageBroken,
    /// A member left the organisation.
    Left,
    /// A member joined the organisation.
    Joined,
    /// A repository required no review for as long as the event lasts.
    ReviewsLifted,
    /// A change was merged while no review was required, and was approved all the same.
    MergedApproved,
    /// A change was merged with no approval by another person.
    MergedUnapproved,
    /// Every request is answered 503 for as long as the event lasts.
    SourceDown,
    /// The first run in this hour finds the request budget spent after 30 requests; it returns 11 minutes later.
    BudgetSpent,
    /// A repository was archived.
    Archived,
    /// Rules and protection of a repository answer 403, always; its changes stay readable.
    RulesForbidden,
}

/// One planted event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// What happens.
    pub event: Event,
    /// When it happens or begins; the minute is exact.
    pub from: Instant,
    /// When it ends (exclusive); absent if it happens in an instant or never ends.
    pub to: Option<Instant>,
    /// The repository by its first name, or the path; empty if it concerns the whole source.
    pub place: &'static str,
    /// The number of the change, if it is one.
    pub number: Option<u64>,
}

/// The repository whose required reviews are lifted in March.
pub(super) const LIFTED: &str = "billing-api";
/// The repository whose rules nobody may read.
pub(super) const FORBIDDEN: &str = "legacy-payroll";
/// The repository that is archived in June.
pub(super) const ARCHIVED: &str = "loadtest";
/// The repository that is renamed in February, and its later name.
pub(super) const RENAMED: (&str, &str) = ("notify", "notifications");
/// The repository with the one bypass.
pub(super) const BYPASSED: &str = "infra-terraform";

/// How a planted change came to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tale {
    /// Approved in the ordinary way.
    Approved,
    /// Approved, and merged past a red check by an owner.
    Bypassed,
    /// Approved by the contractor alone.
    ByContractor,
    /// Commented on, approved by nobody before the merge; perhaps long after.
    Unapproved { late: Option<Instant> },
}

/// One planted change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Special {
    pub(super) place: &'static str,
    pub(super) number: Option<u64>,
    pub(super) created: Instant,
    pub(super) merged: Instant,
    pub(super) tale: Tale,
}

/// The instants of one year.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) account_deleted: Instant,
    pub(super) renamed: Instant,
    pub(super) page_broken: (Instant, Instant),
    pub(super) left: Instant,
    pub(super) joined: Instant,
    pub(super) lifted: (Instant, Instant),
    pub(super) down: (Instant, Instant),
    pub(super) budget_spent: (Instant, Instant),
    pub(super) archived: Instant,
    pub(super) specials: Vec<Special>,
}

impl Plan {
    /// The plan of a year; all times of day are Berlin's.
    pub(super) fn of(year: i32) -> Self {
        let at =
            |month, day, hour: i64, minute: i64| berlin(date(year, month, day), hour * 3600 + minute * 60);
        Self {
            account_deleted: at(2, 11, 9, 0),
            renamed: at(2, 17, 10, 40),
            page_broken: (at(2, 20, 0, 0), at(2, 21, 0, 0)),
            left: at(2, 27, 17, 30),
            joined: at(3, 16, 9, 5),
            lifted: (at(3, 12, 9, 13), at(3, 13, 15, 50)),
            down: (at(4, 2, 1, 0), at(4, 2, 8, 0)),
            budget_spent: (at(4, 14, 10, 0), at(4, 14, 11, 0)),
            archived: at(6, 9, 14, 20),
            specials: specials(at),
        }
    }

    /// The events of this plan in the order in which they happen; `from` is the beginning of the company's period.
    pub(super) fn planted(&self, from: Instant) -> Vec<Planted> {
        let mut all = vec![
            span(Event::RulesForbidden, (from, None), FORBIDDEN),
            span(Event::AccountDeleted, (self.account_deleted, None), ""),
            span(Event::Renamed, (self.renamed, None), RENAMED.0),
            span(Event::PageBroken, lasting(self.page_broken), "/orgs/acme/members?filter=all&page=2"),
            span(Event::Left, (self.left, None), ""),
            span(Event::Joined, (self.joined, None), ""),
            span(Event::ReviewsLifted, lasting(self.lifted), LIFTED),
            span(Event::SourceDown, lasting(self.down), ""),
            span(Event::BudgetSpent, lasting(self.budget_spent), ""),
            span(Event::Archived, (self.archived, None), ARCHIVED),
        ];
        all.extend(self.specials.iter().filter_map(|special| {
            let event = match special.tale {
                Tale::Approved if special.place == LIFTED => Event::MergedApproved,
                Tale::Approved => return None,
                Tale::Bypassed => Event::RuleBypassed,
                Tale::ByContractor => Event::ApproverUnknown,
                Tale::Unapproved { .. } => Event::MergedUnapproved,
            };
            Some(Planted { number: special.number, ..span(event, (special.merged, None), special.place) })
        }));
        all.sort_by_key(|planted| (planted.from, planted.event));
        all
    }
}

fn specials(at: impl Fn(u32, u32, i64, i64) -> Instant) -> Vec<Special> {
    let special = |place, number, created, merged, tale| Special { place, number, created, merged, tale };
    let late = Some(at(3, 16, 9, 40));
    vec![
        special(BYPASSED, Some(611), at(1, 9, 14, 5), at(1, 9, 17, 24), Tale::Bypassed),
        special("data-export", Some(268), at(2, 10, 10, 20), at(2, 11, 10, 15), Tale::ByContractor),
        special("mobile-ios", Some(1204), at(2, 10, 11, 30), at(2, 11, 14, 40), Tale::ByContractor),
        special(LIFTED, Some(879), at(3, 12, 9, 31), at(3, 12, 11, 42), Tale::Approved),
        special(LIFTED, Some(880), at(3, 12, 13, 10), at(3, 12, 16, 55), Tale::Approved),
        special(LIFTED, Some(881), at(3, 13, 10, 5), at(3, 13, 10, 21), Tale::Unapproved { late }),
        // Merged after the last look before the source goes down: only a caught-up window finds it.
        special("checkout", None, at(4, 1, 23, 58), at(4, 2, 0, 47), Tale::Approved),
        special("web", Some(412), at(5, 18, 15, 12), at(5, 19, 11, 8), Tale::Unapproved { late: None }),
    ]
}

const fn lasting((from, to): (Instant, Instant)) -> (Instant, Option<Instant>) {
    (from, Some(to))
}

const fn span(event: Event, (from, to): (Instant, Option<Instant>), place: &'static str) -> Planted {
    Planted { event, from, to, place, number: None }
}
