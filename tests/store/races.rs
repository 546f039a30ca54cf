//! Several writers on one log: nothing is lost, nothing is there twice, everybody sees one order.

use observance::store::StoreError;

use super::{KINDS, Kind, Place, Writer};

const WRITERS: u64 = 8;

async fn race(kind: Kind, batches: u64) {
    let place = Place::new(kind).await;
    let mut racing = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = place.store().await;
        racing.spawn(async move {
            let mut log = Writer::open(&store, None).await.unwrap();
            for batch in 0..batches {
                let token = (writer * batches + batch) * 10;
                log.append(&[token, token + 1]).await.unwrap();
            }
            log.sync().await.unwrap();
            log.seen
        });
    }
    let seen: Vec<Vec<u64>> = racing.join_all().await;
    let log = place.tokens().await;
    let mut sorted = log.clone();
    sorted.sort_unstable();
    let expected: Vec<u64> = (0..WRITERS * batches).flat_map(|token| [token * 10, token * 10 + 1]).collect();
    assert_eq!(sorted, expected, "{kind:?}");
    for view in seen {
        assert_eq!(view, log[..view.len()], "{kind:?}: a writer saw another order");
    }
    for writer in 0..WRITERS {
        let own = |token: &&u64| **token / 10 / batches == writer;
        assert!(log.iter().filter(own).is_sorted(), "{kind:?}: a writer's own order was kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_on_memory() {
    race(Kind::Memory, 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_on_a_folder() {
    race(Kind::Folder, 15).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_on_s3() {
    race(Kind::S3, 10).await;
}

#[tokio::test]
async fn the_slower_of_two_handles_catches_up_and_goes_in_behind() {
    for kind in KINDS {
        let place = Place::new(kind).await;
        let store = place.store().await;
        let (mut one, mut two) =
            (Writer::open(&store, None).await.unwrap(), Writer::open(&store, None).await.unwrap());
        for token in [1, 2, 3] {
            one.append(&[token]).await.unwrap();
        }
        let late = two.append(&[4]).await.unwrap();
        assert_eq!((late.ordinal, late.first_seq), (3, 3));
        assert_eq!(two.seen, [1, 2, 3, 4]);
        assert!(one.sync().await.unwrap().is_none());
        assert_eq!(one.seen, two.seen);
        assert_eq!(one.log.head(), two.log.head());
    }
}

#[tokio::test]
async fn a_writer_that_always_loses_gives_up_and_wrote_nothing() {
    use std::sync::Arc;

    use observance::store::{Sharing, Store, Written};

    use super::clock;
    use crate::support::faulty::{Failure, Faulty};

    let place = Place::new(Kind::Memory).await;
    let rival = Arc::new(tokio::sync::Mutex::new(Writer::open(&place.store().await, None).await.unwrap()));
    let (clock, _busy) = clock();
    // every commit is told to be taken, and by the time it is looked at, it is
    let store = Store::prove(
        Arc::new(Faulty::new(place.again(), |call| {
            (call.is_create && call.name.starts_with("v1/commit")).then_some(Failure::Busy)
        })),
        Sharing::Shared,
        clock,
    );
    let mut loser = Writer::open(&store.await.unwrap(), None).await.unwrap();
    let error = loser.append(&[1]).await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritten { source: None, .. }), "{error:?}");
    rival.lock().await.append(&[2]).await.unwrap();
    let draft = |first: u64, t| {
        // another commit comes while each draft is made
        let rival = Arc::clone(&rival);
        let token = first + 100;
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async { rival.lock().await.append(&[token]).await.unwrap() });
        })
        .join()
        .unwrap();
        super::beats(&[1])(first, t)
    };
    let error = loser.log.append(&draft, Vec::new(), &mut |_, _| Ok(())).await.unwrap_err();
    assert!(matches!(error, StoreError::Contended { .. }) && error.written() == Written::No, "{error:?}");
    assert!(!place.tokens().await.contains(&1));
}
