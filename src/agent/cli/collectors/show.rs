//! One manifest, as a person reads it.

use std::io::Write;

use serde_json::{Value, json};

use crate::{
    cli::{
        arguments::CollectorsShow,
        grants::rights,
        json,
        shelf::{Shelf, Shelved},
    },
    collect::{Place, PopulationOutline, StepOutline},
    status::{counted, number},
    text::visible,
};

const DAY_MS: i64 = 86_400_000;

/// Prints it.
pub fn show(shelf: &Shelf, asked: &CollectorsShow, out: &mut dyn Write) -> anyhow::Result<u8> {
    let shelved = shelf.find(&asked.id)?;
    if asked.json {
        json(out, &value(shelf, &shelved))?;
        return Ok(0);
    }
    let manifest = &shelved.manifest;
    writeln!(out, "{}  {}", manifest.id(), visible(manifest.title()))?;
    writeln!(out, "  version {}, {}, {}", manifest.version(), shelved.file, manifest.digest())?;
    writeln!(
        out,
        "  at {}, at most {} a run",
        manifest.base_url(),
        counted(manifest.requests_max(), "request")
    )?;
    if let Some(head) = manifest.table_head() {
        writeln!(out, "  file {head}")?;
    }
    let rights = manifest.permissions().iter().map(|(name, access)| format!("{name} {access}"));
    writeln!(out, "  rights {}", rights.collect::<Vec<_>>().join(", "))?;
    let schedule = manifest.schedule();
    writeln!(out, "  runs at {} UTC", schedule.cron)?;
    if !schedule.events.is_empty() {
        writeln!(out, "  and upon {}, where the source may speak", schedule.events.join(", "))?;
    }
    for step in manifest.step_outlines() {
        one(&step, manifest.permissions(), out)?;
    }
    for population in manifest.population_outlines() {
        let PopulationOutline { name, of, joins, .. } = &population;
        writeln!(out, "population {name}: {}, rows of {of}", speaks(&population))?;
        for (key, step) in joins {
            writeln!(out, "  with {key} from {step}")?;
        }
        let readers = shelf.readers(name);
        writeln!(
            out,
            "  read by {}",
            if readers.is_empty() { "no policy".to_owned() } else { readers.join(", ") }
        )?;
    }
    let params = manifest.params().iter().map(|name| match name.as_str() {
        "org" => " --org ORG".to_owned(),
        other => format!(" --param {other}={}", other.to_uppercase()),
    });
    let file = manifest.is_for_files().then(|| " --csv FILE".to_owned());
    let bind = manifest.is_for_directories().then(|| " --bind DN --base-url ldaps://HOST".to_owned());
    let params: String = params.chain(file).chain(bind).collect();
    writeln!(out, "next: observance collectors try {}{params}   (stores nothing)", visible(&asked.id))?;
    Ok(0)
}

fn one(step: &StepOutline, declared: &[(String, String)], out: &mut dyn Write) -> anyhow::Result<()> {
    let each = step.each.as_ref().map(|each| format!(", once for each of {each}")).unwrap_or_default();
    let pages = if step.paged { ", all pages" } else { "" };
    match (step.verb, &step.each) {
        ("INSIDE", Some(of)) => {
            writeln!(out, "step {}: the list {} in each of {of}, no request", step.id, visible(&step.path))?;
        }
        (verb, _) => writeln!(out, "step {}: {verb} {}{each}{pages}", step.id, visible(&step.path))?,
    }
    let query: Vec<String> = step.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let part = |name: &str, list: Vec<String>, out: &mut dyn Write| {
        if list.is_empty() { Ok(()) } else { writeln!(out, "  {name:<10}{}", visible(&list.join(", "))) }
    };
    part("query", query, out)?;
    part("right", rights::needed(step, declared).into_iter().collect(), out)?;
    part("needs", step.needs.clone().into_iter().collect(), out)?;
    part("keeps", step.projected.clone(), out)?;
    part("covers", step.redacted.clone(), out)?;
    part("requires", step.required.clone(), out)?;
    part("whole if", step.complete.iter().map(|proof| (*proof).to_owned()).collect(), out)?;
    if step.windowed {
        let reach = step.reach_ms.map_or_else(
            || "as far as asked".to_owned(),
            |ms| format!("{} back", counted((ms / DAY_MS).unsigned_abs(), "day")),
        );
        writeln!(out, "  {:<10}{reach}", "window")?;
    }
    Ok(())
}

/// What the rows are: `events of type change`, `things of type account, now`.
pub fn speaks(population: &PopulationOutline) -> String {
    let kind = visible(&population.item_type);
    match (population.events, population.windowed) {
        (true, _) => format!("{kind}: events of a window"),
        (false, true) => format!("{kind}: each about a window"),
        (false, false) => format!("{kind}: each as it is now"),
    }
}

/// `1 request, then 2 for each of repos`.
pub fn requests(steps: &[StepOutline]) -> String {
    let mut parts: Vec<String> = Vec::new();
    // what stands inside of records that came is asked for by nobody
    let asking = || steps.iter().filter(|step| step.verb != "INSIDE");
    let once = asking().filter(|step| step.each.is_none());
    let (lists, single): (Vec<_>, Vec<_>) = once.partition(|step| step.paged);
    if !single.is_empty() {
        parts.push(counted(u64::try_from(single.len()).unwrap_or(u64::MAX), "request"));
    }
    parts.extend(lists.iter().map(|step| format!("every page of {}", step.id)));
    let mut parents: Vec<&String> = asking().filter_map(|step| step.each.as_ref()).collect();
    parents.dedup();
    for parent in parents {
        let n = asking().filter(|step| step.each.as_ref() == Some(parent)).count();
        let part = format!("{} for each of {parent}", number(u64::try_from(n).unwrap_or(u64::MAX)));
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(", ")
}

/// The same for machines.
pub fn value(shelf: &Shelf, shelved: &Shelved) -> Value {
    let manifest = &shelved.manifest;
    let step = |step: &StepOutline| {
        let records = match &step.records {
            Place::One => "one",
            Place::List => "list",
            Place::Count => "count",
            Place::At(path) => path,
        };
        json!({
            "id": step.id, "verb": step.verb, "path": step.path, "query": step.query, "for_each": step.each, "paged": step.paged,
            "records": records, "project": step.projected, "redact": step.redacted, "require": step.required,
            "complete": step.complete, "windowed": step.windowed, "reach_ms": step.reach_ms, "needs": step.needs,
            "right": rights::needed(step, manifest.permissions()),
        })
    };
    let population = |population: &PopulationOutline| {
        json!({
            "name": population.name, "type": population.item_type, "of": population.of, "events": population.events,
            "windowed": population.windowed, "policies": shelf.readers(&population.name),
        })
    };
    json!({
        "id": manifest.id(), "version": manifest.version(), "title": manifest.title(), "file": shelved.file,
        "digest": manifest.digest(), "base_url": manifest.base_url(), "rights": manifest.permissions(),
        "requests_max": manifest.requests_max(), "cron": manifest.schedule().cron, "events": manifest.schedule().events,
        "steps": manifest.step_outlines().iter().map(step).collect::<Vec<_>>(),
        "populations": manifest.population_outlines().iter().map(population).collect::<Vec<_>>(),
    })
}
