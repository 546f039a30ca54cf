//! What a manifest may leave out of a run: records beyond a bound, which are unknown; and questions about change.

use std::collections::BTreeMap;

use observance_record::population::Membership;
use serde_json::json;
use url::Url;

use super::{
    Script,
    paging::{codes, ok, text},
    path_and_query, rows, run,
};
use crate::collect::{Http, Manifest, State};

fn manifest(max: &str, conditional: &str) -> Manifest {
    let text = text("get: /things", "{ link: next }", "list");
    let parts = format!(
        "  - id: parts\n    for_each: {{ in: things, as: thing{max} }}\n    get: \"/things/{{thing.id}}/parts\"\n    \
         records: list\n    key: id\n    project: [id]\n    complete: [terminal_page]\npopulations:\n  \
         parts: {{ type: part, of: parts, scope: org.id, name: \"{{id}}\" }}\n"
    );
    let text = text.replace("populations:\n", &parts);
    let text = text.replace("name: \"{id}\" }\n", "name: \"{id}\", join: { parts: { step: parts } } }\n");
    let text = text.replacen(", join: { parts: { step: parts } } }", " }", 1);
    let text = text.replace("conditional: github_etag", &format!("conditional: {conditional}"));
    Manifest::read("m", &text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"))
}

fn things() -> Http {
    Http::scripted(Script::of(|url: &Url, _| {
        let answer = match path_and_query(url).as_str() {
            "/orgs/acme" => json!({ "id": 77 }),
            "/things" => json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }]),
            path => json!([{ "id": path.len() }, { "id": path }]),
        };
        ok(&answer)
    }))
}

#[tokio::test]
async fn a_record_beyond_the_bound_is_unknown_and_its_list_partial() {
    for (max, whole) in [(", max: 2", false), (", max: 3", true), ("", true)] {
        let manifest = manifest(max, "etag");
        let seen = run(&manifest, &things(), None, None, &BTreeMap::new(), &mut State::default()).await;
        let [parts, things] = seen.populations.as_slice() else { panic!("two populations") };
        assert_eq!(parts.claim.membership == Membership::Complete, whole, "{max}");
        assert_eq!(
            (things.claim.membership, things.items_unknown),
            (Membership::Complete, u64::from(!whole))
        );
        assert_eq!(codes(&seen).contains(&"for_each.max"), !whole, "{:?}", codes(&seen));
        let third = rows(&seen, 1).pop().unwrap();
        assert_eq!(third["_outcomes"]["parts"] == "error", !whole, "{third}");
        assert_eq!(third.get("parts").is_none(), !whole, "{third}");
        assert_eq!(seen.requests, 2 + if whole { 3 } else { 2 }, "{max}");
    }
}

#[tokio::test]
async fn a_source_whose_etags_are_not_to_be_trusted_is_never_asked_whether_something_changed() {
    for (conditional, asked) in [("etag", true), ("none", false)] {
        let manifest = manifest("", conditional);
        let http = Http::scripted(Script::of(move |url: &Url, _| {
            let mut answer = match path_and_query(url).as_str() {
                "/orgs/acme" => ok(&json!({ "id": 77 })),
                "/things" => ok(&json!([{ "id": 1 }])),
                _ => ok(&json!([{ "id": 4 }])),
            };
            answer["headers"] = json!({ "etag": "\"1\"" });
            answer
        }));
        let mut state = State::default();
        let first = run(&manifest, &http, None, None, &BTreeMap::new(), &mut state).await;
        assert_eq!(first.requests, 3);
        assert_eq!(state.etags.len(), 3);
        let prior = &first.exchanges;
        let second = run(&manifest, &answering_304(), None, None, prior, &mut state).await;
        assert_eq!(second.why.is_empty(), asked, "{:?}", codes(&second));
    }
}

/// To whoever did not ask, 304 says nothing.
fn answering_304() -> Http {
    Http::scripted(Script::of(|_: &Url, _| json!({ "status": 304 })))
}
