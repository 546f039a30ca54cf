//! `check-config`: everything that a configuration names, looked at before anything is deployed.

use std::{io::Write, path::Path};

use serde_json::json;

use super::{arguments::CheckConfig, json, registers, setup};

/// Prints what is in force; faults are errors. Secrets and keys that are not here are listed, since the deployed agent
/// has them.
pub fn check_config(path: &Path, asked: &CheckConfig, out: &mut dyn Write) -> anyhow::Result<u8> {
    let checked = setup::check(path)?;
    if asked.explain {
        write!(out, "{}", checked.config.explain())?;
        return Ok(0);
    }
    let config = checked.config.clone();
    let collectors: Vec<String> = checked.collectors.keys().cloned().collect();
    let policies: Vec<String> = checked.policies.keys().cloned().collect();
    let periods: Vec<String> = config.periods.keys().cloned().collect();
    let disabled: Vec<_> =
        config.collectors.iter().filter(|collector| collector.disabled.is_some()).collect();
    let files = registers::looked(&checked.config, &checked.collectors);
    let waiting = checked.waiting.clone();
    let missing = checked.resolve(setup::Needs::Everything).err();
    let absent: Vec<String> = missing.iter().flat_map(|faults| faults.sorted()).map(absence).collect();
    if asked.json {
        let disabled: Vec<&str> = disabled.iter().map(|collector| collector.schedule.as_str()).collect();
        let value = json!({
            "origin": config.origin, "store": config.store.to_string(), "collectors": collectors,
            "disabled": disabled, "policies": policies, "waiting": waiting, "periods": periods, "not_here": absent,
            "files": files.iter().map(|one| json!({ "source": one.name, "found": one.what, "wrong": one.wrong })).collect::<Vec<_>>(),
        });
        json(out, &value)?;
        return Ok(if files.iter().any(|one| one.wrong) { 2 } else { 0 });
    }
    let wrong = files.iter().filter(|one| one.wrong).count();
    if wrong == 0 {
        writeln!(out, "{}: no faults", path.display())?;
    } else {
        writeln!(out, "{}: no faults in itself, and {wrong} in its files", path.display())?;
    }
    writeln!(out, "log         {} in {}", config.origin, config.store)?;
    writeln!(out, "collectors  {}", listed(&collectors))?;
    for collector in disabled {
        let why = collector.disabled.as_deref().unwrap_or_default();
        writeln!(out, "  disabled  {}: {}", collector.schedule, crate::text::visible(why))?;
    }
    writeln!(out, "policies    {}", listed(&policies))?;
    for (register, ids) in &waiting {
        let ids: Vec<String> = ids.iter().cloned().collect();
        writeln!(out, "  waiting   for a register of {register}: {}", listed(&ids))?;
    }
    writeln!(out, "periods     {}", listed(&periods))?;
    if let Some(address) = config.listen {
        let speaks = config.sources.iter().filter(|(_, source)| source.webhook().is_some());
        for (name, _) in speaks {
            writeln!(out, "listens     http://{address}/hooks/{name}")?;
        }
    }
    for one in &files {
        writeln!(out, "file        {}: {}", one.name, crate::text::visible(&one.what))?;
    }
    for line in &absent {
        writeln!(out, "not here    {line}")?;
    }
    let next = if let Some(cure) = files.iter().filter(|one| one.wrong).find_map(|one| one.cure.as_deref()) {
        cure
    } else if absent.is_empty() {
        "observance collect --all"
    } else {
        "provide what is not here, where the agent runs"
    };
    writeln!(out, "next: {next}   (observance check-config --explain prints every value in force)")?;
    Ok(if wrong == 0 { 0 } else { 2 })
}

fn absence(fault: &crate::config::fault::Fault) -> String {
    let visible = crate::text::visible;
    format!("{}: {}", visible(&fault.path), visible(&fault.found))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}
