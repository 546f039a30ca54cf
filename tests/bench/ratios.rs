//! How far the product is from what the same machine could do at best with the same bytes: `cargo bench --bench ratios`.
//!
//! It prints ratios only. Exact counts are asserted in `tests/counters.rs`; nothing here fails a build.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::format_push_string,
    dead_code,
    reason = "a bench reads the real clock, prints, and ends at the first surprise; it uses a part of what tests share"
)]

#[path = "../support/acme.rs"]
mod acme;
#[path = "../support/corpus.rs"]
mod corpus;
#[path = "../support/lab.rs"]
mod lab;
mod pair;

use std::{fs, hint::black_box, path::Path, process::Command};

use observance::{demo, run::fold};
use observance_record::{
    Instant, Item,
    effect::Effect,
    ledger::Ledger,
    pack::{self, Artefact, Media, Role},
    population::Membership,
    verdict::{ItemResult, State},
};
use observance_verify::{Files, Folder, Trust, verify};
use sha2::{Digest as _, Sha256};

use self::{
    acme::Estate,
    lab::live,
    pair::{By, Ratios, took},
};

const PAIRS: usize = 60;
const DAY_MS: i64 = 86_400_000;
/// Days of the demonstration whose bundle is verified.
const DAYS: u32 = 10;
/// Times that a half of a pair is done, so that it takes many ticks of the scheduler.
const TIMES: usize = 4;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("| ratio | pairs | lower quartile | median | upper quartile |\n|---|---|---|---|---|");
    control();
    sealing();
    verifying(&runtime);
    folding(&runtime);
    viewing();
}

/// A half against itself: off 1.00, the machine is too busy for the rest to mean much.
fn control() {
    let bytes = corpus::noise(1, 24 << 20);
    let hash = || {
        black_box(Sha256::digest(&bytes));
    };
    println!(
        "{}",
        Ratios::measure(PAIRS, By::Processor, hash, hash).line("control: SHA-256 of 24 MiB to itself")
    );
}

fn sealing() {
    let bodies: Vec<Vec<u8>> = (0..1_000).map(|i| corpus::repository(i, 0).into_bytes()).collect();
    let whole = bodies.concat();
    let mean = whole.len() / bodies.len();
    let bound = || {
        for _ in 0..TIMES {
            for body in &bodies {
                black_box(Sha256::digest(body));
            }
            for block in whole.chunks(pack::BLOCK_BYTES_MAX) {
                let _packed = black_box(zstd::bulk::compress(block, 3).unwrap());
            }
        }
    };
    let seal = || {
        for _ in 0..TIMES {
            let artefact = |body: &Vec<u8>| Artefact::new(Role::Body, Media::Json, body.clone());
            let artefacts: Vec<Artefact> = bodies.iter().map(artefact).collect();
            let _pack = black_box(pack::encode(&[7; 32], &artefacts).unwrap());
        }
    };
    let ratios = Ratios::measure(PAIRS, By::Processor, bound, seal);
    println!("{}", ratios.line(&format!("sealing speed to SHA-256 + zstd-3 blocks, bodies of {mean} B")));
    let artefact = |body: Vec<u8>| Artefact::new(Role::Body, Media::Json, body);
    let first = pack::encode(&[7; 32], &bodies.iter().cloned().map(artefact).collect::<Vec<_>>()).unwrap();
    let changed: Vec<_> = (0..10).map(|i| artefact(corpus::repository(i * 100, 1).into_bytes())).collect();
    let changed = pack::encode(&[7; 32], &changed).unwrap();
    println!(
        "| bytes: pack to bodies; pack of the 1 % that changed to the whole pack | exact | | {:.3}; {:.4} | |",
        first.len() as f64 / whole.len() as f64,
        changed.len() as f64 / first.len() as f64,
    );
}

fn verifying(runtime: &tokio::runtime::Runtime) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bundle");
    let options = demo::Options { seed: 7, out: dir.clone(), days: DAYS };
    runtime.block_on(demo::run(&options, &mut std::io::sink())).unwrap();
    let files = Folder::open(&dir).unwrap();
    let paths = files.list().unwrap();
    let octets: u64 = paths.iter().map(|path| fs::metadata(dir.join(path)).unwrap().len()).sum();
    let contents: Vec<Vec<u8>> = paths.iter().map(|path| files.read(path).unwrap()).collect();
    let check = |replay| black_box(verify(&Folder::open(&dir).unwrap(), &Trust::default(), replay));
    assert!(check(true).failure.is_none());
    let what = format!("{} files of {} B", paths.len(), octets / paths.len() as u64);
    let hash = || {
        for bytes in &contents {
            black_box(Sha256::digest(bytes));
        }
    };
    let read = || {
        for path in &paths {
            black_box(Sha256::digest(files.read(path).unwrap()));
        }
    };
    let verifying = || drop(check(false));
    for (against, bound) in [("SHA-256 in memory", &hash as &dyn Fn()), ("reading and SHA-256", &read)] {
        let ratios = Ratios::measure(PAIRS, By::Processor, bound, verifying);
        println!("{}", ratios.line(&format!("verifying speed to {against}, {what}")));
    }
    if sha256sum(&dir) {
        let system = || assert!(sha256sum(&dir));
        let ratios = Ratios::measure(PAIRS, By::Wall, system, verifying);
        println!("{}", ratios.line("verifying speed to `sha256sum -c` of the system (wall)"));
    }
    let replay = Ratios::measure(PAIRS / 10, By::Processor, || drop(check(true)), verifying);
    println!("{}", replay.line("cost of verifying with replay to without"));
}

