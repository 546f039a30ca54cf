//! What a whole estate on loopback costs, first seen and then unchanged: `cargo bench --bench estates`.
//!
//! Counts are exact, and asserted in `tests/counters.rs`; time is a ratio to a bare loop, memory that of this process, in
//! which the source lives too. Nothing here fails a build.
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

use std::{fs, hint::black_box, time::Instant};

use self::{
    lives::{estate, floor, twice},
    plain::Plain,
};

const COLLECTORS: [&str; 3] = ["github.branch_rules", "github.members", "github.changes"];
/// Repositories and members; the smaller estate first, since a peak does not come down again.
const ESTATES: [(u64, u64); 2] = [(300, 2_000), (3_000, 2_000)];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "| repositories, members | collector | requests, first run | to the floor | not modified, second run | stored, \
         first run (B) | stored, second run (B) | evidence in it |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut whole = Vec::new();
    for (repositories, members) in ESTATES {
        let estate = estate(repositories, members);
        let (lives, source) = runtime.block_on(twice(&COLLECTORS, estate.clone()));
        let (mut requests, mut unchanged, mut asked) = (0, 0, 0);
        for (collector, [first, second]) in &lives.costs {
            println!(
                "| {repositories}, {members} | `{collector}` | {} | {:.3} | {} of {} ({:.1} %) | {} | {} | {} |",
                first.requests,
                first.requests as f64 / floor(collector, &estate) as f64,
                second.unchanged,
                second.requests,
                100.0 * second.unchanged as f64 / second.requests as f64,
                first.stored,
                second.stored,
                second.evidence,
            );
            requests += first.requests;
            (unchanged, asked) = (unchanged + second.unchanged, asked + second.requests);
        }
        let bare = bare(source.base_url(), repositories, requests);
        let took = lives.took.map(|took| took.as_secs_f64() / bare);
        whole.push(format!(
            "| {repositories}, {members} | {requests} | {unchanged} of {asked} ({:.1} %) | {:.2} | {:.2} | {} |",
            100.0 * unchanged as f64 / asked as f64,
            took[0],
            took[1],
            peak_kib().map_or_else(|| "not known here".to_owned(), |kib| format!("{:.1}", kib as f64 / 1024.0)),
        ));
    }
    println!(
        "\n| repositories, members | requests of a life | not modified in the second | time of the first life to a bare loop | \
         time of the second | peak so far (MiB) |\n|---|---|---|---|---|---|"
    );
    for line in &whole {
        println!("{line}");
    }
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
