//! Runs the cases that a folder of policies brings with it: `cases/<policy>.yaml`, a list of rows and what is expected.
//!
//! It proves nothing about a policy but what its cases say; it does insist that there is one that passes, one that
//! fails and one of which nothing can be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

use observance_record::{
    Instant, Item, Root,
    population::Membership,
    table::Rows,
    verdict::{Code, ItemResult, State},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Fault,
    folder::{self, FolderError},
    memo::Memo,
    policy::Policy,
    verdict::{Freshness, Joined, Judged, Population, judge},
};

/// Largest file of cases.
const CASES_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How often a case is judged that hits the time limit.
const TRIES_MAX: u32 = 3;

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "case")]
    name: String,
    row: Map<String, Value>,
    #[serde(default)]
    params: Map<String, Value>,
    #[serde(default = "complete")]
    membership: Membership,
    #[serde(default)]
    joined: BTreeMap<String, Beside>,
    #[serde(default = "start_of_2026")]
    as_of: Instant,
    expect: Expected,
}

/// A joined population of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    rows: Vec<Map<String, Value>>,
    #[serde(default = "complete")]
    membership: Membership,
    #[serde(default)]
    stale: bool,
}

/// What a case expects, or what came out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The state.
    pub state: State,
    /// The codes, sorted.
    #[serde(default)]
    pub codes: BTreeSet<Code>,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes = self.codes.iter().map(Code::as_str).collect::<Vec<_>>().join(", ");
        write!(f, "{}{}{codes}", self.state, if codes.is_empty() { "" } else { " " })
    }
}

const fn complete() -> Membership {
    Membership::Complete
}

const fn start_of_2026() -> Instant {
    Instant::from_s(1_767_225_600)
}

/// How one case went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The policy's file name without ending.
    pub policy: String,
    /// The case's name.
    pub case: String,
    /// What it expects.
    pub expected: Expected,
    /// What came out.
    pub got: Expected,
}

impl Outcome {
    /// Did it come out as expected?
    pub fn holds(&self) -> bool {
        self.expected == self.got
    }
}

/// How the cases of a folder went.
#[derive(Debug, Default)]
pub struct Report {
    /// Every case that ran.
    pub outcomes: Vec<Outcome>,
    /// What does not load, and policies that lack a case.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Everything loaded, and every case came out as expected.
    pub fn holds(&self) -> bool {
        self.faults.is_empty() && self.outcomes.iter().all(Outcome::holds)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}")?;
        }
        for outcome in self.outcomes.iter().filter(|outcome| !outcome.holds()) {
            let Outcome { policy, case, expected, got } = outcome;
            writeln!(f, "{policy}: {case}: expected {expected}, got {got}")?;
        }
        let held = self.outcomes.iter().filter(|outcome| outcome.holds()).count();
        write!(f, "{held} of {} cases hold", self.outcomes.len())
    }
}

/// Runs the cases of every policy of `folder`.
pub fn run(folder: &Path) -> Result<Report, FolderError> {
    let mut report = Report::default();
    for (name, files) in folder::read(folder)? {
        match Policy::load(&files) {
            Ok(policy) => of_policy(folder, &name, &policy, &mut report),
            Err(faults) => report.faults.extend(faults),
        }
    }
    Ok(report)
}

fn of_policy(folder: &Path, name: &str, policy: &Policy, report: &mut Report) {
    let (below, own) = name.rsplit_once('/').map_or(("", name), |(below, own)| (below, own));
    let file = Path::new(below).join(format!("cases/{own}.yaml")).to_string_lossy().into_owned();
    let cases = match read(&folder.join(&file)) {
        Ok(cases) => cases,
        Err(what) => return report.faults.push(Fault::at(&file, 0, what)),
    };
    for state in [State::Passed, State::Failed, State::Unknown] {
        if !cases.iter().any(|case| case.expect.state == state) {
            report.faults.push(Fault::at(&file, 0, format!("has no case that expects {state}")));
        }
    }
    for case in cases {
        match of_case(policy, &case) {
            Ok(got) => {
                let policy = name.to_owned();
                report.outcomes.push(Outcome { policy, case: case.name, expected: case.expect, got });
            }
            Err(faults) => report.faults.extend(faults.into_iter().map(|fault| Fault {
                file: file.clone(),
                key: format!("{}: {}", case.name, fault.key),
                ..fault
            })),
        }
    }
}

fn read(path: &Path) -> Result<Vec<Case>, String> {
    let size = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > CASES_BYTES_MAX {
        return Err(format!("is larger than {CASES_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    serde_saphyr::from_str(&text).map_err(|error| error.without_snippet().to_string())
}

fn of_case(policy: &Policy, case: &Case) -> Result<Expected, Vec<Fault>> {
    let params = policy.params(&case.params)?;
    let rows = rows([&case.row]);
    let beside: BTreeMap<_, _> = case.joined.iter().map(|(name, one)| (name, (rows_of(one), one))).collect();
    let joined: Vec<_> = beside.iter().map(|(name, (rows, one))| joined(name, rows, one)).collect();
    let name = &policy.meta().population;
    let population = Population { name, membership: case.membership, rows: &rows };
    let absent =
        policy.meta().optional.iter().filter(|name| !case.joined.contains_key(*name)).cloned().collect();
    let judged = Judged { population, joined: &joined, absent: &absent, params: &params, as_of: case.as_of };
    let ask = || judge(policy, &judged, &mut Memo::new(0)).results().first().map(|(_, said)| said.clone());
    let timed_out = |said: &ItemResult| said.codes().iter().any(|code| code.as_str() == "judge.timeout");
    let mut said = ask();
    for _ in 1..TRIES_MAX {
        // a machine that is busy hits the time limit, which says nothing of the policy
        if said.as_ref().is_some_and(timed_out) {
            said = ask();
        }
    }
    let none = || vec![Fault::at("", 0, "has no result".to_owned())];
    let said = said.ok_or_else(none)?;
    Ok(Expected { state: said.state(), codes: said.codes().clone() })
}

fn joined<'a>(name: &'a str, rows: &'a Rows, one: &Beside) -> Joined<'a> {
    let freshness = if one.stale { Freshness::Stale } else { Freshness::Fresh };
    let population = Population { name, membership: one.membership, rows };
    Joined { population, root: Root::from_bytes([0; 32]), freshness }
}

fn rows_of(one: &Beside) -> Rows {
    rows(&one.rows)
}

/// Rows under the items 0, 1, 2 ...
fn rows<'a>(rows: impl IntoIterator<Item = &'a Map<String, Value>>) -> Rows {
    let bytes = |row: &Map<String, Value>| Value::Object(row.clone()).to_string().into_bytes().into();
    (0_u128..).zip(rows).map(|(n, row)| (Item::from_bytes(n.to_be_bytes()), bytes(row))).collect()
}
