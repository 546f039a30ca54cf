//! `store` and `store_credentials`: where the record is kept, as an address. It connects to nothing.

use std::{fmt, path::PathBuf};

use url::{Host, Url};

use super::{
    Allowed,
    fault::{Faults, nearest},
    node::{Fields, Node},
    reading::Reading,
};
use crate::secret::SecretRef;

const EXPECTED: &str = "file:PATH or s3://BUCKET/PREFIX?region=..&endpoint=..&path_style=true";
const S3_QUERY: [&str; 3] = ["region", "endpoint", "path_style"];

/// Where the record is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// A folder.
    File(PathBuf),
    /// A bucket, or a part of one.
    S3(Box<Bucket>),
    /// Nowhere: gone with the process. Written `"memory:"`, since YAML wants quotes around a colon at the end.
    Memory,
}

/// An S3 bucket or one of its kin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// What all keys begin with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// The region; `us-east-1` unless given.
    pub region: String,
    /// The address of the service if it is not Amazon's own.
    pub endpoint: Option<Url>,
    /// Whether the bucket stands in the path or in the host's name.
    pub addressing: Addressing,
    /// How to sign in; without it the environment's own identity is used.
    pub credentials: Option<Credentials>,
}

/// Where the bucket's name stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// `https://bucket.host/key`.
    Host,
    /// `https://host/bucket/key`, as most services other than Amazon's want it.
    Path,
}

/// An access key and its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The key's id.
    pub access_key: SecretRef,
    /// The key.
    pub secret_key: SecretRef,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Memory => f.write_str("memory:"),
            Self::S3(bucket) => {
                write!(f, "s3://{}/{}?region={}", bucket.name, bucket.prefix, bucket.region)?;
                if let Some(endpoint) = &bucket.endpoint {
                    write!(f, "&endpoint={endpoint}")?;
                }
                write!(f, "&path_style={}", bucket.addressing == Addressing::Path)
            }
        }
    }
}

pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Store> {
    let node = fields.must("store", EXPECTED, &mut reading.faults);
    let signing = fields.may("store_credentials");
    let credentials = signing.map(|node| credentials(node, &mut reading.faults));
    let store = address(node?, reading);
    match (store?, credentials, signing) {
        (Store::S3(bucket), credentials, _) => {
            let bucket =
                Bucket { credentials: credentials.map_or(Some(None), |one| one.map(Some))?, ..*bucket };
            match &bucket.credentials {
                Some(Credentials { access_key, secret_key }) => {
                    reading.given("store_credentials.access_key", &access_key.to_string());
                    reading.given("store_credentials.secret_key", &secret_key.to_string());
                }
                None => reading.defaulted("store_credentials", "the environment's own identity"),
            }
            Some(Store::S3(Box::new(bucket)))
        }
        (Store::File(_) | Store::Memory, Some(_), Some(node)) => {
            node.refuse("credentials only with an s3:// store", None, &mut reading.faults);
            None
        }
        (store @ (Store::File(_) | Store::Memory), _, _) => Some(store),
    }
}

fn address(node: &Node, reading: &mut Reading<'_>) -> Option<Store> {
    let text = node.text(EXPECTED, &mut reading.faults)?;
    let store = if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
        // file:///srv/x and file:/srv/x are the same place
        let path = path.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(path);
        Store::File(reading.resolve(path))
    } else if text == "memory:" {
        if reading.allowed == Allowed::Kept {
            let hint = "what lies in memory is gone with the process; only a demonstration may use it";
            node.refuse(EXPECTED, Some(hint), &mut reading.faults);
            return None;
        }
        Store::Memory
    } else if text.starts_with("s3://") {
        Store::S3(Box::new(bucket(node, text, &mut reading.faults)?))
    } else {
        let hint = text.starts_with(['/', '.']).then(|| format!("a folder is written file:{text}"));
        node.refuse(EXPECTED, hint.as_deref(), &mut reading.faults);
        return None;
    };
    reading.given("store", &store.to_string());
    Some(store)
}

fn bucket(node: &Node, text: &str, faults: &mut Faults) -> Option<Bucket> {
    let url = Url::parse(text).ok();
    let name = url.as_ref().and_then(|url| match url.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    });
    let (Some(url), Some(name)) = (url, name) else {
        node.refuse_as("an address that is none (not shown)".to_owned(), EXPECTED, None, faults);
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "name the keys in store_credentials; if this file was shared, replace them";
        node.refuse_as(
            "a user or password in the address (not shown)".to_owned(),
            EXPECTED,
            Some(hint),
            faults,
        );
        return None;
    }
    if url.port().is_some() || url.fragment().is_some() {
        node.refuse(EXPECTED, Some("the service's own address goes into endpoint="), faults);
        return None;
    }
    let mut bucket = Bucket {
        name,
        prefix: url.path().trim_matches('/').to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: None,
        addressing: Addressing::Host,
        credentials: None,
    };
    let mut whole = true;
    for (key, value) in url.query_pairs() {
        whole &= parameter(&mut bucket, node, (&key, &value), faults);
    }
    whole.then_some(bucket)
}

/// Sets one parameter of the query; `false` after a fault.
fn parameter(bucket: &mut Bucket, node: &Node, (key, value): (&str, &str), faults: &mut Faults) -> bool {
    match (key, value) {
        ("region", region) if !region.is_empty() => region.clone_into(&mut bucket.region),
        ("path_style", "true") => bucket.addressing = Addressing::Path,
        ("path_style", "false") => bucket.addressing = Addressing::Host,
        ("endpoint", endpoint) => {
            bucket.endpoint = Url::parse(endpoint).ok().filter(is_plain_address);
            if bucket.endpoint.is_none() {
                let found = "an endpoint that is no http(s) address (not shown)".to_owned();
                node.refuse_as(found, "endpoint=https://HOST", None, faults);
                return false;
            }
        }
        (key, _) => {
            let hint = nearest(key, S3_QUERY).map(|near| format!("did you mean {near}?"));
            let found = format!("the parameter {}", super::fault::shown(key));
            node.refuse_as(found, "region=NAME, endpoint=URL or path_style=true", hint.as_deref(), faults);
            return false;
        }
    }
    true
}

/// An http or https address with a host and without a user, a query or a fragment.
pub(super) fn is_plain_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn credentials(node: &Node, faults: &mut Faults) -> Option<Credentials> {
    let expected = "{ access_key: secret://..., secret_key: secret://... }";
    let mut fields = node.fields(expected, faults)?;
    let access_key =
        fields.must("access_key", "secret://env/NAME", faults).and_then(|node| node.secret(faults));
    let secret_key =
        fields.must("secret_key", "secret://env/NAME", faults).and_then(|node| node.secret(faults));
    fields.done(faults);
    Some(Credentials { access_key: access_key?, secret_key: secret_key? })
}
