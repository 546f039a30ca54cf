//! One body of every kind, from fixed inputs, with every optional field at least once and without it at least once.
//!
//! Golden entries are made of these; whoever adds a kind or a field adds it here.

use std::collections::{BTreeMap, BTreeSet};

use observance_record::{
    Digest, Instant, Item, Root,
    entry::{
        Alert, Body, Cause, Channel, Collector, Config, Drift, Exchanges, Export, Gap, Genesis, Heartbeat,
        Hook, Host, Input, Judge, Judged, Missed, Notice, PackRef, PeriodClose, PeriodOpen, Policy,
        PolicyVerdict, Population, Posture, Previous, Privileges, Proof, Receipts, Run, RunResult, Schedule,
        Sealed, Skew, Slots, Start, Stop, Trigger, Verdict, Window,
    },
    item::{ItemKey, SaltKey},
    note::Signer,
    population::{Grade, Horizon, Membership, Outcome},
    results,
    slots::Due,
    table::{self, Rows, TableRef},
    verdict::{Code, Empty, ItemResult, State},
};

/// The log of all samples.
pub(crate) const ORIGIN: &str = "example.test/estate/main";

/// 2027-01-15T08:00:00.000Z, plus so many milliseconds.
pub(crate) fn at(ms: i64) -> Instant {
    Instant::from_s(1_800_000_000).plus_ms(ms)
}

pub(crate) fn signer() -> Signer {
    Signer::new(ORIGIN, &[0x33; 32]).unwrap()
}

/// Names every item of the samples.
pub(crate) fn item_key() -> ItemKey {
    ItemKey::new([0x11; 32])
}

/// Salts epoch 1.
pub(crate) fn salt_key() -> SaltKey {
    SaltKey::new([0x22; 32])
}

pub(crate) fn repository(natural: &str) -> Item {
    item_key().item("repository", "4242", natural).unwrap()
}

pub(crate) fn code(text: &str) -> Code {
    text.parse().unwrap()
}

pub(crate) fn due(triples: &str) -> Due {
    serde_json::from_str(triples).unwrap()
}

/// Three repositories; `approvals` is what the second requires.
pub(crate) fn repositories(approvals: u8) -> Rows {
    let row = |name: &str, rest: &str| format!("{{\"_name\":\"{name}\",{rest}}}").into_bytes().into();
    Rows::from([
        (repository("1001"), row("web", "\"approvals\":2")),
        (repository("1002"), row("billing-\u{e4}pi", &format!("\"approvals\":{approvals}"))),
        (repository("1003"), row("ops", "\"_outcomes\":{\"rules\":\"forbidden\"},\"approvals\":1.0")),
    ])
}

/// What GH-05 says of [`repositories`], in their order.
pub(crate) fn results(rows: &Rows) -> Vec<ItemResult> {
    let judge = |row: &table::RowBytes| match std::str::from_utf8(row).unwrap() {
        row if row.contains("forbidden") => {
            let codes = BTreeSet::from([code("rules.forbidden"), code("item.partial")]);
            ItemResult::new(State::Unknown, codes).unwrap()
        }
        row if row.contains("\"approvals\":0") => ItemResult::because(State::Failed, code("approvals.none")),
        _ => ItemResult::passed(),
    };
    rows.values().map(judge).collect()
}

/// `n` rows, all stored.
pub(crate) fn keyframe(name: &str, rows: &Rows) -> TableRef {
    let n = rows.len() as u64;
    TableRef { n, root: table::root(name, rows, &salt_key()), epoch: 1, base: None, put: n, del: 0 }
}

fn genesis() -> Genesis {
    Genesis {
        origin: ORIGIN.into(),
        vkey: signer().verifier().to_string(),
        estate: "estate".into(),
        shards: vec![ORIGIN.into()],
        formats: 1,
        previous: None,
        tsa: vec![],
        witness_policy: "none".into(),
    }
}

