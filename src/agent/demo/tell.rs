//! What the demonstration prints: the agent's news as a person would want to be told them, and the end.
//!
//! Lines of several looks are folded into one only where the record has them one by one.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use observance_record::{Instant, verdict::State};

use super::{Ended, estate::Estate, logs::Logs, receiver::Receiver, world::World};
use crate::{
    run::{Happening, News},
    text::visible,
};

/// Width of a policy's title, in characters.
const TITLE_CHARS: usize = 44;

/// Prints, and counts what it does not print.
pub(super) struct Teller {
    zone: Tz,
    /// Whether the agent began once already.
    started: bool,
    runs: u64,
    gaps: u64,
    slots: u64,
}

impl Teller {
    pub(super) const fn new(zone: Tz) -> Self {
        Self { zone, started: false, runs: 0, gaps: 0, slots: 0 }
    }

    pub(super) fn heading(
        &self,
        out: &mut (dyn Write + Send),
        estate: &Estate,
        (from, to): (Instant, Instant),
    ) -> io::Result<()> {
        writeln!(
            out,
            "company of {} people, {} repositories, {} sources of logs · {} to {}, {} · seed {}",
            estate.staff.working(from),
            estate.company.repositories(),
            Logs::sources(),
            self.day(from),
            self.day(to),
            self.zone.name(),
            estate.company.seed(),
        )
    }

    pub(super) fn news(
        &mut self,
        out: &mut (dyn Write + Send),
        world: &World,
        news: &News,
    ) -> io::Result<()> {
        match &news.what {
            Happening::Ran { due, .. } => {
                self.runs += 1;
                self.slots += u64::from(due.is_some());
                Ok(())
            }
            Happening::Gap { schedule, n, cause } => {
                self.gaps += n;
                self.slots += n;
                let slots = if *n == 1 { "slot" } else { "slots" };
                self.line(out, news.at, "GAP", schedule, &format!("{n} {slots} without a run: {cause}"))
            }
            Happening::Changed { policy, item, to, observed_from, observed_to, .. } => {
                let word = if *to == State::Failed { "DRIFT" } else { "FIXED" };
                let between = self.between(*observed_from, *observed_to);
                self.line(out, news.at, word, &title(world, policy), &format!("{}, {between}", visible(item)))
            }
            Happening::Sight { policy, seen: false } => {
                let said = "cannot be seen whole; nothing is called failed for that";
                self.line(out, news.at, "BLIND", &title(world, policy), said)
            }
            Happening::Sight { policy, seen: true } => {
                self.line(out, news.at, "SEEN", &title(world, policy), "seen whole again")
            }
            Happening::Started { size } if std::mem::replace(&mut self.started, true) => {
                self.line(out, news.at, "AGAIN", "agent", &format!("started on a log of {size} entries"))
            }
            Happening::StoreAway { error } => self.line(out, news.at, "AWAY", "store", error),
            Happening::Started { .. } | Happening::Told { .. } | Happening::Heard { .. } => Ok(()),
        }
    }

    fn line(
        &self,
        out: &mut (dyn Write + Send),
        at: Instant,
        word: &str,
        what: &str,
        text: &str,
    ) -> io::Result<()> {
        writeln!(out, "{}  {word:<5}  {what:<TITLE_CHARS$}  {text}", self.stamp(at))
    }

    fn between(&self, from: Instant, to: Instant) -> String {
        format!("between {} and {}", self.stamp(from), self.stamp(to))
    }

    fn local(&self, at: Instant) -> DateTime<Tz> {
        let utc = DateTime::<Utc>::from_timestamp_millis(at.ms()).unwrap_or_default();
        utc.with_timezone(&self.zone)
    }

    fn stamp(&self, at: Instant) -> String {
        self.local(at).format("%b %d %H:%M").to_string()
    }

    fn day(&self, at: Instant) -> String {
        self.local(at).format("%-d %b %Y").to_string()
    }

    pub(super) fn ending(
        out: &mut (dyn Write + Send),
        ended: &Ended,
        receiver: &Receiver,
    ) -> anyhow::Result<()> {
        writeln!(
            out,
            "{} slots due · {} ran · {} missed, shown as gaps · the agent began {} times",
            ended.view.slots.due, ended.view.slots.ran, ended.view.slots.missed, ended.starts
        )?;
        let (delivered, refused, forged) = receiver.counts();
        writeln!(
            out,
            "{delivered} alerts delivered by signed webhook, {refused} attempt refused and tried again, {forged} forged"
        )?;
        writeln!(out)?;
        ended.write(out)?;
        writeln!(out)?;
        let bundle = ended.bundle.dir.display();
        let mib = ended.bundle.bytes / (1 << 20);
        writeln!(
            out,
            "bundle  {bundle} ({} files, {mib} MiB)   $ observance-verify {bundle} --replay",
            ended.bundle.files
        )?;
        out.write_all(ended.report.text().as_bytes())?;
        writeln!(out, "next: open {bundle}/index.html")?;
        Ok(())
    }
}

fn title(world: &World, policy: &str) -> String {
    let meta = world.setup.policies.get(policy).map(|judge| judge.policy.meta());
    meta.map_or_else(|| policy.to_owned(), |meta| format!("{policy} {}", meta.title))
        .chars()
        .take(TITLE_CHARS)
        .collect()
}
