//! What does not fit is refused before anything is written.

use observance::store::{Log, Refusal, StoreError, Written};
use observance_record::{
    Instant,
    entry::{Body, Entry},
};

use super::{Kind, ORIGIN, Place, Writer, signer};

/// One entry of exactly this many bytes.
fn padded(seq: u64, length: usize) -> Vec<u8> {
    let entry = |pad: usize| Entry {
        body: Body::Foreign {
            kind: "x.pad".into(),
            v: 1,
            body: format!("{{\"pad\":\"{}\"}}", "a".repeat(pad)),
        },
        by: 0,
        seq,
        t: Instant::from_s(1),
    };
    let bare = entry(0).encode().unwrap().len();
    let bytes = entry(length - bare).encode();
    bytes.unwrap_or_else(|_| vec![b' '; length])
}

async fn append(drafts: impl Fn(u64) -> Vec<Vec<u8>> + Sync) -> (Result<u64, StoreError>, usize) {
    let place = Place::new(Kind::Memory).await;
    let store = place.store().await;
    let mut log = Log::open(&store, ORIGIN, signer(), None, &mut |_, _| Ok(())).await.unwrap();
    let draft = |first: u64, _: Instant| -> Result<Vec<Vec<u8>>, Refusal> { Ok(drafts(first)) };
    let result = log.append(&draft, Vec::new(), &mut |_, _| Ok(())).await;
    (result.map(|appended| appended.size), place.objects.list("v1/commit", None, 9).await.unwrap().len())
}

#[tokio::test]
async fn a_commit_takes_256_entries_and_4_mib_of_them() {
    let small = |count: u64| move |first: u64| (first..first + count).map(|seq| padded(seq, 200)).collect();
    assert!(matches!(append(small(256)).await, (Ok(256), 1)));
    for (refused, left) in [append(small(257)).await, append(small(0)).await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::Commit { ordinal: 0, .. }) && error.written() == Written::No);
        assert_eq!(left, 0);
    }
    // with its two bytes of length each of these takes 64 KiB, or one byte more
    let large =
        |length: usize| move |first: u64| (first..first + 64).map(|seq| padded(seq, length)).collect();
    assert!(matches!(append(large(65_534)).await, (Ok(64), 1)));
    assert!(matches!(append(large(65_535)).await, (Err(StoreError::Commit { .. }), 0)));
}

#[tokio::test]
async fn an_entry_takes_65_535_bytes() {
    assert!(matches!(append(|first| vec![padded(first, 65_535)]).await, (Ok(1), 1)));
    assert!(matches!(append(|first| vec![padded(first, 65_536)]).await, (Err(StoreError::Commit { .. }), 0)));
}

#[tokio::test]
async fn entries_that_do_not_carry_their_place_are_refused() {
    assert!(matches!(
        append(|first| vec![padded(first + 1, 200)]).await,
        (Err(StoreError::Commit { .. }), 0)
    ));
    let place = Place::new(Kind::Memory).await;
    let mut writer = Writer::open(&place.store().await, None).await.unwrap();
    writer.append(&[1]).await.unwrap();
    let old = |first: u64, _: Instant| -> Result<Vec<Vec<u8>>, Refusal> { Ok(vec![padded(first, 200)]) };
    let error = writer.log.append(&old, Vec::new(), &mut |_, _| Ok(())).await.unwrap_err();
    assert!(matches!(error, StoreError::Commit { ordinal: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_draft_that_has_become_pointless_may_say_so() {
    let place = Place::new(Kind::Memory).await;
    let mut writer = Writer::open(&place.store().await, None).await.unwrap();
    let refuse = |_: u64, _: Instant| -> Result<Vec<Vec<u8>>, Refusal> { Err("the slot is answered".into()) };
    let error = writer.log.append(&refuse, Vec::new(), &mut |_, _| Ok(())).await.unwrap_err();
    assert!(matches!(error, StoreError::Draft { .. }) && error.written() == Written::No);
    writer.append(&[1]).await.unwrap();
}

#[tokio::test]
async fn a_pack_takes_32_mib() {
    let place = Place::new(Kind::Memory).await;
    let mut writer = Writer::open(&place.store().await, None).await.unwrap();
    let error = writer.append_with(&[1], vec![vec![0; (32 << 20) + 1]]).await.unwrap_err();
    assert!(matches!(error, StoreError::Pack { .. }) && error.written() == Written::No);
    assert_eq!(place.objects.list("v1/pack", None, 9).await.unwrap().len(), 0);
    writer.append_with(&[1], vec![vec![0; 32 << 20]]).await.unwrap();
    assert_eq!(place.objects.list("v1/pack", None, 9).await.unwrap().len(), 1);
}
