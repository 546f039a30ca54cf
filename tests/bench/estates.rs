//! What a whole estate on loopback costs, first seen and then unchanged: `cargo bench --bench estates`.
//!
//! The source, each life of the agent and the scan are processes of their own, this same binary called again, so that
//! the peak is the agent's alone. Counts are exact, and asserted in `tests/counters.rs`; time is a ratio to a bare loop.
//! Nothing here fails a build.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::wildcard_enum_match_arm,
    clippy::match_same_arms,
    dead_code,
    reason = "a bench reads the real clock, prints, and ends at the first surprise; it uses a part of what tests share"
)]

#[path = "../support/acme.rs"]
mod acme;
#[path = "../support/corpus.rs"]
mod corpus;
#[path = "../support/life.rs"]
mod life;
#[path = "../support/lives.rs"]
mod lives;
#[path = "../support/plain.rs"]
mod plain;

use std::{
    collections::BTreeMap,
    env, fs,
    hint::black_box,
    io::{BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Instant,
};

use observance::{
    chance::Chance,
    clock::Clock,
    run::once,
    store::{Location, Objects, connect},
};

use self::{
    acme::Acme,
    lives::{Cost, estate, floor},
    plain::Plain,
};

const COLLECTORS: [&str; 3] = ["github.branch_rules", "github.members", "github.changes"];
/// Repositories of an estate; others are read if they are named on the command line.
const ESTATES: [u64; 3] = [300, 3_000, 10_000];
const MEMBERS: u64 = 2_000;

fn main() {
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["source", repositories] => serve(repositories.parse().unwrap()),
        ["agent", base_url, folder, life] => live(base_url, Path::new(folder), life.parse().unwrap()),
        ["scan", base_url] => scan(base_url),
        [] => report(&ESTATES),
        named => report(&named.iter().map(|n| n.parse().unwrap()).collect::<Vec<_>>()),
    }
}

/// What one estate came to.
struct Estate {
    repositories: u64,
    costs: BTreeMap<String, [Cost; 2]>,
    /// Each life, and a scan.
    ran: [Ran; 3],
    /// Seconds of the bare loop.
    bare: f64,
}

/// What a process of its own was.
struct Ran {
    seconds: f64,
    peak_kib: Option<u64>,
}

fn report(estates: &[u64]) {
    let measured: Vec<Estate> = estates.iter().map(|repositories| measure(*repositories)).collect();
    println!(
        "| repositories | collector | requests, first run | to the floor | not modified, second run | stored, first \
         run (B) | stored, second run (B) | evidence in it |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    measured.iter().for_each(print_costs);
    println!(
        "\n| repositories | requests of a life | not modified in the second | time of the first life to a bare loop | \
         of the second | of a scan | peak of the first life (MiB) | of the second | of a scan |\n\
         |---|---|---|---|---|---|---|---|---|"
    );
    measured.iter().for_each(print_whole);
}

fn print_costs(measured: &Estate) {
    let repositories = measured.repositories;
    for (collector, [first, second]) in &measured.costs {
        println!(
            "| {repositories} | `{collector}` | {} | {:.3} | {} of {} ({:.1} %) | {} | {} | {} |",
            first.requests,
            first.requests as f64 / floor(collector, &estate(repositories, MEMBERS)) as f64,
            second.unchanged,
            second.requests,
            100.0 * second.unchanged as f64 / second.requests as f64,
            first.stored,
            second.stored,
            second.evidence,
        );
    }
}

fn print_whole(measured: &Estate) {
    let seconds: Vec<&Cost> = measured.costs.values().map(|[_, second]| second).collect();
    let unchanged: u64 = seconds.iter().map(|cost| cost.unchanged).sum();
    let asked: u64 = seconds.iter().map(|cost| cost.requests).sum();
    let mib = |ran: &Ran| {
        ran.peak_kib.map_or_else(|| "not known here".to_owned(), |kib| format!("{:.1}", kib as f64 / 1024.0))
    };
    let times = measured.ran.each_ref().map(|ran| format!("{:.2}", ran.seconds / measured.bare)).join(" | ");
    let peaks = measured.ran.each_ref().map(mib).join(" | ");
    println!(
        "| {} | {} | {unchanged} of {asked} ({:.1} %) | {times} | {peaks} |",
        measured.repositories,
        requests(&measured.costs),
        100.0 * unchanged as f64 / asked as f64,
    );
}

/// Requests of a first life.
fn requests(costs: &BTreeMap<String, [Cost; 2]>) -> u64 {
    costs.values().map(|[first, _]| first.requests).sum()
}

fn measure(repositories: u64) -> Estate {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut source = again(&["source", &repositories.to_string()], Stdio::piped());
    let mut said = BufReader::new(source.stdout.take().unwrap());
    let base_url = line(&mut said);
    let life = |life| ran(&["agent", &base_url, store.to_str().unwrap(), life]);
    let ran = [life("0"), life("1"), ran(&["scan", &base_url])];
    let objects = connect(&Location::Folder(store), None).unwrap();
    let costs = runtime().block_on(lives::read(&COLLECTORS, &base_url, objects));
    let bare = bare(&base_url, repositories, requests(&costs));
    // it ends with its input
    drop(source.stdin.take());
    source.wait().unwrap();
    Estate { repositories, costs, ran, bare }
}

/// Calls this binary again, with an input that ends when it is dropped.
fn again(words: &[&str], out: Stdio) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    // as the image has it
    command.env("MALLOC_ARENA_MAX", "2").args(words).stdin(Stdio::piped()).stdout(out).spawn().unwrap()
}