fn previous() -> Previous {
    Previous { origin: "example.test/estate/old".into(), size: 12, root: Root::from_bytes([0x44; 32]) }
}

fn start() -> Start {
    Start {
        agent: "00112233445566ff".into(),
        version: "0.1.0".into(),
        build: Some(Digest::of(b"binary")),
        judge: Judge { regorus: "0.14.0".into(), mode: "interpreter".into() },
        tzdb: "2026b".into(),
        memory: "none".into(),
        config: None,
        clock: None,
    }
}

pub(crate) fn sealed(name: &str, row: &[u8]) -> Sealed {
    Sealed::from(&keyframe(name, &table::lines([row.to_vec()])))
}

fn policy() -> Policy {
    Policy {
        id: "GH-05".into(),
        digest: Digest::of(b"policy"),
        controls: vec!["branch-rules".into()],
        populations: vec!["repositories".into()],
        params: Digest::of(b"{}"),
        reads_time: false,
        empty: Empty::Unknown,
        severity: code("high"),
        removed: false,
    }
}

fn collector() -> Collector {
    Collector {
        id: "github.branch_rules".into(),
        digest: Digest::of(b"collector"),
        source: "github".into(),
        yields: vec!["repositories".into()],
        removed: false,
    }
}

fn schedule() -> Schedule {
    Schedule {
        id: "github.branch_rules".into(),
        collector: "github.branch_rules".into(),
        cron: "0 * * * *".into(),
        zone: "Europe/Berlin".into(),
        jitter_s: 60,
        grace_s: 900,
        max_gap_s: 7200,
        missed: Missed::Gap,
        removed: false,
    }
}

fn slots() -> Slots {
    Slots {
        from: at(0),
        to: at(48 * 3_600_000),
        tzdb: "2026b".into(),
        due: BTreeMap::from([("github.branch_rules".to_owned(), due("[[1800000000,3600,48]]"))]),
        late: false,
    }
}

/// A run that saw three repositories, one of them not whole.
pub(crate) fn run() -> Run {
    let empty = TableRef {
        n: 0,
        root: observance_record::merkle::empty_root(),
        epoch: 1,
        base: None,
        put: 0,
        del: 0,
    };
    Run {
        schedule: Some("github.branch_rules".into()),
        due: Some(at(0)),
        trigger: Trigger::Slot,
        started: at(1500),
        ended: at(4750),
        as_of: at(1500),
        late_ms: 1500,
        attempt: 1,
        collector: Digest::of(b"collector"),
        source: "github".into(),
        result: RunResult::Partial,
        why: vec![code("exchange.forbidden")],
        exchanges: Exchanges {
            table: TableRef { base: Some(3), n: 5, put: 2, del: 1, ..empty },
            by: BTreeMap::from([(Outcome::Present, 4), (Outcome::Forbidden, 1)]),
        },
        receipts: Receipts { n: 5, root: Root::from_bytes([0x55; 32]), epoch: 1 },
        skew_ms: Some(Skew { min: -120, max: 480 }),
        requests: 6,
        bytes: 48_211,
        privileges: Privileges {
            granted: vec!["administration:read".into(), "metadata:read".into()],
            write: 0,
        },
        windows: vec![Window { stream: "merges".into(), from: at(-21_600_000), to: at(0), is_final: true }],
        channel: channel(),
        populations: vec![population()],
        packs: vec![PackRef { sha256: Digest::of(b"pack"), bytes: 1234, inline: true }],
    }
}

fn channel() -> Channel {
    let (spki, root) = (Some(Digest::of(b"spki")), Some(Digest::of(b"root")));
    let hosts = vec![
        Host { host: "api.github.com".into(), spki, root },
        Host { host: "localhost".into(), spki: None, root: None },
    ];
    Channel { hosts, proxy: false, extra_ca: true, base_url: false }
}

