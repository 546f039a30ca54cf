//! Lists of every kind of paging: whole, cut short, going round, leading elsewhere; and whatever pages a source may make up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use observance_record::{population::Membership, verdict::Code};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use super::{Script, collectors, path_and_query, rows, run};
use crate::collect::{Collected, Http, Manifest, State};

/// A manifest with one list, `things`, that goes on as `request` and `paginate` say.
pub(super) fn manifest(request: &str, paginate: &str, records: &str) -> Manifest {
    Manifest::read("m", &text(request, paginate, records)).unwrap_or_else(|faults| {
        panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

pub(super) fn text(request: &str, paginate: &str, records: &str) -> String {
    let shipped = std::fs::read_to_string(collectors().join("github/branch_rules/collector.yaml")).unwrap();
    let head = shipped.split("\nsteps:").next().unwrap();
    // no event asks for a look between two windows
    let (before, rest) = head.split_once("max_gap: 2h,").unwrap();
    let (_events, after) = rest.split_once("] }").unwrap();
    let head = format!("{before}max_gap: 2h }}{after}");
    format!(
        r#"{head}
steps:
  - {{ id: org, get: "/orgs/{{org}}", records: one, project: [id] }}
  - id: things
    {request}
    paginate: {paginate}
    records: {records}
    key: id
    project: [id, v]
    complete: [terminal_page, unique_keys]
populations:
  things: {{ type: thing, of: things, scope: org.id, name: "{{id}}" }}
"#
    )
}

pub(super) fn ok(body: &Value) -> Value {
    json!({ "status": 200, "body": body })
}

/// What was asked, in order: path and query, and what was posted.
type Log = Arc<Mutex<Vec<(String, Option<Value>)>>>;

/// A run against answers to everything but the organisation, and what it asked.
pub(super) async fn look(
    manifest: &Manifest,
    answer: impl Fn(&str, Option<&Value>) -> Value + Send + Sync + 'static,
) -> (Collected, Vec<(String, Option<Value>)>) {
    let log: Log = Arc::default();
    let noted = Arc::clone(&log);
    let script = Script::of(move |url: &Url, body: Option<&[u8]>| {
        let path = path_and_query(url);
        if path == "/orgs/acme" {
            return ok(&json!({ "id": 77 }));
        }
        let body: Option<Value> = body.map(|body| serde_json::from_slice(body).unwrap());
        let answer = answer(&path, body.as_ref());
        noted.lock().unwrap().push((path, body));
        answer
    });
    let http = Http::scripted(script);
    let seen = run(manifest, &http, None, None, &BTreeMap::new(), &mut State::default()).await;
    let log = log.lock().unwrap().clone();
    (seen, log)
}

pub(super) fn codes(seen: &Collected) -> Vec<&str> {
    seen.why.iter().map(Code::as_str).collect()
}

fn whole(seen: &Collected) -> bool {
    seen.populations[0].claim.membership == Membership::Complete
}

fn names(seen: &Collected) -> Vec<String> {
    rows(seen, 0).iter().map(|row| row["_name"].as_str().unwrap().to_owned()).collect()
}

fn paths(log: &[(String, Option<Value>)]) -> Vec<&str> {
    log.iter().map(|(path, _)| path.as_str()).collect()
}

fn things(ids: &[u64]) -> Value {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

fn proof(seen: &Collected) -> &'static str {
    seen.populations[0].claim.proofs[0].kind
}

#[tokio::test]
async fn a_link_in_the_body_is_followed_on_the_same_host_alone() {
    let manifest = manifest("get: /things", "{ body_link: _links.next.href }", "{ at: value }");
    let page = |ids: &[u64], next: Value| {
        ok(&json!({ "value": things(ids), "_links": { "next": { "href": next } } }))
    };
    let (seen, log) = look(&manifest, move |path, _| match path {
        "/things" => page(&[1], json!("/things?x=a%2Fb")),
        "/things?x=a%2Fb" => page(&[2], json!("https://api.github.com/things?x=3")),
        _ => page(&[3], Value::Null),
    })
    .await;
    assert!(whole(&seen) && codes(&seen).is_empty(), "{:?}", seen.why);
    assert_eq!((names(&seen), proof(&seen)), (vec!["1".into(), "2".into(), "3".into()], "terminal_page"));
    assert_eq!(paths(&log), ["/things", "/things?x=a%2Fb", "/things?x=3"]);

    for (next, why) in [
        (json!("https://evil.example/things"), "link.other_host"),
        (json!("//evil.example/things"), "link.other_host"),
        (json!("https://me@api.github.com/things"), "link.other_host"),
        (json!("/things"), "link.loop"),
        (json!(7), "link.malformed"),
        (json!("https://["), "link.malformed"),
    ] {
        let (seen, log) = look(&manifest, move |_, _| page(&[1], next.clone())).await;
        assert!(!whole(&seen) && codes(&seen).contains(&why), "{why}: {:?}", seen.why);
        assert_eq!(log.len(), 1, "{why}");
    }
}

#[tokio::test]
async fn a_cursor_is_put_into_the_query_and_ends_where_it_is_missing() {
    let paginate = "{ cursor: { at: meta.after, param: after }, size: { param: limit, value: 2 } }";
    let manifest = manifest("get: /things", paginate, "{ at: items }");
    let page = |ids: &[u64], after: Value| ok(&json!({ "items": things(ids), "meta": { "after": after } }));
    let (seen, log) = look(&manifest, move |path, _| match path {
        "/things?limit=2" => page(&[1, 2], json!("a/b=")),
        "/things?limit=2&after=a%2Fb%3D" => page(&[3, 4], json!(17)),
        "/things?limit=2&after=17" => page(&[5], json!("")),
        path => panic!("{path}"),
    })
    .await;
    assert!(whole(&seen) && names(&seen).len() == 5 && log.len() == 3, "{:?}", seen.why);
    // a cursor that stays where it is leads nowhere
    let (seen, log) = look(&manifest, move |_, _| page(&[1, 2], json!("x"))).await;
    assert!(!whole(&seen) && codes(&seen).contains(&"link.loop"), "{:?}", seen.why);
    assert_eq!(log.len(), 2);
    let (seen, _) = look(&manifest, move |_, _| page(&[1, 2], json!({ "x": 1 }))).await;
    assert!(!whole(&seen) && codes(&seen).contains(&"link.malformed"), "{:?}", seen.why);
}

#[tokio::test]
async fn a_cursor_of_the_last_record_ends_where_the_source_says_that_there_is_no_more() {
    let paginate = "{ cursor: { last: id, more: has_more, param: starting_after } }";
    let told = manifest("get: /things", paginate, "{ at: data }");
    let page = |ids: &[u64], more: Value| ok(&json!({ "data": things(ids), "has_more": more }));
    let (seen, log) = look(&told, move |path, _| match path {
        "/things" => page(&[1, 2], json!(true)),
        _ => page(&[3], json!(false)),
    })
    .await;
    assert!(whole(&seen) && names(&seen).len() == 3, "{:?}", seen.why);
    assert_eq!(paths(&log), ["/things", "/things?starting_after=2"]);
    for (ids, more) in [(&[1_u64][..], Value::Null), (&[1][..], json!("yes")), (&[][..], json!(true))] {
        let (seen, _) = look(&told, move |_, _| page(ids, more.clone())).await;
        assert!(!whole(&seen) && codes(&seen).contains(&"link.malformed"), "{:?}", seen.why);
    }
}

#[tokio::test]
async fn pages_are_counted_until_one_is_empty_and_records_until_a_page_is_short() {
    let pages = manifest("get: /things", "{ page: { param: page }, stop: empty_page }", "list");
    let (seen, log) = look(&pages, |path, _| match path {
        "/things?page=1" => ok(&things(&[1, 2])),
        "/things?page=2" => ok(&things(&[3])),
        _ => ok(&things(&[])),
    })
    .await;
    assert!(whole(&seen) && names(&seen).len() == 3, "{:?}", seen.why);
    assert_eq!((log.len(), proof(&seen)), (3, "empty_page"));

    let paginate = "{ offset: { param: skip }, size: { param: top, value: 2 }, stop: short_page }";
    let offset = manifest("get: /things", paginate, "list");
    let (seen, log) = look(&offset, |path, _| match path {
        "/things?top=2&skip=0" => ok(&things(&[1, 2])),
        "/things?top=2&skip=2" => ok(&things(&[3])),
        path => panic!("{path}"),
    })
    .await;
    assert!(whole(&seen) && names(&seen).len() == 3, "{:?}", seen.why);
    assert_eq!((log.len(), proof(&seen)), (2, "short_page"));
}

#[tokio::test]
async fn a_source_that_gives_fewer_than_asked_for_loses_nothing() {
    let paginate = "{ offset: { param: skip }, size: { param: top, value: 100 }, stop: empty_page }";
    let manifest = manifest("get: /things", paginate, "list");
    let (seen, _) = look(&manifest, |path, _| {
        let skip: u64 = path.split("skip=").nth(1).unwrap().parse().unwrap();
        ok(&things(&(skip..7).take(3).collect::<Vec<_>>()))
    })
    .await;
    assert!(whole(&seen) && names(&seen).len() == 7, "{:?} {:?}", names(&seen), seen.why);
}

#[tokio::test]
async fn the_same_page_for_ever_is_a_loop_and_pages_have_a_most() {
    let paginate = "{ page: { param: page, start: 0 }, stop: empty_page, pages_max: 5 }";
    let manifest = manifest("get: /things", paginate, "list");
    let (seen, log) = look(&manifest, |_, _| ok(&things(&[1, 2]))).await;
    assert!(!whole(&seen) && codes(&seen).contains(&"link.loop"), "{:?}", seen.why);
    assert_eq!(log.len(), 2);
    let (seen, log) =
        look(&manifest, |path, _| ok(&things(&[path.split('=').nth(1).unwrap().parse().unwrap()]))).await;
    assert!(!whole(&seen) && codes(&seen).contains(&"pages.max"), "{:?}", seen.why);
    assert_eq!(log.len(), 5);
}

#[tokio::test]
async fn an_eternal_next_ends_with_an_empty_page_and_with_nothing_else() {
    let manifest = manifest("get: /things", "{ link: next, stop: empty_page }", "list");
    let next = |ids: &[u64], to: &str| {
        let link = format!("</things?after={to}>; rel=\"next\"");
        json!({ "status": 200, "headers": { "link": link }, "body": things(ids) })
    };
    let (seen, _) = look(&manifest, move |path, _| match path {
        "/things" => next(&[1], "1"),
        _ => next(&[], "2"),
    })
    .await;
    assert!(whole(&seen) && proof(&seen) == "empty_page", "{:?}", seen.why);
    let (seen, _) = look(&manifest, |_, _| ok(&things(&[1]))).await;
    assert!(!whole(&seen) && codes(&seen).contains(&"page.end_unseen"), "{:?}", seen.why);
}

#[tokio::test]
async fn s18_a_list_that_moves_is_read_once_more_and_then_said_to_move() {
    let paginate = "{ page: { param: page }, size: { param: n, value: 2 }, stop: short_page }";
    let manifest = manifest("get: /things", paginate, "list");
    for settles in [true, false] {
        let asked = Mutex::new(0);
        let (seen, log) = look(&manifest, move |path, _| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            match path.ends_with("page=1") {
                true => ok(&things(&[1, 2])),
                // the record that came first a moment ago was pushed down by a new one
                false if *asked == 2 || !settles => ok(&things(&[2])),
                false => ok(&things(&[3])),
            }
        })
        .await;
        assert_eq!(log.len(), 4, "read twice, and no third time");
        assert_eq!((whole(&seen), codes(&seen).contains(&"keys.repeated")), (settles, !settles));
        assert_eq!(names(&seen).len(), if settles { 3 } else { 2 }, "each record once");
        assert_eq!((seen.exchanges.len(), seen.receipts.len()), (5, 5), "both readings have their rows");
        let rows: Vec<_> = seen.exchanges.values().map(|row| String::from_utf8_lossy(row)).collect();
        let named = |digest: String| rows.iter().any(|row| row.contains(&digest));
        assert!(seen.bodies.artefacts().unwrap().iter().all(|body| named(body.digest().to_hex())));
    }
}

#[tokio::test]
async fn a_next_page_on_a_named_host_is_asked_for_without_saying_who_asks() {
    for request in ["get: /things", "post: /things\n    safe_post: true"] {
        let text = text(request, "{ body_link: next }", "{ at: items }");
        let named = text.replace("\n  params:", "\n  allow_hosts: [pages.example.org]\n  params:");
        assert_ne!(named, text);
        let manifest = Manifest::read("m", &named).unwrap();
        let (seen, log) = look(&manifest, |path, _| match path {
            "/things" => ok(&json!({ "items": things(&[1]), "next": "https://pages.example.org/2" })),
            "pages.example.org/2" => ok(&json!({ "items": things(&[2]), "next": null })),
            path => panic!("{path}"),
        })
        .await;
        // the script holds that only the source itself is shown the token
        assert!(whole(&seen) && names(&seen).len() == 2 && log.len() == 2, "{:?}", seen.why);
        let hosts: Vec<_> = seen.channel.hosts.iter().map(|host| host.host.as_str()).collect();
        assert_eq!(hosts, ["api.github.com", "pages.example.org"]);
    }
}

#[tokio::test]
async fn a_list_that_began_does_not_end_by_not_being_there() {
    let gone = "{ body_link: next }\n    outcomes: [{ status: 404, as: absent }, { status: 410, as: not_applicable }]";
    let manifest = manifest("get: /things", gone, "{ at: items }");
    for status in [404, 410] {
        let answer = move |path: &str, from: &str| {
            if path == from {
                json!({ "status": status, "body": {} })
            } else {
                ok(&json!({ "items": things(&[1]), "next": "/things?page=2" }))
            }
        };
        let (seen, _) = look(&manifest, move |path, _| answer(path, "/things")).await;
        assert!(whole(&seen) && names(&seen).is_empty(), "a list may not be there: {:?}", seen.why);
        let (seen, _) = look(&manifest, move |path, _| answer(path, "/things?page=2")).await;
        assert!(!whole(&seen) && codes(&seen).contains(&"page.end_unseen"), "{:?}", seen.why);
        assert_eq!(names(&seen), ["1"]);
    }
}

#[test]
fn what_cannot_end_is_refused() {
    for (paginate, why) in [
        ("{ page: { param: page } }", "stop: empty_page or short_page"),
        ("{ offset: { param: o }, stop: terminal }", "stop: empty_page or short_page"),
        ("{ offset: { param: o }, stop: short_page }", "a size"),
        ("{ cursor: { last: id, param: p } }", "stop: empty_page or short_page"),
        ("{ cursor: { at: a, last: id, param: p } }", "at (a path in the body) or last"),
        ("{ link: next, stop: short_page, size: { param: n, value: 2 } }", "stop: terminal or empty_page"),
        ("{ link: next, page: { param: page } }", "exactly one of link"),
        ("{ size: { param: n, value: 2 } }", "exactly one of link"),
        ("{ page: { param: page, start: 2 }, stop: empty_page }", "from 0 to 1"),
    ] {
        let faults = Manifest::read("m", &text("get: /things", paginate, "list")).unwrap_err();
        assert!(faults.iter().any(|fault| fault.expected.contains(why)), "{paginate}: {faults:?}");
    }
}

/// One page that a source makes up.
#[derive(Debug, Clone)]
struct Made {
    ids: Vec<u64>,
    /// Which page it names: by number, none, or something that is no page.
    next: Option<usize>,
    kind: u8,
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    let page = (prop::collection::vec(0_u64..40, 0..4), prop::option::weighted(0.8, 0_usize..7), 0_u8..16);
    prop::collection::vec(page.prop_map(|(ids, next, kind)| Made { ids, next, kind }), 1..7)
}

impl Made {
    fn answer(&self, style: usize) -> Value {
        let next = self.next.map(|next| format!("/things?page={next}"));
        match self.kind {
            0 => json!({ "status": 403, "body": { "message": "no" } }),
            1 => json!({ "status": 200, "body": "{\"items\":[" }),
            2 => ok(&json!({ "message": "something else" })),
            3 => json!({ "status": 502 }),
            _ => {
                let mut answer = ok(&json!({ "items": things(&self.ids), "next": next, "after": self.next,
                                             "more": self.next.is_some() }));
                if let (0, Some(next)) = (style, next) {
                    answer["headers"] = json!({ "link": format!("<{next}>; rel=next") });
                }
                answer
            }
        }
    }

    fn is_sound(&self) -> bool {
        self.kind > 3
    }
}

const STYLES: [&str; 7] = [
    "{ link: next, pages_max: 9 }",
    "{ body_link: next, pages_max: 9 }",
    "{ cursor: { at: after, param: page }, pages_max: 9 }",
    "{ cursor: { at: after, more: more, param: page }, pages_max: 9 }",
    "{ cursor: { at: after, param: page }, stop: empty_page, pages_max: 9 }",
    "{ page: { param: page, start: 0 }, stop: empty_page, pages_max: 9 }",
    "{ page: { param: page, start: 0 }, size: { param: n, value: 2 }, stop: short_page, pages_max: 9 }",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_pages_come_a_list_is_whole_only_where_its_end_was_seen(pages in made(), style in 0..STYLES.len()) {
        let manifest = manifest("get: /things", STYLES[style], "{ at: items }");
        let served = Arc::new(Mutex::new(Vec::new()));
        let (source, note) = (pages.clone(), Arc::clone(&served));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (seen, _) = runtime.block_on(look(&manifest, move |path, _| {
            let number = path.split("page=").nth(1).map_or(0, |n| n.split('&').next().unwrap().parse().unwrap());
            note.lock().unwrap().push(number);
            source.get(number).map_or(json!({ "status": 404, "body": {} }), |page| page.answer(style))
        }));
        let served = served.lock().unwrap();
        let last = pages.get(*served.last().unwrap());
        let ended = last.is_some_and(|last| match style {
            0..=3 => last.next.is_none(),
            4 | 5 => last.ids.is_empty(),
            _ => last.ids.len() < 2,
        });
        let sound = served.iter().all(|n| pages.get(*n).is_some_and(Made::is_sound));
        prop_assert!(!whole(&seen) || (ended && sound), "{:?}", served);
        // and nothing that was served is missing
        let kept = names(&seen);
        for page in served.iter().filter_map(|n| pages.get(*n)).filter(|page| page.is_sound()) {
            prop_assert!(page.ids.iter().all(|id| kept.contains(&id.to_string())));
        }
    }
}
