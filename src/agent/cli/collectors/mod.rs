//! `collectors`: what can be collected, by whom it is read, what it needs, whether it is in order.
//!
//! Everything is drawn from the manifests; no name of a collector stands here.

mod lint;
mod show;
mod trial;

use std::io::Write;

use serde_json::json;

use self::show::{requests, speaks};
use super::{
    arguments::{CollectorsCommand, CollectorsList, CollectorsPermissions},
    grants::{self, granting::Grants, paste},
    json,
    shelf::{Shelf, Shelved},
};
use crate::{clock::Clock, collect::manifest_schema, text::visible};

/// Does what was asked.
pub async fn collectors(
    command: &CollectorsCommand,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let shelf = Shelf::shipped()?;
    match command {
        CollectorsCommand::List(asked) => list(&shelf, asked, out),
        CollectorsCommand::Show(asked) => show::show(&shelf, asked, out),
        CollectorsCommand::Lint(asked) => lint::lint(&shelf, asked, out),
        CollectorsCommand::Permissions(asked) => permissions(&shelf, asked, out),
        CollectorsCommand::Try(asked) => trial::trial(&shelf, asked, clock, out).await,
        CollectorsCommand::Schema => json(out, &manifest_schema()).map(|()| 0),
    }
}

fn list(shelf: &Shelf, asked: &CollectorsList, out: &mut dyn Write) -> anyhow::Result<u8> {
    if asked.json {
        let values: Vec<_> = shelf.collectors.values().map(|shelved| show::value(shelf, shelved)).collect();
        json(out, &values)?;
        return Ok(0);
    }
    for (id, shelved) in &shelf.collectors {
        writeln!(out, "{id}  {}", visible(shelved.manifest.title()))?;
        for population in shelved.manifest.population_outlines() {
            let readers = shelf.readers(&population.name);
            let readers = if readers.is_empty() { "no policy".to_owned() } else { readers.join(" ") };
            writeln!(out, "  {}  {} · read by {readers}", population.name, speaks(&population))?;
        }
        writeln!(out, "  asks {}", requests(&shelved.manifest.step_outlines()))?;
    }
    writeln!(out, "next: observance collectors show ID")?;
    Ok(0)
}

fn permissions(shelf: &Shelf, asked: &CollectorsPermissions, out: &mut dyn Write) -> anyhow::Result<u8> {
    let named: Vec<Shelved> = asked.ids.iter().map(|id| shelf.find(id)).collect::<Result<_, _>>()?;
    let grants = if named.is_empty() {
        Grants::for_collectors(shelf, shelf.collectors.values())
    } else {
        Grants::for_collectors(shelf, &named)
    };
    if asked.app_manifest {
        json(out, &paste::app_manifest(&grants, paste::ORG))?;
        return Ok(0);
    }
    if asked.json {
        json(out, &json!({ "rights": grants.rights, "needs": grants.needs }))?;
        return Ok(0);
    }
    for one in &grants.rights {
        writeln!(out, "{} ({})  {} on the {}", one.label, one.right, one.level, one.on)?;
        for (collector, steps) in &one.collectors {
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            let steps = if steps.is_empty() { "as a whole".to_owned() } else { steps.join(", ") };
            writeln!(out, "  {collector}: {steps}")?;
        }
    }
    let mut lines = Vec::new();
    grants::needs(&grants, &mut |text| lines.push(text));
    for line in lines {
        writeln!(out, "{}", line.trim_start())?;
    }
    let github = named.iter().all(|one| one.kind() == "github");
    let next = if github {
        "observance grants github   (the same, ready to paste)"
    } else {
        "observance collectors try FILE   (says what the credential may not see)"
    };
    writeln!(out, "next: {next}")?;
    Ok(0)
}
