//! `collectors lint`: every fault of every manifest that was named, each on its line.

use std::{fs, io::Write, path::Path};

use serde_json::{Value, json};

use crate::{
    cli::{
        arguments::CollectorsLint,
        json,
        shelf::{Shelf, text},
        trouble::Trouble,
    },
    collect::{
        Manifest,
        lint::{self, Weight},
    },
    status::counted,
    text::visible,
};

/// Largest description that is read: the vendors' whole ones have about ten megabytes.
const DESCRIPTION_BYTES_MAX: u64 = 64 << 20;

struct Found {
    file: String,
    line: u64,
    fault: bool,
    what: String,
    hint: String,
}

/// Prints what was found; 1 if anything is a fault.
pub fn lint(shelf: &Shelf, asked: &CollectorsLint, out: &mut dyn Write) -> anyhow::Result<u8> {
    let description = asked.against.as_deref().map(description).transpose()?;
    let (mut lines, mut steps, mut checked) = (Vec::new(), 0, 0);
    for name in &asked.files {
        let (file, text) = match shelf.collectors.get(name) {
            Some(shelved) => (shelved.file.clone(), shelved.text.clone()),
            None => (name.clone(), text(Path::new(name))?),
        };
        match Manifest::read(&file, &text) {
            Err(faults) => lines.extend(faults.into_iter().map(|fault| Found {
                file: file.clone(),
                line: fault.line,
                fault: true,
                what: format!("{}: found {}", fault.path, fault.found),
                hint: format!("expected {}", fault.expected),
            })),
            Ok(manifest) => {
                let (found, known) = lint::lint(&manifest, &text, description.as_ref());
                steps += manifest.step_outlines().len();
                checked += known;
                lines.extend(found.into_iter().map(|finding| Found {
                    file: file.clone(),
                    line: finding.line,
                    fault: finding.weight == Weight::Fault || asked.strict,
                    what: format!("{}: {}", finding.step, finding.what),
                    hint: finding.hint,
                }));
            }
        }
    }
    let faults = lines.iter().filter(|line| line.fault).count();
    let against = description.is_some().then_some((checked, steps));
    if asked.json {
        let one = |line: &Found| json!({ "file": line.file, "line": line.line, "fault": line.fault, "found": line.what, "hint": line.hint });
        let found: Vec<Value> = lines.iter().map(one).collect();
        json(out, &json!({ "faults": faults, "findings": found, "steps": steps, "steps_checked": checked }))?;
    } else {
        print(&lines, asked, against, out)?;
    }
    Ok(u8::from(faults > 0))
}

fn print(
    lines: &[Found],
    asked: &CollectorsLint,
    against: Option<(usize, usize)>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for Found { file, line, fault, what, hint } in lines {
        let word = if *fault { "fault" } else { "unchecked" };
        writeln!(out, "{}:{line}: {word}: {}", visible(file), visible(what))?;
        if *fault {
            writeln!(out, "  hint: {}", visible(hint))?;
        }
    }
    let n = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let faults = n(lines.iter().filter(|line| line.fault).count());
    let files = counted(n(asked.files.len()), "manifest");
    let held = match against {
        Some((checked, steps)) => {
            format!("{checked} of {} held against the description", counted(n(steps), "step"))
        }
        None => "no description given: only form and the never-collect list were looked at".to_owned(),
    };
    writeln!(out, "{files}: {} · {held}", counted(faults, "fault"))?;
    let first = asked.files.first().map(|name| visible(name)).unwrap_or_default();
    let next = match (faults, against) {
        (0, Some(_)) => format!("observance collectors try {first} --org ORG"),
        (0, None) => format!("observance collectors lint {first} --against OPENAPI.json"),
        (_, _) => "mend the manifest, and lint it again".to_owned(),
    };
    writeln!(out, "next: {next}")?;
    Ok(())
}

fn description(path: &Path) -> anyhow::Result<Value> {
    let hint = "an OpenAPI 3.0 description as JSON, such as api.github.com.json of the vendor";
    let cannot = |what: String| Trouble::new(what, hint);
    let shown = path.display();
    let size = fs::metadata(path).map_err(|e| cannot(format!("cannot read {shown}")).because(e))?.len();
    if size > DESCRIPTION_BYTES_MAX {
        return Err(cannot(format!("{shown} is larger than {DESCRIPTION_BYTES_MAX} bytes")).into());
    }
    let bytes = fs::read(path).map_err(|e| cannot(format!("cannot read {shown}")).because(e))?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|e| cannot(format!("{shown} is no JSON")).because(e))?;
    if value.get("paths").is_none_or(|paths| !paths.is_object()) {
        return Err(cannot(format!("{shown} describes no paths")).into());
    }
    Ok(value)
}
