//! `policy`: which policies there are, and whether their cases hold.

use std::{collections::BTreeMap, io::Write, path::Path};

use observance_judge::{Policy, cases, folder};
use serde_json::{Value, json};

use super::{
    arguments::{PolicyList, PolicyTest},
    json,
    trouble::Trouble,
};
use crate::{library, text::visible};

/// Runs the cases of a folder; 1 if one does not hold.
pub fn test(asked: &PolicyTest, out: &mut dyn Write) -> anyhow::Result<u8> {
    let report = cases::run(&asked.dir).map_err(|error| lacking(error, &asked.dir))?;
    if report.outcomes.is_empty() && report.faults.is_empty() {
        return Err(none(&asked.dir).into());
    }
    let code = u8::from(!report.holds());
    if asked.json {
        let outcome = |one: &cases::Outcome| {
            json!({
                "policy": one.policy, "case": one.case, "holds": one.holds(),
                "expected": one.expected.to_string(), "got": one.got.to_string(),
            })
        };
        let cases: Vec<Value> = report.outcomes.iter().map(outcome).collect();
        let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        json(out, &json!({ "holds": report.holds(), "cases": cases, "faults": faults }))?;
        return Ok(code);
    }
    // a case's name is a file's text; line breaks of the report itself must stay
    for line in report.to_string().lines() {
        writeln!(out, "{}", visible(line))?;
    }
    let next = if report.holds() {
        "observance check-config"
    } else if report.outcomes.is_empty() {
        "mend what is named above; cases of NAME.rego lie in cases/NAME.yaml; then test again"
    } else {
        "change the policy or its case, and test again"
    };
    writeln!(out, "next: {next}")?;
    Ok(code)
}

/// Lists policies with what they judge.
pub fn list(asked: &PolicyList, out: &mut dyn Write) -> anyhow::Result<u8> {
    let found = match &asked.dir {
        None => library::policies(),
        Some(dir) => folder::read(dir).map_err(|error| lacking(error, dir))?,
    };
    if let (true, Some(dir)) = (found.is_empty(), &asked.dir) {
        return Err(none(dir).into());
    }
    let mut policies = BTreeMap::new();
    for (name, files) in found {
        let policy = Policy::load(&files).map_err(|faults| {
            let faults = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            Trouble::new(
                format!("policy {name}: {faults}"),
                "observance policy test DIR says the same with every case",
            )
        })?;
        policies.insert(policy.meta().id.clone(), policy);
    }
    if asked.json {
        let values: Vec<Value> = policies.values().map(value).collect();
        json(out, &values)?;
        return Ok(0);
    }
    for (id, policy) in &policies {
        let meta = policy.meta();
        writeln!(out, "{id}  {}", visible(&meta.title))?;
        writeln!(out, "  judges {} for {}", meta.population, meta.controls.join(", "))?;
        for (name, default) in &meta.parameters {
            writeln!(out, "  parameter {name}, {default} unless configured")?;
        }
    }
    writeln!(
        out,
        "next: observance period shows what they said; parameters go under policies: in observance.yaml"
    )?;
    Ok(0)
}

fn value(policy: &Policy) -> Value {
    let meta = policy.meta();
    json!({
        "id": meta.id, "title": meta.title, "description": meta.description, "population": meta.population,
        "joined": meta.joined, "controls": meta.controls, "parameters": meta.parameters,
        "digest": policy.digest(), "reads_time": policy.reads_time(),
    })
}

fn lacking(error: folder::FolderError, dir: &Path) -> Trouble {
    let hint = "name a folder of policies, such as policies/rego of the source code";
    Trouble::new(format!("no policies in {}", dir.display()), hint).because(error)
}

fn none(dir: &Path) -> Trouble {
    Trouble::new(
        format!("{} holds no policy", dir.display()),
        "a policy is NAME.rego, its cases cases/NAME.yaml",
    )
}
