//! `doctor`: everything that a configuration names, tried: the store, the clock, rights, windows, policies.
//!
//! It reads every source once and records nothing; the store is tried as the agent tries it at its start.

use std::{collections::BTreeSet, io::Write, path::Path};

use observance_record::{Instant, verdict::Code};
use serde::Serialize;

use super::{
    arguments::Doctor,
    joins, json,
    registers::{self, Looked},
    scan::{
        self,
        cause::{Cause, Cure, Sight, cause, sentence, sight},
        plan::WAIT_MS,
        tokens,
    },
    setup::{self, Resolved},
    shelf::Shelved,
};
use crate::{
    chance::Chance,
    clock::Clock,
    config::source::Source as Outside,
    run::once::{self, Said, Seen},
    schedule::Schedule,
    status::{counted, hours, number, plural},
    store::{Sharing, Store},
    text::visible,
};

/// How far back windows are read: enough to see whether they can be.
const WINDOW_MS: i64 = 6 * 3_600_000;
/// A source tells its time in whole seconds; by more than this a clock is off.
const SKEW_MS: i64 = 2_000;
const DAY_MS: i64 = 86_400_000;

/// What was found of one thing.
#[derive(Debug, Serialize)]
struct Line {
    /// `store`, `clock`, `github`, `streams`, `policies`, `joins`, `periods`.
    about: String,
    what: String,
    /// Does it stand in the way?
    ready: bool,
    /// What to do, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<String>,
}

impl Line {
    fn new(about: &str, what: impl Into<String>) -> Self {
        Self { about: about.to_owned(), what: what.into(), ready: true, cure: None }
    }

    fn not_ready(self, cure: impl Into<String>) -> Self {
        Self { ready: false, cure: Some(cure.into()), ..self }
    }
}

/// Tries everything and prints what was found; with `--strict` 1 if something is not ready.
pub async fn doctor(path: &Path, asked: &Doctor, clock: &Clock, out: &mut dyn Write) -> anyhow::Result<u8> {
    let resolved = setup::check(path)?.resolve(setup::Needs::Everything)?;
    let setup = &resolved.setup;
    let mut lines = vec![store(&resolved, clock).await];
    let mut looks = Vec::new();
    for collector in setup.collectors.values() {
        let Some(source) = setup.sources.get(&collector.source) else { continue };
        let text = String::from_utf8_lossy(&collector.file).into_owned();
        let mut manifest = Shelved::read(&collector.id, text)?.manifest;
        manifest.hurry(WAIT_MS);
        looks.push((manifest, source));
    }
    let chance = Chance::system();
    let by = (&chance, &once::key(&chance)?);
    let mut seen = Vec::new();
    for (manifest, source) in &looks {
        seen.push(scan::one(manifest, source, WINDOW_MS, clock, by).await);
    }
    lines.push(the_clock(&seen));
    lines.extend(sources(&resolved, &seen));
    lines.extend(files(&resolved));
    lines.extend(streams(&resolved));
    let said = once::ask(&setup.policies, &seen);
    lines.extend(policies(&resolved, &seen, &said));
    lines.extend(joins::sentences(&seen, &said).into_iter().map(|what| Line::new("joins", what)));
    lines.extend(periods(&resolved, clock.now()));
    let ready = lines.iter().all(|line| line.ready);
    if asked.json {
        json(out, &serde_json::json!({ "ready": ready, "found": lines }))?;
    } else {
        print(&lines, ready, out)?;
    }
    Ok(u8::from(asked.strict && !ready))
}

fn print(lines: &[Line], ready: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut about = "";
    for line in lines {
        let word = if line.about == about { "" } else { line.about.as_str() };
        about = &line.about;
        let cure = line.cure.as_ref().map(|cure| format!("  -> {cure}")).unwrap_or_default();
        writeln!(out, "{word:<10}{}{cure}", visible(&line.what))?;
    }
    let open = lines.iter().filter(|line| !line.ready).count();
    if ready {
        writeln!(
            out,
            "ready. next: observance run   (first run: what is bad at first sight is the baseline, not drift)"
        )?;
    } else {
        let things = counted(u64::try_from(open).unwrap_or(u64::MAX), "thing");
        writeln!(out, "{things} not ready; what cannot be seen will be unknown in the record, never met")?;
        writeln!(out, "next: the first arrow above, then: observance doctor")?;
    }
    Ok(())
}