fn sha256sum(dir: &Path) -> bool {
    let sums = Command::new("sha256sum")
        .args(["--check", "--quiet", "manifest-sha256.txt"])
        .current_dir(dir)
        .status();
    sums.is_ok_and(|status| status.success())
}

/// One run of a changed estate, and one of an unchanged estate, to the first, which saw everything for the first time.
fn folding(runtime: &tokio::runtime::Runtime) {
    let from: Instant = "2025-12-31T23:58:00.000Z".parse().unwrap();
    for repositories in [200, 800] {
        let estate = Estate {
            repositories,
            members: 0,
            merged: (0, from),
            changes: Some((from.plus_ms(5 * 3_600_000), repositories / 100)),
            noise: 0,
        };
        let plan = ("github.branch_rules", "0 * * * *");
        let lived = runtime.block_on(live(estate, &[plan], (from, from.plus_ms(10 * 3_600_000))));
        let (mut quiet, mut changed) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let mut ledger = Ledger::default();
            let mut runs = Vec::new();
            for (commit, artefacts, _) in std::iter::once(&lived.begun).chain(&lived.commits) {
                let entries = fold::entries(commit).unwrap();
                let mut fold = || fold::fold(&mut ledger, &entries, artefacts, &lived.salts).unwrap();
                let took = took(By::Wall, &mut fold);
                if matches!(
                    entries.first().map(|entry| &entry.body),
                    Some(observance_record::entry::Body::Run(_))
                ) {
                    runs.push(took);
                }
            }
            changed.push(runs[5] / runs[0]);
            quiet.push(runs[9] / runs[0]);
        }
        let what =
            |run| format!("cost of folding {run} run to the first, {repositories} repositories (wall)");
        println!("{}", Ratios::new(changed).line(&what("a 1 %-changed")));
        println!("{}", Ratios::new(quiet).line(&what("an unchanged")));
    }
}

/// The period view of one policy over 10,000 items, looked at daily for a year, each failing once; to a scan of the same
/// intervals in a plain vector.
fn viewing() {
    const ITEMS: u64 = 10_000;
    let from: Instant = "2026-01-01T00:00:00.000Z".parse().unwrap();
    let item = |i: u64| Item::from_bytes(u128::from(i).to_be_bytes());
    let failed = ItemResult::because(State::Failed, "rules.missing".parse().unwrap());
    let mut effect = Effect::new();
    let mut rows = Vec::new();
    for day in 0..365_u64 {
        let at = from.plus_ms(day.cast_signed() * DAY_MS);
        // a 365th of the items fails for a day, another for each day
        let state = |i: u64| if i % 365 == day { failed.clone() } else { ItemResult::passed() };
        let results: Vec<(Item, ItemResult)> = (0..ITEMS).map(|i| (item(i), state(i))).collect();
        let look = results.iter().map(|(item, result)| (item, result));
        drop(effect.look(at, day, Membership::Complete, 2 * DAY_MS, look));
    }
    let year = from.plus_ms(365 * DAY_MS);
    for i in 0..ITEMS {
        let fails = from.plus_ms((i % 365).cast_signed() * DAY_MS);
        rows.extend([
            (item(i), from, fails, State::Passed),
            (item(i), fails, fails.plus_ms(DAY_MS), State::Failed),
            (item(i), fails.plus_ms(DAY_MS), year, State::Passed),
        ]);
    }
    let (period_from, period_to) = (from.plus_ms(30 * DAY_MS), from.plus_ms(330 * DAY_MS));
    let view = || drop(black_box(effect.period(period_from, period_to, year)));
    let scan = || {
        for _ in 0..50 {
            let (mut failing, mut ms) = (0_u64, 0_i64);
            for (_, from, to, state) in black_box(&rows) {
                let length = (*to.min(&period_to)).ms_since(*from.max(&period_from)).max(0);
                failing += u64::from(*state == State::Failed && length > 0);
                ms += if *state == State::Failed { length } else { 0 };
            }
            black_box((failing, ms));
        }
    };
    let ratios = Ratios::measure(PAIRS, By::Processor, view, scan);
    let fifty = Ratios::new(ratios.values().map(|ratio| ratio * 50.0).collect());
    println!("{}", fifty.line(&format!("cost of a year's view to a plain scan, {} intervals", rows.len())));
}
