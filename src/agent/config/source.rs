//! `sources`: the outside systems that are read. It fetches no token and reaches no network.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

use url::Url;

use super::{
    fault::{Faults, nearest},
    node::{Fields, Node},
    other::{self, Other},
    reading::Reading,
    register::{self, Register},
    store::is_plain_address,
};
use crate::secret::{self, SecretRef};

/// Most sources of one agent.
const SOURCES_MAX: usize = 100;
/// Most networks of one source.
const NETWORKS_MAX: usize = 100;
/// The kind that has keys of its own.
const GITHUB: &str = "github";
const GITHUB_URL: &str = "https://api.github.com";
const GITHUB_VERSION: &str = "2026-03-10";

/// One outside system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A GitHub organisation.
    Github(Github),
    /// A file of the organisation.
    Register(Register),
    /// A source of another kind.
    Other(Other),
}

/// A GitHub organisation and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Github {
    /// The organisation's login.
    pub org: String,
    /// Who asks.
    pub credential: Credential,
    /// The API's address without a slash at its end; `https://api.github.com` unless given.
    pub base_url: String,
    /// The date that goes into `X-GitHub-Api-Version`.
    pub api_version: String,
    /// The way there.
    pub way: Way,
    /// What signs the webhook by which it says that something changed; it may speak only with one.
    pub webhook: Option<SecretRef>,
}

/// The way to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// A file of further certificate authorities (PEM) that this source is believed by.
    pub extra_ca: Option<PathBuf>,
    /// Addresses inside that its names may lead to.
    pub networks: Vec<String>,
    /// A proxy on the way.
    pub proxy: Option<Url>,
}

/// Who asks a GitHub organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Whoever holds this token; it should read alone.
    Token(SecretRef),
    /// A GitHub App.
    App(App),
}

/// A GitHub App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id or client id.
    pub id: String,
    /// Its private key (PEM).
    pub key: SecretRef,
    /// Where it is installed; looked for by the organisation's login unless given.
    pub installation: Option<u64>,
}

impl Source {
    /// The kind that collectors ask for.
    pub fn kind(&self) -> &str {
        match self {
            Self::Github(_) => GITHUB,
            Self::Register(register) => &register.kind,
            Self::Other(other) => &other.kind,
        }
    }

    /// What signs its webhook, if it may say that something changed.
    pub const fn webhook(&self) -> Option<&SecretRef> {
        match self {
            Self::Github(github) => github.webhook.as_ref(),
            Self::Register(_) | Self::Other(_) => None,
        }
    }
}

pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<BTreeMap<String, Source>> {
    let expected = "at least one source, as github: { org: .., token: secret://.. }";
    let node = fields.must("sources", expected, &mut reading.faults)?;
    let entries = node.entries(expected, &mut reading.faults)?;
    if entries.is_empty() || entries.len() > SOURCES_MAX {
        node.refuse(&format!("1 to {SOURCES_MAX} sources"), None, &mut reading.faults);
        return None;
    }
    let mut sources = BTreeMap::new();
    for entry in entries {
        if !is_id(&entry.key) {
            let expected = "a source name of a-z, 0-9, - and _";
            entry.node.refuse_as("another name".to_owned(), expected, None, &mut reading.faults);
        }
        if let Some(source) = source(&entry.key, &entry.node, reading) {
            sources.insert(entry.key.clone(), source);
        }
    }
    (sources.len() == entries.len()).then_some(sources)
}

/// A short name in small letters, as it goes into the ids of schedules.
pub(super) fn is_id(text: &str) -> bool {
    let of = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(of)
}

/// A source is of the kind that its name says, unless it says another. A kind is what the ids of its collectors begin with.
fn source(name: &str, node: &Node, reading: &mut Reading<'_>) -> Option<Source> {
    let mut fields = node.fields("{ org: .., token: secret://.. }", &mut reading.faults)?;
    let mut kinds: Vec<&str> =
        reading.catalogue.collectors.iter().map(|shipped| shipped.kind.as_str()).collect();
    kinds.push(GITHUB);
    kinds.sort_unstable();
    kinds.dedup();
    let near = nearest(name, kinds.iter().copied()).map(|near| format!("; did you mean {near}?"));
    let near = near.unwrap_or_default();
    let expected = format!(
        "the kind of this source ({}), since its name is none{near}; collectors.folder brings others",
        kinds.join(", ")
    );
    let kind = match kinds.iter().find(|kind| **kind == name) {
        Some(kind) => reading.or(&mut fields, "kind", *kind, |node, faults| node.word(&kinds, faults)),
        None => fields.must("kind", &expected, &mut reading.faults).and_then(|node| {
            let kind = node.word(&kinds, &mut reading.faults)?;
            reading.given(node.path(), kind);
            Some(kind)
        }),
    };
    let source = match kind? {
        GITHUB => github(&mut fields, reading).map(Source::Github),
        kind if fields.may("csv").is_some() => {
            register::read(kind, &mut fields, reading).map(Source::Register)
        }
        kind => other::read(kind, &mut fields, reading).map(Source::Other),
    };
    fields.done(&mut reading.faults);
    source
}

