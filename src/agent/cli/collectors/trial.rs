//! `collectors try`: one run of one collector against the source; rows, outcomes, claims, and what could be judged.
//!
//! It stores nothing, and its items have names that hold for this run alone.

use std::{collections::BTreeMap, io::Write};

use observance_record::population::Outcome;
use serde_json::{Value, json};

use crate::{
    chance::Chance,
    cli::{
        arguments::CollectorsTry,
        json, reach, registers,
        scan::{
            self,
            cause::{Cure, Sight, cause, sentence, sight},
            plan::WAIT_MS,
            tokens,
        },
        shelf::{Shelf, Shelved},
        summary::membership,
        trouble::Trouble,
    },
    clock::Clock,
    collect::Population,
    run::{
        once::{self, Said, Seen},
        setup::Source,
    },
    status::{counted, hours, number},
    text::visible,
};

const DAY_MS: i64 = 86_400_000;
/// Characters that are shown of a row; the JSON has all.
const ROW_CHARS_MAX: usize = 300;

/// Runs it and prints what was seen.
pub async fn trial(
    shelf: &Shelf,
    asked: &CollectorsTry,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let mut shelved = shelf.find(&asked.id)?;
    if asked.base_url.is_none()
        && shelf.collectors.contains_key(&asked.id)
        && shelved.manifest.lacks_address()
    {
        let hint = "--base-url: where it is in this organisation";
        return Err(Trouble::new(format!("{} has no address of its own", asked.id), hint).into());
    }
    shelved.manifest.hurry(WAIT_MS);
    let source = source(&shelved, asked)?;
    let chance = Chance::system();
    let by = (&chance, &once::key(&chance)?);
    let one = scan::one(&shelved.manifest, &source, i64::from(asked.days) * DAY_MS, clock, by).await;
    let seen = [one];
    let said = once::ask(&shelf.judges, &seen);
    let [one] = &seen;
    if asked.json {
        json(out, &value(one, &said, &seen)?)?;
        return Ok(0);
    }
    let collected = &one.collected;
    let took = hours(collected.ended.ms_since(collected.started));
    if asked.csv.is_none() {
        writeln!(out, "{}", tokens::token(&seen).words())?;
    }
    writeln!(
        out,
        "{}  {} · {took} · nothing stored",
        one.manifest.id(),
        counted(collected.requests, "request")
    )?;
    let outcomes = collected.outcomes.iter().filter(|(_, n)| **n > 0);
    let outcomes: Vec<String> = outcomes.map(|(o, n)| format!("{} {}", o.as_str(), number(*n))).collect();
    writeln!(out, "outcomes  {}", if outcomes.is_empty() { "none".to_owned() } else { outcomes.join(", ") })?;
    unseen(one, out)?;
    faults(one, asked, out)?;
    for population in &collected.populations {
        list(population, asked.rows, out)?;
    }
    for one in &said {
        writeln!(out, "{}", judged(one, shelved.kind(), &seen))?;
    }
    let rest = others(shelf, one, &said);
    if !rest.is_empty() {
        writeln!(out, "also needs another collector: {}", rest.join(", "))?;
    }
    writeln!(out, "next: {}", next(asked, shelved.kind(), &said, &seen))?;
    Ok(0)
}

/// A server, or the file.
fn source(shelved: &Shelved, asked: &CollectorsTry) -> anyhow::Result<Source> {
    let id = shelved.manifest.id();
    match (&asked.csv, shelved.manifest.is_for_files()) {
        (Some(csv), true) => Ok(registers::source(registers::unsigned(csv))?),
        (None, true) => Err(Trouble::new(format!("{id} reads a file"), "--csv FILE").into()),
        (Some(_), false) => Err(Trouble::new(format!("{id} reads no file"), "leave --csv out").into()),
        (None, false) if asked.bind.is_some() != shelved.manifest.is_for_directories() => {
            let what = if asked.bind.is_some() { "searches no directory" } else { "searches a directory" };
            let hint = if asked.bind.is_some() {
                "leave --bind out"
            } else {
                "--bind DN, and its password as the token"
            };
            Err(Trouble::new(format!("{id} {what}"), hint).into())
        }
        (None, false) => reach::source(reach::Asked {
            kind: shelved.kind(),
            params: params(shelved, asked)?,
            base_url: asked.base_url.as_deref(),
            variable: asked.token.as_deref(),
            header: asked.header.as_deref(),
            aws: shelved.manifest.is_for_aws(),
            bind: asked.bind.as_deref(),
        }),
    }
}

