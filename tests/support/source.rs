//! A small organisation on loopback, in which everything may be seen and nothing deviates; and, for each request, the
//! fault that a test chooses.
//!
//! It has three repositories and two members. The demonstration's company is the large one.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, StatusCode},
};
use observance::clock::Clock;
use observance_record::Instant;
use serde_json::{Value, json};

pub(crate) type Reply = Response<Body>;

/// One request.
pub(crate) struct Asked<'a> {
    pub(crate) at: Instant,
    /// Path and query.
    pub(crate) path: &'a str,
    /// The source's own address.
    pub(crate) base_url: &'a str,
}

type Fault = dyn Fn(&Asked<'_>) -> Option<Reply> + Send + Sync;

/// The source, served until the runtime ends.
pub(crate) struct Source {
    base_url: String,
    clock: Clock,
    fault: Box<Fault>,
    /// Path and query, and whether a token came with it.
    asked: Mutex<Vec<(String, bool)>>,
}

impl Source {
    pub(crate) async fn serve(
        clock: &Clock,
        fault: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (clock, fault) = (clock.clone(), Box::new(fault));
        let source = Arc::new(Self { base_url, clock, fault, asked: Mutex::default() });
        let shared = Arc::clone(&source);
        let answer = move |request: Request| {
            let shared = Arc::clone(&shared);
            async move { shared.answer(&request) }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
        source
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What was asked, and whether a token came with it.
    pub(crate) fn asked(&self) -> Vec<(String, bool)> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, request: &Request) -> Reply {
        let path = request.uri().path_and_query().unwrap().as_str();
        let has_token = request.headers().contains_key("authorization");
        self.asked.lock().unwrap().push((path.to_owned(), has_token));
        let asked = Asked { at: self.clock.now(), path, base_url: &self.base_url };
        let mut reply = (self.fault)(&asked).unwrap_or_else(|| acme(path));
        let date = chrono::DateTime::from_timestamp(asked.at.s(), 0).unwrap();
        let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        reply.headers_mut().insert("date", date.parse().unwrap());
        reply
    }
}

/// An answer with a JSON body.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &Value) -> Reply {
    let mut reply = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        reply = reply.header(*name, *value);
    }
    reply.header("content-type", "application/json").body(body.to_string().into()).unwrap()
}

/// An answer with a message, as GitHub refuses.
pub(crate) fn message(status: u16, headers: &[(&str, &str)], text: &str) -> Reply {
    reply(status, headers, &json!({ "message": text }))
}

pub(crate) fn repository(id: u64) -> Value {
    json!({ "id": id, "name": format!("r{id}"), "full_name": format!("acme/r{id}"), "archived": false,
            "disabled": false, "fork": false, "visibility": "private", "default_branch": "main" })
}

fn acme(path: &str) -> Reply {
    let seen = |body: Value| reply(200, &[], &body);
    let parameters = json!({ "required_approving_review_count": 1, "dismiss_stale_reviews_on_push": true });
    match path.split('?').next().unwrap() {
        "/orgs/acme" => seen(json!({ "id": 77, "login": "acme", "public_repos": 0, "total_private_repos": 3,
                                     "two_factor_requirement_enabled": true })),
        "/orgs/acme/repos" => seen(json!([repository(1), repository(2), repository(3)])),
        "/orgs/acme/members" if path.contains("filter=2fa_disabled") => seen(json!([])),
        "/orgs/acme/members" => seen(json!([
            { "id": 11, "login": "ann", "type": "User", "site_admin": false },
            { "id": 12, "login": "bob", "type": "User", "site_admin": false },
        ])),
        path if path.contains("/rules/branches/") => seen(json!([
            { "type": "pull_request", "ruleset_id": 5, "ruleset_source": "acme", "parameters": parameters },
            { "type": "non_fast_forward", "ruleset_id": 5, "ruleset_source": "acme" },
            { "type": "deletion", "ruleset_id": 5, "ruleset_source": "acme" },
        ])),
        path if path.ends_with("/protection") => message(404, &[], "Branch not protected"),
        path if path.ends_with("/pulls") || path.ends_with("/rule-suites") => seen(json!([])),
        _ => message(501, &[], "this source has no such thing"),
    }
}
