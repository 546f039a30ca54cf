//! From a request to Okta's answer: the token, the paths that collectors ask for, pages of accounts, the rate limit's headers.
//!
//! Any other value of a parameter is refused with 400 rather than ignored.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use observance_record::Instant;

use super::{CREDENTIAL, Identity, Status, shapes};
use crate::demo::{
    dice::mix,
    object::array,
    site::{Answers, Asked, Reply, header_text},
};

/// Every state that an account can be in, as the collector names them: who was deactivated is listed only if asked for.
const ALL_STATES: &str = "status eq \"ACTIVE\" or status eq \"STAGED\" or status eq \"PROVISIONED\" or status eq \"RECOVERY\" \
    or status eq \"PASSWORD_EXPIRED\" or status eq \"LOCKED_OUT\" or status eq \"SUSPENDED\" or status eq \"DEPROVISIONED\"";
/// Accounts on a page, at most.
const LIMIT_MAX: usize = 200;
/// Requests a minute to one path.
const RATE: u64 = 2_000;
const MINUTE_S: i64 = 60;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-okta-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");

/// A body, and the address of the next page, if there is one.
type Found = Result<(String, Option<String>), Refused>;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Token,
    Missing,
    Parameter,
}

impl Answers for Identity {
    fn answer(&self, asked: &Asked<'_>, now: Instant) -> Reply {
        let found = if asked.credential == CREDENTIAL { self.found(asked, now) } else { Err(Refused::Token) };
        let (status, body, next) = match found {
            Ok((body, next)) => (StatusCode::OK, body, next),
            Err(refused) => refused.said(),
        };
        let mut headers = headers(asked, now);
        headers.extend(next.map(|url| (header::LINK, header_text(&format!("<{url}>; rel=\"next\"")))));
        Reply { status, headers, body }
    }
}

impl Identity {
    fn found(&self, asked: &Asked<'_>, now: Instant) -> Found {
        let whole = |body: String| Ok((body, None));
        let parts: Vec<&str> = asked.path.split('/').skip(1).collect();
        match parts.as_slice() {
            _ if !asked.is_get => Err(Refused::Missing),
            ["api", "v1", "org"] => whole(shapes::organisation()),
            ["api", "v1", "iam", "assignees", "users"] => whole(shapes::assignees(&self.administrators(now))),
            ["api", "v1", "groups"] if asked.value("expand") == Some("stats") => {
                whole(shapes::groups(self.sizes(now)))
            }
            ["api", "v1", "users"] => self.page(asked, now),
            ["api", "v1", "users", id, rest @ ..] => {
                let account = self.account(id, now).ok_or(Refused::Missing)?;
                match rest {
                    [] => whole(shapes::user(account, now)),
                    ["roles"] => whole(shapes::roles(account)),
                    ["factors"] => {
                        let factors = account.factors(now);
                        let bodies: Vec<String> =
                            factors.into_iter().map(|factor| shapes::factor(account, factor)).collect();
                        whole(array(&bodies))
                    }
                    _ => Err(Refused::Missing),
                }
            }
            _ => Err(Refused::Missing),
        }
    }

    /// A page of the accounts, after the one that is named.
    fn page(&self, asked: &Asked<'_>, now: Instant) -> Found {
        let limit: usize =
            asked.value("limit").and_then(|limit| limit.parse().ok()).ok_or(Refused::Parameter)?;
        if asked.value("filter") != Some(ALL_STATES) || !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Refused::Parameter);
        }
        let listed = self.listed(now);
        let after = asked.value("after").unwrap_or_default();
        let from = listed.partition_point(|account| account.id.as_str() <= after);
        let page: Vec<_> = listed.iter().skip(from).take(limit).collect();
        let bodies: Vec<String> = page.iter().map(|account| shapes::user(account, now)).collect();
        let last = page.last().filter(|_| from + page.len() < listed.len());
        let next = last.map(|account| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("after", &account.id)
                .append_pair("limit", &limit.to_string())
                .append_pair("filter", ALL_STATES)
                .finish();
            format!("/api/v1/users?{query}")
        });
        Ok((array(&bodies), next))
    }

    /// How many are in each group.
    fn sizes(&self, now: Instant) -> [usize; 3] {
        let active: Vec<_> =
            self.listed(now).into_iter().filter(|account| account.status(now) == Status::Active).collect();
        let makers = active.iter().filter(|account| account.person.is_maker).count();
        [active.len(), makers, active.len() - makers]
    }
}

impl Refused {
    fn said(self) -> (StatusCode, String, Option<String>) {
        let (status, code, summary) = match self {
            Self::Token => (StatusCode::UNAUTHORIZED, "E0000011", "Invalid token provided"),
            Self::Missing => (StatusCode::NOT_FOUND, "E0000007", "Not found: Resource not found"),
            Self::Parameter => (StatusCode::BAD_REQUEST, "E0000001", "Api validation failed"),
        };
        (status, shapes::error(code, summary), None)
    }
}

/// Requests of one instant come in any order, and the same life must give the same answers: each says what was left to it alone.
fn headers(asked: &Asked<'_>, now: Instant) -> Vec<(HeaderName, HeaderValue)> {
    let hash = asked.path.bytes().fold(now.ms().unsigned_abs(), |hash, byte| mix(hash ^ u64::from(byte)));
    let reset = (now.s().div_euclid(MINUTE_S) + 1) * MINUTE_S;
    vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REQUEST_ID, header_text(&format!("{hash:016x}{:016x}", mix(hash)))),
        (RATE_LIMIT, RATE.into()),
        (RATE_REMAINING, (RATE - 1).into()),
        (RATE_RESET, reset.into()),
    ]
}
