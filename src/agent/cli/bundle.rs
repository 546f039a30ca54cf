//! `bundle`: the log with everything that it binds, as a folder that an auditor checks offline.
//!
//! It is built beside its name, checked there, recorded as an export, and only then gets the name: no bundle is handed
//! out that does not hold or that the log does not know of.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use observance_record::{ledger::Ledger, view::PeriodView};
use observance_verify::{Conclusion, Folder, Report, Trust, verify};
use serde_json::json;

use super::{arguments::Bundle, json, period, read, setup::Resolved, trouble::Trouble};
use crate::{
    bundle::{Builder, Cover, Written, page},
    chance::Chance,
    clock::Clock,
    run::{Handed, export},
    status::{counted, number},
    store::{Sharing, Store},
};

/// Makes it and prints what it holds.
pub async fn bundle(
    resolved: &Resolved,
    asked: &Bundle,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    if asked.out.symlink_metadata().is_ok() {
        let what = format!("{} exists already", asked.out.display());
        return Err(Trouble::new(what, "name another folder, or remove it").into());
    }
    let unlogged = beside(&asked.out)?;
    let (written, period, size) = build(resolved, asked, clock, &unlogged).await?;
    let report = check(resolved, &unlogged)?;
    let handed = Handed { digest: written.digest, to: size, period: Some(period.clone()) };
    let place = &resolved.place;
    let store = Store::open(&place.location, place.keys.as_ref(), Sharing::Shared, clock.clone()).await?;
    let world = (clock.clone(), Chance::system());
    let number_of = export(&resolved.setup, &store, place.memory.clone(), world, handed).await?;
    // if we crash here the log counts an export that nobody received: more than there are, never fewer
    fs::rename(&unlogged, &asked.out)
        .with_context(|| format!("cannot name the bundle {}", asked.out.display()))?;
    if asked.json {
        let value = json!({
            "dir": asked.out, "period": period, "export": number_of, "digest": written.digest,
            "files": written.files, "bytes": written.bytes, "report": report,
        });
        json(out, &value)?;
        return Ok(0);
    }
    let dir = asked.out.display();
    let mega = written.bytes.div_ceil(1 << 20);
    writeln!(
        out,
        "export {number_of} of {period}: {dir} ({}, {} MB)",
        counted(written.files, "file"),
        number(mega)
    )?;
    write!(out, "{}", checked(&report))?;
    writeln!(
        out,
        "next: observance-verify {dir} --key \"$(observance key show)\" --replay   or open {dir}/index.html"
    )?;
    Ok(0)
}

/// Where the bundle lies until the log knows of it; what an earlier attempt left there was never handed out.
fn beside(dir: &Path) -> anyhow::Result<PathBuf> {
    let name = dir.file_name().with_context(|| format!("{} is no name for a folder", dir.display()))?;
    let mut name = name.to_owned();
    name.push(".unlogged");
    let unlogged = dir.with_file_name(name);
    if unlogged.symlink_metadata().is_ok() {
        fs::remove_dir_all(&unlogged).with_context(|| format!("cannot remove {}", unlogged.display()))?;
    }
    Ok(unlogged)
}

async fn build(
    resolved: &Resolved,
    asked: &Bundle,
    clock: &Clock,
    dir: &Path,
) -> anyhow::Result<(Written, String, u64)> {
    let keys = &resolved.setup.keys;
    let salts = keys.salt_key(keys.epoch()).context("the keys hold no salt key")?;
    let mut builder = Builder::create(dir, &salts)?;
    let mut root = observance_record::merkle::empty_root();
    let ledger = read::read(resolved, clock, &mut |commit, _, artefacts| {
        root = commit.after().root();
        Ok(builder.commit(commit, artefacts)?)
    })
    .await?;
    let period = period::choose(&ledger, asked.id.as_deref(), clock.now())?;
    let view = PeriodView::new(&ledger, &period.id, period.from, period.to);
    let organisation = &resolved.config.organisation.name;
    let zone = period::zone(period, resolved);
    let titles = resolved.setup.titles();
    let page = page::html(&page::Content {
        ledger: &ledger,
        view: &view,
        zone,
        organisation,
        titles: &titles,
        serves: &resolved.setup.serves,
        root,
    });
    let cover = Cover { page, views: views(&ledger)?, at: view.until };
    Ok((builder.finish(&cover)?, period.id.clone(), ledger.size()))
}

/// Every period, since any of them may be asked about.
fn views(ledger: &Ledger) -> anyhow::Result<std::collections::BTreeMap<String, Vec<u8>>> {
    let view = |period: &observance_record::entry::PeriodOpen| {
        let view = PeriodView::new(ledger, &period.id, period.from, period.to);
        Ok((format!("{}.json", period.id), serde_json::to_vec_pretty(&view)?))
    };
    ledger.periods().values().map(view).collect()
}

/// Checks the bundle with the log's own key; what does not hold is not handed out.
fn check(resolved: &Resolved, dir: &Path) -> anyhow::Result<Report> {
    let key = read::vkey(&resolved.setup.origin, &resolved.setup.keys)?;
    let report = verify(&Folder::open(dir)?, &Trust { key: Some(key), pins: Vec::new() }, false);
    match report.conclusion {
        Conclusion::Holds => Ok(report),
        Conclusion::Fails | Conclusion::Unchecked => {
            bail!(
                "the bundle does not hold and was not handed out; it lies in {}: {}",
                dir.display(),
                failure(&report)
            )
        }
    }
}

fn failure(report: &Report) -> String {
    report.failure.as_ref().map_or_else(String::new, ToString::to_string)
}

/// The first lines of the report; its last one names the next step, which is said here.
fn checked(report: &Report) -> String {
    let text = report.text();
    let lines = text.lines().filter(|line| !line.starts_with("next:"));
    lines.fold(String::new(), |out, line| out + line + "\n")
}