fn github(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Github> {
    let org = fields.must("org", "the organisation's login", &mut reading.faults).and_then(|node| {
        let org = node.read("a login of letters, digits and -", &mut reading.faults, |text| {
            let whole = text.len() <= 39 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            whole.then(|| text.to_owned())
        })?;
        reading.given(node.path(), &org);
        Some(org)
    });
    let credential = credential(fields, reading);
    let base_url = reading.or(fields, "base_url", GITHUB_URL.to_owned(), base_url);
    let api_version = reading.or(fields, "api_version", GITHUB_VERSION.to_owned(), |node, faults| {
        node.read("a date as 2026-03-10", faults, |text| {
            chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()
                .filter(|_| text.len() == 10)
                .map(|_| text.to_owned())
        })
    });
    let way = way(fields, reading);
    let webhook = reading.or_none(fields, "webhook", SecretRef::to_string, webhook);
    Some(Github {
        org: org?,
        credential: credential?,
        base_url: base_url?,
        api_version: api_version?,
        way: way?,
        webhook: webhook?,
    })
}

pub(super) fn way(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Way> {
    let extra_ca = reading.path_or_none(fields, "extra_ca", "a file of certificates (PEM)");
    let show = |networks: &Vec<String>| networks.join(", ");
    let networks = reading.or_none(fields, "networks", show, networks);
    let proxy = reading.or_none(fields, "proxy", Url::to_string, proxy);
    Some(Way { extra_ca: extra_ca?, networks: networks?.unwrap_or_default(), proxy: proxy? })
}

/// Exactly one of the two.
fn credential(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Credential> {
    match (fields.may("token"), fields.may("app")) {
        (Some(token), None) => secret(token, reading).map(Credential::Token),
        (None, Some(node)) => app(node, reading).map(Credential::App),
        (Some(_), Some(node)) => {
            let hint = "an app's tokens are short and narrow, so keep the app";
            node.refuse_as("beside a token".to_owned(), "token or app", Some(hint), &mut reading.faults);
            None
        }
        (None, None) => {
            let expected = "secret://env/NAME or secret://file/PATH, or app: { id: .., key: secret://.. }";
            fields.must("token", expected, &mut reading.faults)?;
            None
        }
    }
}

pub(super) fn secret(node: &Node, reading: &mut Reading<'_>) -> Option<SecretRef> {
    let secret = node.secret(&mut reading.faults)?;
    reading.given(node.path(), &secret.to_string());
    Some(secret)
}

fn app(node: &Node, reading: &mut Reading<'_>) -> Option<App> {
    let mut fields = node.fields("{ id: .., key: secret://.. }", &mut reading.faults)?;
    let id = fields.must("id", "the app's id or client id", &mut reading.faults).and_then(|node| {
        let id = node.read("an id of letters, digits and .", &mut reading.faults, |text| {
            let whole = text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
            whole.then(|| text.to_owned())
        })?;
        reading.given(node.path(), &id);
        Some(id)
    });
    let expected = "the app's private key, as secret://file/PATH or secret://env/NAME";
    let key = fields.must("key", expected, &mut reading.faults).and_then(|node| secret(node, reading));
    let installation = reading.or_none(&mut fields, "installation", u64::to_string, |node, faults| {
        node.integer(1..=i64::MAX, faults).map(i64::unsigned_abs)
    });
    fields.done(&mut reading.faults);
    Some(App { id: id?, key: key?, installation: installation? })
}

pub(super) fn base_url(node: &Node, faults: &mut Faults) -> Option<String> {
    let expected = "an address as https://HOST or https://HOST/api/v3";
    let url = address(node, expected, faults)?;
    if !secret::may_go_to(&url) {
        let hint =
            "without TLS anybody on the way could answer, and read the token; http is for this machine alone";
        node.refuse(expected, Some(hint), faults);
        return None;
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn networks(node: &Node, faults: &mut Faults) -> Option<Vec<String>> {
    let expected = "networks as [10.20.0.0/16, fd12::/16]";
    let list = node.list(expected, faults)?;
    if list.len() > NETWORKS_MAX {
        node.refuse(expected, None, faults);
        return None;
    }
    let read = |node: &Node, faults: &mut Faults| {
        node.read("a network as 10.20.0.0/16", faults, |text| {
            let (ip, bits) = text.split_once('/')?;
            let whole = ip.parse::<IpAddr>().is_ok() && bits.parse::<u8>().is_ok();
            whole.then(|| text.to_owned())
        })
    };
    let networks: Vec<_> = list.iter().map(|node| read(node, faults)).collect();
    networks.into_iter().collect()
}

fn proxy(node: &Node, faults: &mut Faults) -> Option<Url> {
    address(node, "a proxy as http://HOST:PORT", faults)
}

/// `{ secret: secret://.. }`.
fn webhook(node: &Node, faults: &mut Faults) -> Option<SecretRef> {
    let mut fields = node.fields("{ secret: secret://.. }", faults)?;
    let secret = fields.must("secret", "secret://env/NAME or secret://file/PATH", faults);
    let secret = secret.and_then(|node| node.secret(faults));
    fields.done(faults);
    secret
}

/// An http or https address; one with a user or password in it is not repeated.
fn address(node: &Node, expected: &str, faults: &mut Faults) -> Option<Url> {
    let text = node.text(expected, faults)?;
    let url = Url::parse(text).ok().filter(is_plain_address);
    if url.is_none() && text.contains('@') {
        let found = "an address with a user or password (not shown)".to_owned();
        node.refuse_as(found, expected, Some("a password in this file is never used"), faults);
    } else if url.is_none() {
        node.refuse(expected, None, faults);
    }
    url
}
