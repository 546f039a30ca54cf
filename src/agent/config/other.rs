//! A source of any kind that a collector reads and this release has no keys of its own for: where it is, who asks, and the
//! values that its collectors' manifests name. It knows no vendor.

use std::collections::BTreeMap;

use super::{
    aws::{self, Aws},
    client::{self, Client},
    directory::{self, Directory, address},
    node::{Fields, Node},
    reading::Reading,
    source::{Way, base_url, is_id, secret, way},
};
use crate::secret::SecretRef;

/// Most values, and most headers, of one source.
const NAMED_MAX: usize = 100;
/// Longest value of a parameter, and longest id of a client, in bytes.
pub(super) const VALUE_BYTES_MAX: usize = 1_024;

/// Such a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// What its collectors' ids begin with.
    pub kind: String,
    /// Values for the parameters of its collectors' manifests.
    pub params: BTreeMap<String, String>,
    /// Who asks.
    pub credential: Credential,
    /// Where to read instead of the address in the manifests, without a slash at its end.
    pub base_url: Option<String>,
    /// The way there.
    pub way: Way,
}

/// Who asks such a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer` (RFC 6750).
    Token(SecretRef),
    /// `Authorization: Basic` (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// Its password.
        password: SecretRef,
    },
    /// Headers that hold the secrets, by their names in small letters.
    Headers(BTreeMap<String, SecretRef>),
    /// A client of OAuth 2.0, given a token for each run where its collectors' manifests say.
    Client(Client),
    /// Keys of AWS, or a role that each run assumes.
    Aws(Aws),
    /// Whoever a directory lets in.
    Bind(Directory),
}

impl Other {
    /// The region that is read, where there are any.
    pub fn region(&self) -> Option<&str> {
        match &self.credential {
            Credential::Aws(aws) => Some(&aws.region),
            Credential::Token(_)
            | Credential::Basic { .. }
            | Credential::Headers(_)
            | Credential::Client(_)
            | Credential::Bind(_) => None,
        }
    }
}

pub(super) fn read(kind: &str, fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Other> {
    let params = match fields.may("params") {
        None => Some(BTreeMap::new()),
        Some(node) => params(node, reading),
    };
    let credential = credential(fields, reading);
    if let (Some(Credential::Aws(_)), Some(node)) = (&credential, fields.may("params"))
        && params.as_ref().is_some_and(|params| params.contains_key("region"))
    {
        node.refuse_as("another region".to_owned(), "the region under aws alone", None, &mut reading.faults);
        return None;
    }
    let base_url = match &credential {
        Some(Credential::Bind(directory)) => {
            reading.or_none(fields, "base_url", String::clone, address(directory))
        }
        Some(_) | None => reading.or_none(fields, "base_url", String::clone, base_url),
    };
    let way = way(fields, reading);
    Some(Other {
        kind: kind.to_owned(),
        params: params?,
        credential: credential?,
        base_url: base_url?,
        way: way?,
    })
}

fn params(node: &Node, reading: &mut Reading<'_>) -> Option<BTreeMap<String, String>> {
    let expected = "values by name, as { group: acme }";
    let entries = node.entries(expected, &mut reading.faults)?;
    if entries.len() > NAMED_MAX {
        node.refuse(expected, None, &mut reading.faults);
        return None;
    }
    let mut params = BTreeMap::new();
    for entry in entries {
        let value = entry.node.read("a text of at most 1,024 bytes", &mut reading.faults, |text| {
            (text.len() <= VALUE_BYTES_MAX && !text.contains(char::is_control)).then(|| text.to_owned())
        });
        if let Some(value) = value {
            reading.given(entry.node.path(), &value);
            params.insert(entry.key.clone(), value);
        }
    }
    (params.len() == entries.len()).then_some(params)
}

/// Exactly one of the six.
fn credential(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Credential> {
    let given = ["token", "basic", "headers", "client", "aws", "bind"].map(|key| fields.may(key));
    let expected = "one of token: secret://.., basic: { user: .., password: secret://.. }, headers: { NAME: secret://.. }, \
                    client: { id: .., key: secret://.. } (or secret, or assertion, in place of key), \
                    aws: { region: .., access_key_id: secret://.., secret_access_key: secret://.. }; of a directory, \
                    bind: { dn: .., password: secret://.. }";
    if let Some(second) = given.iter().flatten().nth(1) {
        second.refuse_as("a second credential".to_owned(), expected, None, &mut reading.faults);
        return None;
    }
    match given {
        [Some(token), ..] => secret(token, reading).map(Credential::Token),
        [_, Some(node), ..] => basic(node, reading),
        [_, _, Some(node), ..] => headers(node, reading),
        [_, _, _, Some(node), ..] => client::read(node, reading).map(Credential::Client),
        [.., Some(node), None] => aws::read(node, reading).map(Credential::Aws),
        [.., Some(node)] => directory::read(node, fields, reading).map(Credential::Bind),
        [None, None, None, None, None, None] => {
            fields.must("token", expected, &mut reading.faults)?;
            None
        }
    }
}

fn basic(node: &Node, reading: &mut Reading<'_>) -> Option<Credential> {
    let mut fields = node.fields("{ user: .., password: secret://.. }", &mut reading.faults)?;
    let user = fields.must("user", "a user without a colon", &mut reading.faults).and_then(|node| {
        let user = node.read("a user without a colon", &mut reading.faults, |text| {
            (!text.contains(':') && !text.contains(char::is_control)).then(|| text.to_owned())
        })?;
        reading.given(node.path(), &user);
        Some(user)
    });
    let expected = "secret://env/NAME or secret://file/PATH";
    let password =
        fields.must("password", expected, &mut reading.faults).and_then(|node| secret(node, reading));
    fields.done(&mut reading.faults);
    Some(Credential::Basic { user: user?, password: password? })
}

fn headers(node: &Node, reading: &mut Reading<'_>) -> Option<Credential> {
    let expected = "headers with their secrets, as { private-token: secret://env/NAME }";
    let entries = node.entries(expected, &mut reading.faults)?;
    if entries.is_empty() || entries.len() > NAMED_MAX {
        node.refuse(expected, None, &mut reading.faults);
        return None;
    }
    let mut headers = BTreeMap::new();
    for entry in entries {
        if !is_id(&entry.key) {
            let what = "the name of a header in small letters";
            let small = entry.key.to_ascii_lowercase();
            let hint = is_id(&small)
                .then(|| format!("{small}: the case of a header's name is nothing to the source"));
            entry.node.refuse_as("another name".to_owned(), what, hint.as_deref(), &mut reading.faults);
        } else if let Some(secret) = secret(&entry.node, reading) {
            headers.insert(entry.key.clone(), secret);
        }
    }
    (headers.len() == entries.len()).then_some(Credential::Headers(headers))
}
