//! One delivery: a signed POST of a JSON body, its answer, and nothing believed that was not answered.
//!
//! Each request carries
//! `observance-id` (the alert's, the same in every attempt: a receiver drops what it has had),
//! `observance-timestamp` (Unix seconds of this attempt: a receiver refuses what is old) and
//! `observance-signature: v1=<hex>`, the HMAC-SHA-256 of `id.timestamp.body` under the key that both sides hold.
//! It follows no redirect, uses no proxy, reads no answer beyond its status, and remembers nothing.

use std::{sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use observance_record::Instant;
use reqwest::{
    Client, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use sha2::Sha256;
use url::{Host, Url};

use super::{
    message::Message,
    outbox::{ATTEMPTS_MAX, Accepted, wait_ms},
};
use crate::{clock::Clock, secret::Secret};

/// How long a connection may take.
const CONNECT_MS: u64 = 5_000;
/// How long a whole attempt may take.
const ATTEMPT_MS: u64 = 15_000;
/// Shortest key, in bytes: half of what HMAC-SHA-256 makes of it.
const KEY_BYTES_MIN: usize = 16;

/// Which addresses may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Https to another host.
    Encrypted,
    /// Plain http and loopback too; only by explicit configuration.
    Plain,
}

/// A receiver. Its address and key are never printed: the path may be all the secret that a chat service has.
pub struct Route {
    url: Url,
    key: Secret,
}

/// Why a receiver cannot be told. Repeats neither address nor key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Not an address.
    #[error("the webhook's address is no https address")]
    Address,
    /// Plain http or loopback, which must be allowed explicitly.
    #[error("the webhook's address is plain http or loopback, which is not allowed")]
    Plain,
    /// Too short to sign with.
    #[error("the webhook's key is shorter than {KEY_BYTES_MIN} bytes")]
    Key,
}

impl Route {
    /// A receiver at `url` which knows `key` (its bytes as text sign).
    pub fn new(url: &str, key: Secret, reach: Reach) -> Result<Self, RouteError> {
        let Ok(url) = Url::parse(url.trim()) else { return Err(RouteError::Address) };
        let named = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || named {
            return Err(RouteError::Address);
        }
        if reach == Reach::Encrypted && (url.scheme() == "http" || is_loopback(&url)) {
            return Err(RouteError::Plain);
        }
        if key.expose().len() < KEY_BYTES_MIN {
            return Err(RouteError::Key);
        }
        Ok(Self { url, key })
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Route(..)")
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver answered with 200 to 299.
    Delivered,
    /// It answered with another status.
    Refused,
    /// It sent us elsewhere; we do not go, since the message was meant for it.
    Redirected,
    /// It did not answer in time. It may have taken the message all the same.
    TimedOut,
    /// No connection: no such name, nobody there, or not the certificate that we believe.
    Unreachable,
    /// The connection broke, or the answer was not HTTP.
    Broken,
}

impl Delivery {
    /// The word for the record.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Redirected => "redirected",
            Self::TimedOut => "timeout",
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
        }
    }

    /// As the outbox counts it.
    pub const fn accepted(self) -> Accepted {
        match self {
            Self::Delivered => Accepted::Yes,
            Self::Refused | Self::Redirected | Self::TimedOut | Self::Unreachable | Self::Broken => {
                Accepted::No
            }
        }
    }
}

/// One attempt, for the caller to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// When it began.
    pub at: Instant,
    /// The answer's status, if there was an answer.
    pub status: Option<u16>,
    /// What came of it.
    pub delivery: Delivery,
}

/// No client can be made: the TLS library or the client refuses its settings.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// TLS.
    #[error("cannot set up TLS for webhooks")]
    Tls(#[from] rustls::Error),
    /// HTTP.
    #[error("cannot set up the client for webhooks")]
    Client(#[from] reqwest::Error),
}

/// Sends messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Teller {
    client: Client,
    clock: Clock,
}

impl Teller {
    /// A sender that believes the certificate authorities of the web.
    pub fn new(clock: Clock) -> Result<Self, TellError> {
        Self::with_timeout_ms(clock, ATTEMPT_MS)
    }

    fn with_timeout_ms(clock: Clock, attempt_ms: u64) -> Result<Self, TellError> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // the provider is named here, never installed for the whole process: no other room's TLS depends on ours
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_millis(CONNECT_MS))
            .timeout(Duration::from_millis(attempt_ms))
            .user_agent(concat!("observance/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, clock })
    }

    /// One attempt, numbered by the caller (see [`super::outbox`]).
    pub async fn attempt(&self, route: &Route, message: &Message, attempt: u32) -> Attempt {
        let at = self.clock.now();
        let (status, delivery) = self.post(route, message, at).await;
        tracing::info!(id = message.id, attempt, code = delivery.code(), status, "webhook attempted");
        Attempt { attempt, at, status, delivery }
    }

    /// Attempts until the message is delivered or the last attempt failed, beginning with number `first` and ending
    /// at the latest with `last`; waits between them as the outbox would. All attempts, in order.
    pub async fn deliver(&self, route: &Route, message: &Message, first: u32, last: u32) -> Vec<Attempt> {
        let mut made = Vec::new();
        for attempt in first.max(1)..=last.min(ATTEMPTS_MAX) {
            let done = self.attempt(route, message, attempt).await;
            made.push(done);
            let more = attempt < last && done.delivery.accepted() == Accepted::No;
            let Some(wait_ms) = wait_ms(attempt).filter(|_| more) else { break };
            self.clock.sleep_ms(wait_ms).await;
        }
        made
    }

    async fn post(&self, route: &Route, message: &Message, at: Instant) -> (Option<u16>, Delivery) {
        let timestamp = at.s().to_string();
        let signature = signature(&route.key, &message.id, &timestamp, &message.json);
        // an id is made of an origin and a number and always fits; if not, nothing can be sent that a receiver would know
        let Ok(id) = HeaderValue::from_str(&message.id) else { return (None, Delivery::Broken) };
        let sent = self
            .client
            .post(route.url.clone())
            .header("observance-id", id)
            .header("observance-timestamp", timestamp)
            .header("observance-signature", signature)
            .header(CONTENT_TYPE, "application/json")
            .body(message.json.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => (Some(answer.status().as_u16()), meaning(answer.status())),
            Err(error) if error.is_timeout() => (None, Delivery::TimedOut),
            Err(error) if error.is_connect() => (None, Delivery::Unreachable),
            Err(_) => (None, Delivery::Broken),
        }
    }
}

fn meaning(status: StatusCode) -> Delivery {
    if status.is_success() {
        Delivery::Delivered
    } else if status.is_redirection() {
        Delivery::Redirected
    } else {
        Delivery::Refused
    }
}

/// `v1=` and the hex of HMAC-SHA-256(key, `id.timestamp.body`).
fn signature(key: &Secret, id: &str, timestamp: &str, body: &str) -> String {
    // a key longer than a block is hashed first and a shorter one filled with zeros (RFC 2104 section 2)
    let mut block = [0; 64];
    let key = key.expose().as_bytes();
    let hashed;
    let short = if key.len() > block.len() {
        hashed = <Sha256 as sha2::Digest>::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(short) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in [id, ".", timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
