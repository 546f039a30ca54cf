//! Finished answers: a body with its ETag and the links to its neighbours, or a refusal in GitHub's words.
//!
//! It knows neither the clock nor the request's headers; see `serve`.

use axum::{
    body::Bytes,
    http::{HeaderValue, StatusCode},
};
use observance_record::Instant;
use sha2::{Digest, Sha256};

use super::{
    Company, TOKEN,
    calendar::github,
    object::{Object, array},
    route::{Paging, Resource, list_path},
    view::Look,
};

/// The media type that collectors ask for.
const MEDIA: &str = "application/vnd.github+json";
const DOCS: &str = "https://docs.github.com/rest";
const DOCS_LIMITS: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";
const DOCS_REDIRECTS: &str =
    "https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api";

/// A finished answer.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// Not of the links: those beside an unchanged body may differ.
    pub(super) etag: Option<HeaderValue>,
    pub(super) link: Option<HeaderValue>,
    pub(super) location: Option<HeaderValue>,
}

impl Page {
    /// The present state of `resource`; `query` is the request's, for the links. These are relative (RFC 8288 section 3.1),
    /// unlike GitHub's: a link is evidence, the port is another each time, and the same seed must make the same evidence.
    pub(super) fn of(
        company: &Company,
        (resource, paging): (Resource, Paging),
        query: &str,
        now: Instant,
    ) -> Self {
        let start = (paging.page - 1).saturating_mul(paging.per_page);
        match company.look(resource, start..start.saturating_add(paging.per_page), now) {
            Look::One(body) => Self::tagged(body),
            Look::Many(items, total) => {
                let path = list_path(company, resource).unwrap_or_default();
                let link = links(&path, query, paging, total);
                Self {
                    link: link.and_then(|text| HeaderValue::try_from(text).ok()),
                    ..Self::tagged(array(&items))
                }
            }
            Look::Absent(message) => Self::refusal(StatusCode::NOT_FOUND, message, DOCS),
            Look::Forbidden => {
                Self::refusal(StatusCode::FORBIDDEN, "Resource not accessible by personal access token", DOCS)
            }
        }
    }

    /// A body that nobody can ask for conditionally.
    pub(super) fn passing(body: String) -> Self {
        Self { status: StatusCode::OK, body: body.into(), etag: None, link: None, location: None }
    }

    pub(super) fn not_found() -> Self {
        Self::refusal(StatusCode::NOT_FOUND, "Not Found", DOCS)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::refusal(StatusCode::UNAUTHORIZED, "Bad credentials", DOCS)
    }

    pub(super) fn wrong_version() -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, "The API version is not one that is served here", DOCS)
    }

    pub(super) fn bad_gateway() -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            ..Self::passing(Object::new().put("message", "Server Error").end())
        }
    }

    pub(super) fn over_limit(user: u64, request_id: &str, now: Instant) -> Self {
        let text = format!(
            "API rate limit exceeded for user ID {user}. If you reach out to GitHub Support for help, please include \
             the request ID {request_id} and timestamp {}.",
            github(now)
        );
        Self::refusal(StatusCode::FORBIDDEN, &text, DOCS_LIMITS)
    }

    /// A parameter that is not modelled (`validation-error`).
    pub(super) fn unprocessable(field: &str) -> Self {
        let error = Object::new().put("resource", "Search").put("field", field).put("code", "invalid").end();
        let body = Object::new()
            .put("message", "Validation Failed")
            .raw("errors", &array(&[error]))
            .put("documentation_url", DOCS)
            .put("status", "422")
            .end();
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..Self::passing(body) }
    }

    pub(super) fn moved(base_url: &str, path: &str) -> Self {
        let url = format!("{base_url}{path}");
        let body = Object::new()
            .put("message", "Moved Permanently")
            .put("url", url.as_str())
            .put("documentation_url", DOCS_REDIRECTS)
            .end();
        let location = HeaderValue::try_from(url).ok();
        Self { status: StatusCode::MOVED_PERMANENTLY, location, ..Self::passing(body) }
    }

    /// `basic-error`.
    fn refusal(status: StatusCode, message: &str, docs: &str) -> Self {
        let object = Object::new().put("message", message).put("documentation_url", docs);
        Self { status, ..Self::passing(object.put("status", status.as_str()).end()) }
    }

    /// Its ETag is made as GitHub makes it, for the one token and the one media type that are asked with here.
    fn tagged(body: String) -> Self {
        let hash = Sha256::new().chain_update(format!("{MEDIA}:Bearer {TOKEN}:")).chain_update(&body);
        let etag = format!("W/\"{}\"", hex::encode(hash.finalize()));
        Self { etag: HeaderValue::try_from(etag).ok(), ..Self::passing(body) }
    }
}

/// The `Link` header of a page, in GitHub's order; none for a list of one page.
fn links(base: &str, query: &str, paging: Paging, total: usize) -> Option<String> {
    let last = total.div_ceil(paging.per_page).max(1);
    let kept: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("page")).collect();
    let to = |page: usize, relation: &str| {
        let mark = if kept.is_empty() { "" } else { "&" };
        format!("<{base}?{}{mark}page={page}>; rel=\"{relation}\"", kept.join("&"))
    };
    let mut all = Vec::new();
    if paging.page > 1 {
        all.push(to((paging.page - 1).min(last), "prev"));
    }
    if paging.page < last {
        all.extend([to(paging.page + 1, "next"), to(last, "last")]);
    }
    if paging.page > 1 {
        all.push(to(1, "first"));
    }
    (!all.is_empty()).then(|| all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_neighbours_and_keep_the_query() {
        let links =
            |page, total| links("http://h/l", "a=b&page=9&per_page=10", Paging { page, per_page: 10 }, total);
        assert_eq!(links(1, 10), None);
        assert_eq!(
            links(2, 30).unwrap(),
            "<http://h/l?a=b&per_page=10&page=1>; rel=\"prev\", <http://h/l?a=b&per_page=10&page=3>; rel=\"next\", \
             <http://h/l?a=b&per_page=10&page=3>; rel=\"last\", <http://h/l?a=b&per_page=10&page=1>; rel=\"first\""
        );
        assert_eq!(links(3, 30).unwrap().matches("rel=").count(), 2);
    }
}
