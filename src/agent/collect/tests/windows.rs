//! Windows that a source is asked for: their bounds, what is kept of them, and how late is too late.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use observance_record::{Instant, population::Membership};
use serde_json::{Value, json};
use url::Url;

use super::{
    Script,
    paging::{codes, ok, text},
    path_and_query, rows, run,
};
use crate::collect::{Collected, Http, Manifest, State};

const FEED: &str = "mode: feed, field: at, start_param: since";

fn manifest(window: &str) -> Result<Manifest, String> {
    let request = format!("get: /things\n    window: {{ {window} }}");
    let text = text(&request, "{ link: next }", "list").replace("project: [id, v]", "project: [id, at]");
    Manifest::read("m", &text)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn at(text: &str) -> Instant {
    format!("2026-03-{text}:00.000Z").parse().unwrap()
}

/// A run that starts at 2026-03-10T12:00Z, and the one address that it asked.
async fn look(window: &str, (from, to): (&str, &str), records: Value) -> (Collected, Option<String>) {
    let asked: Arc<Mutex<Option<String>>> = Arc::default();
    let note = Arc::clone(&asked);
    let http = Http::scripted(Script::of(move |url: &Url, _| match path_and_query(url).as_str() {
        "/orgs/acme" => ok(&json!({ "id": 77 })),
        path => {
            *note.lock().unwrap() = Some(path.to_owned());
            ok(&records)
        }
    }));
    let manifest = manifest(window).unwrap();
    let bounds = Some((at(from), at(to)));
    let seen = run(&manifest, &http, None, bounds, &BTreeMap::new(), &mut State::default()).await;
    let asked = asked.lock().unwrap().clone();
    (seen, asked)
}

#[tokio::test]
async fn the_source_is_asked_for_the_window_and_its_overlap_and_what_lies_outside_is_left() {
    let records = json!([
        { "id": 1, "at": "2026-03-10T09:59:59Z" }, { "id": 2, "at": "2026-03-10T10:00:00Z" },
        { "id": 3, "at": "2026-03-10T11:59:59Z" }, { "id": 4, "at": "2026-03-10T12:00:00Z" }, { "id": 5 },
    ]);
    let window = format!("{FEED}, end_param: until, overlap_ms: 600000");
    let (seen, asked) = look(&window, ("10T10:00", "10T12:00"), records).await;
    let address = "/things?since=2026-03-10T09%3A50%3A00.000Z&until=2026-03-10T12%3A00%3A00.000Z";
    assert_eq!(asked.as_deref(), Some(address));
    // what tells no instant is kept: nobody knows that it lies outside
    let ids: Vec<_> = rows(&seen, 0).iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!((ids, seen.populations[0].claim.membership), (vec![2, 3, 5], Membership::Complete));
}

#[tokio::test]
async fn instants_are_written_as_the_source_reads_them() {
    for (format, since) in [("epoch_s", "1773136800"), ("epoch_ms", "1773136800000")] {
        let window = format!("{FEED}, format: {format}");
        let (_, asked) = look(&window, ("10T10:00", "10T12:00"), json!([])).await;
        assert_eq!(asked, Some(format!("/things?since={since}")));
    }
}

#[tokio::test]
async fn what_the_source_has_forgotten_is_out_of_retention_and_what_it_soon_forgets_is_told() {
    let day = 86_400_000_i64;
    let window = format!("{FEED}, overlap_ms: {day}, retention_ms: {}", 4 * day);
    for (from, code, asked_from) in [
        ("08T13:00", None, Some("2026-03-07T13%3A00")),
        ("08T11:00", Some("window.near_retention"), Some("2026-03-07T11%3A00")),
        // never further back than it keeps
        ("06T13:00", Some("window.near_retention"), Some("2026-03-06T12%3A00")),
        ("06T11:59", Some("window.reach"), None),
    ] {
        let (seen, asked) = look(&window, (from, "10T12:00"), json!([])).await;
        assert_eq!(asked.is_some(), asked_from.is_some(), "{from}");
        assert!(asked.unwrap_or_default().contains(asked_from.unwrap_or_default()), "{from}");
        assert!(code.is_none_or(|code| codes(&seen).contains(&code)), "{from}: {:?}", seen.why);
        let whole = seen.populations[0].claim.membership == Membership::Complete;
        assert_eq!(whole, asked_from.is_some(), "{from}");
    }
}

#[tokio::test]
async fn the_end_of_a_window_settles_only_after_the_sources_lag() {
    for (to, settled) in [("10T12:00", "10T11:00"), ("10T10:30", "10T10:30"), ("10T11:30", "10T11:00")] {
        let window = format!("{FEED}, lag_ms: 3600000");
        let (seen, _) = look(&window, ("10T10:00", to), json!([])).await;
        assert_eq!(seen.populations[0].settled, Some(at(settled)));
    }
    let (seen, _) = look(FEED, ("10T10:00", "10T12:00"), json!([])).await;
    assert_eq!(seen.populations[0].settled, Some(at("10T12:00")));
    let (seen, _) = look(&format!("{FEED}, lag_ms: 36000000"), ("10T10:00", "10T12:00"), json!([])).await;
    assert_eq!(seen.populations[0].settled, Some(at("10T10:00")), "nothing of it");
}

#[test]
fn a_window_says_what_goes_with_its_mode_and_nothing_else() {
    assert!(
        manifest("mode: snapshot").is_ok_and(|manifest| manifest.yields().all(|(.., windowed)| !windowed))
    );
    for (window, why) in [
        ("mode: feed, start_param: since", "no field"),
        ("mode: feed, field: at", "no start_param"),
        ("mode: rolling", "no keep_when"),
        ("keep_when: { path: at, in: window }, start_param: since", "in mode rolling"),
        ("mode: snapshot, keep_when: { path: at, in: window }", "in mode snapshot"),
        ("mode: weekly", "snapshot, rolling, feed, cursor or delta"),
        (&format!("{FEED}, alarm_at_percent: 60"), "without retention_ms"),
        (&format!("{FEED}, format: iso"), "rfc3339, epoch_s or epoch_ms"),
    ] {
        let faults = manifest(window).err().unwrap_or_default();
        assert!(faults.contains(why), "{window}: {faults}");
    }
}
