//! `scan`: a first answer about an organisation with whatever a token may read; one shot, nothing stored.
//!
//! It says what deviates, what is unknown and what cures that. It holds no log: what it prints is no evidence.

pub mod cause;
pub mod plan;
mod report;
mod text;
pub mod tokens;

use std::io::Write;

use observance_record::{item::ItemKey, population::Outcome};

use super::{arguments::Scan, json, reach, shelf::Shelf, trouble::Trouble};
use crate::{
    chance::Chance,
    clock::Clock,
    collect::Manifest,
    run::{
        once::{self, Seen},
        setup::Source,
    },
    status::hours,
};

/// When somebody who waits is first told what is waited for; after that at twice the time, up to a minute.
const TELL_MS: i64 = 2_000;
const TELL_MS_MAX: i64 = 60_000;

/// Reads the organisation once and prints what was seen; with `--strict` 1 if something deviates.
pub async fn github(asked: &Scan, clock: &Clock, out: &mut dyn Write) -> anyhow::Result<u8> {
    let source = reach::github(&asked.org, asked.base_url.as_deref(), reach::TOKEN_VARIABLE)?;
    let shelf = Shelf::shipped()?.fed_by("github");
    let looks = plan::plan(&shelf, "github", i64::from(asked.days))?;
    let (chance, began) = (Chance::system(), clock.now());
    let key = once::key(&chance)?;
    let mut seen = Vec::new();
    for (at, look) in looks.iter().enumerate() {
        let note = format!("{} ({} of {})", look.manifest.id(), at + 1, looks.len());
        let window_ms = look.days * 86_400_000;
        let looking = once::look(&look.manifest, &source, window_ms, clock, (&chance, &key));
        let one = told(looking, &note, clock).await;
        refused(&one, &asked.org)?;
        seen.push(one);
    }
    let said = once::ask(&shelf.judges, &seen);
    let took_ms = clock.now().ms_since(began);
    let days: Vec<i64> = looks.iter().map(|look| look.days).collect();
    let report = report::report(&report::Scanned {
        org: &asked.org,
        shelf: &shelf,
        seen: &seen,
        said: &said,
        days,
        took_ms,
    });
    if asked.json {
        json(out, &report)?;
    } else {
        write!(out, "{}", text::text(&report))?;
    }
    Ok(u8::from(asked.strict && report.deviates()))
}

/// One run with one manifest, for commands that look with few collectors, under one key.
pub async fn one<'a>(
    manifest: &'a Manifest,
    source: &Source,
    window_ms: i64,
    clock: &Clock,
    by: (&Chance, &ItemKey),
) -> Seen<'a> {
    told(once::look(manifest, source, window_ms, clock, by), manifest.id(), clock).await
}

/// Says on standard error what is waited for, as soon as that takes long.
async fn told<T>(work: impl Future<Output = T>, what: &str, clock: &Clock) -> T {
    tokio::pin!(work);
    let (began, mut next_ms) = (clock.now(), TELL_MS);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = clock.sleep_ms(next_ms) => {
                next_ms = (next_ms * 2).min(TELL_MS_MAX);
                let waited = hours(clock.now().ms_since(began));
                // nothing can be done about a closed standard error
                let _closed = writeln!(std::io::stderr(), "reading {what}, {waited} so far");
            }
        }
    }
}

/// A token that is not accepted, or that is shown no such organisation, makes no report.
fn refused(seen: &Seen<'_>, org: &str) -> anyhow::Result<()> {
    let all = |outcome| {
        let n = seen.collected.outcomes.get(&outcome).copied().unwrap_or_default();
        n > 0 && seen.collected.outcomes.values().sum::<u64>() == n
    };
    if all(Outcome::Unauthenticated) {
        let hint = "it may have expired, or wait for an owner's approval; observance grants github says how to make one";
        return Err(Trouble::new("the token was not accepted", hint).into());
    }
    if all(Outcome::Hidden) {
        let hint = "see the spelling, and whether the token's resource owner is this organisation";
        return Err(
            Trouble::new(format!("there is no organisation {org} that this token may see"), hint).into()
        );
    }
    if all(Outcome::Retry) {
        let why = seen.unseen.iter().find_map(|unseen| unseen.why.clone()).unwrap_or_default();
        let hint = "see whether the address can be reached from here; --base-url names another";
        return Err(Trouble::new(format!("the source does not answer ({why})"), hint).into());
    }
    Ok(())
}
