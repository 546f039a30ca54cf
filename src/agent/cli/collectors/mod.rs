//! `collectors`: what can be collected, by whom it is read, what it needs, whether it is in order.
//!
//! Everything is drawn from the manifests; no name of a collector stands here.

mod lint;
mod permissions;
mod show;
mod trial;

use std::io::Write;

use self::show::{requests, speaks};
use super::{
    arguments::{CollectorsCommand, CollectorsList},
    json,
    shelf::Shelf,
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
        CollectorsCommand::Permissions(asked) => permissions::permissions(&shelf, asked, out),
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
