//! The company's outside systems behind real HTTP on loopback, at the instant that the simulated clock shows.
//!
//! It speaks no TLS and knows no system: what is asked goes to whoever answers, and the answer gets its date.

use std::{fmt, io, net::Ipv4Addr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
    serve::ListenerExt,
};
use observance_record::Instant;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;

use super::calendar;
use crate::clock::Clock;

/// A port that is bound, and not yet answered.
pub(super) struct Door {
    listener: tokio::net::TcpListener,
    base_url: String,
}

impl Door {
    /// Takes a free port of 127.0.0.1; needs a running Tokio runtime.
    pub(super) fn bind() -> io::Result<Self> {
        let _runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let base_url = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener: tokio::net::TcpListener::from_std(listener)?, base_url })
    }

    /// `http://127.0.0.1:<port>`, without a slash at its end.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Answers from now on, until what it gives is dropped.
    pub(super) fn open(self, router: Router) -> Open {
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "answers of the demo source may be slow");
            }
        });
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::warn!(%error, "the demo source stopped");
            }
        });
        Open(stop)
    }
}

/// A port that is answered until this is dropped.
#[derive(Debug)]
pub(super) struct Open(CancellationToken);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What matters of a request.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) is_get: bool,
    pub(super) path: &'a str,
    /// Names and values of the query, decoded, in their order.
    pub(super) query: Vec<(String, String)>,
    /// The header `authorization`.
    pub(super) credential: &'a str,
}

impl<'a> Asked<'a> {
    fn of(request: &'a Request) -> Self {
        let query = form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes());
        let credential = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Self {
            is_get: request.method() == Method::GET,
            path: request.uri().path(),
            query: query.into_owned().collect(),
            credential: credential.unwrap_or_default(),
        }
    }

    /// The value of a parameter that is given once.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }
}

/// An answer: status, headers beside the date, body.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: String,
}

/// A system that answers as it is at an instant.
pub(super) trait Answers: fmt::Debug + Send + Sync + 'static {
    fn answer(&self, asked: &Asked<'_>, now: Instant) -> Reply;
}

/// A system behind its port.
#[derive(Debug)]
pub(super) struct Site {
    base_url: String,
    _open: Open,
}

impl Site {
    /// Serves it at the instant that `clock` shows.
    pub(super) fn serve(system: impl Answers, clock: Clock) -> io::Result<Self> {
        let door = Door::bind()?;
        let base_url = door.base_url().to_owned();
        let system: Arc<dyn Answers> = Arc::new(system);
        Ok(Self { base_url, _open: door.open(Router::new().fallback(answer).with_state((system, clock))) })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }
}

async fn answer(State((system, clock)): State<(Arc<dyn Answers>, Clock)>, request: Request) -> Response {
    let now = clock.now();
    let reply = system.answer(&Asked::of(&request), now);
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    response.headers_mut().extend(reply.headers);
    response.headers_mut().insert(header::DATE, header_text(&calendar::http(now)));
    response
}

/// A header of our own making; every one of them is ASCII.
pub(super) fn header_text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}