/// What is wrong with the file, by line.
fn faults(one: &Seen<'_>, asked: &CollectorsTry, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(csv) = &asked.csv else { return Ok(()) };
    for looked in registers::one("file", &registers::unsigned(csv), one.manifest) {
        writeln!(out, "file      {}", visible(&looked.what))?;
    }
    Ok(())
}

/// The values that the manifest asks with: each must be there, and no other.
fn params(shelved: &Shelved, asked: &CollectorsTry) -> anyhow::Result<BTreeMap<String, String>> {
    let org = asked.org.iter().map(|org| ("org".to_owned(), org.clone()));
    let given: BTreeMap<String, String> = asked.params.iter().cloned().chain(org).collect();
    let wanted = shelved.manifest.params();
    let missing =
        wanted.iter().filter(|name| !given.contains_key(*name)).map(|name| (name, "lacks a value for"));
    let other = given.keys().filter(|name| !wanted.contains(*name)).map(|name| (name, "does not ask with"));
    let Some((name, what)) = missing.chain(other).next() else { return Ok(given) };
    let each: Vec<String> = wanted.iter().map(|name| format!("--param {name}=..")).collect();
    let hint = if each.is_empty() { "it asks with no values".to_owned() } else { each.join(" ") };
    Err(Trouble::new(format!("{} {what} {name}", shelved.manifest.id()), hint).into())
}

fn unseen(one: &Seen<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let steps = one.manifest.step_outlines();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for unseen in &one.unseen {
        let step = steps.iter().find(|step| step.id == unseen.step);
        *lines.entry(sentence(unseen.outcome, unseen.n, unseen.why.as_deref(), step)).or_default() +=
            unseen.n;
    }
    for (words, n) in lines {
        writeln!(out, "unseen    {} ({})", visible(&words), counted(n, "request"))?;
    }
    Ok(())
}

fn list(population: &Population, rows_max: usize, out: &mut dyn Write) -> anyhow::Result<()> {
    let claim = &population.claim;
    let why: Vec<&str> = claim.why.iter().map(observance_record::verdict::Code::as_str).collect();
    let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
    let rows = u64::try_from(population.rows.len()).unwrap_or(u64::MAX);
    let partly = match population.items_unknown {
        0 => String::new(),
        n => format!(", {} not seen whole", number(n)),
    };
    writeln!(
        out,
        "{}  {}, list {}{why}{partly}",
        visible(&population.name),
        counted(rows, &population.item_type),
        membership(claim.membership)
    )?;
    for proof in &claim.proofs {
        let stated =
            proof.stated.map_or_else(|| "not stated".to_owned(), |n| format!("{} stated", number(n)));
        if proof.kind == "equals" {
            writeln!(out, "  the source's own count: {stated}, {} listed", number(proof.counted))?;
        }
    }
    for row in population.rows.values().take(rows_max) {
        let row = String::from_utf8_lossy(row);
        let cut: String = row.chars().take(ROW_CHARS_MAX).collect();
        let more = if cut.len() < row.len() { " ..." } else { "" };
        writeln!(out, "  {}{more}", visible(&cut))?;
    }
    Ok(())
}

