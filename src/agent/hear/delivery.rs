//! One delivery: is it whole, signed by the source's secret, and new? As GitHub signs: HMAC-SHA-256 of the raw body.
//!
//! A signature covers the body and neither the event's name nor the delivery's id. So a body that was heard is refused
//! under every id, and every id that was heard with every body; else whoever caught one delivery could send it for ever.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    fmt,
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
};
use futures::StreamExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use observance_record::verdict::Code;
use sha2::Sha256;

use crate::secret::Secret;

/// Largest body, in bytes: what GitHub sends at most.
pub const BODY_BYTES_MAX: u64 = 25 << 20;
/// Deliveries that are remembered of one source; a restart forgets them.
pub const DELIVERIES_MAX: usize = 10_000;
/// Shortest secret, in bytes.
pub const SECRET_BYTES_MIN: usize = 16;
const EVENT: &str = "x-github-event";
const DELIVERY: &str = "x-github-delivery";
const SIGNATURE: &str = "x-hub-signature-256";
/// What a source says when it is first connected.
const PING: &str = "ping";

/// A body's signature.
type Tag = [u8; 32];

/// A secret that nobody should use.
#[derive(Debug, thiserror::Error)]
#[error("a secret of fewer than {SECRET_BYTES_MIN} bytes")]
pub struct EarError;

/// What hears one source.
pub struct Ear {
    mac: Hmac<Sha256>,
    events: BTreeSet<Code>,
    seen: Mutex<Seen>,
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").field("events", &self.events).finish_non_exhaustive()
    }
}

/// What a delivery that was not refused said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// That the source is connected.
    Hello,
    /// That something changed that concerns a collector.
    Change,
    /// Something else.
    Other,
}

/// Why a delivery was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// No event, no id, or it broke off.
    Malformed,
    /// Another secret, none, or no such source: nobody is told which.
    Unsigned,
    /// It was heard before.
    Again,
    /// Its body is too large.
    Large,
}

impl Refused {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unsigned => StatusCode::UNAUTHORIZED,
            Self::Again => StatusCode::CONFLICT,
            Self::Large => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Malformed => {
                "refused: X-GitHub-Event or X-GitHub-Delivery is missing, or the body is not whole"
            }
            Self::Unsigned => "refused: not signed with the secret of a source of this name",
            Self::Again => "refused: heard before; the schedule looks in any case",
            Self::Large => "refused: larger than 25 MiB",
        }
    }
}

impl Ear {
    /// An ear for deliveries that `secret` signs, of which `events` concern somebody.
    pub fn new(secret: &Secret, events: BTreeSet<Code>) -> Result<Self, EarError> {
        let key = secret.expose().as_bytes();
        let mac = Hmac::new_from_slice(key).ok().filter(|_| key.len() >= SECRET_BYTES_MIN);
        Ok(Self { mac: mac.ok_or(EarError)?, events, seen: Mutex::default() })
    }

    /// An ear that takes as long as any, and whose answer nobody uses.
    pub(super) fn deaf() -> Self {
        Self { mac: Hmac::new(&[0; 64].into()), events: BTreeSet::new(), seen: Mutex::default() }
    }

    /// Hears one delivery, and remembers it if it is signed.
    pub(super) async fn hear(&self, request: Request) -> Result<(Said, Code), Refused> {
        let (head, body) = request.into_parts();
        let event = text(&head.headers, EVENT).and_then(|text| text.parse::<Code>().ok());
        let id = text(&head.headers, DELIVERY).and_then(guid);
        let (event, id) = event.zip(id).ok_or(Refused::Malformed)?;
        let length = text(&head.headers, CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<u64>().ok());
        if length.is_some_and(|length| length > BODY_BYTES_MAX) {
            return Err(Refused::Large);
        }
        let (mut mac, mut left, mut body) = (self.mac.clone(), BODY_BYTES_MAX, body.into_data_stream());
        while let Some(part) = body.next().await {
            let part = part.map_err(|_broken| Refused::Malformed)?;
            let bytes = u64::try_from(part.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(bytes).ok_or(Refused::Large)?;
            mac.update(&part);
        }
        let tag = text(&head.headers, SIGNATURE).and_then(tag).ok_or(Refused::Unsigned)?;
        // in constant time
        mac.verify_slice(&tag).map_err(|_other| Refused::Unsigned)?;
        let is_new = self.seen.lock().unwrap_or_else(PoisonError::into_inner).remember(id, tag);
        match event.as_str() {
            // it asks for nothing, and a person who tries the connection twice should hear that it works
            PING => Ok((Said::Hello, event)),
            _ if !is_new => Err(Refused::Again),
            _ if self.events.contains(&event) => Ok((Said::Change, event)),
            _ => Ok((Said::Other, event)),
        }
    }
}

/// The newest deliveries.
#[derive(Debug, Default)]
struct Seen {
    order: VecDeque<(u128, Tag)>,
    ids: HashSet<u128>,
    bodies: HashSet<Tag>,
}

impl Seen {
    /// True if neither the id nor the body is among the newest.
    fn remember(&mut self, id: u128, tag: Tag) -> bool {
        if self.ids.contains(&id) || self.bodies.contains(&tag) {
            return false;
        }
        if self.order.len() >= DELIVERIES_MAX
            && let Some((id, tag)) = self.order.pop_front()
        {
            self.ids.remove(&id);
            self.bodies.remove(&tag);
        }
        self.order.push_back((id, tag));
        self.ids.insert(id);
        self.bodies.insert(tag)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `sha256=` and 64 hex digits.
fn tag(text: &str) -> Option<Tag> {
    let mut tag = Tag::default();
    hex::decode_to_slice(text.strip_prefix("sha256=")?, &mut tag).ok()?;
    Some(tag)
}

/// `72d3162e-cc78-11e3-81ab-4c9367dc0958`.
fn guid(text: &str) -> Option<u128> {
    let parts: Vec<&str> = text.split('-').collect();
    let whole = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]);
    let digits = whole && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()));
    if digits { u128::from_str_radix(&parts.concat(), 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_a_body_are_remembered_each_by_itself_and_not_for_ever() {
        let mut seen = Seen::default();
        let tag = |n: u128| {
            let mut tag = Tag::default();
            tag[..16].copy_from_slice(&n.to_be_bytes());
            tag
        };
        assert!(seen.remember(0, tag(0)));
        assert!(!seen.remember(0, tag(1)), "another body under the same id");
        assert!(!seen.remember(1, tag(0)), "the same body under another id");
        for n in 1..=DELIVERIES_MAX as u128 {
            assert!(seen.remember(n, tag(n)));
        }
        assert_eq!((seen.order.len(), seen.ids.len()), (DELIVERIES_MAX, DELIVERIES_MAX));
        assert!(seen.remember(0, tag(0)), "forgotten after so many");
    }

    #[test]
    fn ids_and_signatures_have_one_form() {
        assert_eq!(guid("00000000-0000-0000-0000-00000000000f"), Some(15));
        for wrong in [
            "",
            "0000",
            "00000000-0000-0000-0000-00000000000g",
            "0000000000000000000000000000000f",
            "+0000000-0000-0000-0000-00000000000f",
        ] {
            assert_eq!(guid(wrong), None, "{wrong}");
        }
        assert_eq!(tag(&format!("sha256={}", "00".repeat(32))), Some(Tag::default()));
        for wrong in [
            format!("sha1={}", "00".repeat(20)),
            "sha256=".into(),
            format!("sha256={}", "00".repeat(33)),
            "00".repeat(32),
        ] {
            assert_eq!(tag(&wrong), None, "{wrong}");
        }
    }
}
