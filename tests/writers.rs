//! Several writers of one log, real agents all: whoever is slower works out again what it has to say. The log stays one
//! that everybody can read, whatever they did to each other.

use std::sync::Arc;

use observance::{
    chance::Chance,
    clock::Clock,
    run::{Agent, Shared, Start},
    store::{Location, Objects, Sharing, Store, connect},
};
use observance_record::{
    Instant,
    entry::{Body, Cause, Trigger},
};

use crate::support::{
    life::{Record, at, live, setup},
    source::Source,
};

const RULES: &str = "github.branch_rules";
const NOON: &str = "03-10T11:58";

async fn agent(setup: &Shared, objects: &Arc<dyn Objects>, clock: &Clock, seed: u64) -> Agent {
    let me = clock.busy();
    let store = Store::prove(Arc::clone(objects), Sharing::Shared, me.clock().clone()).await.unwrap();
    let (news, _heard) = tokio::sync::mpsc::unbounded_channel();
    let (setup, chance) = (Arc::clone(setup), Chance::seeded(seed));
    Agent::start(Start { setup, store, memory: None, me, chance, news }).await.unwrap()
}

/// A source, a setup that watches it hourly, and an empty store.
async fn world(clock: &Clock) -> (Arc<Source>, Shared, Arc<dyn Objects>) {
    let source = Source::serve(clock, |_| None).await;
    let setup = Arc::new(setup(source.base_url(), &[RULES]));
    (source, setup, connect(&Location::Memory, None).unwrap())
}

fn runs(record: &Record) -> Vec<(Trigger, Option<Instant>)> {
    let run = |body: &Body| match body {
        Body::Run(run) => Some((run.trigger, run.due)),
        _ => None,
    };
    record.bodies().filter_map(run).collect()
}

#[tokio::test]
async fn a_run_that_was_sealed_on_an_older_log_is_sealed_again() {
    let clock = Clock::simulated(at(NOON));
    let (_source, setup, objects) = world(&clock).await;
    let mut slow = agent(&setup, &objects, &clock, 1).await;
    slow.run_once(&[RULES.to_owned()]).await.unwrap();
    let mut fast = agent(&setup, &objects, &clock, 2).await;
    // what the first knows is now two starts and a run behind
    fast.run_once(&[RULES.to_owned()]).await.unwrap();
    slow.run_once(&[RULES.to_owned()]).await.unwrap();
    let record = Record::read(objects, &setup).await.unwrap();
    assert_eq!(runs(&record), [(Trigger::Manual, None); 3]);
    record.assert_verifies(&setup);
}

#[tokio::test]
async fn two_agents_at_once_answer_every_slot_once() {
    let clock = Clock::simulated(at(NOON));
    let (_source, setup, objects) = world(&clock).await;
    let life = |seed| live(&setup, (Arc::clone(&objects), None), (&clock, seed), at("03-10T16:30"));
    let (one, other) = tokio::join!(life(1), life(2));
    one.unwrap();
    other.unwrap();
    let record = Record::read(Arc::clone(&objects), &setup).await.unwrap();
    let answered = |due: &str| runs(&record).iter().filter(|(_, run)| *run == Some(at(due))).count();
    for due in ["03-10T12:00", "03-10T13:00", "03-10T14:00", "03-10T15:00", "03-10T16:00"] {
        assert_eq!(answered(due), 1, "{due}");
    }
    assert!(record.gaps().is_empty());
    record.assert_accounted();
    record.assert_verifies(&setup);
}

#[tokio::test]
async fn what_was_promised_to_a_schedule_that_is_removed_becomes_gaps() {
    let clock = Clock::simulated(at(NOON));
    let (_source, watched, objects) = world(&clock).await;
    let place = || (Arc::clone(&objects), None);
    live(&watched, place(), (&clock, 1), at("03-10T13:30")).await.unwrap();
    let (_other, mut without, _) = world(&clock).await;
    Arc::get_mut(&mut without).unwrap().schedules.clear();
    live(&without, place(), (&clock, 2), at("03-10T15:30")).await.unwrap();
    let record = Record::read(Arc::clone(&objects), &watched).await.unwrap();
    let removed = record.gaps().into_iter().map(|(schedule, due, cause)| {
        assert_eq!((schedule.as_str(), cause), (RULES, Cause::Removed));
        due
    });
    assert_eq!(removed.collect::<Vec<_>>(), [at("03-10T14:00"), at("03-10T15:00")]);
    record.assert_verifies(&watched);
}