fn judged(said: &Said<'_>, kind: &str, seen: &[Seen<'_>]) -> String {
    let meta = said.judge.policy.meta();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (_, result) in &said.results {
        *counts.entry(result.state().to_string()).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{word} {}", number(*n))).collect();
    let sight = sight(said);
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let why = match sight {
        Sight::Now => String::new(),
        Sight::Partly | Sight::Not => {
            let cause = cause(said, seen);
            let cure = if cause.cure == Cure::Grant && kind == "github" {
                format!("  -> observance grants github --for {}", meta.id)
            } else {
                String::new()
            };
            format!(" · {}{cure}", visible(&cause.why))
        }
    };
    format!("{}  {}{counts}{why}", meta.id, sight.words())
}

/// Policies of this collector's populations that also read what it does not yield.
fn others(shelf: &Shelf, one: &Seen<'_>, said: &[Said<'_>]) -> Vec<String> {
    let own: Vec<String> = one.manifest.population_outlines().into_iter().map(|p| p.name).collect();
    let lacks = |said: &&Said<'_>| said.judge.policy.meta().joined.iter().any(|name| !own.contains(name));
    let all = shelf.judges.len();
    said.iter().filter(lacks).map(|said| said.judge.policy.meta().id.clone()).take(all).collect()
}

/// What is to be done next; a refused credential first.
fn next(asked: &CollectorsTry, kind: &str, said: &[Said<'_>], seen: &[Seen<'_>]) -> String {
    let refused = |one: &Seen<'_>| one.unseen.iter().any(|u| u.outcome == Outcome::Unauthenticated);
    if kind != "github" && seen.iter().any(refused) {
        if seen.iter().any(|one| one.manifest.is_for_aws()) {
            return "see that the keys are valid, and belong to AWS_SESSION_TOKEN if that is set".to_owned();
        }
        let way = asked
            .header
            .as_ref()
            .map_or("as a bearer token; --header NAME sends it otherwise".to_owned(), |name| {
                format!("in the header {name}")
            });
        return format!("see that the token is valid; it was sent {}", visible(&way));
    }
    let Some(org) = asked.org.as_ref().filter(|_| kind == "github") else {
        return format!("observance check-config, with a source of kind {kind} in observance.yaml");
    };
    let lacking = |said: &&Said<'_>| sight(said) != Sight::Now && cause(said, seen).cure == Cure::Grant;
    let lacking: Vec<&str> =
        said.iter().filter(lacking).map(|said| said.judge.policy.meta().id.as_str()).collect();
    if lacking.is_empty() {
        return format!("observance scan github {org}");
    }
    format!("observance grants github --org {org} --for {}", lacking.join(","))
}

fn value(one: &Seen<'_>, said: &[Said<'_>], seen: &[Seen<'_>]) -> anyhow::Result<Value> {
    let collected = &one.collected;
    let mut populations = serde_json::Map::new();
    for population in &collected.populations {
        let rows: Vec<Value> =
            population.rows.values().map(|row| serde_json::from_slice(row)).collect::<Result<_, _>>()?;
        let value = json!({
            "type": population.item_type, "membership": population.claim.membership, "grade": population.claim.grade,
            "horizon": population.claim.horizon, "why": population.claim.why, "rows": rows,
            "items_unknown": population.items_unknown,
        });
        populations.insert(population.name.clone(), value);
    }
    let policy = |said: &Said<'_>| {
        let sight = sight(said);
        let cause = (sight != Sight::Now).then(|| cause(said, seen));
        json!({ "policy": said.judge.policy.meta().id, "judged": sight, "state": said.state, "cause": cause })
    };
    let unseen =
        |one: &once::Unseen| json!({ "step": one.step, "outcome": one.outcome, "why": one.why, "n": one.n });
    let outcomes: BTreeMap<Outcome, u64> = collected.outcomes.clone();
    Ok(json!({
        "collector": one.manifest.id(), "requests": collected.requests, "outcomes": outcomes,
        "unseen": one.unseen.iter().map(unseen).collect::<Vec<_>>(), "populations": populations,
        "policies": said.iter().map(policy).collect::<Vec<_>>(), "token": tokens::token(seen),
    }))
}
