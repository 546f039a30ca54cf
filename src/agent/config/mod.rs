//! `observance.yaml`: what one agent watches, where it keeps the record, and for which periods.
//!
//! It reads a text and opens nothing else: no secret is fetched, no path looked at. Unknown keys and every other fault
//! are refused together, each with its line. What is not written has a default, and [`Config::explain`] shows it.

pub mod alert;
pub mod aws;
pub mod catalogue;
pub mod client;
pub mod collector;
pub mod directory;
pub mod fault;
pub mod key;
pub mod node;
pub mod other;
pub mod period;
pub mod policy;
mod reading;
pub mod register;
pub mod source;
pub mod store;
pub mod tree;

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use chrono_tz::Tz;

use self::{
    alert::Webhook,
    catalogue::Catalogue,
    collector::Collector,
    fault::{Fault, Faults},
    key::KeySource,
    node::{Fields, Node},
    period::Period,
    policy::{Owners, Policies},
    reading::{Effective, Reading},
    source::Source,
    store::Store,
    tree::BYTES_MAX,
};

/// Most approvers.
const APPROVERS_MAX: usize = 100;
/// Longest origin, in characters; it is the first line of every checkpoint.
const ORIGIN_CHARS_MAX: usize = 200;

/// Everything that was configured, complete with defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Whose controls are watched.
    pub organisation: Organisation,
    /// Where the record is kept.
    pub store: Store,
    /// The log's name, for ever: visible ASCII without spaces or `+` (it becomes a checkpoint's origin line).
    pub origin: String,
    /// Where the log's keys are.
    pub key: KeySource,
    /// A folder of the agent's own for its memory of the log's head; without one a rollback of the store shows only
    /// through witnesses, pins and anchors (formats section 1).
    pub folder: Option<PathBuf>,
    /// The outside systems, by name.
    pub sources: BTreeMap<String, Source>,
    /// What is collected from them and when: every shipped collector of every source, disabled ones too.
    pub collectors: Vec<Collector>,
    /// Which policies judge, and with which parameters.
    pub policies: Policies,
    /// Who owns which control.
    pub owners: Owners,
    /// Who may approve exceptions and changes of scope.
    pub approvers: Vec<String>,
    /// Observation periods, by name; they may overlap.
    pub periods: BTreeMap<String, Period>,
    /// Where the agent listens for sources that say that something changed; it does not listen without one.
    pub listen: Option<SocketAddr>,
    /// Where drift is told, if anywhere.
    pub webhook: Option<Webhook>,
    effective: Vec<Effective>,
}

/// Whose controls are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// The name that reports print.
    pub name: String,
    /// The zone in which periods are cut and times are shown.
    pub zone: Tz,
}

/// What the caller allows beyond an ordinary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// A record that survives the process.
    Kept,
    /// Also `store: memory:`, for demonstrations and tests.
    Memory,
}

impl Config {
    /// Reads the file at `path`; see [`Config::read`].
    pub fn load(path: &Path, catalogue: &Catalogue) -> Result<Self, Faults> {
        Self::read(&Self::text(path)?, path, catalogue, Allowed::Kept)
    }

    /// The text of the file at `path`.
    pub fn text(path: &Path) -> Result<String, Faults> {
        file_text(path).map_err(|found| {
            let mut faults = Faults::new(&path.to_string_lossy());
            faults.push(Fault {
                line: 0,
                path: String::new(),
                found,
                expected: format!("a readable text of at most {BYTES_MAX} bytes"),
                hint: Some("observance init writes a first one".to_owned()),
            });
            faults
        })
    }

    /// Reads `text`. `path` names the file in faults, and relative paths in the text are relative to its folder.
    pub fn read(text: &str, path: &Path, catalogue: &Catalogue, allowed: Allowed) -> Result<Self, Faults> {
        let mut reading = Reading::new(path, catalogue, allowed);
        let config = tree::parse(text, &mut reading.faults).and_then(|root| whole(&root, &mut reading));
        let effective = reading.effective;
        reading.faults.or(config.map(|config| Self { effective, ..config }))
    }

    /// The effective configuration, one `key  value` a line; what was not written in the file is marked `default`.
    /// Holds no secret, only references to them.
    pub fn explain(&self) -> String {
        reading::explain(&self.effective)
    }
}

