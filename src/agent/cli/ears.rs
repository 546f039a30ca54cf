//! Who may say that something changed: a source with a webhook's secret, of the events that its collectors name.
//!
//! It listens nowhere; `run` does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use observance_record::verdict::Code;

use super::setup::Found;
use crate::{
    config::Config,
    hear::{Ear, SECRET_BYTES_MIN},
    run::setup::Collector,
};

/// An address without anybody who may speak there, or the reverse.
pub(super) fn unheard(config: &Config, found: &mut Found) {
    let speak = || config.sources.iter().filter(|(_, source)| source.webhook().is_some());
    match config.listen {
        None => {
            for (name, _) in speak() {
                let hint = "where the agent listens, as listen: 127.0.0.1:8080 with something before it that speaks TLS";
                let path = ["sources", name, "webhook"];
                found.push(&path, "a webhook, and no listen", "listen: ADDRESS:PORT", Some(hint.to_owned()));
            }
        }
        Some(_) if speak().next().is_none() => {
            let hint = "the schedule needs none: leave listen out, or give a source a webhook";
            let expected = "sources.NAME.webhook: { secret: secret://.. }";
            found.push(
                &["listen"],
                "an address at which no source may speak",
                expected,
                Some(hint.to_owned()),
            );
        }
        Some(_) => (),
    }
}

/// What hears each source that may speak, by its name.
pub(super) fn ears(
    config: &Config,
    collectors: &BTreeMap<String, Arc<Collector>>,
    found: &mut Found,
) -> Option<BTreeMap<String, Ear>> {
    let (mut ears, mut whole) = (BTreeMap::new(), true);
    for (name, source) in &config.sources {
        let Some(reference) = source.webhook() else { continue };
        let path = ["sources", name, "webhook", "secret"];
        let secret = found.secret(&path, reference, "the secret that was entered at the webhook");
        let ear = secret.and_then(|secret| match Ear::new(&secret, events(name, collectors)) {
            Ok(ear) => Some(ear),
            Err(error) => {
                let expected = format!("at least {SECRET_BYTES_MIN} bytes that nobody can guess");
                let hint = "openssl rand -hex 32 makes one; enter it at the webhook too";
                found.push(&path, error.to_string(), &expected, Some(hint.to_owned()));
                None
            }
        });
        whole &= ear.is_some();
        ears.extend(ear.map(|ear| (name.clone(), ear)));
    }
    whole.then_some(ears)
}

/// The events that concern any collector of a source.
fn events(source: &str, collectors: &BTreeMap<String, Arc<Collector>>) -> BTreeSet<Code> {
    let of = collectors.values().filter(|collector| collector.source == source);
    let names = of.flat_map(|collector| &collector.manifest.schedule().events);
    // names of events are codes by their form
    names.filter_map(|name| name.parse().ok()).collect()
}
