//! Whose requests are signed as AWS wants them: `connection.aws` of a manifest, and the addresses of its services.
//!
//! It signs nothing, and knows no keys; those are the configuration's.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{
    Manifest, Step, keys, parts,
    yaml::{Faults, Section, Spot},
};

/// The parameter that every such manifest asks with.
pub(in crate::collect) const REGION: &str = "region";
/// Where in an address it stands.
pub(super) const PLACE: &str = "{region}";
/// The service that gives keys for a session, and says whose keys they are.
pub(in crate::collect) const STS: &str = "sts";
/// Longest name of a region or a service, in bytes.
const WORD_BYTES_MAX: usize = 32;
/// How the actions begin that a collector may ask for.
const READING: [&str; 4] = ["Describe", "Get", "List", "Lookup"];

/// Requests are signed, for this service.
#[derive(Debug)]
pub(in crate::collect) struct Aws {
    /// The service that the base address is of.
    pub service: String,
    /// The region that it signs for, where it has one for all.
    pub region: Option<String>,
}

/// A name of a region or a service, which may stand in an address.
pub(in crate::collect) fn is_word(text: &str) -> bool {
    let of = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= WORD_BYTES_MAX && text.bytes().all(of)
}

pub(super) fn read(spot: &Spot<'_>, params: &[String], faults: &mut Faults) -> Option<Aws> {
    let section = spot.section(faults, &keys::AWS.names());
    if !params.iter().any(|param| param == REGION) {
        faults.add(spot, "no region among params", format!("params: [{REGION}, ..]"));
    }
    let word = |spot: &Spot<'_>, faults: &mut Faults| {
        spot.read(faults, "a name of a-z, 0-9 and -", |text| is_word(text).then(|| text.to_owned()))
    };
    let service = section.need(faults, "service").and_then(|spot| word(spot, faults));
    let region = section.get(REGION).and_then(|spot| word(spot, faults));
    Some(Aws { service: service?, region })
}

/// `service` of a step: another one than the connection's.
pub(super) fn service(section: &Section<'_>, faults: &mut Faults) -> Option<String> {
    let spot = section.get("service")?;
    spot.read(faults, "a name of a-z, 0-9 and -", |text| is_word(text).then(|| text.to_owned()))
}

/// What only goes together, once all is read.
pub(super) fn agree(sections: &Section<'_>, faults: &mut Faults, manifest: &Manifest) {
    let Some(spot) = sections.get("connection") else { return };
    if manifest.connection.aws.is_none() {
        let own = manifest.steps.iter().find(|step| step.service.is_some());
        if let Some(step) = own {
            faults.add(spot, format!("no aws, and step {} names a service", step.id), "aws: { service: .. }");
        }
        return;
    }
    if manifest.connection.auth.is_some() {
        faults.add(spot, "aws beside auth", "one of them");
    }
    // a session may do what is expected and nothing else, so every action must be named, and read
    let expected = "actions that read, as logs:DescribeLogGroups";
    if manifest.permissions().is_empty() {
        faults.add(spot, "aws, and no permissions.expect", expected);
    }
    for (name, _) in manifest.permissions().iter().filter(|(name, _)| !reads(name)) {
        faults.add(spot, format!("{name} in permissions.expect"), expected);
    }
}

fn reads(action: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return false };
    let whole = is_word(service) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    whole && READING.iter().any(|verb| name.starts_with(verb))
}

impl Manifest {
    /// Are its requests signed as AWS wants them? Then, and only then, a source with keys of AWS may ask.
    pub const fn is_for_aws(&self) -> bool {
        self.connection.aws.is_some()
    }

    /// Where it reads unless the request says otherwise; none if a value in it is missing, or would change it.
    pub fn address(&self, params: &BTreeMap<String, String>) -> Option<String> {
        let address = &self.connection.base_url;
        if !address.contains(PLACE) {
            return Some(address.clone());
        }
        let region = params.get(REGION).filter(|region| is_word(region))?;
        Some(address.replace(PLACE, region))
    }

    /// Addresses of the other services that a run may speak to, by name: in its region, or all at the one address that the request
    /// says.
    pub(in crate::collect) fn beside(
        &self,
        params: &BTreeMap<String, String>,
        elsewhere: Option<&Url>,
    ) -> BTreeMap<String, Url> {
        let Some(region) = params.get(REGION).filter(|region| self.is_for_aws() && is_word(region)) else {
            return BTreeMap::new();
        };
        let own = self.steps.iter().filter_map(|step| step.service.as_deref());
        let names: BTreeSet<&str> = own.chain([STS]).collect();
        let address = |name: &str| match elsewhere {
            Some(url) => Some(url.clone()),
            None => Url::parse(&format!("https://{name}.{region}.amazonaws.com")).ok(),
        };
        names.into_iter().filter_map(|name| Some((name.to_owned(), address(name)?))).collect()
    }
}

impl Step {
    /// The service and the region that its requests are signed for.
    pub(in crate::collect) fn scope<'s>(
        &'s self,
        aws: &'s Aws,
        params: &'s BTreeMap<String, String>,
    ) -> Option<(&'s str, &'s str)> {
        let region = params.get(REGION)?;
        Some(match &self.service {
            Some(service) => (service, region),
            None => (&aws.service, aws.region.as_ref().unwrap_or(region)),
        })
    }
}

/// A base address; the place of the region is a part of its host, well before the end.
pub(super) fn base_address(spot: &Spot<'_>, faults: &mut Faults, placed: bool) -> Option<String> {
    let expected = if placed {
        "an https address without user, query or fragment, its host perhaps with {region} between dots"
    } else {
        "an https address without user, query or fragment"
    };
    spot.read(faults, expected, |text| {
        let host = text.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        let labels: Vec<&str> = host.unwrap_or_default().rsplit('.').collect();
        let whole = labels.iter().skip(2).filter(|label| **label == PLACE).count();
        if text.matches(['{', '}']).count() != 2 * whole || whole > usize::from(placed) {
            return None;
        }
        parts::is_base(&text.replace(PLACE, REGION), "https").then(|| text.trim_end_matches('/').to_owned())
    })
}
