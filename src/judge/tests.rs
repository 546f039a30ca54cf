//! The room as a whole: what does not load, what is refused, what comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use observance_record::{
    Instant, Item, Root,
    population::Membership,
    table::Rows,
    verdict::{Code, State},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{Fault, Freshness, Joined, Judged, Memo, Policy, Population, Verdict, cases, folder, judge};

const HEAD: &str = "# METADATA
# title: T
# description: D
# custom:
#   contract: 1
#   id: XX-01
#   population: things
#   controls: [c]
#   empty: unknown
#   severity: low
#   parameters: { least: 1 }
package x.y
";
const PLAIN: &str = "failed contains \"bad\" if input.row.ok == false\npassed if input.row.ok == true\n";

fn load(rules: &str) -> Result<Policy, Vec<Fault>> {
    load_with(HEAD, rules)
}

fn load_with(head: &str, rules: &str) -> Result<Policy, Vec<Fault>> {
    Policy::load(&BTreeMap::from([("a.rego".to_owned(), format!("{head}{rules}").into_bytes())]))
}

fn refused(rules: &str) -> String {
    let faults = load(rules).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn rows(rows: &[Value]) -> Rows {
    let item = |n: usize| Item::from_bytes((n as u128).to_be_bytes());
    rows.iter().enumerate().map(|(n, row)| (item(n), row.to_string().into_bytes().into())).collect()
}

fn verdict(policy: &Policy, rows: &Rows, membership: Membership, as_of: i64, memo: &mut Memo) -> Verdict {
    joined_verdict(policy, rows, membership, as_of, &[], memo)
}

fn joined_verdict(
    policy: &Policy,
    rows: &Rows,
    membership: Membership,
    as_of: i64,
    joined: &[Joined<'_>],
    memo: &mut Memo,
) -> Verdict {
    let population = Population { name: "things", membership, rows };
    let params = policy.params(&Map::new()).unwrap();
    let absent = BTreeSet::new();
    let judged =
        Judged { population, joined, absent: &absent, params: &params, as_of: Instant::from_ms(as_of) };
    judge(policy, &judged, memo)
}

fn say(policy: &Policy, row: Value) -> String {
    shown(&verdict(policy, &rows(&[row]), Membership::Complete, 1_000, &mut Memo::new(0))).remove(0)
}

fn shown(verdict: &Verdict) -> Vec<String> {
    let show = |result: &observance_record::verdict::ItemResult| {
        format!("{} {}", result.state(), result.codes_joined()).trim_end().to_owned()
    };
    verdict.results().iter().map(|(_, result)| show(result)).collect()
}

fn github(name: &str) -> Policy {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/rego");
    Policy::load(&folder::read(&folder).unwrap()[&format!("github/{name}")]).unwrap()
}

#[test]
fn every_policy_of_the_library_holds_its_cases() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/rego");
    let report = cases::run(&library).unwrap();
    assert!(report.holds(), "{report}");
    assert!(report.outcomes.len() > 500, "{report}");
}

#[test]
fn what_is_optional_is_done_without_where_nobody_yields_it_and_nowhere_else() {
    let head = HEAD.replace("#   controls", "#   joined: [people]\n#   optional: [bots]\n#   controls");
    let policy = load_with(&head, "passed if { input.row.ok; not input.joined.bots }\n").unwrap();
    assert_eq!(policy.meta().joined, ["people", "bots"]);
    let row = rows(&[json!({ "ok": true })]);
    let beside = |name| Joined {
        population: Population { name, membership: Membership::Complete, rows: &row },
        root: Root::from_bytes([0; 32]),
        freshness: Freshness::Fresh,
    };
    let ask = |joined: &[Joined<'_>], absent: &[&str]| {
        let absent = absent.iter().map(|name| (*name).to_owned()).collect();
        let population = Population { name: "things", membership: Membership::Complete, rows: &row };
        let params = policy.params(&Map::new()).unwrap();
        let judged = Judged { population, joined, absent: &absent, params: &params, as_of: Instant::EPOCH };
        shown(&judge(&policy, &judged, &mut Memo::new(0))).remove(0)
    };
    assert_eq!(ask(&[beside("people")], &["bots"]), "passed");
    assert_eq!(ask(&[beside("people"), beside("bots")], &[]), "unknown policy.silent");
    assert_eq!(ask(&[beside("people")], &[]), "unknown input.missing");
    assert_eq!(ask(&[beside("bots")], &["people"]), "unknown input.missing");
    let twice = HEAD.replace("#   controls", "#   joined: [people]\n#   optional: [people]\n#   controls");
    let said = load_with(&twice, PLAIN).unwrap_err();
    assert!(said[0].to_string().contains("joined already"), "{said:?}");
}

#[test]
fn a_case_that_does_not_come_out_is_seen() {
    let folder = std::env::temp_dir().join(format!("observance-cases-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("cases")).unwrap();
    std::fs::write(folder.join("a.rego"), format!("{HEAD}{PLAIN}")).unwrap();
    std::fs::write(
        folder.join("cases/a.yaml"),
        "- { case: one, row: { ok: true }, expect: { state: failed, codes: [bad] } }\n",
    )
    .unwrap();
    let report = cases::run(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(!report.holds());
    let shown = report.to_string();
    assert!(shown.contains("a: one: expected failed bad, got passed"), "{shown}");
    assert!(shown.contains("has no case that expects unknown"), "{shown}");
}

// --- S8: what does not load or says nothing is unknown --------------------------------------------------------

#[test]
fn what_is_undefined_is_unknown() {
    let policy = load(PLAIN).unwrap();
    assert_eq!(say(&policy, json!({"ok": true})), "passed");
    assert_eq!(say(&policy, json!({"ok": false})), "failed bad");
    assert_eq!(say(&policy, json!({})), "unknown policy.silent");
    assert_eq!(say(&policy, json!({"ok": "yes"})), "unknown policy.silent");
}

#[test]
fn a_policy_that_does_not_load_leaves_every_item_unknown() {
    let things = rows(&[json!({}), json!({})]);
    let verdict = Verdict::unjudged(&things, BTreeSet::new());
    assert_eq!(shown(&verdict), ["unknown policy.error", "unknown policy.error"]);
    assert_eq!((verdict.state(), verdict.why().len()), (State::Unknown, 1));
}

#[test]
fn an_error_while_it_runs_is_unknown_even_beside_a_failure() {
    let policy = load("failed contains \"bad\" if to_number(input.row.n) > 1\npassed if input.row.ok\nfailed contains \"worse\" if input.row.n").unwrap();
    assert_eq!(say(&policy, json!({"n": "2"})), "failed bad,worse");
    assert_eq!(say(&policy, json!({"n": "x"})), "unknown policy.error");
    let policy = load("passed := input.row.ok if input.row").unwrap();
    assert_eq!(say(&policy, json!({"ok": "yes"})), "unknown policy.error");
    assert_eq!(say(&policy, json!({"ok": false})), "unknown policy.silent");
}

#[test]
fn what_cannot_be_meant_is_refused_at_load_with_its_line() {
    for (rules, why) in [
        ("passed if {", "a.rego:13"),
        ("failed contains \"x\" if true", "has no rule `passed`"),
        ("passed := true", "a.rego:13: `passed` has not the shape"),
        ("default passed := true\npassed if input.row.x", "a.rego:13: `passed` has not the shape"),
        ("passed if 1 > 0\nfailed := true", "a.rego:14: `failed` has not the shape"),
        ("passed if 1 > 0\nfailed[x] := 1 if x := 1", "a.rego:14: `failed` has not the shape"),
        ("passed if 1 > 0\nunknown(x) if x", "a.rego:14: `unknown` has not the shape"),
        ("passed if no_such(1)", "a.rego:13: `no_such` is not a function here"),
        ("passed if no_such_var", "no_such_var"),
        ("passed if f(1)\nf(x) := g(x)\ng(x) := f(x)", "calls itself"),
        ("passed if f(1)\nf(x) := [1 | data.x.y.f(x)]", "calls itself"),
        ("passed if sprintf(\"%1000000000d\", [1])", "the format of `sprintf`"),
        ("passed if sprintf(input.row.f, [1])", "the format of `sprintf`"),
        ("passed if time.clock([input.row.t, \"Local\"])", "\"Local\" may not be used"),
        ("import input\npassed if input.row.x", "a.rego:13: `import input`"),
    ] {
        let said = refused(rules);
        assert!(said.contains(why), "{rules}\n{said}");
    }
    assert!(load("default passed := false\npassed if input.row.x").is_ok());
}

#[test]
fn all_faults_come_at_once() {
    let said = refused("passed := true\nx := http.send({})\ny := rand.intn(\"a\", 3)");
    assert_eq!(said.lines().count(), 3, "{said}");
    let head = HEAD.replace("title: T", "titel: T");
    let faults = load_with(&head, "passed := true").unwrap_err();
    assert!(faults.iter().any(|fault| fault.line == 13) && faults.iter().any(|fault| fault.key == "titel"));
}

#[test]
fn exactly_one_package_is_annotated() {
    let two = BTreeMap::from(
        ["a.rego", "b.rego"].map(|name| (name.to_owned(), format!("{HEAD}{PLAIN}").into_bytes())),
    );
    assert_eq!(Policy::load(&two).unwrap_err().len(), 2);
    assert!(load_with("package x\n", PLAIN).unwrap_err()[0].to_string().contains("no package is annotated"));
    let library = BTreeMap::from([
        ("a.rego".to_owned(), format!("{HEAD}import data.z as w\npassed if w.f(input.row.n)").into_bytes()),
        ("z.rego".to_owned(), b"package z\nf(n) if n == 1".to_vec()),
    ]);
    assert_eq!(say(&Policy::load(&library).unwrap(), json!({"n": 1})), "passed");
}

// --- what a policy may not do ---------------------------------------------------------------------------------

#[test]
fn refused_functions_are_found_however_they_are_written() {
    for call in [
        "http.send({\"url\": \"x\"})",
        "http[\"send\"]({})",
        "http[\"\\u0073end\"]({})",
        "rand.intn(\"a\", 3) == 1",
        "uuid.rfc4122(\"a\")",
        "opa.runtime()",
        "print(\"x\")",
        "trace(\"x\")",
        "numbers.range(1, 9223372036854775807)",
        "count([1]) == 1 with count as rand.intn",
        "count([1]) == 1 with count as http.send",
        "count([1]) == 1 with http.send as count",
        "[x | x := 1; every y in [rand.intn(\"a\", 2)] { y }]",
        "net.lookup_ip_addr(\"x\")",
    ] {
        let said = refused(&format!("passed if {{\n  {call}\n}}"));
        assert!(said.contains("a.rego:14: ") && said.contains("may not be used"), "{call}\n{said}");
    }
    for hidden in [
        "import data.x.http as http\npassed if http.send(1)",
        "passed if f(1)\nf(x) := y if { y := http.send(x) } else := 1",
        "passed if 1 > 0\nmessages contains sprintf(\"%v\", [http.send({})])",
        "passed if 1 > 0\ndefault f(_) := 1\nf(x) := rand.intn(\"a\", x)",
    ] {
        assert!(refused(hidden).contains("may not be used"), "{hidden}");
    }
    for harmless in [
        "# http.send({})\npassed if 1 > 0 # rand.intn",
        "passed if input.row.s == \"http.send({})\"",
        "passed if input.row.s == `rand.intn(\"a\", 1)\n# print(1)`",
        "passed if input.row.http.send == 1",
        "passed if f(1)\nf(x) if x == 1 # f(f(1))",
    ] {
        assert!(load(harmless).is_ok(), "{harmless} {}", refused(harmless));
    }
}

#[test]
fn shapes_that_would_bring_the_parser_down_are_refused() {
    for rules in [
        format!("passed if 1 == {}1", "1 +\n".repeat(15_000)),
        format!("passed if 1 == {}1", "1 + ".repeat(200)),
        format!("passed if {}1", "[\n".repeat(15_000)),
        format!("passed if {}1", "not\n".repeat(15_000)),
        format!("passed if input{}", "[1]".repeat(200)),
        format!("passed if input\n{}", ".a\n".repeat(15_000)),
        format!("passed if {}1{}", "(".repeat(500), ")".repeat(500)),
        format!("passed if {}", "{1} |\n".repeat(9_000)),
        format!("passed if 1 > 0 {}", "else := 2 if { false }\n".repeat(5_000)),
        format!("passed if 1 > 0 {}", "with input as 1\n".repeat(9_000)),
        format!("passed if {}1{}", "[1 | ".repeat(20), "]".repeat(20)),
        format!("passed if {}1{}", "{1: ".repeat(20), "}".repeat(20)),
        "#".repeat(300_000),
        "\n".repeat(30_000),
    ] {
        assert!(load(&rules).is_err(), "{}", &rules[..40.min(rules.len())]);
    }
}

// --- the clock ------------------------------------------------------------------------------------------------

#[test]
fn the_clock_is_the_as_of_of_the_run_and_is_found_at_load() {
    for (rules, reads) in [
        ("passed if time.now_ns() == 1000000000", true),
        ("passed if time[\"now_ns\"]() == 1000000000", true),
        ("passed if time[\"now\\u005fns\"]() == 1000000000", true),
        ("passed if input.now == \"1970-01-01T00:00:01.000Z\"", true),
        ("import input as i\npassed if i.now == \"1970-01-01T00:00:01.000Z\"", true),
        ("passed if object.get(input, \"now\", \"\") == \"1970-01-01T00:00:01.000Z\"", true),
        ("# time.now_ns()\npassed if \"time.now_ns()\" != input.row.x", false),
        ("passed if not input[concat(\"\", [\"n\", \"ow\"])]\n", false),
    ] {
        let policy = load(rules).unwrap_or_else(|faults| panic!("{rules} {faults:?}"));
        assert_eq!(policy.reads_time(), reads, "{rules}");
        let said = say(&policy, json!({"x": 1}));
        assert_eq!(said, "passed", "{rules}");
    }
}

#[test]
fn a_policy_that_reads_the_time_is_asked_again_when_it_moves_on() {
    let policy =
        load("passed if time.now_ns() < 2000000000\nfailed contains \"late\" if time.now_ns() >= 2000000000");
    let (policy, things) = (policy.unwrap(), rows(&[json!({})]));
    let mut memo = Memo::new(100);
    for (as_of, expected, remembered) in [(1000, "passed", 0), (1000, "passed", 1), (2000, "failed late", 0)]
    {
        let verdict = verdict(&policy, &things, Membership::Complete, as_of, &mut memo);
        assert_eq!((shown(&verdict)[0].as_str(), verdict.remembered()), (expected, remembered));
    }
}

#[test]
fn what_is_not_due_is_judged_again_when_it_matures_though_the_row_is_remembered() {
    let policy = load("not_due := input.row.until if input.row.until\npassed if input.row.ok").unwrap();
    let things =
        rows(&[json!({"until": "1970-01-01T00:00:05Z"}), json!({"until": "soon"}), json!({"ok": true})]);
    let mut memo = Memo::new(100);
    let first = verdict(&policy, &things, Membership::Complete, 4_999, &mut memo);
    assert_eq!(shown(&first), ["not_due until.19700101t000005.000z", "unknown policy.bad_instant", "passed"]);
    assert_eq!(first.due_next(), Some(Instant::from_ms(5_000)));
    let then = verdict(&policy, &things, Membership::Complete, 5_000, &mut memo);
    assert_eq!((shown(&then)[0].as_str(), then.remembered()), ("unknown policy.silent", 3));
}

#[test]
fn how_far_two_populations_know_each_other_is_told_of_both_sides() {
    let head = HEAD.replace("#   controls", "#   joined: [people]\n#   controls");
    let rules = "mine := {item | some item, p in input.joined.people; p.login == input.row.login}\n\
        matched contains item if some item in mine\nnot_applicable contains \"shut\" if input.row.shut\n\
        unknown contains \"person.unmatched\" if { count(mine) == 0; not input.row.shut }\npassed if count(mine) == 1";
    let policy = load_with(&head, rules).unwrap();
    let things =
        rows(&[json!({"login": "ann"}), json!({"login": "root"}), json!({"login": "x", "shut": true})]);
    let people = rows(&[json!({"login": "ann"}), json!({"login": "bob"})]);
    let population = Population { name: "people", membership: Membership::Complete, rows: &people };
    let joined = [Joined { population, root: Root::from_bytes([1; 32]), freshness: Freshness::Fresh }];
    let said = joined_verdict(&policy, &things, Membership::Complete, 0, &joined, &mut Memo::new(0));
    let items = |rows: &Rows, at: usize| BTreeSet::from([*rows.keys().nth(at).unwrap()]);
    let [found] = said.matches() else { panic!("{:?}", said.matches()) };
    assert_eq!((found.with.as_str(), found.of, found.of_there), ("people", 2, 2));
    assert_eq!(
        (&found.unmatched, &found.unmatched_there),
        (&items(&things, 1), &items(&people, 1)),
        "whoever is shut is not counted"
    );
    // of nobody it is still told that nobody was found, and a rule of that name with another shape is the policy's own
    let strangers = rows(&[json!({"login": "eve"})]);
    let said = joined_verdict(&policy, &strangers, Membership::Complete, 0, &joined, &mut Memo::new(0));
    assert_eq!(said.matches()[0].unmatched_there.len(), 2);
    let own = load_with(&head, "matched if input.row.login\npassed if matched").unwrap();
    let said = joined_verdict(&own, &things, Membership::Complete, 0, &joined, &mut Memo::new(0));
    assert!(said.matches().is_empty() && said.counts().passed == 3);
}

// --- S9 and the gates -----------------------------------------------------------------------------------------

#[test]
fn an_empty_population_means_what_the_policy_says_if_it_is_known_to_be_empty() {
    for (word, state) in [
        ("unknown", State::Unknown),
        ("passed", State::Passed),
        ("failed", State::Failed),
        ("not_applicable", State::NotApplicable),
    ] {
        let policy = load_with(&HEAD.replace("empty: unknown", &format!("empty: {word}")), PLAIN).unwrap();
        let none = Rows::new();
        let whole = verdict(&policy, &none, Membership::Complete, 0, &mut Memo::new(0));
        assert_eq!((whole.state(), whole.counts()), (state, crate::Counts::default()));
        for membership in [Membership::Partial, Membership::Unknown] {
            let state = verdict(&policy, &none, membership, 0, &mut Memo::new(0)).state();
            assert_eq!(state, State::Unknown, "{word} {membership:?}");
        }
    }
}

#[test]
fn a_pass_needs_a_whole_row_of_a_complete_population_and_a_failure_neither() {
    let policy = load(PLAIN).unwrap();
    let things = rows(&[
        json!({"ok": true}),
        json!({"_outcomes": {"s": "hidden", "t": "throttled"}, "ok": true}),
        json!({"_outcomes": {"s": "hidden"}, "ok": false}),
        json!({"_outcomes": {"s": "absent", "t": "not_applicable"}, "ok": true}),
    ]);
    let whole = verdict(&policy, &things, Membership::Complete, 0, &mut Memo::new(0));
    assert_eq!(shown(&whole), ["passed", "unknown row.hidden,row.throttled", "failed bad", "passed"]);
    assert_eq!(whole.state(), State::Failed);
    assert_eq!((whole.counts().passed, whole.counts().unknown, whole.counts().failed), (2, 1, 1));
    let part = verdict(&policy, &things, Membership::Partial, 0, &mut Memo::new(0));
    assert_eq!(shown(&part)[0], "unknown population.partial");
    assert_eq!(shown(&part)[2..], ["failed bad", "unknown population.partial"]);
    let needs = HEAD.replace("#   parameters", "#   needs: { steps: [t], fields: [ok] }\n#   parameters");
    let policy = load_with(&needs, PLAIN).unwrap();
    assert_eq!(say(&policy, json!({"_outcomes": {"s": "hidden"}, "ok": true})), "passed");
    assert_eq!(say(&policy, json!({"_outcomes": {"t": "hidden"}, "ok": true})), "unknown row.hidden");
    assert_eq!(say(&policy, json!({})), "unknown row.missing.ok");
}

#[test]
fn codes_are_codes_and_bounded() {
    let policy = load("passed if input.row.ok\nfailed contains input.row.code\nfailed contains sprintf(\"c%d\", [n]) if some n in input.row.many").unwrap();
    assert_eq!(say(&policy, json!({"code": "Not Found"})), "unknown policy.bad_code");
    assert_eq!(say(&policy, json!({"code": 7})), "unknown policy.bad_code");
    assert_eq!(say(&policy, json!({"code": "a,b"})), "unknown policy.bad_code");
    let many: Vec<u32> = (100..200).collect();
    let said = say(&policy, json!({"many": many}));
    assert!(said.starts_with("failed c100,c101,") && said.ends_with("c130,judge.codes_max"), "{said}");
}

#[test]
fn a_row_beyond_the_bounds_is_unknown_alone() {
    let policy = load(PLAIN).unwrap();
    let mut things = rows(&[json!({"ok": true}), json!({"ok": true}), json!({"ok": true})]);
    let large = format!("{{\"ok\":true,\"x\":\"{}\"}}", "x".repeat(crate::ROW_BYTES_MAX));
    let bad = [large.into_bytes(), b"{\"ok\":true".to_vec()];
    for (row, bad) in things.values_mut().skip(1).zip(bad) {
        *row = bad.into();
    }
    let said = verdict(&policy, &things, Membership::Complete, 0, &mut Memo::new(0));
    assert_eq!(shown(&said), ["passed", "unknown row.too_large", "unknown row.unreadable"]);
}

#[test]
fn what_hangs_is_unknown_and_neither_remembered_nor_tried_for_ever() {
    let slow = "passed if {\n\tinput.row.ok\n\tcount([1 | some a in input.row.n; some b in input.row.n; some c in input.row.n; some d in input.row.n; a + b + c + d < 0]) == 0\n}";
    let policy = load(slow).unwrap();
    let n: Vec<u32> = (0..500).collect();
    let things = rows(&[json!({"ok": true, "n": n}), json!({"ok": true, "n": [1]})]);
    let mut memo = Memo::new(100);
    for remembered in [0, 1] {
        let verdict = verdict(&policy, &things, Membership::Complete, 0, &mut memo);
        assert_eq!(shown(&verdict), ["unknown judge.timeout", "passed"]);
        assert_eq!(verdict.remembered(), remembered);
    }
}

// --- joined populations, parameters, memory ---------------------------------------------------------------------

#[test]
fn nothing_stands_on_a_joined_population_that_is_stale_or_not_whole() {
    use Membership::{Complete, Partial, Unknown};
    let head = HEAD.replace("#   controls", "#   joined: [people]\n#   controls");
    let rules =
        "person if some p in input.joined.people\nfailed contains \"nobody\" if not person\npassed if person";
    let policy = load_with(&head, rules).unwrap();
    let (things, people) = (rows(&[json!({})]), rows(&[json!({"a": 1})]));
    let say = |membership, freshness, given: bool| {
        let population = Population { name: "people", membership, rows: &people };
        let joined = [Joined { population, root: Root::from_bytes([1; 32]), freshness }];
        let joined = if given { &joined[..] } else { &[] };
        let verdict = joined_verdict(&policy, &things, Membership::Complete, 0, joined, &mut Memo::new(0));
        (shown(&verdict).remove(0), verdict.why().len())
    };
    assert_eq!(say(Complete, Freshness::Fresh, true), ("passed".to_owned(), 0));
    assert_eq!(say(Complete, Freshness::Stale, true), ("unknown input.stale".to_owned(), 1));
    assert_eq!(say(Partial, Freshness::Fresh, true), ("unknown input.partial".to_owned(), 1));
    assert_eq!(say(Unknown, Freshness::Fresh, true), ("unknown input.unknown".to_owned(), 1));
    assert_eq!(say(Complete, Freshness::Fresh, false), ("unknown input.missing".to_owned(), 1));
}

#[test]
fn parameters_have_names_and_kinds() {
    let policy = load("passed if input.row.n >= input.params.least").unwrap();
    let given = |value: Value| policy.params(value.as_object().unwrap());
    assert_ne!(given(json!({"least": 2})).unwrap().digest(), given(json!({})).unwrap().digest());
    assert_eq!(given(json!({"least": 1})).unwrap().digest(), given(json!({})).unwrap().digest());
    for wrong in [json!({"leest": 2}), json!({"least": "2"}), json!({"least": 1.5}), json!({"least": null})] {
        assert!(given(wrong.clone()).is_err(), "{wrong}");
    }
    let faults = given(json!({"leest": 2, "least": "2"})).unwrap_err();
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0].to_string(), "XX-01.leest: is not a parameter of this policy, which has: least");
}

#[test]
fn only_what_changed_is_evaluated_and_the_gates_are_passed_anew() {
    let policy = load(PLAIN).unwrap();
    let mut things = rows(&[json!({"ok": true}), json!({"ok": true}), json!({"ok": false})]);
    let mut memo = Memo::new(1_000);
    let mut ask = |things: &Rows, membership| {
        let verdict = verdict(&policy, things, membership, 7, &mut memo);
        (shown(&verdict), verdict.evaluated(), verdict.remembered())
    };
    let first = ask(&things, Membership::Complete);
    assert_eq!((first.1, first.2), (3, 0));
    assert_eq!(ask(&things, Membership::Complete), (first.0.clone(), 0, 3));
    *things.values_mut().next().unwrap() = br#"{"ok":false}"#.as_slice().into();
    let (said, evaluated, remembered) = ask(&things, Membership::Complete);
    assert_eq!(
        (said, evaluated, remembered),
        (["failed bad", "passed", "failed bad"].map(String::from).to_vec(), 1, 2)
    );
    assert_eq!(ask(&things, Membership::Partial).0[1], "unknown population.partial");
}

#[test]
fn the_same_bytes_give_the_same_verdict_and_the_same_digest() {
    let policy = github("approvals");
    let commits: Vec<_> = (0..249).map(|n| json!({"sha": n.to_string(), "author": {"id": 1}, "committer": {"id": 1}, "commit": {"message": "x"}})).collect();
    let row = |n: u32, commits: &[Value]| {
        json!({"id": n, "user": {"id": n}, "merged_at": "2026-01-01T00:00:00Z", "head": {"sha": "a"}, "commits": commits,
            "reviews": [{"id": 1, "user": {"id": 2, "type": "User"}, "state": "APPROVED", "submitted_at": "2025-01-01T00:00:00Z", "commit_id": "a"}]})
    };
    let mut more = commits.clone();
    more.push(commits[0].clone());
    let changes = rows(&[row(1, &commits[..3]), row(2, &commits[..3]), row(3, &more), row(4, &commits)]);
    let judge_once = |policy: &Policy| {
        let params = policy.params(&Map::new()).unwrap();
        let population = Population { name: "changes", membership: Membership::Complete, rows: &changes };
        let absent = BTreeSet::new();
        let judged =
            Judged { population, joined: &[], absent: &absent, params: &params, as_of: Instant::EPOCH };
        judge(policy, &judged, &mut Memo::new(0))
    };
    let first = judge_once(&policy);
    assert_eq!(shown(&first), ["passed", "failed approval.by_writer", "unknown commits.too_many", "passed"]);
    let again = github("approvals");
    assert_eq!(first, judge_once(&again));
    assert_eq!(policy.digest(), again.digest());
    assert_ne!(load(PLAIN).unwrap().digest(), load(&format!("{PLAIN} ")).unwrap().digest());
    // Frozen: what is written into the record of a policy never moves with this crate.
    let frozen = "sha256:6598c17de47daf6944187ffa3c5dcfa9a1c69d29ec1525a9784973830109095a";
    assert_eq!(load(PLAIN).unwrap().digest().to_string(), frozen);
}

#[test]
fn messages_are_for_people_and_bounded() {
    let policy = load("passed if input.row.ok\nmessages contains m if some m in input.row.texts").unwrap();
    let texts: Vec<_> = (10..50).map(|n| format!("{n}{}", "x".repeat(1_000))).collect();
    let things = rows(&[json!({"ok": true, "texts": texts}), json!({"ok": true, "texts": [1]})]);
    let verdict = verdict(&policy, &things, Membership::Complete, 0, &mut Memo::new(0));
    assert_eq!(shown(&verdict), ["passed", "passed"]);
    let (_, said) = &verdict.messages()[0];
    assert_eq!((verdict.messages().len(), said.len(), said[0].len()), (1, 16, 500));
}

#[test]
fn a_policy_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&load(PLAIN).unwrap());
    shared(&Memo::new(1));
}

