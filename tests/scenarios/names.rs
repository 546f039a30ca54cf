//! What strangers call their repositories and themselves, from the answer to every place where somebody reads it.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use chrono_tz::Europe::Berlin;
use observance::{
    bundle::{
        Builder, Cover,
        page::{Content, html},
    },
    clock::Clock,
    status::{period_text_with, status_of, status_text},
};
use observance_record::{verdict::State, view::PeriodView};
use observance_verify::{Conclusion, Files as _, Folder, Trust, verify};
use serde_json::{Value, json};

use super::{MEMBERS, NOON, RULES, hourly, memory};
use crate::support::{
    life::{Record, at, live, setup},
    source::{Asked, Reply, Source, reply, repository},
};

/// Markup, a formula, a way out of a folder, a path that is a dot segment, a query, overrides, a terminal's escape.
const NAMES: [&str; 8] = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "../../../../etc/passwd",
    "..",
    "a?b#c%2f&d",
    "\u{202e}gnp.exe",
    "\u{1b}[2J\u{1b}]0;owned\u{7}red\r\n\0",
    "\" onmouseover='x' &lt;",
];

/// Every repository and every member bears such a name, and everything deviates, so that each name is shown.
fn strangers(asked: &Asked<'_>) -> Option<Reply> {
    let total = NAMES.len();
    let seen = |body: Value| Some(reply(200, &[], &body));
    match asked.path {
        "/orgs/acme" => {
            seen(json!({ "id": 77, "login": "acme", "public_repos": 0, "total_private_repos": total,
                                     "two_factor_requirement_enabled": true }))
        }
        path if path.starts_with("/orgs/acme/repos?") => seen(
            (1..)
                .zip(NAMES)
                .map(|(id, name)| {
                    let mut repository = repository(id);
                    repository["name"] = json!(name);
                    repository["full_name"] = json!(format!("acme/{name}"));
                    repository
                })
                .collect(),
        ),
        // without a second factor, all of them
        path if path.starts_with("/orgs/acme/members") => seen(
            (1_u64..)
                .zip(NAMES)
                .map(|(id, name)| json!({ "id": id, "login": name, "type": "User", "site_admin": false }))
                .collect(),
        ),
        path if path.contains("/rules/branches/") => seen(json!([])),
        _ => None,
    }
}

/// Cannot move a cursor, hide or reorder its neighbours.
#[track_caller]
fn assert_plain(text: &str) {
    let odd = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let at = text.find(odd);
    assert!(
        at.is_none(),
        "{:?}",
        at.map(|at| text[at.saturating_sub(40)..].chars().take(80).collect::<String>())
    );
}

#[tokio::test]
async fn s17_hostile_names_are_text_wherever_they_come_out() {
    let clock = Clock::simulated(at(NOON));
    let source = Source::serve(&clock, strangers).await;
    let mut setup = setup(source.base_url(), &[RULES, MEMBERS]);
    hourly(&mut setup);
    let (setup, objects) = (Arc::new(setup), memory());
    live(&setup, (Arc::clone(&objects), None), (&clock, 1), at("03-10T12:30")).await.unwrap();
    let record = Record::read(objects, &setup).await.unwrap();
    record.assert_accounted();

    // nothing was asked for outside the place where names belong
    for (path, _) in source.asked() {
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
        let within = path.starts_with("/orgs/acme") || path.starts_with("/repos/acme/");
        assert!(plain && within && !path.contains("/../") && !path.contains("etc/passwd"), "{path}");
    }
    // each is judged under the name that it has
    for name in NAMES {
        assert_eq!(record.result("GH-01", name).state(), State::Failed, "{name:?}");
        let state = record.result("GH-05", &format!("acme/{name}")).state();
        // what cannot be asked for safely is not asked for, and not seen
        let unsafe_name = name == ".." || name.contains(char::is_control);
        let expected = if unsafe_name { State::Unknown } else { State::Failed };
        assert_eq!(state, expected, "{name:?}");
    }
    let now = record.t().unwrap();
    let status = status_of(&record.ledger, at(NOON), now, &|_, _| String::new());
    assert_plain(&status_text(&status, Berlin));
    let view = PeriodView::new(&record.ledger, "march", at("03-01T00:00"), at("04-01T00:00"));
    let titles = setup.titles();
    let text = period_text_with(&view, Berlin, &titles);
    assert_plain(&text);
    assert_page(&record, &view, &titles);
    assert_bundle(&record, &view, &setup);
}

fn page(record: &Record, view: &PeriodView, titles: &BTreeMap<String, String>) -> String {
    let root = record.commits.last().unwrap().0.after().root();
    html(&Content {
        ledger: &record.ledger,
        view,
        zone: Berlin,
        organisation: "acme",
        titles,
        serves: &BTreeMap::new(),
        root,
    })
}

fn assert_page(record: &Record, view: &PeriodView, titles: &BTreeMap<String, String>) {
    let page = page(record, view, titles);
    assert_plain(&page);
    assert!(!page.contains("<script") && !page.contains("onmouseover='") && !page.contains("\" onmouse"));
    for shown in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "\\u{202e}gnp.exe",
        "\\u{1b}[2J\\u{1b}]0;owned\\u{7}red\\u{d}\\u{a}\\u{0}",
        "&quot; onmouseover=&#39;x&#39; &amp;lt;",
    ] {
        assert!(page.contains(shown), "the page does not show {shown}");
    }
}

/// The bundle's files bear no stranger's name, its view reads back as it was, and it holds.
fn assert_bundle(record: &Record, view: &PeriodView, setup: &observance::run::Setup) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bundle");
    let salts = setup.keys.salt_key(setup.keys.epoch()).unwrap();
    let mut builder = Builder::create(&dir, &salts).unwrap();
    for (commit, artefacts) in &record.commits {
        builder.commit(commit, artefacts).unwrap();
    }
    let json = serde_json::to_vec_pretty(view).unwrap();
    let cover = Cover {
        page: page(record, view, &setup.titles()),
        views: [("march.json".to_owned(), json)].into(),
        at: record.t().unwrap(),
    };
    builder.finish(&cover).unwrap();
    let beside: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["bundle"], "something was written outside the bundle");
    let files = Folder::open(&dir).unwrap();
    let paths = files.list().unwrap();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    for path in &paths {
        assert!(path.bytes().all(plain) && !Path::new(path).iter().any(|part| part == ".."), "{path}");
    }
    let at = paths.iter().find(|path| path.ends_with("march.json")).unwrap();
    let text = String::from_utf8(files.read(at).unwrap()).unwrap();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    let read: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> =
        read["names"].as_object().unwrap().values().map(|name| name.as_str().unwrap()).collect();
    for name in NAMES {
        assert!(names.contains(&name), "{name:?} is not in {names:?}");
    }
    let report = verify(&files, &Trust::default(), true);
    assert_eq!(report.conclusion, Conclusion::Holds, "{}", report.text());
    assert_plain(&report.text());
}