async fn store(resolved: &Resolved, clock: &Clock) -> Line {
    let place = &resolved.place;
    let opened = Store::open(&place.location, place.keys.as_ref(), Sharing::Shared, clock.clone()).await;
    match opened {
        Ok(store) => {
            let posture = store.posture();
            let word = |code: &Code| code.as_str().to_owned();
            let what = format!(
                "{} create-only {} · reads back {} · checksum {} · retention {}",
                posture.backend,
                word(&posture.create_only),
                word(&posture.reads_back),
                word(&posture.checksum),
                word(&posture.retention)
            );
            let open = posture.retention.as_str() != "yes";
            let open = if open { ": whoever administers it can empty it" } else { "" };
            Line::new("store", what + open)
        }
        Err(error) => {
            let causes =
                std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            let what = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            Line::new("store", what).not_ready("see store: in the configuration, and who may write there")
        }
    }
}

fn the_clock(seen: &[Seen<'_>]) -> Line {
    let skews = seen.iter().filter_map(|one| one.collected.skew_ms).flat_map(|(least, most)| [least, most]);
    let Some(worst) = skews.max_by_key(|skew| skew.abs()) else {
        return Line::new("clock", "no source told its time")
            .not_ready("see whether the sources can be reached");
    };
    if worst.abs() <= SKEW_MS {
        return Line::new("clock", "agrees with the sources' own within 2 s");
    }
    let way = if worst > 0 { "behind" } else { "ahead of" };
    Line::new("clock", format!("{} {way} a source's own", hours(worst.abs())))
        .not_ready("set this machine's clock: windows and drifts are dated by it")
}

fn sources(resolved: &Resolved, seen: &[Seen<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let asked = |name: &&String| !matches!(resolved.config.sources.get(*name), Some(Outside::Register(_)));
    for name in resolved.setup.sources.keys().filter(asked) {
        let own = |one: &&Seen<'_>| {
            let of = resolved.setup.collectors.values();
            of.filter(|c| c.source == *name).any(|c| c.manifest.id() == one.manifest.id())
        };
        let own: Vec<&Seen<'_>> = seen.iter().filter(own).collect();
        let token = tokens::token(seen);
        let line = Line::new(name, format!("{}{}", token.words(), horizon(&own)));
        lines.push(if token.writes > 0 { line.not_ready("use a token that only reads") } else { line });
        let steps = own.iter().map(|one| one.manifest.step_outlines().len()).sum::<usize>();
        let mut short: Vec<(String, Cure)> = Vec::new();
        for one in &own {
            let outlines = one.manifest.step_outlines();
            for unseen in &one.unseen {
                let step = outlines.iter().find(|step| step.id == unseen.step);
                let words = sentence(unseen.outcome, unseen.n, unseen.why.as_deref(), step);
                short.push((format!("{}: {words}", one.manifest.id()), scan::cause::cure(unseen.outcome)));
            }
        }
        let unanswered = own.iter().map(|one| unanswered(one)).sum::<usize>();
        let answered = steps.saturating_sub(unanswered);
        lines.push(Line::new(name, format!("{answered} of {steps} kinds of request answered in full")));
        for (what, cure) in short {
            let cure = match cure {
                Cure::Grant if is_github(&own) => "observance grants github",
                Cure::Grant => "let the credential of this source read it, or see that it is the right one",
                Cure::Later => "observance doctor, later",
                Cure::Window | Cure::None => "see the manifest: observance collectors show ID",
            };
            lines.push(Line::new(name, what).not_ready(cure));
        }
    }
    lines
}

/// The files that are sources, for the people who keep them.
fn files(resolved: &Resolved) -> Vec<Line> {
    let looked = registers::looked(&resolved.config, &resolved.setup.collectors);
    let line = |one: Looked| {
        let line = Line::new(&one.name, one.what);
        match one.cure {
            Some(cure) => line.not_ready(cure),
            None => line,
        }
    };
    looked.into_iter().map(line).collect()
}

fn is_github(own: &[&Seen<'_>]) -> bool {
    own.iter().all(|one| one.manifest.kind() == "github")
}

/// Steps that were not answered in full, and those that are asked for each record of one of them.
fn unanswered(one: &Seen<'_>) -> usize {
    let mut lacking: BTreeSet<String> = one.unseen.iter().map(|unseen| unseen.step.clone()).collect();
    for step in one.manifest.step_outlines() {
        if step.each.is_some_and(|list| lacking.contains(&list)) {
            lacking.insert(step.id);
        }
    }
    lacking.len()
}

/// What can be seen of what there is.
fn horizon(own: &[&Seen<'_>]) -> String {
    for one in own {
        for (population, outline) in one.collected.populations.iter().zip(one.manifest.population_outlines())
        {
            let proof =
                population.claim.proofs.iter().find(|proof| proof.kind == "equals" && outline.counted);
            let Some(proof) = proof else { continue };
            let kind = plural(&visible(&population.item_type), 2);
            return match proof.stated {
                Some(stated) if stated == proof.counted => {
                    format!(" · all {kind} ({} = {})", number(stated), number(proof.counted))
                }
                Some(stated) => format!(" · {} of {} {kind}", number(proof.counted), number(stated)),
                None => format!(" · {} {kind}; how many there are is hidden", number(proof.counted)),
            };
        }
    }
    String::new()
}

fn streams(resolved: &Resolved) -> Vec<Line> {
    let setup = &resolved.setup;
    let mut lines = Vec::new();
    for (id, collector) in &setup.collectors {
        let schedule: Option<&Schedule> = setup.schedules.iter().find(|schedule| schedule.collector == *id);
        let Some(gap_ms) = schedule.map(|schedule| i64::from(schedule.max_gap_s) * 1000) else { continue };
        for population in collector.manifest.population_outlines().iter().filter(|p| p.windowed) {
            let every = hours(gap_ms);
            let what = format!("{id} {}", population.name);
            lines.push(match population.reach_ms {
                None => Line::new("streams", format!("{what}: kept for good; read at least every {every}")),
                Some(reach_ms) => {
                    let days = counted((reach_ms / DAY_MS).unsigned_abs(), "day");
                    let line = Line::new(
                        "streams",
                        format!("{what}: reaches back {days}; read at least every {every}"),
                    );
                    let safe = gap_ms <= reach_ms / 2;
                    if safe { line } else { line.not_ready("a tighter cron and max_gap_s under collectors:") }
                }
            });
        }
    }
    lines
}

/// Why a policy cannot be judged, and whether GitHub is what it reads.
type Lacking = (Cause, bool);

fn policies(resolved: &Resolved, seen: &[Seen<'_>], said: &[Said<'_>]) -> Vec<Line> {
    let judges = &resolved.setup.policies;
    let mut found: Vec<(&str, Sight, Option<Lacking>)> = Vec::new();
    for id in judges.keys() {
        let own = said.iter().filter(|said| said.judge.policy.meta().id == *id);
        let best = own.map(|said| (sight(said), said)).min_by_key(|(sight, _)| *sight);
        let none = Cause {
            why: "no collector that is configured yields its population".to_owned(),
            cure: Cure::None,
        };
        let github = |at: usize| seen.get(at).is_some_and(|one| is_github(&[one]));
        found.push(best.map_or((id, Sight::Not, Some((none, true))), |(sight, said)| {
            (id, sight, (sight != Sight::Now).then(|| (cause(said, seen), github(said.seen))))
        }));
    }
    let n = |sight: Sight| found.iter().filter(|(_, s, _)| *s == sight).count();
    let sum = format!(
        "{} loaded: {} can be judged now · {} partly · {} not",
        found.len(),
        n(Sight::Now),
        n(Sight::Partly),
        n(Sight::Not)
    );
    let mut lines = vec![Line::new("policies", sum)];
    for (id, sight, cause) in found {
        let Some((cause, github)) = cause else { continue };
        let word = if sight == Sight::Partly { "partly" } else { "not" };
        let cure = match cause.cure {
            Cure::Grant if github => format!("observance grants github --for {id}"),
            Cure::Grant => "let the credential of this source read it".to_owned(),
            Cure::Later => "observance doctor, later".to_owned(),
            Cure::Window | Cure::None => "observance collectors list shows what each policy reads".to_owned(),
        };
        lines.push(Line::new("policies", format!("{id} {word}: {}", cause.why)).not_ready(cure));
    }
    lines
}

fn periods(resolved: &Resolved, now: Instant) -> Vec<Line> {
    let one = |(id, period): (&String, &crate::config::period::Period)| {
        let days = |ms: i64| counted((ms / DAY_MS).unsigned_abs(), "day");
        let what = if now < period.from {
            format!("{id} starts in {}", days(period.from.ms_since(now)))
        } else if now < period.to {
            format!(
                "{id} began {} ago: settings before the first run will be a gap",
                days(now.ms_since(period.from))
            )
        } else {
            format!("{id} is over")
        };
        Line::new("periods", what)
    };
    resolved.config.periods.iter().map(one).collect()
}