/// Reads every section before it gives up, so that all their faults are found.
fn whole(root: &Node, reading: &mut Reading<'_>) -> Option<Config> {
    let mut fields =
        root.fields("a map of organisation, store, origin, key, sources ...", &mut reading.faults)?;
    let organisation = fields
        .must("organisation", "{ name: ..., zone: ... }", &mut reading.faults)
        .and_then(|node| organisation(node, reading));
    let store = store::read(&mut fields, reading);
    let origin = origin(&mut fields, reading);
    let key = key::read(&mut fields, reading);
    let folder = reading.path_or_none(&mut fields, "folder", "a folder for the agent's own memory");
    reading.signers = register::signers(&mut fields, reading)?;
    let sources = source::read(&mut fields, reading);
    let listen = reading.or_none(&mut fields, "listen", SocketAddr::to_string, listen);
    let collectors = collector::read(&mut fields, sources.as_ref(), reading);
    let policies = policy::read(&mut fields, reading);
    let owners = policy::owners(&mut fields, reading);
    let approvers = approvers(&mut fields, reading);
    let zone = organisation.as_ref().map_or(Tz::UTC, |organisation| organisation.zone);
    let periods = period::read(&mut fields, zone, reading);
    let webhook = alert::read(&mut fields, reading);
    fields.done(&mut reading.faults);
    Some(Config {
        organisation: organisation?,
        store: store?,
        origin: origin?,
        key: key?,
        folder: folder?,
        sources: sources?,
        collectors: collectors?,
        policies: policies?,
        owners: owners?,
        approvers: approvers?,
        periods: periods?,
        listen: listen?,
        webhook: webhook?,
        effective: Vec::new(),
    })
}

fn organisation(node: &Node, reading: &mut Reading<'_>) -> Option<Organisation> {
    let mut fields = node.fields("{ name: ..., zone: ... }", &mut reading.faults)?;
    let name = fields
        .must("name", "the organisation's name", &mut reading.faults)
        .and_then(|node| reading.name(node, "the organisation's name"));
    let zone = reading.or(&mut fields, "zone", Tz::UTC, zone);
    fields.done(&mut reading.faults);
    Some(Organisation { name: name?, zone: zone? })
}

/// A time zone by its IANA name.
fn zone(node: &Node, faults: &mut Faults) -> Option<Tz> {
    let expected = "an IANA time zone such as Europe/Berlin";
    let text = node.text(expected, faults)?;
    let zone = text.parse().ok();
    if zone.is_none() {
        let near = fault::nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let hint = near.map(|near| format!("did you mean {near}?"));
        node.refuse(expected, hint.as_deref(), faults);
    }
    zone
}

/// An address of this machine and a port.
fn listen(node: &Node, faults: &mut Faults) -> Option<SocketAddr> {
    let expected = "an address and a port, such as 127.0.0.1:8080";
    node.read(expected, faults, |text| text.parse().ok())
}

fn origin(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<String> {
    let expected = "the log's name, such as acme.example/observance: visible ASCII, no spaces, no +";
    let node = fields.must("origin", expected, &mut reading.faults)?;
    let origin = node.read(expected, &mut reading.faults, |text| {
        let whole = text.chars().all(|c| c.is_ascii_graphic() && c != '+');
        (whole && text.len() <= ORIGIN_CHARS_MAX).then(|| text.to_owned())
    })?;
    reading.given("origin", &origin);
    Some(origin)
}

fn approvers(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<Vec<String>> {
    let Some(node) = fields.may("approvers") else {
        reading.defaulted("approvers", "none");
        return Some(Vec::new());
    };
    let nodes = node.list("a list of names", &mut reading.faults)?;
    if nodes.len() > APPROVERS_MAX {
        node.refuse(&format!("at most {APPROVERS_MAX} names"), None, &mut reading.faults);
        return None;
    }
    let mut names: Vec<String> = Vec::new();
    for node in nodes {
        let Some(name) = reading.name(node, "an approver's name") else { continue };
        if names.contains(&name) {
            node.refuse("each approver once", None, &mut reading.faults);
        }
        names.push(name);
    }
    Some(names)
}

/// The file's text, or what was found instead of one.
fn file_text(path: &Path) -> Result<String, String> {
    let file =
        File::open(path).map_err(|error| format!("a file that cannot be opened ({})", error.kind()))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("a file that cannot be read ({})", error.kind()))?;
    String::from_utf8(bytes)
        .map_err(|error| format!("a byte that is not UTF-8 at offset {}", error.utf8_error().valid_up_to()))
}

#[cfg(test)]
mod tests;
