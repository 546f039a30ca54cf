//! Every write step, lost, unheard or torn; the n-th call failing, for every n; the process dying at every call.
//!
//! The judge is a reader that knows nothing but the key: what was acknowledged is there exactly once and in order, and
//! nothing is there twice.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use observance::store::{Interrupting, Objects, Sharing, Store, StoreError, Strike, Tiles, Written};

use super::{KINDS, Kind, Place, Writer, clock, feed};
use crate::support::faulty::{Call, Failure, Faulty};

/// Batches of the scenario; the second one has a pack outside its commit.
const BATCHES: [&[u64]; 3] = [&[1, 2], &[3], &[4, 5, 6]];
const ALL: [u64; 6] = [1, 2, 3, 4, 5, 6];

fn packs(batch: usize) -> Vec<Vec<u8>> {
    if batch == 1 { vec![vec![9; (1 << 20) + 1]] } else { Vec::new() }
}

/// A whole life: prove, open, append every batch that is not there yet, settling what is in doubt.
async fn live(objects: Arc<dyn Objects>) -> Result<(), StoreError> {
    let (clock, _busy) = clock();
    let store = Store::prove(objects, Sharing::Shared, clock).await?;
    let mut writer = Writer::open(&store, None).await?;
    for (n, batch) in BATCHES.into_iter().enumerate() {
        writer.insist(batch, packs(n)).await?;
    }
    assert_eq!(writer.seen, ALL);
    Ok(())
}

/// Lives on, in as many lives as it takes, with the same faults.
async fn lives(objects: &Arc<dyn Objects>) {
    const LIVES_MAX: usize = 60;
    for _ in 0..LIVES_MAX {
        if live(Arc::clone(objects)).await.is_ok() {
            return;
        }
    }
    panic!("the scenario never came to its end")
}

fn is_step(call: Call<'_>, step: &str) -> bool {
    call.is_create && call.name.starts_with(step)
}

/// Fails the first create of this step, and no other call.
fn once(place: &Place, step: &'static str, failure: Failure) -> Arc<Faulty> {
    let spent = AtomicBool::new(false);
    Arc::new(Faulty::new(place.again(), move |call| {
        (is_step(call, step) && !spent.swap(true, SeqCst)).then_some(failure)
    }))
}

