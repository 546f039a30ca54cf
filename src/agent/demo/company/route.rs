//! From a path and a query to the resource that is asked for.
//!
//! Only the paths and parameters that are modelled are answered; any other value of a parameter is refused with 422
//! rather than ignored. It makes no bodies.

use observance_record::Instant;

use super::{
    Company,
    shapes::{LOGIN, ORGANISATION},
};

/// Items on a page if the request does not say, and at most.
const PER_PAGE: usize = 30;
const PER_PAGE_MAX: usize = 100;
const HOUR_MS: i64 = 3_600_000;

/// What can be asked for. Repositories and changes by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Resource {
    Organisation,
    Repositories,
    Members,
    WithoutTwoFactor,
    Rules(usize),
    Protection(usize),
    /// Closed changes of a repository towards its default branch.
    Pulls(usize),
    /// Changes towards a branch that has none.
    NoPulls(usize),
    Reviews(usize, usize),
    Commits(usize, usize),
    Suites(usize, i64, Judged),
    /// Rules of a branch that no ruleset is about.
    NoRules(usize),
    /// Protection of a branch that does not exist.
    NoBranch(usize),
    RateLimit,
}

/// Which pushes are asked for, by their result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Judged {
    All,
    Pass,
    Fail,
    Bypass,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Paging {
    pub(super) page: usize,
    pub(super) per_page: usize,
}

/// Where a request leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    To(Resource, Paging),
    /// To the same thing under its permanent path.
    Moved(String),
    Missing,
    /// A parameter's value is not modelled.
    Refused(&'static str),
}

impl Resource {
    /// The words under which requests are counted.
    pub(super) const KINDS: [&'static str; 10] = [
        "organisation",
        "repositories",
        "members",
        "rules",
        "protection",
        "pulls",
        "reviews",
        "commits",
        "rule_suites",
        "rate_limit",
    ];

    /// Its place in [`Self::KINDS`].
    pub(super) const fn kind(self) -> usize {
        match self {
            Self::Organisation => 0,
            Self::Repositories => 1,
            Self::Members | Self::WithoutTwoFactor => 2,
            Self::Rules(_) | Self::NoRules(_) => 3,
            Self::Protection(_) | Self::NoBranch(_) => 4,
            Self::Pulls(_) | Self::NoPulls(_) => 5,
            Self::Reviews(..) => 6,
            Self::Commits(..) => 7,
            Self::Suites(..) => 8,
            Self::RateLimit => 9,
        }
    }

    /// What a fine-grained token needs for it.
    pub(super) const fn permission(self) -> &'static str {
        match self {
            Self::Organisation => "organization_administration=read",
            Self::Members | Self::WithoutTwoFactor => "members=read",
            Self::Repositories | Self::Rules(_) | Self::NoRules(_) | Self::RateLimit => "metadata=read",
            Self::Protection(_) | Self::NoBranch(_) | Self::Suites(..) => "administration=read",
            Self::Pulls(_) | Self::NoPulls(_) | Self::Reviews(..) | Self::Commits(..) => "pull_requests=read",
        }
    }
}

/// Finds what a request asks for.
pub(super) fn route(company: &Company, path: &str, query: &str, now: Instant) -> Route {
    let Some(paging) = paging(query) else { return Route::Refused("page") };
    let mut parts = path.split('/').skip(1);
    let found = match (parts.next(), parts.next()) {
        (Some("rate_limit"), None) => Ok(Resource::RateLimit),
        (Some("orgs"), Some(org)) if org.eq_ignore_ascii_case(LOGIN) => of_organisation(parts, query),
        (Some("organizations"), Some(id)) if id.parse() == Ok(ORGANISATION) => of_organisation(parts, query),
        (Some("repos"), Some(org)) if org.eq_ignore_ascii_case(LOGIN) => {
            let Some(index) = parts.next().and_then(|name| company.by_name(name, now)) else {
                return Route::Missing;
            };
            if company.repository(index).has_moved_from(path.split('/').nth(3), now) {
                return Route::Moved(permanent(company.repository(index).id, path, query));
            }
            of_repository(company, index, parts, query, now)
        }
        (Some("repositories"), Some(id)) => match id.parse().ok().and_then(|id| company.by_id(id)) {
            Some(index) => of_repository(company, index, parts, query, now),
            None => return Route::Missing,
        },
        _ => return Route::Missing,
    };
    found.map_or_else(|refused| refused, |resource| Route::To(resource, paging))
}

