//! Lists that go on where the run before ended: by what was sealed, and anew where that is of no use.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use observance_record::{Digest, Instant, population::Membership, population::Outcome};
use serde_json::{Value, json};
use url::Url;

use super::{
    Script,
    paging::{codes, ok, text},
    path_and_query, rows, run_behind, started,
};
use crate::{
    collect::{Auth, Bodies, Collected, Http, Manifest, State},
    secret::Secret,
};

const DELTA: &str = "mode: delta, state: { at: '@odata\\.deltaLink' }";
const CURSOR: &str = "mode: cursor, state: { at: cursor, param: after }";

/// Everything that was ever sealed.
#[derive(Debug, Default)]
struct Sealed(BTreeMap<Digest, Bytes>);

impl Bodies for Sealed {
    fn body(&self, digest: Digest, _: Instant) -> BoxFuture<'_, Option<Bytes>> {
        std::future::ready(self.0.get(&digest).cloned()).boxed()
    }
}

fn read(window: &str) -> Result<Manifest, String> {
    let request = format!(
        "get: /things\n    window: {{ {window} }}\n    outcomes: [{{ status: 410, as: out_of_retention }}]"
    );
    let text = text(&request, "{ body_link: '@odata\\.nextLink' }", "{ at: items }");
    let text = text.replace("complete: [terminal_page, unique_keys]", "complete: [terminal_page]");
    Manifest::read("m", &text)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// The next run after `before`, what it asked for, and what is sealed after it.
async fn next(
    manifest: &Manifest,
    (before, sealed): (Option<&Collected>, &mut Sealed),
    answer: impl Fn(&str) -> Value + Send + Sync + 'static,
) -> (Collected, Vec<String>) {
    after(manifest, (before, sealed), &BTreeSet::new(), answer).await
}

/// The same, where that run did not read these populations whole.
async fn after(
    manifest: &Manifest,
    (before, sealed): (Option<&Collected>, &mut Sealed),
    behind: &BTreeSet<String>,
    answer: impl Fn(&str) -> Value + Send + Sync + 'static,
) -> (Collected, Vec<String>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = Arc::clone(&asked);
    let http = Http::scripted(Script::of(move |url: &Url, _| match path_and_query(url).as_str() {
        "/orgs/acme" => ok(&json!({ "id": 77 })),
        path => {
            note.lock().unwrap().push(path.to_owned());
            answer(path)
        }
    }));
    let none = BTreeMap::new();
    let prior = before.map_or(&none, |before| &before.exchanges);
    let auth = Auth::Bearer(Secret::new("ghp_hush".to_owned()));
    let window = Some((started().plus_ms(-3_600_000), started()));
    let given = (window, Some(&*sealed as &dyn Bodies));
    let seen =
        run_behind(&auth, manifest, (&http, None), given, (prior, behind), &mut State::default()).await;
    let bodies = seen.bodies.artefacts().unwrap();
    sealed.0.extend(bodies.iter().map(|body| (body.digest(), body.bytes().to_vec().into())));
    let asked = asked.lock().unwrap().clone();
    (seen, asked)
}

fn delta(path: &str) -> Value {
    let link = |rest: &str| format!("https://api.github.com/things{rest}");
    match path {
        "/things" => ok(&json!({ "items": [{ "id": 1, "v": 1 }, { "id": 2, "v": 1 }],
                                 "@odata.nextLink": link("?skip=2") })),
        "/things?skip=2" => {
            ok(&json!({ "items": [{ "id": 3, "v": 1 }], "@odata.deltaLink": link("?token=a") }))
        }
        "/things?token=a" => {
            ok(&json!({ "items": [{ "id": 2, "v": 2 }], "@odata.deltaLink": link("?token=b") }))
        }
        "/things?token=b" => ok(&json!({ "items": [], "@odata.deltaLink": link("?token=b") })),
        other => panic!("nobody said to ask for {other}"),
    }
}

fn ids(seen: &Collected) -> Vec<u64> {
    rows(seen, 0).iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

fn whole(seen: &Collected) -> bool {
    seen.populations[0].claim.membership == Membership::Complete
}

#[tokio::test]
async fn a_run_goes_on_where_the_last_recorded_one_ended() {
    let (manifest, mut sealed) = (read(DELTA).unwrap(), Sealed::default());
    let (first, asked) = next(&manifest, (None, &mut sealed), delta).await;
    assert_eq!(asked, ["/things", "/things?skip=2"]);
    assert_eq!((ids(&first), whole(&first), codes(&first)), (vec![1, 2, 3], true, vec![]));
    let (second, asked) = next(&manifest, (Some(&first), &mut sealed), delta).await;
    assert_eq!((asked, ids(&second), whole(&second)), (vec!["/things?token=a".to_owned()], vec![2], true));
    // where it began is among its exchanges, as it was sealed; nothing was sent for it
    assert_eq!((second.exchanges.len(), second.requests), (3, 2));
    assert_eq!(second.outcomes.get(&Outcome::Unchanged), None, "what is only told again was not asked");
    let (third, asked) = next(&manifest, (Some(&second), &mut sealed), delta).await;
    assert_eq!((asked, ids(&third), whole(&third)), (vec!["/things?token=b".to_owned()], vec![], true));
    // a run that was not recorded moves nothing on
    let (again, asked) = next(&manifest, (Some(&first), &mut sealed), delta).await;
    assert_eq!((asked, ids(&again)), (vec!["/things?token=a".to_owned()], vec![2]));
}

#[tokio::test]
async fn a_run_that_broke_off_is_made_up_for_by_the_next() {
    let (manifest, mut sealed) = (read(DELTA).unwrap(), Sealed::default());
    let (first, _) = next(&manifest, (None, &mut sealed), delta).await;
    let away = |path: &str| match path {
        "/things?token=a" => json!({ "status": 404, "body": { "message": "no" } }),
        other => delta(other),
    };
    let (second, _) = next(&manifest, (Some(&first), &mut sealed), away).await;
    assert!(!whole(&second) && ids(&second).is_empty());
    let (third, asked) = next(&manifest, (Some(&second), &mut sealed), away).await;
    assert_eq!((asked, whole(&third)), (vec!["/things?token=a".to_owned()], false));
    let (fourth, asked) = next(&manifest, (Some(&third), &mut sealed), delta).await;
    assert_eq!((asked, ids(&fourth)), (vec!["/things?token=a".to_owned()], vec![2]));
    assert!(whole(&fourth) && codes(&fourth).is_empty());
}

#[tokio::test]
async fn what_a_reading_saw_that_was_not_whole_is_read_again() {
    let (manifest, mut sealed) = (read(DELTA).unwrap(), Sealed::default());
    let behind: BTreeSet<String> = manifest.yields().map(|(name, ..)| name.to_owned()).collect();
    let (first, _) = next(&manifest, (None, &mut sealed), delta).await;
    let (second, _) = next(&manifest, (Some(&first), &mut sealed), delta).await;
    // the list came, and something else did not: its rows do not stand for it
    let (third, asked) = after(&manifest, (Some(&second), &mut sealed), &behind, delta).await;
    assert_eq!((asked, ids(&third), codes(&third)), (vec!["/things?token=a".to_owned()], vec![2], vec![]));
    let (again, asked) = after(&manifest, (Some(&first), &mut sealed), &behind, delta).await;
    assert_eq!((asked.len(), ids(&again)), (2, vec![1, 2, 3]), "it began with the first");
    let (fourth, asked) = next(&manifest, (Some(&third), &mut sealed), delta).await;
    assert_eq!((asked, ids(&fourth)), (vec!["/things?token=b".to_owned()], vec![]));
    assert!(read(&format!("{DELTA}, lag_ms: 1")).unwrap_err().contains("a lag beside a state"));
}

#[tokio::test]
async fn what_cannot_be_gone_on_with_is_read_from_the_beginning_and_says_so() {
    let (manifest, mut sealed) = (read(DELTA).unwrap(), Sealed::default());
    let (first, _) = next(&manifest, (None, &mut sealed), delta).await;
    let (lost, asked) = next(&manifest, (Some(&first), &mut Sealed::default()), delta).await;
    assert_eq!(asked, ["/things", "/things?skip=2"]);
    assert_eq!((ids(&lost), whole(&lost), codes(&lost)), (vec![1, 2, 3], true, vec!["state.lost"]));
    let gone = |path: &str| match path {
        "/things?token=a" => json!({ "status": 410, "body": { "error": "resync" } }),
        other => delta(other),
    };
    let (seen, asked) = next(&manifest, (Some(&first), &mut sealed), gone).await;
    assert_eq!(asked, ["/things?token=a", "/things", "/things?skip=2"]);
    assert_eq!((ids(&seen), whole(&seen)), (vec![1, 2, 3], true));
    assert_eq!(codes(&seen), ["exchange.out_of_retention", "state.lost"]);
    // what was refused is on record beside the pages, and is none of them
    assert_eq!(seen.exchanges.len(), 4);
    let (after, asked) = next(&manifest, (Some(&seen), &mut sealed), delta).await;
    assert_eq!((asked, ids(&after)), (vec!["/things?token=a".to_owned()], vec![2]));
}

#[tokio::test]
async fn a_state_that_leads_elsewhere_is_not_followed_and_one_that_is_missing_leaves_the_list_partial() {
    for (link, code) in
        [(json!("https://evil.example/things"), "link.other_host"), (json!("http://"), "link.malformed")]
    {
        let (manifest, mut sealed) = (read(DELTA).unwrap(), Sealed::default());
        let answer = move |_: &str| ok(&json!({ "items": [], "@odata.deltaLink": link }));
        let (first, _) = next(&manifest, (None, &mut sealed), answer.clone()).await;
        assert!(whole(&first));
        let (second, asked) = next(&manifest, (Some(&first), &mut sealed), answer).await;
        assert!(
            asked.is_empty() && !whole(&second) && codes(&second).contains(&code),
            "{:?}",
            codes(&second)
        );
    }
    let (manifest, mut sealed) = (read(DELTA).unwrap(), Sealed::default());
    let (first, _) = next(&manifest, (None, &mut sealed), |_| ok(&json!({ "items": [{ "id": 1 }] }))).await;
    assert!(!whole(&first) && codes(&first).contains(&"state.missing"), "{:?}", codes(&first));
    let (second, asked) = next(&manifest, (Some(&first), &mut sealed), delta).await;
    assert_eq!((asked.len(), whole(&second), codes(&second)), (2, true, vec!["state.lost"]));
}

#[tokio::test]
async fn a_value_is_asked_for_by_its_parameter() {
    let (manifest, mut sealed) = (read(CURSOR).unwrap(), Sealed::default());
    let answer = |path: &str| match path {
        "/things" => ok(&json!({ "items": [{ "id": 1 }], "cursor": 7 })),
        "/things?after=7" => ok(&json!({ "items": [{ "id": 2 }], "cursor": "e/8" })),
        "/things?after=e%2F8" => ok(&json!({ "items": [], "cursor": "e/8" })),
        other => panic!("nobody said to ask for {other}"),
    };
    let (first, _) = next(&manifest, (None, &mut sealed), answer).await;
    let (second, _) = next(&manifest, (Some(&first), &mut sealed), answer).await;
    let (third, _) = next(&manifest, (Some(&second), &mut sealed), answer).await;
    assert_eq!([ids(&first), ids(&second), ids(&third)], [vec![1], vec![2], vec![]]);
    assert!(whole(&first) && whole(&second) && whole(&third));
}

#[test]
fn a_state_stands_in_the_body_and_fits_its_mode() {
    for (window, why) in [
        ("mode: delta", "no state"),
        ("mode: delta, state: { link: next }", "link"),
        ("mode: cursor, state: { at: cursor }", "state of a cursor"),
        ("mode: delta, state: { at: a, param: b }", "state of a delta"),
        ("mode: feed, field: at, start_param: since, state: { at: a }", "in mode feed"),
        ("mode: delta, state: { at: a }, overlap_ms: 5", "in mode delta"),
        ("mode: cursor, state: { at: a, param: b }, start_param: since", "in mode cursor"),
    ] {
        let faults = read(window).err().unwrap_or_default();
        assert!(faults.contains(why), "{window}: {faults}");
    }
    assert!(read("mode: delta, state: { at: a }, start_param: since, format: epoch_s").is_ok());
}