#[test]
fn a_code_is_never_more_than_its_limit() {
    let field = "f".repeat(52);
    assert!(format!("row.missing.{field}").parse::<Code>().is_ok());
    assert!(format!("row.missing.{field}f").parse::<Code>().is_err());
}

const WORDS: [&str; 40] = [
    "package ",
    "x",
    "import ",
    "data",
    "input",
    ".row",
    ".",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ":=",
    "=",
    "==",
    " if ",
    " contains ",
    "failed",
    "passed",
    "unknown",
    "not_due",
    "default ",
    " with ",
    " as ",
    "some ",
    "every ",
    " in ",
    "not ",
    "else ",
    "\"a\"",
    "`b`",
    "1",
    "-",
    "|",
    "&",
    "\n",
    "# METADATA\n# custom:\n",
    "time.now_ns()",
    ",",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn garbage_never_brings_the_load_down(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let files = BTreeMap::from([("a.rego".to_owned(), bytes)]);
        prop_assert!(Policy::load(&files).is_err());
    }

    #[test]
    fn shuffled_rego_never_brings_the_load_down(words in prop::collection::vec(0..WORDS.len(), 0..80)) {
        let rules: String = words.into_iter().map(|n| WORDS[n]).collect();
        drop(load(&rules));
        drop(load(&format!("passed if {{ {rules} }}")));
        drop(load_with(&HEAD.replace("D\n", &rules.replace('\n', "\n# ")), PLAIN));
    }

    #[test]
    fn no_row_brings_the_judge_down(row in "\\PC{0,200}", ok in any::<bool>()) {
        let policy = load(PLAIN).unwrap();
        let item = Item::from_bytes([0; 16]);
        for text in [row.clone(), format!("{{\"ok\":{ok},{row}"), format!("{{\"ok\":{ok},\"x\":{}}}", json!(row))] {
            let things = Rows::from([(item, text.into_bytes().into())]);
            let verdict = verdict(&policy, &things, Membership::Complete, 0, &mut Memo::new(0));
            prop_assert_eq!(verdict.results().len(), 1);
        }
    }
}

#[test]
fn the_version_that_is_recorded_is_the_one_that_judges() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    assert!(lock.contains(&format!("name = \"regorus\"\nversion = \"{}\"", crate::REGORUS_VERSION)));
}
