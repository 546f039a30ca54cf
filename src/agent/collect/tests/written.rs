//! Sources that do not speak JSON, or are told by headers and forms what is wanted.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::json;

use super::{Script, everything, rows, run};
use crate::collect::{Http, Manifest, RunResult, State};

fn manifest(step: &str) -> Manifest {
    let text = format!(
        "apiVersion: collectors/v1\n\
         kind: HttpCollector\n\
         metadata: {{ id: old.things, version: 1, title: Things, evidence: [population] }}\n\
         connection: {{ base_url: \"https://api.github.com\", params: [org] }}\n\
         outcomes: [{{ status: 200, as: present }}, {{ status: 403, as: forbidden }}]\n\
         steps:\n\
         \x20 - {{ id: org, get: /org, records: one, project: [id] }}\n\
         \x20 - {{ id: things, key: Name, project: [Name], complete: [terminal_page, unique_keys], {step} }}\n\
         populations:\n\
         \x20 things: {{ type: thing, of: things, scope: org.id, name: \"{{Name}}\" }}\n"
    );
    Manifest::read("old.yaml", &text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[tokio::test]
async fn an_old_source_is_asked_by_a_form_and_answers_in_xml() {
    let step = "post: /, safe_post: true, form: { Action: List, Owner: \"{org} & sons\" }, headers: { x-version: \"2\" }, decode: xml, \
                lists: [Users.member], records: { at: Users.member }, paginate: { cursor: { at: Marker, param: Marker } }";
    let posted = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&posted);
    let http = Http::scripted(Script::of(move |url, body| {
        let Some(body) = body else {
            assert_eq!(url.path(), "/org");
            return json!({ "status": 200, "body": { "id": 1 } });
        };
        let body = String::from_utf8(body.to_vec()).unwrap();
        let last = body.contains("Marker=m%2B");
        heard.lock().unwrap().push(body);
        let page = if last {
            "<R><Users><member><Name>bob</Name></member></Users></R>"
        } else {
            "<R><Users><member><Name>ann</Name></member></Users><Marker>m+</Marker></R>"
        };
        json!({ "status": 200, "headers": { "content-type": "text/xml" }, "body": page })
    }));
    let seen = run(&manifest(step), &http, None, None, &BTreeMap::new(), &mut State::default()).await;
    assert_eq!(seen.result, RunResult::Complete, "{seen:?}");
    assert_eq!(rows(&seen, 0).len(), 2, "{seen:?}");
    let first = "Action=List&Owner=acme+%26+sons";
    assert_eq!(*posted.lock().unwrap(), [first.to_owned(), format!("{first}&Marker=m%2B")]);
    assert!(everything(&seen).contains(r#"{"Users":{"member":[{"Name":"ann"}]},"Marker":"m+"}"#));
}

#[tokio::test]
async fn lines_that_are_cut_off_are_no_list() {
    let step = "get: /entries, headers: { range: \"entries=:-1:{org}\" }, decode: ndjson, records: list";
    for (body, result) in [
        ("{\"Name\":\"a\"}\n{\"Name\":\"b\"}\n", RunResult::Complete),
        ("{\"Name\":\"a\"}\n{\"Na", RunResult::Failed),
    ] {
        let answers = json!({
            "/org": { "status": 200, "body": { "id": 1 } },
            "/entries entries=:-1:acme": { "status": 200, "body": body },
        });
        let http = Http::scripted(Script::new(&answers));
        let seen = run(&manifest(step), &http, None, None, &BTreeMap::new(), &mut State::default()).await;
        assert_eq!(seen.result, result, "{seen:?}");
    }
}

#[test]
fn who_asks_is_no_header_of_a_step() {
    let read = |step: &str| {
        let text = format!("get: /x, records: list, {step}");
        std::panic::catch_unwind(|| manifest(&text)).is_err()
    };
    assert!(!read("headers: { x-a: b }"));
    for wrong in [
        "headers: { authorization: b }",
        "headers: { a: \"{nobody}\" }",
        "form: { a: b }",
        "decode: yaml",
        "lists: [a]",
    ] {
        assert!(read(wrong), "{wrong}");
    }
}
