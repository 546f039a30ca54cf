//! What to grant: of a kind of source the file that is applied there, of collectors which step needs which right.
//!
//! It grants nothing and asks nobody.

use std::{io::Write, path::Path};

use serde_json::json;

use crate::cli::{
    arguments::CollectorsPermissions,
    grants::{
        self,
        forms::{self, Wanted},
        granting::Grants,
        paste, rights,
    },
    init::write_new,
    json,
    shelf::{Shelf, Shelved},
    trouble::Trouble,
};

/// Prints it, or writes it down.
pub fn permissions(shelf: &Shelf, asked: &CollectorsPermissions, out: &mut dyn Write) -> anyhow::Result<u8> {
    if let Some(dir) = &asked.write {
        return write(shelf, asked, dir, out);
    }
    let kinds = forms::kinds(shelf);
    let kind = |id: &String| kinds.get(id.as_str()).copied();
    if let [only] = asked.ids.as_slice()
        && let Some(wanted) = kind(only).and_then(|kind| Wanted::of(shelf, kind))
        && !asked.app_manifest
    {
        if asked.json {
            json(out, &wanted.value()?)?;
        } else {
            write!(out, "{}", wanted.text()?)?;
        }
        return Ok(0);
    }
    if let Some(kind) = asked.ids.iter().find_map(kind).filter(|_| !asked.app_manifest) {
        let what = format!("{kind} is a kind of source, and stands beside others");
        return Err(Trouble::new(what, "one kind at a time, or --write DIR for a file of each").into());
    }
    let mut named: Vec<Shelved> = Vec::new();
    for id in &asked.ids {
        match kind(id) {
            Some(kind) => {
                let of_kind = shelf.of_kind(kind).map(|one| Shelved::read(&one.file, one.text.clone()));
                named.extend(of_kind.collect::<anyhow::Result<Vec<_>>>()?);
            }
            None => named.push(shelf.find(id)?),
        }
    }
    by_step(shelf, asked, &named, out)
}

/// A file for each kind, none of which may be there.
fn write(
    shelf: &Shelf,
    asked: &CollectorsPermissions,
    dir: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let kinds = forms::kinds(shelf);
    if let Some(unknown) = asked.ids.iter().find(|id| !kinds.contains(id.as_str())) {
        let hint = format!("one of {}", kinds.into_iter().collect::<Vec<_>>().join(", "));
        return Err(Trouble::new(format!("there is no kind of source {unknown}"), hint).into());
    }
    let named = |kind: &&str| asked.ids.is_empty() || asked.ids.iter().any(|id| id == kind);
    let wanted = kinds.into_iter().filter(named).filter_map(|kind| Wanted::of(shelf, kind));
    let mut files = Vec::new();
    for wanted in wanted.filter(Wanted::is_granted) {
        files.push((dir.join(wanted.file()), wanted.text()?));
    }
    if let Some((taken, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        let what = format!("{} exists already; nothing was written", taken.display());
        return Err(Trouble::new(what, "name another folder, or move that away").into());
    }
    for (path, text) in &files {
        write_new(path, text)?;
        writeln!(out, "wrote {}", path.display())?;
    }
    writeln!(out, "next: apply them as deploy/grants/README.md says, then: observance doctor")?;
    Ok(0)
}

fn by_step(
    shelf: &Shelf,
    asked: &CollectorsPermissions,
    named: &[Shelved],
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let grants = if named.is_empty() {
        Grants::for_collectors(shelf, shelf.collectors.values())
    } else {
        Grants::for_collectors(shelf, named)
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
        // only GitHub has names for people, and parts of which rights are granted on
        if rights::is_known(&one.right) {
            writeln!(out, "{} ({})  {} on the {}", one.label, one.right, one.level, one.on)?;
        } else {
            writeln!(out, "{}  {}", one.right, one.level)?;
        }
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
    let next = match named {
        [] => "observance collectors permissions KIND   (of a kind of source: the file to apply)".to_owned(),
        [one, ..] if one.kind() == "github" => {
            "observance grants github   (the same, ready to paste)".to_owned()
        }
        [one, ..] if shelf.of_kind(one.kind()).next().is_some() => {
            format!("observance collectors permissions {}   (the file to apply)", one.kind())
        }
        [..] => "observance collectors try FILE   (says what the credential may not see)".to_owned(),
    };
    writeln!(out, "next: {next}")?;
    Ok(0)
}