fn ran(words: &[&str]) -> Ran {
    let mut child = again(words, Stdio::piped());
    let said = line(&mut BufReader::new(child.stdout.take().unwrap()));
    assert!(child.wait().unwrap().success(), "{words:?}");
    let (seconds, peak_kib) = said.split_once(' ').unwrap();
    Ran { seconds: seconds.parse().unwrap(), peak_kib: peak_kib.parse().ok() }
}

fn line(from: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The source, until its input ends. Its time stands still.
fn serve(repositories: u64) {
    let runtime = runtime();
    let source =
        runtime.block_on(Acme::serve(estate(repositories, MEMBERS), Clock::simulated(lives::begins())));
    println!("{}", source.base_url());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// One life of the agent; prints how long it took, and the most memory that it had.
fn live(base_url: &str, folder: &Path, life: u8) {
    let begins = life.checked_sub(1).map_or_else(lives::begins, lives::ends);
    let clock = Clock::simulated(begins);
    let objects: Arc<dyn Objects> = connect(&Location::Folder(folder.to_owned()), None).unwrap();
    let begun = Instant::now();
    runtime().block_on(lives::one(&COLLECTORS, base_url, objects, (&clock, life)));
    print_ran(begun);
}

/// One look with each collector, and what every policy says of it; nothing is stored.
fn scan(base_url: &str) {
    let setup = life::setup(base_url, &COLLECTORS);
    let (clock, chance) = (Clock::system(), Chance::seeded(7));
    let begun = Instant::now();
    runtime().block_on(async {
        let key = once::key(&chance).unwrap();
        let mut seen = Vec::new();
        for collector in COLLECTORS {
            let (manifest, source) = (&setup.collectors[collector].manifest, &setup.sources["github"]);
            seen.push(once::look(manifest, source, 6 * life::HOUR_MS, &clock, (&chance, &key)).await);
        }
        assert!(!once::ask(&setup.policies, &seen).is_empty());
    });
    print_ran(begun);
}

fn print_ran(begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{seconds} {}", peak_kib().map_or_else(String::new, |kib| kib.to_string()));
}

/// Seconds that one client takes for as many requests as a life made, one after the other, to the same source.
fn bare(base_url: &str, repositories: u64, requests: u64) -> f64 {
    let mut plain = Plain::connect(base_url);
    let begun = Instant::now();
    for n in 0..requests {
        let i = n / 4 % repositories;
        let path = match n % 4 {
            0 => format!("/repos/acme/one-{i}/rules/branches/main"),
            1 => format!("/repos/acme/one-{i}/branches/main/protection"),
            2 => format!("/repos/acme/one-{i}/pulls"),
            _ => format!("/repos/acme/one-{i}/rulesets/rule-suites"),
        };
        black_box(plain.get(&path));
    }
    begun.elapsed().as_secs_f64()
}

/// The most memory that this process ever had (Linux).
fn peak_kib() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