/// The path of a list under ids alone, as the links between its pages have it.
pub(super) fn list_path(company: &Company, resource: Resource) -> Option<String> {
    let (index, end) = match resource {
        Resource::Repositories => return Some(format!("/organizations/{ORGANISATION}/repos")),
        Resource::Members | Resource::WithoutTwoFactor => {
            return Some(format!("/organizations/{ORGANISATION}/members"));
        }
        Resource::Rules(i) | Resource::NoRules(i) => {
            (i, format!("rules/branches/{}", company.repository(i).branch()))
        }
        Resource::Pulls(i) | Resource::NoPulls(i) => (i, "pulls".to_owned()),
        Resource::Reviews(i, k) => (i, format!("pulls/{}/reviews", company.repository(i).pulls[k].number)),
        Resource::Commits(i, k) => (i, format!("pulls/{}/commits", company.repository(i).pulls[k].number)),
        Resource::Suites(i, ..) => (i, "rulesets/rule-suites".to_owned()),
        Resource::Organisation | Resource::Protection(_) | Resource::NoBranch(_) | Resource::RateLimit => {
            return None;
        }
    };
    Some(format!("/repositories/{}/{end}", company.repository(index).id))
}

type Found = Result<Resource, Route>;

fn of_organisation<'a>(mut parts: impl Iterator<Item = &'a str>, query: &str) -> Found {
    match (parts.next(), parts.next()) {
        (None, _) => Ok(Resource::Organisation),
        (Some("repos"), None) => {
            only(query, &[("type", &["all"]), ("sort", &["full_name"]), ("direction", &["asc"])])?;
            Ok(Resource::Repositories)
        }
        (Some("members"), None) => {
            only(query, &[("filter", &["all", "2fa_disabled"]), ("role", &["all"])])?;
            let filtered = value(query, "filter") == Some("2fa_disabled");
            Ok(if filtered { Resource::WithoutTwoFactor } else { Resource::Members })
        }
        _ => Err(Route::Missing),
    }
}

fn of_repository<'a>(
    company: &Company,
    i: usize,
    parts: impl Iterator<Item = &'a str>,
    query: &str,
    now: Instant,
) -> Found {
    let parts: Vec<&str> = parts.take(4).collect();
    let branch = company.repository(i).branch();
    let change = |number: &str| company.repository(i).change(number, now).ok_or(Route::Missing);
    match parts.as_slice() {
        ["rules", "branches", name] => {
            Ok(if *name == branch { Resource::Rules(i) } else { Resource::NoRules(i) })
        }
        ["branches", name, "protection"] => {
            Ok(if *name == branch { Resource::Protection(i) } else { Resource::NoBranch(i) })
        }
        ["pulls"] => {
            let allowed: &[(&str, &[&str])] =
                &[("state", &["closed"]), ("sort", &["updated"]), ("direction", &["desc"]), ("base", &[])];
            only(query, allowed)?;
            // GitHub's defaults for these are other values, which are not modelled.
            for name in ["state", "sort"] {
                value(query, name).ok_or(Route::Refused(name))?;
            }
            let of_default = value(query, "base").is_none_or(|base| base == branch);
            Ok(if of_default { Resource::Pulls(i) } else { Resource::NoPulls(i) })
        }
        ["pulls", number, "reviews"] => Ok(Resource::Reviews(i, change(number)?)),
        ["pulls", number, "commits"] => Ok(Resource::Commits(i, change(number)?)),
        ["rulesets", "rule-suites"] => suites(i, query),
        _ => Err(Route::Missing),
    }
}

fn suites(i: usize, query: &str) -> Found {
    only(query, &[("time_period", &[]), ("rule_suite_result", &[])])?;
    let span_ms = match value(query, "time_period") {
        Some("hour") => HOUR_MS,
        None | Some("day") => 24 * HOUR_MS,
        Some("week") => 7 * 24 * HOUR_MS,
        Some("month") => 30 * 24 * HOUR_MS,
        Some(_) => return Err(Route::Refused("time_period")),
    };
    let judged = match value(query, "rule_suite_result") {
        None | Some("all") => Judged::All,
        Some("pass") => Judged::Pass,
        Some("fail") => Judged::Fail,
        Some("bypass") => Judged::Bypass,
        Some(_) => return Err(Route::Refused("rule_suite_result")),
    };
    Ok(Resource::Suites(i, span_ms, judged))
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    pairs(query).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Refuses parameters that are not among `allowed`, and values that are not among theirs (none named: any).
fn only(query: &str, allowed: &[(&'static str, &[&str])]) -> Result<(), Route> {
    for (key, value) in pairs(query).filter(|(key, _)| !matches!(*key, "page" | "per_page")) {
        let (name, values) =
            allowed.iter().find(|(name, _)| *name == key).ok_or(Route::Refused("parameter"))?;
        if !values.is_empty() && !values.contains(&value) {
            return Err(Route::Refused(name));
        }
    }
    Ok(())
}

fn paging(query: &str) -> Option<Paging> {
    let number =
        |name, otherwise| value(query, name).map_or(Some(otherwise), |text| text.parse::<usize>().ok());
    let (page, per_page) = (number("page", 1)?.max(1), number("per_page", PER_PAGE)?);
    Some(Paging { page, per_page: per_page.clamp(1, PER_PAGE_MAX) })
}

fn permanent(id: u64, path: &str, query: &str) -> String {
    let end: String = path.split('/').skip(4).flat_map(|part| ["/", part]).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/repositories/{id}{end}{mark}{query}")
}
