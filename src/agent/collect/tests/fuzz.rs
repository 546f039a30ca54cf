//! Whatever reads strangers' bytes, with bytes that nobody meant: nothing panics, nothing becomes "no rows" in silence,
//! and limits hold.

use std::fs;

use bytes::Bytes;
use observance_record::{item::ItemKey, population::Outcome};
use proptest::prelude::*;
use serde_json::Value;

use super::{collectors, shipped};
use crate::collect::{
    Manifest,
    expr::Expr,
    http::{Answer, Headers},
    page::weigh,
    project::{Mark, Path, Projection, Wanted},
    scan::Tape,
};

const SHIPPED: [&str; 3] = ["github/branch_rules", "github/members", "github/changes"];

/// Lines of a manifest that are not as they were: gone, doubled, moved in, joined with what was pasted.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0_u8..5, "[\\[\\]{}:,#&*|>a-z0-9\"' .-]{0,12}");
    (0..SHIPPED.len(), proptest::collection::vec(change, 1..6)).prop_map(|(which, changes)| {
        let text = fs::read_to_string(collectors().join(SHIPPED[which]).join("collector.yaml")).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, how, paste) in changes {
            let at = at.index(lines.len());
            match how {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => lines[at].insert(0, ' '),
                3 => lines[at].push_str(&paste),
                _ => lines.insert(at, paste),
            }
        }
        lines.join("\n")
    })
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0e9_f64..1.0e9).prop_map(Value::from),
        "[a-c\u{e9}\"\\\\ ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-c]{1,2}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn answer(status: u16, left: Option<&str>, body: Vec<u8>) -> Answer {
    let pairs = left.map(|left| ("x-ratelimit-remaining", left));
    Answer { status, headers: Headers::of(pairs).unwrap(), body: Bytes::from(body) }
}

/// A body that is likely to be nearly what was asked for.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let things = proptest::collection::vec((any::<u32>(), "[a-z]{0,5}"), 0..5).prop_map(|things| {
        let list = things.iter().map(|(id, login)| serde_json::json!({ "id": id, "login": login }));
        list.collect::<Value>().to_string().into_bytes()
    });
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        json().prop_map(|value| value.to_string().into_bytes()),
        things.clone(),
        (things, any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut body, at, byte)| {
            let at = at.index(body.len());
            body[at] = byte;
            body
        }),
    ]
}

/// Expressions of the allowed words, in any order.
fn expression() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("."),
        Just(".a"),
        Just(".b[]"),
        Just(".[]?"),
        Just("|"),
        Just(","),
        Just("+"),
        Just("-"),
        Just("/"),
        Just("//"),
        Just("=="),
        Just("<"),
        Just("and"),
        Just("or"),
        Just("not"),
        Just("length"),
        Just("add"),
        Just("sort"),
        Just("unique"),
        Just("keys"),
        Just("to_entries"),
        Just("tostring"),
        Just("tonumber"),
        Just("type"),
        Just("map(.a)"),
        Just("select(.a)"),
        Just("any"),
        Just("first"),
        Just("min"),
        Just("floor"),
        Just("split(\"\")"),
        Just("has(\"a\")"),
        Just("["),
        Just("]"),
        Just("("),
        Just(")"),
        Just("7"),
        Just("\"x\""),
        Just("if"),
        Just("then"),
        Just("else"),
        Just("end"),
        Just("{a: .b}"),
        Just("try"),
        Just("\"\\(.)\""),
    ];
    proptest::collection::vec(word, 1..14).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_mutated_manifest_is_read_within_its_limits_or_refused_with_places(text in mutated()) {
        match Manifest::read("m.yaml", &text) {
            Ok(manifest) => {
                prop_assert!((1..=64).contains(&manifest.steps.len()) && (1..=16).contains(&manifest.populations.len()));
                prop_assert!((1..=64).contains(&manifest.limits.concurrency));
                prop_assert!(manifest.limits.attempts_max <= 10 && manifest.limits.wall_ms <= 86_400_000);
                prop_assert!(manifest.base_url().starts_with("https://"));
                for (at, step) in manifest.steps.iter().enumerate() {
                    prop_assert!(step.path.source().starts_with('/'));
                    prop_assert!(step.each.as_ref().is_none_or(|each| each.step < at));
                }
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| !fault.path.is_empty() && !fault.expected.is_empty()));
            }
        }
    }

    #[test]
    fn no_answer_becomes_no_rows_in_silence(
        status in prop_oneof![Just(200_u16), Just(304), 100_u16..600],
        left in prop_oneof![Just(None), Just(Some("0")), Just(Some("1"))],
        body in body(),
    ) {
        let manifest = shipped("github/members");
        let step = manifest.steps.iter().find(|step| step.id == "members").unwrap();
        let meaning = weigh(&manifest, step, &answer(status, left, body.clone()), &ItemKey::new([1; 32]));
        let list = serde_json::from_slice::<Vec<Value>>(&body);
        let outcome = meaning.outcome;
        if outcome == Outcome::Present {
            prop_assert_eq!(status, 200);
            prop_assert_eq!(Some(meaning.records.len()), list.ok().map(|list| list.len()));
        } else {
            prop_assert!(meaning.records.is_empty());
            prop_assert!(outcome != Outcome::Unchanged || status == 304);
            prop_assert!(outcome != Outcome::Absent && outcome != Outcome::NotApplicable);
            prop_assert!(outcome != Outcome::Error || meaning.why.is_some());
        }
    }

    #[test]
    fn a_projection_writes_json_and_drops_nothing_that_is_there(
        record in proptest::collection::btree_map("[a-c]{1,2}", json(), 0..6),
        wanted in proptest::collection::vec("[a-c]{1,2}(\\.[a-c]{1,2}){0,2}", 1..6),
    ) {
        let record = Value::Object(record.into_iter().collect());
        let mut projection = Projection::default();
        let taken: Vec<String> = wanted
            .into_iter()
            .filter(|path| {
                projection.add(Wanted { path: Path::read(path).unwrap(), lines: None, expr: None }).is_ok()
            })
            .collect();
        let text = record.to_string();
        let tape = Tape::read(text.as_bytes()).unwrap();
        let mut out = b"{".to_vec();
        projection.write(tape.root(), &mut out);
        out.push(b'}');
        let row: Value = serde_json::from_slice(&out).unwrap();
        for path in taken {
            let (first, rest) = path.split_once('.').map_or((path.as_str(), None), |(first, rest)| (first, Some(rest)));
            prop_assert_eq!(row.get(first).is_some(), record.get(first).is_some(), "{}", path);
            if rest.is_none() {
                prop_assert_eq!(row.get(first), record.get(first));
            }
        }
    }

    #[test]
    fn an_expression_is_refused_or_answers_with_json(source in expression(), record in json()) {
        let text = record.to_string();
        let tape = Tape::read(text.as_bytes()).unwrap();
        if let Ok(expr) = Expr::read(&source) {
            let mut out = Vec::new();
            if expr.write(tape.root(), &mut out) {
                prop_assert!(serde_json::from_slice::<Value>(&out).is_ok(), "{}: {}", source, String::from_utf8_lossy(&out));
                // 64 times the record's size in values and bytes, and six bytes of text for each
                prop_assert!(out.len() <= 64 * 8 * (text.len() + source.len() + 16), "{}", source);
            } else {
                prop_assert!(out.is_empty());
                prop_assert_eq!(expr.mark(tape.root()), Mark::Missing);
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_of_expressions_panic(source in "[-.|,()\\[\\]{}\"\\\\a-z$@ 0-9=+*/]{0,60}") {
        let _read = Expr::read(&source);
    }
}
