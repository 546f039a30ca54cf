//! `window`: which part of a list lies in the run's window, and how the source is asked for it.
//!
//! Instants come from the run; nothing here knows what time it is.

use super::{
    Bound, Feed, Reach, Retention, State, WindowPlan, keys, parts,
    steps::{Asks, Context, query},
    yaml::{Faults, Section, Spot},
};
use crate::collect::condition::{Condition, Test};

/// Longest duration that a manifest may name: about 34 years.
const MS_MAX: u64 = 1 << 40;
/// Of what a source keeps, so much may pass before somebody is told.
const ALARM_PERCENT: u64 = 50;

/// What is read on until it is past, and kept whole.
pub(super) const fn until(stop: Condition) -> WindowPlan {
    WindowPlan {
        stop: Some(stop),
        keep: Vec::new(),
        reach: Vec::new(),
        feed: None,
        state: None,
        lag_ms: 0,
        retention: None,
    }
}

/// Reads it; nothing for a snapshot, which is what a list without a window is.
pub(super) fn read(
    spot: &Spot<'_>,
    faults: &mut Faults,
    context: &Context<'_>,
    asks: &Asks,
    me: usize,
) -> Option<WindowPlan> {
    let section = spot.section(faults, &keys::WINDOW.names());
    let modes = ["snapshot", "rolling", "feed", "cursor", "delta"];
    let mode = section.get("mode").map_or(Some("rolling"), |spot| {
        let expected = "snapshot, rolling, feed, cursor or delta";
        spot.read(faults, expected, |text| modes.into_iter().find(|mode| *mode == text))
    })?;
    only(&section, faults, mode);
    if mode == "snapshot" {
        return None;
    }
    let mut keep = section.get("keep_when").map(|s| parts::conditions(s, faults)).unwrap_or_default();
    if mode == "rolling" {
        section.need(faults, "keep_when");
    }
    if mode == "feed" {
        let field = section.need(faults, "field").and_then(|spot| parts::path(spot, faults))?;
        section.need(faults, "start_param");
        keep.push(Condition { path: field, test: Test::InWindow });
    }
    let state = if matches!(mode, "cursor" | "delta") { Some(state(&section, faults, mode)?) } else { None };
    let feed = section.get("start_param").is_some().then(|| feed(&section, faults));
    if let Some(spot) = section.get("lag_ms").filter(|_| state.is_some()) {
        faults.add(
            spot,
            "a lag beside a state",
            "one of them: what is read again could never be gone on from",
        );
    }
    let stop = section.get("stop_when").and_then(|spot| parts::condition(spot, faults));
    asks.conditions(me, stop.as_slice());
    asks.conditions(me, &keep);
    Some(WindowPlan {
        stop,
        keep,
        reach: reach(spot, &section, faults, context, asks),
        feed,
        state,
        lag_ms: ms(&section, faults, "lag_ms").unwrap_or(0),
        retention: retention(&section, faults),
    })
}

/// What does not go with the mode.
fn only(section: &Section<'_>, faults: &mut Faults, mode: &str) {
    let fits = |name: &&str| match mode {
        "snapshot" => *name == "mode",
        "rolling" => !["state", "field", "start_param", "end_param", "format", "overlap_ms"].contains(name),
        "feed" => *name != "state",
        "delta" => {
            ["mode", "state", "start_param", "format", "retention_ms", "alarm_at_percent"].contains(name)
        }
        _ => ["mode", "state", "retention_ms", "alarm_at_percent"].contains(name),
    };
    for spot in keys::WINDOW.names().iter().filter(|name| !fits(name)).filter_map(|name| section.get(name)) {
        faults.add(spot, format!("it in mode {mode}"), "a key that goes with the mode");
    }
}

/// A state is read where it is kept: a header is not, so nobody could say later where a list went on.
fn state(section: &Section<'_>, faults: &mut Faults, mode: &str) -> Option<State> {
    let section = section.need(faults, "state")?.section(faults, &keys::STATE.names());
    let at = section.need(faults, "at").and_then(|spot| parts::path(spot, faults));
    let param = section.get("param").and_then(|spot| spot.text(faults)).map(str::to_owned);
    if (mode == "cursor") != param.is_some() {
        let expected = "a param with a cursor, which is a value; none with a delta, which is an address";
        faults.add(section.spot(), format!("state of a {mode}"), expected);
    }
    Some(State { at: at?, param })
}

fn feed(section: &Section<'_>, faults: &mut Faults) -> Feed {
    let end = section.get("end_param").and_then(|spot| spot.text(faults)).map(str::to_owned);
    let bound = section.get("format").map_or(Some(Bound::Rfc3339), |spot| {
        spot.read(faults, "rfc3339, epoch_s or epoch_ms", |text| match text {
            "rfc3339" => Some(Bound::Rfc3339),
            "epoch_s" => Some(Bound::EpochS),
            "epoch_ms" => Some(Bound::EpochMs),
            _ => None,
        })
    });
    Feed {
        start: section.need_text(faults, "start_param"),
        end,
        bound: bound.unwrap_or(Bound::Rfc3339),
        overlap_ms: ms(section, faults, "overlap_ms").unwrap_or(0),
    }
}

fn retention(section: &Section<'_>, faults: &mut Faults) -> Option<Retention> {
    let share = section.get("alarm_at_percent");
    let percent = share.map_or(Some(ALARM_PERCENT), |spot| spot.number(faults, 1..=100));
    let Some(within_ms) = ms(section, faults, "retention_ms") else {
        if let Some(spot) = share {
            faults.add(spot, "it without retention_ms", "retention_ms");
        }
        return None;
    };
    let alarm_ms = (within_ms / 100).saturating_mul(i64::try_from(percent?).unwrap_or(100));
    Some(Retention { within_ms, alarm_ms })
}

fn ms(section: &Section<'_>, faults: &mut Faults, name: &str) -> Option<i64> {
    section.get(name).and_then(|s| s.number(faults, 1..=MS_MAX)).and_then(|n| i64::try_from(n).ok())
}

fn reach(
    spot: &Spot<'_>,
    section: &Section<'_>,
    faults: &mut Faults,
    context: &Context<'_>,
    asks: &Asks,
) -> Vec<Reach> {
    let mut reach = Vec::new();
    for spot in section.get("reach").map(|spot| spot.list(faults)).unwrap_or_default() {
        let section = spot.section(faults, &keys::REACH.names());
        section.need(faults, "within_ms");
        let within_ms = ms(&section, faults, "within_ms").unwrap_or_default();
        let query = section.get("query").map(|spot| query(spot, faults, context, asks)).unwrap_or_default();
        reach.push(Reach { within_ms, query });
    }
    if !reach.is_sorted_by_key(|reach| reach.within_ms) {
        faults.add(spot, "reaches out of order", "the nearest first");
    }
    reach
}
