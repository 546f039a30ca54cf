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
    store::{self, Location, StoreError},
};

/// Called with every commit, its entries and what its packs hold, in order.
pub type Each<'a> = dyn FnMut(&Commit, &[Entry], &[Artefact]) -> anyhow::Result<()> + 'a;

/// Reads the whole log; gives what it says. A log that is not there is an error.
pub async fn read(resolved: &Resolved, clock: &Clock, each: &mut Each<'_>) -> anyhow::Result<Ledger> {
    let setup = &resolved.setup;
    let commits = commits(resolved, clock).await?;
    let salts = setup.keys.salt_key(setup.keys.epoch());
    let salts =
        salts.ok_or_else(|| Trouble::new("the keys hold no salt key", "see key: in the configuration"))?;
    let mut ledger = Ledger::default();
    for (commit, outside) in &commits {
        let entries = fold::entries(commit)?;
        let artefacts = fold::artefacts(commit, outside)?;
        fold::fold(&mut ledger, &entries, &artefacts, &salts)
            .context("the log does not say one thing (are these its keys?)")?;
        each(commit, &entries, &artefacts)?;
    }
    Ok(ledger)
}

/// The key by which the log is verified.
pub fn vkey(origin: &str, keys: &Keys) -> anyhow::Result<VerifierKey> {
    let signer = Signer::new(origin, keys.signing_seed());
    Ok(signer.with_context(|| format!("{origin:?} is no name for a log"))?.verifier())
}

async fn commits(resolved: &Resolved, clock: &Clock) -> anyhow::Result<Vec<(Commit, Vec<Bytes>)>> {
    let place = &resolved.place;
    let origin = &resolved.setup.origin;
    let none = || {
        let what = format!("there is no log {origin} in {}", place.location);
        Trouble::new(what, "observance run begins one; observance collect --all makes a first run")
    };
    if let Location::Folder(path) = &place.location
        && !path.is_dir()
    {
        return Err(none().into());
    }
    let objects = store::connect(&place.location, place.keys.as_ref())?;
    let remembered = place.memory.as_ref().map(store::HeadFile::read).transpose()?.flatten();
    let (mut commits, mut rolled_back) = (Vec::new(), remembered.is_some());
    let mut reader = |commit: Commit, outside: Vec<Bytes>| {
        if let Some(head) = remembered.filter(|head| head.ordinal == commit.ordinal) {
            let tree = commit.after();
            rolled_back = (tree.size(), tree.root()) != (head.size, head.root);
        }
        commits.push((commit, outside));
        Ok(())
    };
    let keys = vec![vkey(origin, &resolved.setup.keys)?];
    let head = store::read(objects, origin, keys, clock, &mut reader).await?;
    if let (Some(remembered), true) = (remembered, rolled_back) {
        return Err(StoreError::Rollback { remembered }.into());
    }
    if head.is_none() {
        return Err(none().into());
    }
    Ok(commits)
}
