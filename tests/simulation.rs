//! Seeded weeks of an agent to which everything happens: it is stopped, or cut off in the middle of a write; its store and
//! its source fail. At the end every slot is accounted for and the record verifies; nothing passed that was not seen.
//!
//! What the planner does with time is simulated beside it; a real process is killed in `kill`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use observance::{
    chance::Chance,
    clock::Clock,
    run::Setup,
    store::{Interrupting, Location, Objects, Strike, connect},
};
use observance_record::{Instant, entry::RunResult, population::Membership};
use serde_json::json;

use crate::support::{
    faulty::{Call, Failure, Faulty},
    life::{DAY_MS, HOUR_MS, Record, at, live, setup},
    source::{Asked, Reply, Source, message, reply},
};

const COLLECTORS: [&str; 3] = ["github.branch_rules", "github.changes", "github.members"];
const WEEKS: i64 = 2;
const SEEDS: u64 = 4;
/// One in so many.
const STORE_FAULTS: u64 = 12;
const SOURCE_FAULTS: u64 = 40;

/// A repeatable number for the `n`th thing of a kind, whoever asks first.
fn drawn(seed: u64, kind: u64, n: u64) -> u64 {
    Chance::seeded(seed.wrapping_mul(1_000_003) ^ (kind << 56) ^ n).below(u64::MAX).unwrap()
}

/// The store fails now and then, and not at all for hours on some days.
fn store_fault(seed: u64, clock: &Clock, call: Call<'_>) -> Option<Failure> {
    let hour = clock.now().ms().div_euclid(HOUR_MS).unsigned_abs();
    let is_away = drawn(seed, 1, hour / 3).is_multiple_of(14);
    let draw = drawn(seed, 2, call.n);
    if is_away {
        return Some(if call.n.is_multiple_of(2) { Failure::Lost } else { Failure::Refused });
    }
    let kinds = [Failure::Lost, Failure::Unheard, Failure::Busy];
    draw.is_multiple_of(STORE_FAULTS).then(|| kinds[usize::try_from(draw / STORE_FAULTS % 3).unwrap()])
}

/// The source refuses, breaks off, forgets fields, or is away for hours on some days.
fn source_fault(seed: u64, n: u64, asked: &Asked<'_>) -> Option<Reply> {
    let hour = asked.at.ms().div_euclid(HOUR_MS).unsigned_abs();
    if drawn(seed, 3, hour / 2).is_multiple_of(20) {
        return Some(message(503, &[], "No server is currently available"));
    }
    let draw = drawn(seed, 4, n);
    let link = format!("<http://127.0.0.1:9{}&page=2>; rel=\"next\"", asked.path);
    draw.is_multiple_of(SOURCE_FAULTS).then(|| match draw / SOURCE_FAULTS % 7 {
        0 => message(502, &[], "Server Error"),
        1 => message(403, &[], "Resource not accessible by integration"),
        2 => message(404, &[], "Not Found"),
        3 => reply(200, &[], &json!({ "id": 77 })),
        4 => reply(200, &[("link", &link)], &json!([])),
        5 => message(429, &[("retry-after", "7")], "You have exceeded a secondary rate limit"),
        _ => reply(200, &[], &json!("nonsense")),
    })
}

/// One life on a faulty store: asked to stop at `ends`, or cut off after some calls.
async fn one_life(
    (seed, life): (u64, u64),
    setup: &Arc<Setup>,
    objects: &Arc<dyn Objects>,
    (clock, ends): (&Clock, Instant),
) {
    let ticking = clock.clone();
    let faulty = Faulty::new(Arc::clone(objects), move |call| store_fault(seed ^ life << 8, &ticking, call));
    let calls = 200 + drawn(seed, 5, life) % 2_000;
    let strike = if life.is_multiple_of(2) { Strike::Before } else { Strike::After };
    let cut = Arc::new(Interrupting::new(Arc::new(faulty), calls, strike));
    let watched: Arc<dyn Objects> = cut.clone();
    let struck = async {
        cut.struck().await;
        // time must not run on while the life is being dropped
        clock.busy()
    };
    tokio::select! {
        ended = live(setup, (watched, None), (clock, seed ^ life << 16), ends) => {
            // a store that is away while the log is opened ends a life too; the next one begins later
            drop(ended);
        }
        _cut = struck => {}
    }
}

/// Gives what was passed, and of how many runs.
async fn weeks(seed: u64) -> (u64, usize) {
    let (from, to) = (at("03-16T00:00"), at("03-16T00:00").plus_ms(WEEKS * 7 * DAY_MS));
    let mut clock = Clock::simulated(from);
    let objects = connect(&Location::Memory, None).unwrap();
    let mut record = None;
    for life in 0.. {
        let asked = AtomicU64::new(0);
        let fault = move |it: &Asked<'_>| source_fault(seed, asked.fetch_add(1, Relaxed) + (life << 32), it);
        let source = Source::serve(&clock, fault).await;
        let setup = Arc::new(setup(source.base_url(), &COLLECTORS));
        let now = clock.now();
        let days = i64::try_from(1 + drawn(seed, 6, life) % 4).unwrap();
        if now < to {
            one_life((seed, life), &setup, &objects, (&clock, now.plus_ms(days * DAY_MS).min(to))).await;
            // sometimes the agent is away, and once in a while its clock is behind when it comes back
            let away_ms = i64::try_from(drawn(seed, 7, life) % 9).unwrap() * HOUR_MS - 2 * HOUR_MS;
            clock = Clock::simulated(clock.now().plus_ms(away_ms.max(60_000 - HOUR_MS)));
            assert!(life < 500, "it does not get on");
        } else {
            // a last life without faults answers what is open
            live(&setup, (Arc::clone(&objects), None), (&clock, 1), now.plus_ms(DAY_MS)).await.unwrap();
            let read = Record::read(Arc::clone(&objects), &setup).await.unwrap();
            read.assert_verifies(&setup);
            record = Some(read);
            break;
        }
    }
    judge(&record.unwrap())
}

fn judge(record: &Record) -> (u64, usize) {
    record.assert_accounted();
    let (mut passed, mut runs) = (0, 0);
    for collector in COLLECTORS {
        for seen in record.runs(collector) {
            runs += 1;
            passed += seen.passed();
            for said in &seen.said {
                let population = seen.population(&said.inputs[0].name);
                assert!(population.membership == Membership::Complete || said.passed == 0);
                assert!(said.passed <= population.table.n - population.items_unknown);
            }
            assert!(seen.run.result != RunResult::Failed || seen.passed() == 0);
            assert!(seen.run.started <= seen.run.ended);
        }
    }
    assert!(record.kinds("start") > 3 && !record.gaps().is_empty(), "nothing happened");
    (passed, runs)
}

#[tokio::test]
async fn weeks_of_faults_leave_a_record_without_holes() {
    for seed in 1..=SEEDS {
        let (passed, runs) = weeks(seed).await;
        assert!(runs > 100 && passed > 100, "seed {seed}: {passed} passed in {runs} runs");
    }
}
