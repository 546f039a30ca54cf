//! `init`: a first configuration, its keys and its grants, in a folder of the caller's.
//!
//! It reaches no network and overwrites nothing: if anything that it would write is there, it writes nothing at all.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Datelike as _, Utc};
use observance_judge::Policy;
use serde_json::json;

use super::{
    arguments::Init,
    grants::{self, granting::Grants, paste},
    json, reach,
    shelf::Shelf,
    trouble::Trouble,
};
use crate::{
    chance::Chance,
    clock::Clock,
    config::{Allowed, Config, fault::nearest},
    key::Keys,
};

const KEYS: &str = "keys";
const CONFIG: &str = "observance.yaml";

/// Writes the files and says what comes next.
pub fn init(asked: &Init, clock: &Clock, out: &mut dyn Write) -> anyhow::Result<u8> {
    reach::login(&asked.github)?;
    frameworks(&asked.frameworks)?;
    let shelf = Shelf::shipped()?;
    let config = config(asked, clock);
    // what is written must be what is read
    Config::read(&config, Path::new(CONFIG), &super::catalogue(), Allowed::Kept)?;
    let policies: Vec<&Policy> = shelf.judges.values().map(|judge| &judge.policy).collect();
    let rights = Grants::for_policies(&shelf, &policies);
    let manifest = serde_json::to_string_pretty(&paste::app_manifest(&rights, &asked.github))? + "\n";
    let dir = if asked.dir == Path::new(".") { Path::new("") } else { &asked.dir };
    let files = [
        (dir.join(CONFIG), config.clone()),
        (dir.join("grants/github-app.json"), manifest),
        (dir.join("grants/github.md"), page(&rights, &asked.github)),
    ];
    let keys = dir.join(KEYS);
    let taken =
        files.iter().map(|(path, _)| path).chain([&keys]).find(|path| path.symlink_metadata().is_ok());
    if let Some(taken) = taken {
        let what = format!("{} exists already; nothing was written", taken.display());
        return Err(Trouble::new(what, "name another folder with --dir, or move that away").into());
    }
    for (path, text) in &files {
        write_new(path, text)?;
    }
    Keys::generate(&Chance::system())?.write_new(&keys)?;
    let mut wrote: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    wrote.push(keys);
    if asked.json {
        json(out, &json!({ "wrote": wrote }))?;
        return Ok(0);
    }
    let [config_at, app, page, keys] = wrote.as_slice() else { return Ok(0) };
    writeln!(
        out,
        "wrote {} ({} lines) · {} · {} · {} (0600; keep a copy apart, it cannot be made again)",
        config_at.display(),
        config.lines().count(),
        app.display(),
        page.display(),
        keys.display()
    )?;
    let at =
        if asked.dir == Path::new(".") { String::new() } else { format!("cd {} && ", asked.dir.display()) };
    writeln!(
        out,
        "next: grant what {} says (one paste), export GITHUB_TOKEN=..., then: {at}observance doctor",
        page.display()
    )?;
    Ok(0)
}

fn frameworks(asked: &[String]) -> anyhow::Result<()> {
    let known = super::catalogue().frameworks;
    for framework in asked {
        if !known.contains(framework) {
            let hint = nearest(framework, known.iter().map(String::as_str)).map_or_else(
                || format!("one of {}", known.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            return Err(Trouble::new(format!("there is no framework {framework}"), hint).into());
        }
    }
    Ok(())
}

/// A file that did not exist, in a folder that is made if need be.
pub(super) fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = |why: std::io::Error| {
        Trouble::new(format!("cannot write {}", path.display()), "name a folder that can be written")
            .because(why)
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    file.sync_all().map_err(cannot)?;
    Ok(())
}

fn config(asked: &Init, clock: &Clock) -> String {
    let org = &asked.github;
    let name = org.to_ascii_lowercase();
    let now = DateTime::<Utc>::from_timestamp_millis(clock.now().ms()).unwrap_or_default();
    let periods: String = asked.frameworks.iter().map(|framework| period(framework, &now)).collect();
    let said = |line: String, why: &str| format!("{line:<58} # {why}\n");
    [
        "# What Observance watches. What is not written has a default: observance check-config --explain\n"
            .to_owned(),
        said(
            format!("organisation: {{ name: {org}, zone: UTC }}"),
            "where your days begin, such as Europe/Berlin",
        ),
        said("store: file:log".to_owned(), "or s3://BUCKET/observance?region=REGION"),
        said(format!("origin: {name}/observance"), "the log's name, for ever; set it before the first run"),
        said(format!("key: {KEYS}"), "never into version control"),
        said("folder: memory".to_owned(), "the agent's own memory of the log's head"),
        "\nsources:\n".to_owned(),
        said(
            format!("  github: {{ org: {org}, token: secret://env/GITHUB_TOKEN }}"),
            "read-only; grants/github.md says what to grant",
        ),
        "\n".to_owned(),
        said("owners: { default: unassigned }".to_owned(), "who is asked, such as \"GH-*\": platform-lead"),
        "\n".to_owned(),
        said("periods:".to_owned(), "[from, to), in the zone above"),
        periods,
    ]
    .concat()
}

/// The half year (the year, for a certificate) that begins next: what lies behind cannot be observed any more.
fn period(framework: &str, now: &DateTime<Utc>) -> String {
    let year = now.year();
    let (from, to) = match (framework, now.month()) {
        ("iso27001", _) => (format!("{}-01-01", year + 1), format!("{}-01-01", year + 2)),
        (_, 1..=6) => (format!("{year}-07-01"), format!("{}-01-01", year + 1)),
        (_, _) => (format!("{}-01-01", year + 1), format!("{}-07-01", year + 1)),
    };
    let named = from.get(..4).unwrap_or_default();
    format!("  {framework}-{named}: {{ framework: {framework}, from: {from}, to: {to} }}\n")
}

/// The grants, as a page.
fn page(rights: &Grants, org: &str) -> String {
    let mut lines = vec![
        format!("# What Observance needs to read {org} on GitHub"),
        String::new(),
        "Every right is to read; none may write. What is not granted is `unknown` in the record, never met."
            .to_owned(),
        String::new(),
        "| right | level | on | for |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    for one in &rights.rights {
        let policies: Vec<&str> = one.policies.iter().map(String::as_str).collect();
        lines.push(format!("| {} | {} | {} | {} |", one.label, one.level, one.on, policies.join(" ")));
    }
    let mut needs = Vec::new();
    grants::needs(rights, &mut |text| needs.push(format!("- {}", text.trim())));
    lines.extend([String::new()]);
    lines.extend(needs);
    lines.extend([
        String::new(),
        "## As a token".to_owned(),
        format!("<{}>, by an owner of the organisation:", paste::TOKEN_PAGE),
        String::new(),
    ]);
    lines.extend(paste::token_fields(rights, org).iter().map(|(field, value)| format!("- {field}: {value}")));
    lines.extend([
        String::new(),
        "## As an app".to_owned(),
        "Nobody's account: it stays when people leave. An owner opens this link and registers what it shows, then".to_owned(),
        "Install App, All repositories. `github-app.json` is the same as a manifest.".to_owned(),
        String::new(),
        format!("<{}>", paste::app_link(rights, org)),
        String::new(),
        "Then: `observance doctor`".to_owned(),
    ]);
    lines.join("\n") + "\n"
}
