//! `period`: how the controls operated over an observation period, as the log knows it.

use std::io::Write;

use chrono_tz::Tz;
use observance_record::{Instant, entry::PeriodOpen, ledger::Ledger, view::PeriodView};

use super::{arguments::Period, json, read, setup::Resolved, trouble::Trouble};
use crate::{
    clock::Clock,
    status::{hours, period_text_with},
    text::visible,
};

/// Prints it.
pub async fn period(
    resolved: &Resolved,
    asked: &Period,
    clock: &Clock,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let ledger = read::read(resolved, clock, &mut |_, _, _| Ok(())).await?;
    let period = choose(&ledger, asked.id.as_deref(), clock.now())?;
    let view = PeriodView::new(&ledger, &period.id, period.from, period.to);
    if asked.json {
        json(out, &view)?;
        return Ok(0);
    }
    let titles = resolved.setup.titles();
    let before_ms = period.from.ms_since(clock.now());
    if before_ms > 0 {
        writeln!(out, "{} begins in {}; nothing of it is known yet", visible(&period.id), hours(before_ms))?;
        return Ok(0);
    }
    write!(out, "{}", period_text_with(&view, zone(period, resolved), &titles))?;
    writeln!(out, "next: observance bundle {} --out DIR", period.id)?;
    Ok(0)
}

/// The zone in which the period's days are days.
pub fn zone(period: &PeriodOpen, resolved: &Resolved) -> Tz {
    period.zone.parse().unwrap_or(resolved.config.organisation.zone)
}

/// The period that was named, or the current one.
pub fn choose<'l>(ledger: &'l Ledger, named: Option<&str>, now: Instant) -> anyhow::Result<&'l PeriodOpen> {
    let known = || ledger.periods().keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let Some(named) = named else {
        return current(ledger, now).ok_or_else(|| match known().as_str() {
            "" => none().into(),
            known => Trouble::new("no observation period contains this day", format!("name one of: {known}"))
                .into(),
        });
    };
    ledger.periods().get(named).ok_or_else(|| match known().as_str() {
        "" => none().into(),
        known => {
            Trouble::new(format!("the log knows no period {named}"), format!("it knows: {known}")).into()
        }
    })
}

fn none() -> Trouble {
    let hint = "write one under periods: in the configuration; the next run or collect records it";
    Trouble::new("the log knows no observation period", hint)
}

/// The period that contains `now`: the one that ends first, if there are several; else the only one there is.
pub fn current(ledger: &Ledger, now: Instant) -> Option<&PeriodOpen> {
    let mut periods: Vec<&PeriodOpen> = ledger.periods().values().collect();
    periods.sort_by_key(|period| period.to);
    let contains = |period: &&&PeriodOpen| period.from <= now && now < period.to;
    let only = if periods.len() == 1 { periods.first() } else { None };
    periods.iter().find(contains).or(only).copied()
}
