//! Whether sources, collectors and policies agree: what one wants the others have, and nobody's items are taken for another's.
//!
//! It adds faults and changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    collect::Manifest,
    config::{
        Config,
        client::{Client, Proof},
        fault::nearest,
        other::Credential,
        source::Source,
    },
    library,
    run::setup::{Collector, Judge},
};

use super::{folder::Beside, setup::Found};

/// A policy judges one population: two sources of a kind would each take the other's items for gone.
pub(super) fn one_of_a_kind(config: &Config, found: &mut Found) {
    let mut kinds = BTreeSet::new();
    for (name, source) in &config.sources {
        if !kinds.insert(source.kind()) {
            let hint = "watch it by an agent of its own, with an origin of its own under the same estate";
            let expected = format!("one source of kind {} in one log", source.kind());
            found.push(&["sources", name], "another one", &expected, Some(hint.to_owned()));
        }
    }
}

/// Whoever may ask a collector: with a token or a password, as a client that is given a token, by signing, or by a bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Shown,
    Client,
    Aws,
    Bind,
}

impl Way {
    const fn of(credential: &Credential) -> Self {
        match credential {
            Credential::Token(_) | Credential::Basic { .. } | Credential::Headers(_) => Self::Shown,
            Credential::Client(_) => Self::Client,
            Credential::Aws(_) => Self::Aws,
            Credential::Bind(_) => Self::Bind,
        }
    }

    fn wanted(manifest: &Manifest) -> Self {
        if manifest.is_for_directories() {
            Self::Bind
        } else if manifest.is_for_aws() {
            Self::Aws
        } else if manifest.is_for_clients() {
            Self::Client
        } else {
            Self::Shown
        }
    }
}

/// A client is given a token, requests are signed, and somebody binds, only where a manifest says; where one says so, nobody else can
/// ask.
pub(super) fn clients(config: &Config, collectors: &BTreeMap<String, Arc<Collector>>, found: &mut Found) {
    let mut wrong: BTreeMap<(&str, Way, Way), Vec<&str>> = BTreeMap::new();
    let mut unsigned: BTreeMap<&str, &str> = BTreeMap::new();
    for collector in collectors.values() {
        let Some(Source::Other(other)) = config.sources.get(&collector.source) else { continue };
        let (is, wanted) = (Way::of(&other.credential), Way::wanted(&collector.manifest));
        if is != wanted {
            wrong.entry((&collector.source, is, wanted)).or_default().push(collector.manifest.id());
        } else if let Credential::Client(Client { proof: Proof::Secret(_) | Proof::Assertion(_), .. }) =
            &other.credential
            && collector.manifest.is_for_signers()
        {
            unsigned.insert(&collector.source, collector.manifest.id());
        }
    }
    for (source, collector) in unsigned {
        let what = format!("no key, and {collector} asks in somebody's name, which is signed");
        found.push(&["sources", source, "client"], what, "key", None);
    }
    for ((source, is, wanted), collectors) in wrong {
        let collectors = collectors.join(", ");
        let (what, expected) = match (is, wanted) {
            (_, Way::Aws) => {
                (format!("no keys of AWS, and {collectors} is asked with signed requests"), "aws")
            }
            (_, Way::Client) => {
                (format!("no client, and {collectors} is asked with a token of each run"), "client")
            }
            (_, Way::Bind) => (
                format!("nobody who binds, and {collectors} asks a directory"),
                "bind: { dn: .., password: secret://.. }",
            ),
            (Way::Bind, Way::Shown) => {
                (format!("who binds, and {collectors} asks no directory"), "token, basic, headers or client")
            }
            (Way::Aws, Way::Shown) => {
                (format!("keys of AWS, and {collectors} is no collector of AWS"), "token, basic or headers")
            }
            (Way::Client | Way::Shown, Way::Shown) => {
                (format!("a client, and no way to a token in {collectors}"), "token, basic or headers")
            }
        };
        found.push(&["sources", source], what, expected, None);
    }
}

/// Where nobody's address stands in what is shipped, the organisation's own has to be given: a credential goes nowhere else.
pub(super) fn addresses(
    config: &Config,
    collectors: &BTreeMap<String, Arc<Collector>>,
    beside: &Beside,
    found: &mut Found,
) {
    let files: BTreeSet<String> = library::collectors().into_iter().map(|(name, _)| name).collect();
    let shipped =
        |c: &Collector| beside.collectors.get(c.manifest.id()).is_some_and(|(file, _)| files.contains(file));
    for (name, source) in &config.sources {
        let Source::Other(other) = source else { continue };
        let lacks = |c: &&Arc<Collector>| c.source == *name && c.manifest.lacks_address() && shipped(c);
        if other.base_url.is_none() && collectors.values().any(|c| lacks(&c)) {
            let expected = format!("base_url: the address of {} here", source.kind());
            found.push(&["sources", name], "no base_url", &expected, None);
        }
    }
}

/// A file is read by what declares its columns, and by nothing else.
pub(super) fn files(config: &Config, collectors: &BTreeMap<String, Arc<Collector>>, found: &mut Found) {
    for (name, source) in &config.sources {
        let is_file = matches!(source, Source::Register(_));
        let other = collectors
            .values()
            .find(|collector| collector.source == *name && collector.manifest.is_for_files() != is_file);
        let Some(collector) = other else { continue };
        let id = collector.manifest.id();
        if is_file {
            found.push(
                &["sources", name, "csv"],
                format!("a file, and {id} asks a server"),
                "who asks it",
                None,
            );
        } else {
            let hint = "csv: FILE.csv, signed_by: a name under signers";
            found.push(
                &["sources", name],
                format!("no file, which {id} reads"),
                "csv",
                Some(hint.to_owned()),
            );
        }
    }
}

