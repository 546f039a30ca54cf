//! Who asks AWS: `aws` of a source. Keys or an outside identity, the region, and the role that each run assumes.
//!
//! It fetches no secret and reaches no network.

use super::{
    fault::Faults,
    node::{Fields, Node},
    reading::Reading,
    source::secret,
};
use crate::secret::SecretRef;

/// Longest name of a region, in bytes.
const REGION_BYTES_MAX: usize = 32;
/// Longest name of a role, in bytes.
const ROLE_BYTES_MAX: usize = 2_048;
/// Length of an external id, in bytes.
const EXTERNAL_ID_BYTES: std::ops::RangeInclusive<usize> = 2..=1_224;

/// Whoever asks AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aws {
    /// The region that is read.
    pub region: String,
    /// How the first keys are had.
    pub begins: Begins,
    /// The role that each run assumes with them.
    pub role: Option<Role>,
}

/// How the first keys are had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begins {
    /// They are these.
    Keys {
        /// The id.
        id: SecretRef,
        /// The secret.
        secret: SecretRef,
        /// What goes with keys that end.
        session_token: Option<SecretRef>,
    },
    /// By a token of an identity outside, as Kubernetes mounts one.
    Web {
        /// The token, read anew for each run.
        token: SecretRef,
        /// The role that it is good for.
        role: String,
    },
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name among all.
    pub arn: String,
    /// What its owner agreed on with whoever assumes it.
    pub external_id: Option<String>,
}

const KEYS: &str = "{ region: .., access_key_id: secret://.., secret_access_key: secret://.. }";
const EXPECTED: &str = "{ region: .., access_key_id: secret://.., secret_access_key: secret://.. } or \
                        { region: .., web_identity: secret://file/.., role: .. }";

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Aws> {
    let mut fields = node.fields(EXPECTED, &mut reading.faults)?;
    let region = fields
        .must("region", "the region, as eu-central-1", &mut reading.faults)
        .and_then(|node| text(node, reading, "a region, as eu-central-1", is_region));
    let begun = match (fields.may("web_identity"), fields.may("access_key_id")) {
        (Some(_), Some(keys)) => {
            let hint = "an identity that the place gives needs no key that lasts, so keep the identity";
            keys.refuse_as("beside web_identity".to_owned(), EXPECTED, Some(hint), &mut reading.faults);
            None
        }
        (Some(token), None) => by_web(token, &mut fields, reading),
        (None, id) => by_keys(id, &mut fields, reading),
    };
    fields.done(&mut reading.faults);
    let (begins, role) = begun?;
    Some(Aws { region: region?, begins, role })
}

type Begun = (Begins, Option<Role>);

/// Keys, and the role that they assume.
fn by_keys(id: Option<&Node>, fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Begun> {
    let expected = format!("secret://env/NAME or secret://file/PATH, as in {KEYS}, or web_identity");
    let id = match id {
        Some(id) => secret(id, reading),
        None => fields.must("access_key_id", &expected, &mut reading.faults).and(None),
    };
    let key =
        fields.must("secret_access_key", "secret://env/NAME or secret://file/PATH", &mut reading.faults);
    let key = key.and_then(|node| secret(node, reading));
    let session_token = match fields.may("session_token") {
        Some(node) => secret(node, reading).map(Some),
        None => Some(None),
    };
    let arn = reading.or_none(fields, "role", String::clone, role);
    let external_id = external_id(fields, reading, matches!(arn, Some(None)));
    let external_id = external_id?;
    let role = arn?.map(|arn| Role { arn, external_id });
    Some((Begins::Keys { id: id?, secret: key?, session_token: session_token? }, role))
}

/// A token, the role that it is good for, and the one that is assumed from there.
fn by_web(token: &Node, fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Begun> {
    let token = secret(token, reading);
    let expected = "the role that the identity is good for, as arn:aws:iam::123456789012:role/NAME";
    let arn = fields.must("role", expected, &mut reading.faults).and_then(|node| {
        let arn = role(node, &mut reading.faults)?;
        reading.given(node.path(), &arn);
        Some(arn)
    });
    let through = reading.or_none(fields, "through", String::clone, role);
    let external_id = external_id(fields, reading, matches!(through, Some(None)));
    let (token, arn, external_id) = (token?, arn?, external_id?);
    Some(match through? {
        None => (Begins::Web { token, role: arn }, None),
        Some(through) => (Begins::Web { token, role: through }, Some(Role { arn, external_id })),
    })
}

/// It is shown to whoever assumes a role from other keys, and to nobody else.
#[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
fn external_id(fields: &mut Fields<'_>, reading: &mut Reading<'_>, nobody: bool) -> Option<Option<String>> {
    if let Some(node) = fields.may("external_id").filter(|_| nobody) {
        let expected = "a role that keys assume: role beside access_key_id, or through beside web_identity";
        node.refuse_as("no role that is told it".to_owned(), expected, None, &mut reading.faults);
        return None;
    }
    reading.or_none(fields, "external_id", String::clone, |node, faults| {
        node.read("2 to 1,224 letters, digits and _+=,.@:/-", faults, |text| {
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
            let whole = EXTERNAL_ID_BYTES.contains(&text.len()) && text.bytes().all(legal);
            whole.then(|| text.to_owned())
        })
    })
}

fn role(node: &Node, faults: &mut Faults) -> Option<String> {
    node.read("a role, as arn:aws:iam::123456789012:role/NAME", faults, |text| {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, "", account, name] = parts.as_slice() else { return None };
        let named = (*arn, *service) == ("arn", "iam") && partition.starts_with("aws");
        let account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let legal = |b: u8| b.is_ascii_graphic() && b != b'*';
        let name = name.starts_with("role/") && name.bytes().all(legal) && text.len() <= ROLE_BYTES_MAX;
        (named && account && name).then(|| text.to_owned())
    })
}

fn is_region(text: &str) -> bool {
    let of = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= REGION_BYTES_MAX && text.bytes().all(of)
}

/// A text of this form, noted as given.
fn text(node: &Node, reading: &mut Reading<'_>, expected: &str, is: fn(&str) -> bool) -> Option<String> {
    let text = node.read(expected, &mut reading.faults, |text| is(text).then(|| text.to_owned()))?;
    reading.given(node.path(), &text);
    Some(text)
}
