//! The company behind real HTTP on loopback, as GitHub would answer: token, conditional requests, limits, faults.
//!
//! What it answers is the company's state at the clock's instant; all it keeps are finished pages, the spent part of the
//! request budget and its counters. It speaks no TLS and lets in one token.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
};
use observance_record::Instant;

use super::{
    Company, TOKEN,
    budget::{Budget, Standing},
    calendar,
    dice::mix,
    page::Page,
    people::ADMIN,
    route::{Paging, Resource, Route, route},
    site::{Door, Open, header_text as text},
};
use crate::clock::Clock;

/// The one version of the API that is served.
const VERSION: &str = "2026-03-10";
/// How long after the period the token is valid.
const TOKEN_MS: i64 = 90 * 86_400_000;
/// Pages kept at a time; a half year of ordinary use asks for about a third as many.
const PAGES_MAX: usize = 16_384;
const ACCEPTED: HeaderName = HeaderName::from_static("x-accepted-github-permissions");
const EXPIRES: HeaderName = HeaderName::from_static("github-authentication-token-expiration");
const ASKED_VERSION: HeaderName = HeaderName::from_static("x-github-api-version");
const SELECTED_VERSION: HeaderName = HeaderName::from_static("x-github-api-version-selected");
const MEDIA_TYPE: HeaderName = HeaderName::from_static("x-github-media-type");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-github-request-id");
const DOWN: &str = "<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head><body>\
    <p>No server is currently available to service your request.</p></body></html>\n";

/// The company, served until this is dropped.
#[derive(Debug)]
pub struct Server {
    site: Arc<Site>,
    _open: Open,
}

impl Server {
    /// `http://127.0.0.1:<port>`, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.site.base_url
    }

    /// The company that is served.
    pub fn company(&self) -> &Company {
        &self.site.company
    }

    /// Requests received so far by kind, whatever was answered: `organisation`, `repositories`, `members`, `rules`,
    /// `protection`, `pulls`, `reviews`, `commits`, `rule_suites`, `rate_limit`, `other`.
    pub fn requests(&self) -> BTreeMap<&'static str, u64> {
        let kinds = Resource::KINDS.into_iter().chain(["other"]);
        kinds.zip(self.site.counts.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }
}

/// Serves `company` on a free port of 127.0.0.1, at the instant that `clock` shows; needs a running Tokio runtime.
///
/// # Errors
/// No runtime is running, or no port can be bound.
pub fn serve(company: Company, clock: Clock) -> io::Result<Server> {
    let door = Door::bind()?;
    let site = Arc::new(Site::new(company, clock, door.base_url().to_owned()));
    let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
    Ok(Server { site, _open: door.open(router) })
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    site.answer(&Asked::of(request.method(), request.uri(), request.headers()))
}

/// What matters of a request.
struct Asked<'a> {
    is_get: bool,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    fn of(method: &Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { is_get: method == Method::GET, path: uri.path(), query: uri.query().unwrap_or(""), headers }
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn is_let_in(&self) -> bool {
        self.header(&header::AUTHORIZATION)
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token == TOKEN)
    }

    /// Whether the requester holds `page` already (RFC 9110, section 13.1.2: weak comparison).
    fn knows(&self, page: &Page) -> bool {
        let Some(etag) = page.etag.as_ref().and_then(|etag| etag.to_str().ok()).map(opaque) else {
            return false;
        };
        self.header(&header::IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(|tag| opaque(tag) == etag))
    }

    /// Looks like GitHub's, and is the same for the same request at the same instant.
    fn id(&self, now: Instant) -> String {
        let bytes = self.path.bytes().chain(*b"?").chain(self.query.bytes());
        let hash = bytes.fold(now.ms().unsigned_abs(), |hash, byte| mix(hash ^ u64::from(byte)));
        let (high, low) = (hash >> 32, hash & 0xffff_ffff);
        format!("{:04X}:{:06X}:{:07X}:{:07X}:{:08X}", high >> 16, low >> 8, high, low, now.s())
    }
}

/// Each page that is kept, with the version of its resource.
type Pages = HashMap<(Resource, Paging), (i64, Arc<Page>)>;

#[derive(Debug)]
struct Site {
    company: Company,
    clock: Clock,
    base_url: String,
    expires: HeaderValue,
    /// The newest version of each page that was ever asked for.
    pages: Mutex<Pages>,
    budget: Mutex<Budget>,
    date: Mutex<(Instant, HeaderValue)>,
    counts: [AtomicU64; Resource::KINDS.len() + 1],
}

