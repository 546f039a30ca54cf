//! `alerts`: where drift is told. It sends nothing; see the room `tell`.

use url::{Host, Url};

use super::{
    fault::Faults,
    node::{Fields, Node},
    reading::Reading,
};
use crate::secret::SecretRef;

/// A receiver of signed messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where it listens.
    pub url: Address,
    /// The key that signs; the receiver has the same.
    pub key: SecretRef,
    /// Whether plain http and loopback addresses are meant on purpose (`plain_http: true`).
    pub reach: Reach,
}

/// An address, or the secret that holds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Written in the file.
    Url(Url),
    /// Fetched when needed: the addresses of many chat services are secrets themselves.
    Secret(SecretRef),
}

/// Which addresses may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Https to another host.
    Encrypted,
    /// Plain http and loopback too.
    Plain,
}

#[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Option<Webhook>> {
    let Some(node) = fields.may("alerts") else {
        reading.defaulted("alerts", "none: nobody is told of drift");
        return Some(None);
    };
    let mut inner = node.fields("{ webhook: { url: .., key: secret://.. } }", &mut reading.faults)?;
    let webhook = match inner.may("webhook") {
        None => {
            reading.defaulted("alerts.webhook", "none: nobody is told of drift");
            Some(None)
        }
        Some(node) => webhook(node, reading).map(Some),
    };
    inner.done(&mut reading.faults);
    webhook
}

fn webhook(node: &Node, reading: &mut Reading<'_>) -> Option<Webhook> {
    let mut fields = node.fields("{ url: .., key: secret://.. }", &mut reading.faults)?;
    let plain = reading.or(&mut fields, "plain_http", false, Node::flag);
    let reach = if plain == Some(true) { Reach::Plain } else { Reach::Encrypted };
    let expected = "https://HOST/PATH, or secret://env/NAME that holds one";
    let url = fields
        .must("url", expected, &mut reading.faults)
        .and_then(|node| address(node, reach, expected, &mut reading.faults));
    match &url {
        // the path of an address may be all the secret that a chat service has
        Some(Address::Url(url)) => {
            let host = url.host_str().unwrap_or_default();
            reading.given("alerts.webhook.url", &format!("{}://{host}/...", url.scheme()));
        }
        Some(Address::Secret(reference)) => reading.given("alerts.webhook.url", &reference.to_string()),
        None => (),
    }
    let key =
        fields.must("key", "secret://env/NAME or secret://file/PATH", &mut reading.faults).and_then(|node| {
            let key = node.secret(&mut reading.faults)?;
            reading.given(node.path(), &key.to_string());
            Some(key)
        });
    fields.done(&mut reading.faults);
    plain?;
    Some(Webhook { url: url?, key: key?, reach })
}

/// An address, never repeated in a fault.
fn address(node: &Node, reach: Reach, expected: &str, faults: &mut Faults) -> Option<Address> {
    let text = node.text(expected, faults)?;
    if let Ok(reference) = text.parse() {
        return Some(Address::Secret(reference));
    }
    let url = Url::parse(text).ok().filter(Url::has_host);
    let (found, hint) = match url {
        Some(url) if !url.username().is_empty() || url.password().is_some() => (
            "a user or password in the address (not shown)",
            Some("the signature tells the receiver who speaks"),
        ),
        Some(url) if reach == Reach::Plain && url.scheme() == "http" => return Some(Address::Url(url)),
        Some(url) if url.scheme() == "https" && (reach == Reach::Plain || !is_loopback(&url)) => {
            return Some(Address::Url(url));
        }
        Some(url) if matches!(url.scheme(), "http" | "https") => (
            "a plain http or loopback address (not shown)",
            Some("plain_http: true allows it, for a receiver beside the agent"),
        ),
        Some(_) | None => ("a value that is no such address (not shown)", None),
    };
    node.refuse_as(found.to_owned(), expected, hint, faults);
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