fn population() -> Population {
    Population {
        name: "repositories".into(),
        item_type: "repository".into(),
        table: keyframe("repositories", &repositories(1)),
        membership: Membership::Partial,
        grade: Grade::SourceCount,
        horizon: Horizon::Selected,
        why: vec![code("count.differs")],
        proofs: vec![
            Proof { kind: code("last_page"), stated: None, counted: 3, exchange: None },
            Proof {
                kind: code("total"),
                stated: Some(4),
                counted: 3,
                exchange: Some(Item::from_bytes([0x66; 16])),
            },
        ],
        items_unknown: 1,
        source_total: Some(4),
        in_scope: 3,
        excluded: 1,
        window: Some((at(-21_600_000), at(0))),
    }
}

/// A run that somebody asked for and that could not begin.
fn run_manual() -> Run {
    let none = TableRef {
        n: 0,
        root: observance_record::merkle::empty_root(),
        epoch: 1,
        base: None,
        put: 0,
        del: 0,
    };
    Run {
        schedule: None,
        due: None,
        trigger: Trigger::Manual,
        late_ms: 0,
        result: RunResult::Failed,
        why: vec![code("secret.missing")],
        exchanges: Exchanges { table: none.clone(), by: BTreeMap::new() },
        receipts: Receipts { n: 0, root: none.root, epoch: 1 },
        skew_ms: None,
        requests: 0,
        bytes: 0,
        privileges: Privileges::default(),
        windows: vec![],
        channel: Channel::default(),
        populations: vec![],
        packs: vec![],
        ..run()
    }
}

/// What GH-05 said of the repositories that the verdict's own run saw.
pub(crate) fn policy_verdict(rows: &Rows, flips: u64) -> PolicyVerdict {
    let said = results(rows);
    let count = |state| said.iter().filter(|result| result.state() == state).count() as u64;
    PolicyVerdict {
        policy: "GH-05".into(),
        digest: Digest::of(b"policy"),
        params: Digest::of(b"{}"),
        inputs: vec![Input {
            run: None,
            name: "repositories".into(),
            root: keyframe("repositories", rows).root,
        }],
        judged: Judged::All,
        why: vec![],
        n: said.len() as u64,
        passed: count(State::Passed),
        failed: count(State::Failed),
        unknown: count(State::Unknown),
        not_applicable: 0,
        not_due: 0,
        root: results::root(rows.keys().zip(&said)),
        results: None,
        flips,
    }
}

fn verdict() -> Verdict {
    let own = policy_verdict(&repositories(0), 1);
    let again = PolicyVerdict { policy: "GH-06".into(), results: Some(4), flips: 0, ..own.clone() };
    let none = PolicyVerdict {
        policy: "GH-10".into(),
        inputs: vec![Input { run: Some(3), name: "bypasses".into(), root: Root::from_bytes([0x77; 32]) }],
        judged: Judged::None,
        why: vec![code("input.stale")],
        n: 0,
        passed: 0,
        failed: 0,
        unknown: 0,
        root: observance_record::merkle::empty_root(),
        ..own.clone()
    };
    Verdict { run: 7, now: at(1500), same: None, list: Some(vec![own, again, none]), part: false }
}

fn drift() -> Drift {
    Drift {
        control: "branch-rules".into(),
        policy: "GH-05".into(),
        item: Some(repository("1002")),
        from: State::Passed,
        to: State::Failed,
        observed_from: at(-3_600_000),
        observed_to: at(1500),
        verdict: 8,
        fails_n: 1,
    }
}

fn period() -> PeriodOpen {
    PeriodOpen {
        id: "soc2-2027".into(),
        zone: "Europe/Berlin".into(),
        from: at(0),
        to: at(86_400_000),
        framework: "soc2".into(),
        restated: 0,
        previous: None,
    }
}

fn export() -> Export {
    Export {
        digest: Digest::of(b"tagmanifest"),
        from: 0,
        to: 13,
        period: Some("soc2-2027".into()),
        number: 2,
        recipient: Some(item_key().item("person", "*", "auditor@example.test").unwrap()),
    }
}