#[tokio::test]
async fn each_write_step_lost_unheard_or_busy_is_made_good_at_once() {
    let steps = ["v1/probe/create", "v1/pack/", "v1/commit/000000000000", "v1/commit/000000000002"];
    let cases = steps
        .into_iter()
        .flat_map(|step| [Failure::Lost, Failure::Unheard, Failure::Busy].map(|failure| (step, failure)));
    for (step, failure) in cases {
        for kind in KINDS {
            let place = Place::new(kind).await;
            let faulty = once(&place, step, failure);
            live(Arc::clone(&faulty) as _).await.unwrap();
            assert_eq!(faulty.failed(), 1, "{kind:?} {step} {failure:?}");
            assert_eq!(place.tokens().await, ALL, "{kind:?} {step} {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_write_that_stays_unheard_is_in_doubt_until_it_is_settled() {
    // how the write failed, whether another writer comes before it is settled, and what the log holds in the end
    let cases: [(Failure, bool, &[u64]); 4] = [
        (Failure::Lost, false, &[1, 2]),
        (Failure::Lost, true, &[1, 50]),
        (Failure::Unheard, false, &[1, 2]),
        (Failure::Unheard, true, &[1, 2, 50]),
    ];
    for (failure, rival, expected) in cases {
        let place = Place::new(Kind::Memory).await;
        let (away, spent) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
        let gone = Arc::clone(&away);
        let objects = Faulty::new(place.again(), move |call| {
            if is_step(call, "v1/commit/000000000001") && !spent.swap(true, SeqCst) {
                // from here on the store is gone altogether, so that no look can tell
                gone.store(true, SeqCst);
                return Some(failure);
            }
            gone.load(SeqCst).then_some(Failure::Lost)
        });
        let store = Store::prove(Arc::new(objects), Sharing::Shared, clock().0).await.unwrap();
        let mut writer = Writer::open(&store, None).await.unwrap();
        writer.append(&[1]).await.unwrap();
        let error = writer.append(&[2]).await.unwrap_err();
        assert!(matches!(error, StoreError::Doubt { ordinal: 1, .. }) && error.written() == Written::Maybe);
        assert!(matches!(writer.append(&[3]).await, Err(StoreError::Unsettled { ordinal: 1 })));
        assert!(matches!(writer.sync().await, Err(StoreError::Doubt { .. })), "still away");
        assert_eq!(place.tokens().await.contains(&2), failure == Failure::Unheard);
        if rival {
            Writer::open(&place.store().await, None).await.unwrap().append(&[50]).await.unwrap();
        }
        away.store(false, SeqCst);
        let settled = writer.sync().await.unwrap();
        assert_eq!(settled.map(|ours| ours.ordinal), expected.contains(&2).then_some(1));
        assert_eq!(writer.seen, expected, "{failure:?} {rival}");
        assert_eq!(place.tokens().await, expected, "{failure:?} {rival}");
        writer.append(&[3]).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_write_left_nothing_and_can_be_tried_again() {
    let place = Place::new(Kind::Memory).await;
    let refuse = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&refuse);
    let objects = Faulty::new(place.again(), move |call| {
        let now = call.is_create && told.load(SeqCst);
        now.then_some(Failure::Refused)
    });
    let store = Store::prove(Arc::new(objects), Sharing::Shared, clock().0).await.unwrap();
    let mut writer = Writer::open(&store, None).await.unwrap();
    refuse.store(true, SeqCst);
    let error = writer.append(&[1]).await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritten { .. }) && error.written() == Written::No);
    refuse.store(false, SeqCst);
    writer.append(&[2]).await.unwrap();
    assert_eq!(place.tokens().await, [2]);
}

#[tokio::test]
async fn a_torn_commit_stops_the_log_and_what_was_acknowledged_still_reads() {
    let place = Place::new(Kind::Folder).await;
    let objects =
        Faulty::new(place.again(), |call| is_step(call, "v1/commit/000000000001").then_some(Failure::Torn));
    let store = Store::prove(Arc::new(objects), Sharing::Shared, clock().0).await.unwrap();
    let mut writer = Writer::open(&store, None).await.unwrap();
    writer.append(&[1]).await.unwrap();
    assert!(matches!(writer.append(&[2]).await, Err(StoreError::Tamper { ordinal: 1, .. })));
    assert!(matches!(writer.append(&[3]).await, Err(StoreError::Halted { .. })));

    let mut seen = Vec::new();
    let keys = vec![super::signer().verifier()];
    let read =
        observance::store::read(place.again(), super::ORIGIN, (keys, None), &clock().0, &mut |commit, _| {
            super::take(&mut seen, &commit)
        })
        .await;
    assert!(matches!(read, Err(StoreError::Tamper { ordinal: 1, .. })));
    assert_eq!(seen, [1]);
}

#[tokio::test]
async fn a_torn_pack_is_named_and_nothing_refers_to_it() {
    let place = Place::new(Kind::Folder).await;
    let objects = Faulty::new(place.again(), |call| is_step(call, "v1/pack/").then_some(Failure::Torn));
    let store = Store::prove(Arc::new(objects), Sharing::Shared, clock().0).await.unwrap();
    let mut writer = Writer::open(&store, None).await.unwrap();
    let error = writer.append_with(&[1], packs(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::PackMissing { .. }) && error.written() == Written::No);
    assert!(place.tokens().await.is_empty());
}

/// Fails so many calls from the n-th on; gives how many calls failed by the time that the scenario was through.
async fn fail_from(n: u64, length: u64, failure: Failure) -> u64 {
    let place = Place::new(Kind::Memory).await;
    let faulty = Arc::new(Faulty::new(place.again(), move |call| {
        (call.n >= n && call.n < n + length).then_some(failure)
    }));
    lives(&(Arc::clone(&faulty) as Arc<dyn Objects>)).await;
    assert_eq!(place.tokens().await, ALL, "call {n}, {length} long, {failure:?}");
    faulty.failed()
}

#[tokio::test]
async fn whichever_call_fails_the_life_or_the_next_ones_come_to_the_same_end() {
    // one call; more than one append outlasts; more than one life does
    for (failure, length) in
        [Failure::Lost, Failure::Unheard].into_iter().flat_map(|f| [(f, 1), (f, 20), (f, 60)])
    {
        let mut n = 0;
        while fail_from(n, length, failure).await > 0 {
            n += 1;
        }
        assert!(n > 10, "the scenario makes calls");
    }
}

/// Dies at the n-th call and lives on; `false` if the scenario was through before.
async fn die_at(kind: Kind, calls: u64, strike: Strike) -> bool {
    let place = Place::new(kind).await;
    let cut = Arc::new(Interrupting::new(place.again(), calls, strike));
    let died = tokio::select! {
        lived = live(Arc::clone(&cut) as _) => { lived.unwrap(); false }
        () = cut.struck() => true,
    };
    live(place.again()).await.unwrap();
    assert_eq!(place.tokens().await, ALL, "{kind:?} call {calls} {strike:?}");
    died
}

#[tokio::test]
async fn whichever_call_the_process_dies_at_the_next_life_goes_on() {
    for kind in KINDS {
        for strike in [Strike::Before, Strike::After] {
            let mut calls = 0;
            while die_at(kind, calls, strike).await {
                calls += 1;
            }
            assert!(calls > 10, "the scenario makes calls");
        }
    }
}

#[tokio::test]
async fn an_append_that_is_dropped_is_in_doubt() {
    for strike in [Strike::Before, Strike::After] {
        let mut doubted = 0;
        for calls in 0.. {
            let place = Place::new(Kind::Memory).await;
            let cut = Arc::new(Interrupting::new(place.again(), calls, strike));
            let opening = async {
                let store = Store::prove(Arc::clone(&cut) as _, Sharing::Shared, clock().0).await.unwrap();
                Writer::open(&store, None).await.unwrap()
            };
            let mut writer = tokio::select! {
                writer = opening => writer,
                () = cut.struck() => continue,
            };
            tokio::select! {
                appended = writer.append(&[7]) => { appended.unwrap(); break }
                () = cut.struck() => {}
            }
            doubted += 1;
            assert!(matches!(writer.append(&[8]).await, Err(StoreError::Unsettled { .. })));
            assert_eq!(place.tokens().await.contains(&7), strike == Strike::After);
        }
        assert_eq!(doubted, 1, "an append is one call");
    }
}

#[tokio::test]
async fn tiles_go_on_where_a_fault_stopped_them() {
    for n in 0..6 {
        let failure = if n % 2 == 0 { Failure::Refused } else { Failure::Unheard };
        let place = Place::new(Kind::Memory).await;
        let tiles = AtomicU64::new(0);
        let faulty = Arc::new(Faulty::new(place.again(), move |call| {
            (is_step(call, "v1/tile/") && tiles.fetch_add(1, SeqCst) == n).then_some(failure)
        }));
        let store = Store::prove(Arc::clone(&faulty) as _, Sharing::Shared, clock().0).await.unwrap();
        let mut writer = Writer::open(&store, None).await.unwrap();
        for batch in 0..3_u64 {
            writer.append(&(batch * 256..(batch + 1) * 256).collect::<Vec<_>>()).await.unwrap();
        }
        let mut tiles = Tiles::default();
        feed(&mut tiles, 0, &writer).await;
        let mut due = tiles.due();
        assert_eq!(due.write(&store).await.is_err(), failure == Failure::Refused);
        due.write(&store).await.unwrap();
        assert_eq!(faulty.failed(), 1);
        assert_eq!(place.objects.list("v1/tile", None, 99).await.unwrap().len(), 6, "fault at tile {n}");
    }
}
