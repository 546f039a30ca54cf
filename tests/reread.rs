//! The end of a window is read a second time: what the source listed late is found and judged once, what it no longer
//! lists is told; and a stream that could not be read does not lose its window to another that could.

use std::{collections::BTreeSet, sync::Arc};

use observance::{
    clock::Clock,
    store::{Location, Objects, connect},
};
use observance_record::{Instant, entry::Body, population::Membership};
use serde_json::{Value, json};

use crate::support::{
    life::{Record, Seen, at, every, live, setup, words},
    source::{Asked, Reply, Source, message, reply},
};

const COLLECTOR: &str = "github.changes";

/// A change of the first repository: number, when it was merged, from when on and until when it is listed.
type Change = (u64, &'static str, &'static str, &'static str);

/// Runs at 06:00, 12:00 and so on, until `to`.
async fn lived(
    to: &str,
    fault: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static,
) -> (Record, impl Drop) {
    let clock = Clock::simulated(at("03-10T05:58"));
    let source = Source::serve(&clock, fault).await;
    let mut setup = setup(source.base_url(), &[COLLECTOR]);
    every(&mut setup, "0 */6 * * *");
    let setup = Arc::new(setup);
    let folder = tempfile::tempdir().unwrap();
    let objects: Arc<dyn Objects> = connect(&Location::Folder(folder.path().to_owned()), None).unwrap();
    live(&setup, (Arc::clone(&objects), None), (&clock, 7), at(to)).await.unwrap();
    let record = Record::read(objects, &setup).await.unwrap();
    record.assert_accounted();
    record.assert_verifies(&setup);
    (record, folder)
}

fn listed(changes: &[Change], now: Instant) -> Value {
    let shown = changes.iter().rev().filter(|(_, _, from, to)| at(from) <= now && now < at(to));
    let pull = |(number, merged, ..): &Change| {
        let merged = format!("2026-{merged}:00Z");
        json!({ "id": 500 + number, "number": number, "state": "closed", "merged_at": merged, "updated_at": merged,
                "user": { "id": 11, "login": "ann", "type": "User" }, "base": { "ref": "main" },
                "head": { "sha": format!("{number:040x}") }, "merge_commit_sha": format!("{number:040x}") })
    };
    shown.map(pull).collect()
}

fn answer(changes: &[Change], asked: &Asked<'_>) -> Option<Reply> {
    let path = asked.path.split('?').next().unwrap();
    let seen = |body: &Value| Some(reply(200, &[], body));
    match path.strip_prefix("/repos/acme/r1/pulls") {
        Some("") => seen(&listed(changes, asked.at)),
        Some(path) if path.ends_with("/reviews") => seen(&json!([])),
        Some(_) => seen(&json!([{ "sha": "a", "author": { "id": 11 }, "committer": { "id": 11 },
                                  "commit": { "author": { "email": "ann@acme.example" }, "message": "x" } }])),
        None => None,
    }
}

/// What the record says of a second reading: events of the first, those found again, those that came late.
fn reread(seen: &Seen<'_>) -> (Option<u64>, u64, u64) {
    let proofs = &seen.population("changes").proofs;
    let of = |kind: &str| proofs.iter().find(|proof| proof.kind.as_str() == kind);
    let (again, late) = (of("reread"), of("reread_late"));
    (again.and_then(|p| p.stated), again.map_or(0, |p| p.counted), late.map_or(0, |p| p.counted))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_source_lists_late_is_judged_once_and_what_it_drops_is_told() {
    let changes: [Change; 4] = [
        (1, "03-10T05:00", "03-10T05:00", "03-20T00:00"),
        (2, "03-10T05:45", "03-10T05:45", "03-20T00:00"),
        // listed after the window of 06:00 was read
        (3, "03-10T05:50", "03-10T06:30", "03-20T00:00"),
        // gone before the window of 18:00 is read
        (4, "03-10T11:45", "03-10T11:45", "03-10T13:00"),
    ];
    let (record, _folder) = lived("03-11T00:30", move |asked| answer(&changes, asked)).await;
    let runs = record.runs(COLLECTOR);
    let seen: Vec<_> = runs.iter().map(|seen| (seen.population("changes").in_scope, reread(seen))).collect();
    assert_eq!(
        seen,
        [(2, (None, 0, 0)), (3, (Some(1), 1, 1)), (0, (Some(1), 0, 0)), (0, (None, 0, 0))],
        "rows; what a second reading found"
    );
    let whys: Vec<_> = runs.iter().map(|seen| words(&seen.run.why)).collect();
    assert_eq!(whys, [vec![], vec!["reread.late"], vec!["reread.lost"], vec![]]);
    for pair in runs.windows(2) {
        let [first, second] = pair else { unreachable!() };
        let windows: Vec<_> = first.run.windows.iter().filter(|window| window.stream == "changes").collect();
        let [whole, open] = windows.as_slice() else { panic!("{windows:?}") };
        assert_eq!((whole.is_final, open.is_final, whole.to), (true, false, open.from));
        let again = second.population("changes").window.unwrap();
        assert_eq!(again.0, open.from, "what was not final is read again, and nothing else");
        assert!((29 * 60_000..=30 * 60_000).contains(&open.to.ms_since(open.from)));
        assert!(second.run.windows[0].is_final && second.run.windows[0].to > open.to);
    }
    // each failed once, also the one that was read twice and the one that is gone
    let drifts = record.bodies().filter_map(|body| match body {
        Body::Drift(drift) if drift.policy == "GH-08" => drift.item,
        _ => None,
    });
    let drifts: Vec<_> = drifts.collect();
    assert_eq!((drifts.len(), drifts.iter().collect::<BTreeSet<_>>().len()), (4, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_could_not_be_read_is_read_again_from_where_it_was_whole() {
    let away = at("03-10T11:00")..at("03-10T17:00");
    let fault = move |asked: &Asked<'_>| {
        let away = away.contains(&asked.at) && asked.path.contains("/rule-suites");
        away.then(|| message(403, &[], "no")).or_else(|| answer(&[], asked))
    };
    let (record, _folder) = lived("03-11T00:30", fault).await;
    let runs = record.runs(COLLECTOR);
    let bypasses: Vec<_> = runs.iter().map(|seen| seen.population("bypasses").clone()).collect();
    assert!(bypasses.iter().all(|population| population.membership == Membership::Complete));
    let missed: Vec<_> = bypasses.iter().map(|population| population.items_unknown).collect();
    assert_eq!(missed, [0, 3, 0, 0], "each repository's own list");
    let from = |at: usize| bypasses[at].window.unwrap().0;
    assert_eq!(from(2), from(1), "nothing of the window is lost");
    assert_eq!(
        [from(1), from(3)],
        [at("03-10T06:00"), at("03-10T18:00")],
        "and nothing is read for another stream"
    );
    let changes = |at: usize| runs[at].population("changes").window.unwrap().0;
    assert!(changes(2) > from(2), "what could be read is read on");
}
