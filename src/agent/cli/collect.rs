//! `collect`: one manual run of each collector that was named, recorded like any other.

use std::{collections::BTreeMap, io::Write};

use observance_record::{
    entry::{PolicyVerdict, Run, RunResult},
    ledger::LastRun,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{arguments::Collect, json, run::start, setup::Resolved, summary, trouble::Trouble};
use crate::{
    clock::Clock,
    config::fault::nearest,
    run::{Agent, Setup},
    status::{counted, hours, number},
    text::visible,
};

/// Runs them and prints what each saw.
pub async fn collect(
    resolved: Resolved,
    asked: &Collect,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let which = which(&resolved.setup, asked)?;
    let (news, _nobody) = mpsc::unbounded_channel();
    let mut agent = Agent::start(start(resolved, clock, news).await?).await?;
    let before = agent.journal().ledger().size();
    agent.run_once(&which).await?;
    let ledger = agent.journal().ledger();
    let ran = ledger.runs().iter().filter(|(id, last)| last.seq >= before && which.contains(id));
    let runs: Vec<(&String, &LastRun)> = ran.collect();
    let seen = runs.iter().filter(|(_, last)| last.run.result != RunResult::Failed);
    let code = u8::from(seen.count() < which.len());
    if asked.json {
        let runs: Vec<Value> = runs.iter().map(|(id, last)| value(id, last)).collect();
        json(out, &json!({ "entries": ledger.size(), "runs": runs }))?;
        return Ok(code);
    }
    for (id, last) in &runs {
        one(out, id, last)?;
    }
    writeln!(
        out,
        "{} recorded in a log of {} entries",
        counted(count(runs.len()), "run"),
        number(ledger.size())
    )?;
    writeln!(out, "next: observance status")?;
    Ok(code)
}

/// The collectors that were named, by the ids of their schedules.
fn which(setup: &Setup, asked: &Collect) -> anyhow::Result<Vec<String>> {
    if asked.all {
        return Ok(setup.collectors.keys().cloned().collect());
    }
    let mut which = Vec::new();
    for name in &asked.collectors {
        let named = setup.collectors.values().filter(|c| c.id == *name || c.manifest.id() == name);
        let found: Vec<String> = named.map(|collector| collector.id.clone()).collect();
        if found.is_empty() {
            let known: Vec<&str> = setup.collectors.keys().map(String::as_str).collect();
            let hint = nearest(name, known.iter().copied()).map_or_else(
                || format!("configured: {}", known.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            return Err(Trouble::new(format!("there is no collector {name}"), hint).into());
        }
        which.extend(found);
    }
    Ok(which)
}

fn one(out: &mut dyn Write, id: &str, last: &LastRun) -> anyhow::Result<()> {
    let run = &last.run;
    let took = hours(run.ended.ms_since(run.started));
    writeln!(out, "{id}  {} · {} · {took}", word(run.result), counted(run.requests, "request"))?;
    for population in &run.populations {
        let rows = counted(population.table.n, &population.item_type);
        let why = joined(&population.why);
        let unknown = match population.items_unknown {
            0 => String::new(),
            n => format!(", {} not seen whole", number(n)),
        };
        writeln!(
            out,
            "  {}: {rows}, {}{unknown}{why}",
            visible(&population.name),
            summary::membership(population.membership)
        )?;
    }
    writeln!(out, "  outcomes: {}", outcomes(run))?;
    if let Some((_, list)) = &last.list {
        for policy in list {
            writeln!(out, "  {}: {}", visible(&policy.policy), judged(policy))?;
        }
    }
    if !run.why.is_empty() {
        writeln!(out, "  why{}", joined(&run.why))?;
    }
    Ok(())
}

fn outcomes(run: &Run) -> String {
    let by = run.exchanges.by.iter().filter(|(_, n)| **n > 0);
    let by: Vec<String> = by.map(|(outcome, n)| format!("{} {}", outcome.as_str(), number(*n))).collect();
    if by.is_empty() { "none".to_owned() } else { by.join(", ") }
}

fn judged(policy: &PolicyVerdict) -> String {
    let states = [
        ("failed", policy.failed),
        ("unknown", policy.unknown),
        ("passed", policy.passed),
        ("not applicable", policy.not_applicable),
        ("not due", policy.not_due),
    ];
    let parts = states.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word} {}", number(*n)));
    let parts: Vec<String> = parts.collect();
    let why = joined(&policy.why);
    if parts.is_empty() { format!("no item judged{why}") } else { format!("{}{why}", parts.join(", ")) }
}

fn joined(codes: &[observance_record::verdict::Code]) -> String {
    let codes: Vec<&str> = codes.iter().map(observance_record::verdict::Code::as_str).collect();
    if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) }
}

const fn word(result: RunResult) -> &'static str {
    match result {
        RunResult::Complete => "complete",
        RunResult::Partial => "partial",
        RunResult::Failed => "failed",
    }
}

fn value(id: &str, last: &LastRun) -> Value {
    let populations: BTreeMap<&str, &observance_record::entry::Population> =
        last.run.populations.iter().map(|population| (population.name.as_str(), population)).collect();
    json!({
        "collector": id, "seq": last.seq, "result": last.run.result, "why": last.run.why,
        "requests": last.run.requests, "outcomes": last.run.exchanges.by, "populations": populations,
        "verdicts": last.list.as_ref().map(|(_, list)| list),
    })
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
