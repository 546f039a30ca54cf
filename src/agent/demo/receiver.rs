//! Who is told in the demonstration: a webhook receiver on loopback that checks every signature.
//!
//! It keeps what it was told in memory, and answers 500 once, so that a delivery has to be tried again.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What signs in the demonstration; it protects nothing.
pub(super) const KEY: &str = "demo-webhook-signing-key";

#[derive(Debug, Default)]
struct Heard {
    messages: Vec<String>,
    refused: u64,
    forged: u64,
}

/// The receiver.
pub(super) struct Receiver {
    url: String,
    heard: Arc<Mutex<Heard>>,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1.
    pub(super) async fn serve() -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/alerts", listener.local_addr()?);
        let heard = Arc::new(Mutex::new(Heard::default()));
        let router = Router::new().route("/alerts", post(hear)).with_state(Arc::clone(&heard));
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "the demo receiver stopped");
            }
        });
        Ok(Self { url, heard })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Messages accepted, attempts refused, signatures that did not fit.
    pub(super) fn counts(&self) -> (usize, u64, u64) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        (heard.messages.len(), heard.refused, heard.forged)
    }

    /// What was accepted, in the order in which it came.
    pub(super) fn messages(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).messages.clone()
    }
}

async fn hear(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, timestamp) = (text("observance-id"), text("observance-timestamp"));
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_signed(id, timestamp, &body, text("observance-signature")) {
        heard.forged += 1;
        return StatusCode::UNAUTHORIZED;
    }
    if heard.refused == 0 {
        heard.refused = 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    heard.messages.push(String::from_utf8_lossy(&body).into_owned());
    StatusCode::NO_CONTENT
}

fn is_signed(id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(KEY.as_bytes()) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    let given = signature.strip_prefix("v1=").and_then(|hex| hex::decode(hex).ok());
    given.is_some_and(|given| mac.verify_slice(&given).is_ok())
}