/// Every kind under the name of its golden file, without and then with what is optional.
#[expect(clippy::too_many_lines, reason = "a list, one line for each")]
pub(crate) fn bodies() -> Vec<(&'static str, Body)> {
    let tsa = vec!["https://tsa.example.test".to_owned()];
    let config = Config {
        name: "observance.yaml".into(),
        digest: sealed("config", b"organisation: { name: Acme }\n"),
        why: code("start"),
        approved_by: None,
        before: None,
    };
    let same = Verdict { run: 9, now: at(3_601_500), same: Some(8), list: None, part: false };
    vec![
        ("genesis", genesis().into()),
        ("genesis-continued", Genesis { previous: Some(previous()), tsa, ..genesis() }.into()),
        ("start", start().into()),
        (
            "start-again",
            Start { build: None, memory: "12".into(), config: Some(2), clock: Some(at(-5)), ..start() }
                .into(),
        ),
        ("stop", Stop { reason: code("signal"), clean: true }.into()),
        ("config", config.clone().into()),
        ("config-changed", Config { approved_by: Some(vec![40, 41]), before: Some(2), ..config }.into()),
        ("policy", policy().into()),
        (
            "policy-removed",
            Policy { removed: true, reads_time: true, empty: Empty::NotApplicable, ..policy() }.into(),
        ),
        ("collector", collector().into()),
        ("collector-removed", Collector { removed: true, ..collector() }.into()),
        ("schedule", schedule().into()),
        ("schedule-removed", Schedule { removed: true, missed: Missed::CatchUp, ..schedule() }.into()),
        ("slots", slots().into()),
        ("slots-late", Slots { late: true, due: BTreeMap::new(), ..slots() }.into()),
        ("run", run().into()),
        ("run-manual", run_manual().into()),
        ("verdict", verdict().into()),
        ("verdict-same", same.clone().into()),
        ("verdict-part", Verdict { same: None, list: Some(vec![]), part: true, ..same }.into()),
        (
            "gap",
            Gap {
                schedule: "github.branch_rules".into(),
                due: due("[[1800007200,0,1]]"),
                cause: Cause::AgentDown,
            }
            .into(),
        ),
        ("drift", drift().into()),
        ("drift-rollup", Drift { item: None, from: State::Unknown, to: State::NotDue, ..drift() }.into()),
        ("alert", Alert { id: 9, route: "slack".into(), payload: sealed("alert", b"DRIFT") }.into()),
        (
            "notice",
            Notice { alert: 9, attempt: 1, at: at(9000), status: code("delivered"), code: code("http.200") }
                .into(),
        ),
        ("period.open", period().into()),
        ("period.open-next", PeriodOpen { previous: Some(previous()), ..period() }.into()),
        ("period.close", PeriodClose { id: "soc2-2027".into(), at: at(86_400_000) }.into()),
        (
            "posture",
            Posture {
                backend: "s3".into(),
                create_only: code("yes"),
                reads_back: code("yes"),
                checksum: code("no"),
                retention: code("unknown"),
            }
            .into(),
        ),
        ("export", export().into()),
        ("export-whole", Export { period: None, recipient: None, number: 1, ..export() }.into()),
        ("heartbeat", Heartbeat { last_size: 7 }.into()),
        ("x.note", Body::Foreign { kind: "x.note".into(), v: 3, body: r#"{"a":1}"#.into() }),
        (
            "hook",
            Hook {
                source: "github".into(),
                events: [(code("branch_protection_rule"), 2), (code("repository"), 1)].into(),
                collectors: vec!["github.branch_rules".into()],
                refused: 4,
            }
            .into(),
        ),
    ]
}

/// The body of that name.
pub(crate) fn body(name: &str) -> Body {
    bodies().into_iter().find(|(found, _)| *found == name).unwrap().1
}
