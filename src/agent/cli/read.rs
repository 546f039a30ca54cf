//! The log, read without writing to it: every commit checked against the one before, folded as the agent folds it.

use anyhow::Context as _;
use bytes::Bytes;
use observance_record::{
    commit::Commit,
    entry::Entry,
    ledger::Ledger,
    note::{Signer, VerifierKey},
    pack::Artefact,
};

use super::{setup::Resolved, trouble::Trouble};
use crate::{
    clock::Clock,
    key::Keys,
    run::fold,
    store::{self, Location},
};

/// Called with every commit, its entries and what its packs hold, in order.
pub type Each<'a> = dyn FnMut(&Commit, &[Entry], &[Artefact]) -> anyhow::Result<()> + Send + 'a;

/// Reads the whole log; gives what it says. A log that is not there is an error.
pub async fn read(resolved: &Resolved, clock: &Clock, each: &mut Each<'_>) -> anyhow::Result<Ledger> {
    let (setup, place) = (&resolved.setup, &resolved.place);
    let none = || {
        let what = format!("there is no log {} in {}", setup.origin, place.location);
        Trouble::new(what, "observance run begins one; observance collect --all makes a first run")
    };
    if let Location::Folder(path) = &place.location
        && !path.is_dir()
    {
        return Err(none().into());
    }
    let salts = setup.keys.salt_key(setup.keys.epoch());
    let salts =
        salts.ok_or_else(|| Trouble::new("the keys hold no salt key", "see key: in the configuration"))?;
    let (mut ledger, mut refused) = (Ledger::default(), None);
    let mut take = |commit: &Commit, outside: &[Bytes]| {
        let entries = fold::entries(commit)?;
        let artefacts = fold::artefacts(commit, outside)?;
        fold::fold(&mut ledger, &entries, &artefacts, &salts)
            .context("the log does not say one thing (are these its keys?)")?;
        each(commit, &entries, &artefacts)
    };
    let mut reader = |commit: Commit, outside: Vec<Bytes>| {
        take(&commit, &outside).map_err(|error| {
            refused = Some(error);
            "the log was not taken in".into()
        })
    };
    let objects = store::connect(&place.location, place.keys.as_ref())?;
    let remembered = place.memory.as_ref().map(store::HeadFile::read).transpose()?.flatten();
    let keys = vec![vkey(&setup.origin, &setup.keys)?];
    let head = store::read(objects, &setup.origin, (keys, remembered), clock, &mut reader).await;
    if let Some(error) = refused {
        return Err(error);
    }
    head?.ok_or_else(none)?;
    Ok(ledger)
}

/// The key by which the log is verified.
pub fn vkey(origin: &str, keys: &Keys) -> anyhow::Result<VerifierKey> {
    let signer = Signer::new(origin, keys.signing_seed());
    Ok(signer.with_context(|| format!("{origin:?} is no name for a log"))?.verifier())
}