impl Site {
    fn new(company: Company, clock: Clock, base_url: String) -> Self {
        let expires = calendar::github(company.to.plus_ms(TOKEN_MS)).replace('T', " ").replace('Z', " UTC");
        let now = clock.now();
        Self {
            expires: text(&expires),
            pages: Mutex::default(),
            budget: Mutex::default(),
            date: Mutex::new((now, text(&calendar::http(now)))),
            counts: Default::default(),
            company,
            clock,
            base_url,
        }
    }

    fn answer(&self, asked: &Asked<'_>) -> Response {
        let now = self.clock.now();
        let route = route(&self.company, asked.path, asked.query, now);
        let resource = if let Route::To(resource, _) = route { Some(resource) } else { None };
        self.counts[resource.map_or(Resource::KINDS.len(), Resource::kind)].fetch_add(1, Ordering::Relaxed);
        if self.company.is_down(now) {
            return down(self.date(now));
        }
        let id = asked.id(now);
        let (page, standing) = self.page(asked, route, &id, now);
        let unchanged = asked.knows(&page);
        let mut response =
            Response::new(if unchanged { Body::empty() } else { Body::from(page.body.clone()) });
        *response.status_mut() = if unchanged { StatusCode::NOT_MODIFIED } else { page.status };
        let into = response.headers_mut();
        into.reserve(20);
        let of_page =
            [(header::ETAG, &page.etag), (header::LINK, &page.link), (header::LOCATION, &page.location)];
        into.extend(of_page.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        into.extend(resource.map(|resource| (ACCEPTED, HeaderValue::from_static(resource.permission()))));
        into.insert(header::DATE, self.date(now));
        into.insert(REQUEST_ID, text(&id));
        into.insert(EXPIRES, self.expires.clone());
        standing.write(into);
        common(into);
        response
    }

    /// The page for a request, and where the budget stands after it.
    fn page(&self, asked: &Asked<'_>, route: Route, id: &str, now: Instant) -> (Arc<Page>, Standing) {
        let tight = self.company.is_budget_spent(now);
        let before = lock(&self.budget).standing(now, tight);
        if !asked.is_let_in() {
            return (Arc::new(Page::unauthenticated()), before);
        }
        if matches!(route, Route::To(Resource::RateLimit, _)) {
            return (Arc::new(Page::passing(before.overview())), before);
        }
        if before.is_spent() {
            return (Arc::new(Page::over_limit(self.company.accounts[ADMIN].id, id, now)), before);
        }
        let page = match route {
            _ if !asked.is_get => Arc::new(Page::not_found()),
            _ if asked.header(&ASKED_VERSION).is_some_and(|version| version != VERSION) => {
                Arc::new(Page::wrong_version())
            }
            Route::To(resource, paging) if self.company.is_broken(resource, paging.page, now) => {
                Arc::new(Page::bad_gateway())
            }
            Route::To(resource, paging) => self.present(resource, paging, asked.query, now),
            Route::Moved(path) => Arc::new(Page::moved(&self.base_url, &path)),
            Route::Missing => Arc::new(Page::not_found()),
            Route::Refused(field) => Arc::new(Page::unprocessable(field)),
        };
        let standing = lock(&self.budget).charge(now, tight, asked.knows(&page));
        (page, standing)
    }

    /// The page in its present version: kept, or made anew because the resource changed.
    fn present(&self, resource: Resource, paging: Paging, query: &str, now: Instant) -> Arc<Page> {
        let version = self.company.version(resource, now);
        let kept = lock(&self.pages)
            .get(&(resource, paging))
            .filter(|kept| kept.0 == version)
            .map(|kept| kept.1.clone());
        kept.unwrap_or_else(|| {
            let page = Arc::new(Page::of(&self.company, (resource, paging), query, now));
            let mut pages = lock(&self.pages);
            if pages.len() >= PAGES_MAX {
                pages.clear();
            }
            pages.insert((resource, paging), (version, Arc::clone(&page)));
            page
        })
    }

    /// The `Date` header, written once for each instant.
    fn date(&self, now: Instant) -> HeaderValue {
        let mut kept = lock(&self.date);
        if kept.0 != now {
            *kept = (now, text(&calendar::http(now)));
        }
        kept.1.clone()
    }
}

fn opaque(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/")
}

fn down(date: HeaderValue) -> Response {
    let mut response = Response::new(Body::from(DOWN));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(header::DATE, date);
    response
}

fn common(into: &mut HeaderMap) {
    let fixed = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "private, max-age=60, s-maxage=60"),
        (header::VARY, "Accept, Authorization, Cookie, X-GitHub-OTP"),
        (header::SERVER, "github.com"),
        (MEDIA_TYPE, "github.v3; format=json"),
        (SELECTED_VERSION, VERSION),
    ];
    into.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
