//! Random lives of three writers on one store against a model: a list.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering::SeqCst},
};

use observance::store::{Sharing, Store, StoreError, Written};
use proptest::prelude::*;

use super::{Kind, Place, Writer, clock};
use crate::support::faulty::{Failure, Faulty};

#[derive(Debug, Clone)]
enum Op {
    Append {
        writer: usize,
        entries: u64,
    },
    Sync {
        writer: usize,
    },
    Reopen {
        writer: usize,
    },
    /// The next creates fail in this way, until the fault is lifted.
    Break {
        failure: Failure,
    },
    Mend,
}

fn op() -> impl Strategy<Value = Op> {
    let failure =
        prop_oneof![Just(Failure::Lost), Just(Failure::Unheard), Just(Failure::Busy), Just(Failure::Refused)];
    prop_oneof![
        6 => (0..3_usize, 1..5_u64).prop_map(|(writer, entries)| Op::Append { writer, entries }),
        2 => (0..3_usize).prop_map(|writer| Op::Sync { writer }),
        1 => (0..3_usize).prop_map(|writer| Op::Reopen { writer }),
        2 => failure.prop_map(|failure| Op::Break { failure }),
        2 => Just(Op::Mend),
    ]
}

/// Tokens by what is known of them.
#[derive(Default)]
struct Model {
    acknowledged: Vec<Vec<u64>>,
    impossible: Vec<u64>,
}

async fn check(ops: Vec<Op>) {
    let place = Place::new(Kind::Memory).await;
    let broken = Arc::new(AtomicU8::new(0));
    let told = Arc::clone(&broken);
    let objects = Arc::new(Faulty::new(place.again(), move |call| {
        let failures = [Failure::Lost, Failure::Unheard, Failure::Busy, Failure::Refused];
        let failure = failures.get(usize::from(told.load(SeqCst)).checked_sub(1)?)?;
        call.is_create.then_some(*failure)
    }));
    let (clock, _busy) = clock();
    let store = Store::prove(objects, Sharing::Shared, clock).await.unwrap();
    let mut writers = Vec::new();
    for _ in 0..3 {
        writers.push(Writer::open(&store, None).await.unwrap());
    }
    let (mut model, mut token) = (Model::default(), 0);
    for op in ops {
        match op {
            Op::Append { writer, entries } => {
                let tokens: Vec<u64> = (token..token + entries).collect();
                token += entries;
                match writers[writer].append(&tokens).await {
                    Ok(_) => model.acknowledged.push(tokens),
                    Err(StoreError::Unsettled { .. }) => model.impossible.extend(tokens),
                    Err(error) if error.written() == Written::No => model.impossible.extend(tokens),
                    Err(error) => assert!(matches!(error, StoreError::Doubt { .. }), "{error:?}"),
                }
            }
            Op::Sync { writer } => {
                let synced = writers[writer].sync().await;
                assert!(matches!(synced, Ok(_) | Err(StoreError::Doubt { .. })), "{synced:?}");
            }
            Op::Reopen { writer } => writers[writer] = Writer::open(&store, None).await.unwrap(),
            Op::Break { failure } => broken.store(
                match failure {
                    Failure::Lost => 1,
                    Failure::Unheard => 2,
                    Failure::Busy => 3,
                    Failure::Refused | Failure::Torn => 4,
                },
                SeqCst,
            ),
            Op::Mend => broken.store(0, SeqCst),
        }
    }
    judge(&place, &mut writers, &broken, &model).await;
}

async fn judge(place: &Place, writers: &mut [Writer], broken: &AtomicU8, model: &Model) {
    broken.store(0, SeqCst);
    for writer in &mut *writers {
        writer.sync().await.unwrap();
    }
    // what the first one settled last the others have not read yet
    for writer in &mut *writers {
        writer.sync().await.unwrap();
    }
    let log = place.tokens().await;
    let mut once = log.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), log.len(), "nothing is there twice");
    let acknowledged: Vec<usize> = model
        .acknowledged
        .iter()
        .map(|batch| {
            log.windows(batch.len())
                .position(|window| window == batch)
                .expect("an acknowledged batch is there whole")
        })
        .collect();
    assert!(acknowledged.is_sorted(), "acknowledged batches stand in the order of their acknowledgement");
    assert!(model.impossible.iter().all(|token| !log.contains(token)), "what was not written is not there");
    for writer in writers {
        assert_eq!(writer.seen, log, "everybody sees one log");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn three_writers_and_a_store_that_comes_and_goes(ops in prop::collection::vec(op(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(ops));
    }
}