/// Values that a collector asks with and its source does not give.
pub(super) fn unnamed(config: &Config, collectors: &BTreeMap<String, Arc<Collector>>, found: &mut Found) {
    let mut missing: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for collector in collectors.values() {
        let given = |name: &String| match config.sources.get(&collector.source) {
            Some(Source::Github(_)) => name == "org",
            Some(Source::Other(other)) => {
                other.params.contains_key(name) || name == "region" && other.region().is_some()
            }
            // what reads a file asks with nothing
            Some(Source::Register(_)) | None => true,
        };
        for name in collector.manifest.params().iter().filter(|name| !given(name)) {
            missing.entry((&collector.source, name)).or_default().push(collector.manifest.id());
        }
    }
    for ((source, name), collectors) in missing {
        let what = format!("no value for {name}, which {} asks with", collectors.join(", "));
        let hint = format!("params: {{ {name}: .. }}");
        found.push(&["sources", source], what, "a value for every parameter of its collectors", Some(hint));
    }
    for (name, source) in &config.sources {
        let Source::Other(other) = source else { continue };
        let own = || collectors.values().filter(|c| c.source == *name).flat_map(|c| c.manifest.params());
        for param in
            other.params.keys().filter(|param| own().next().is_some() && !own().any(|own| own == *param))
        {
            let near = nearest(param, own().map(String::as_str)).map(|near| format!("did you mean {near}?"));
            found.push(
                &["sources", name, "params", param],
                "a value that no collector asks with",
                "a parameter of its collectors",
                near,
            );
        }
    }
}

/// Policies that could never judge anything: a population that they want is nobody's.
pub(super) fn unfed(policies: &BTreeMap<String, Judge>, beside: &Beside, found: &mut Found) {
    let read = |(name, bytes): &(String, Vec<u8>)| Manifest::read(name, &String::from_utf8_lossy(bytes)).ok();
    let manifests: Vec<Manifest> = beside.collectors.values().filter_map(read).collect();
    let yields: BTreeSet<&str> =
        manifests.iter().flat_map(|manifest| manifest.yields().map(|(name, ..)| name)).collect();
    let path = ["policies", "library"];
    for (id, judge) in policies {
        let meta = judge.policy.meta();
        let wanted = [("judges", &meta.population)].into_iter();
        let wanted = wanted.chain(meta.joined.iter().map(|name| ("joins", name)));
        let wanted = wanted.chain(meta.exposure.iter().map(|name| ("names as its exposure", name)));
        for (verb, name) in wanted.filter(|(_, name)| !yields.contains(name.as_str())) {
            let what = format!("policy {id} {verb} {name}, which no collector yields");
            let near = nearest(name, yields.iter().copied());
            let hint = near.map(|near| format!("did you mean {near}?"));
            found.push(&path, what, "a population of a collector", hint);
        }
        let own = manifests.iter().filter(|m| m.yields().any(|(name, ..)| name == meta.population));
        let steps: Vec<String> = own.flat_map(Manifest::step_outlines).map(|step| step.id).collect();
        let needed = meta.needs.steps.iter().flatten();
        for step in needed.filter(|step| !steps.is_empty() && !steps.contains(step)) {
            let what =
                format!("policy {id} needs step {step}, which no collector of {} has", meta.population);
            let near = nearest(step, steps.iter().map(String::as_str));
            let hint = near.map(|near| format!("did you mean {near}?"));
            found.push(&path, what, "a step of the collector", hint);
        }
    }
}

/// Two collectors would each take the other's items for gone: what one saw fail would be said to be mended.
pub(super) fn shared(
    policies: &BTreeMap<String, Judge>,
    collectors: &BTreeMap<String, Arc<Collector>>,
    found: &mut Found,
) {
    let mut readers: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, judge) in policies {
        let meta = judge.policy.meta();
        for name in [&meta.population].into_iter().chain(&meta.joined) {
            readers.entry(name).or_insert(id);
        }
    }
    for (population, policy) in readers {
        let yields = |c: &&Arc<Collector>| c.manifest.yields().any(|(name, ..)| name == population);
        // two sources of a kind are told above
        let ids: BTreeSet<&str> = collectors.values().filter(yields).map(|c| c.manifest.id()).collect();
        let sources: BTreeSet<&str> = collectors.values().filter(yields).map(|c| c.source.as_str()).collect();
        let listed = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(" and ");
        let Some(last) = sources.last().filter(|_| ids.len() > 1) else { continue };
        let what = format!("population {population}, which policy {policy} reads, from {}", listed(&ids));
        if sources.len() > 1 {
            let hint = format!(
                "keep one of the sources {}, or name it otherwise in a collector of yours",
                listed(&sources)
            );
            found.push(&["sources", last], what, "one source of each population", Some(hint));
        } else {
            let hint = "each would take the other's items for gone: name it otherwise in a collector of yours, or disable one";
            let path = ["policies", "library"];
            found.push(&path, what, "one collector of each population", Some(hint.to_owned()));
        }
    }
}
