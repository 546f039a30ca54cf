//! A log that was cut, forged or mixed up is refused, and nothing is written to it.

use std::fs;

use observance::store::{HeadFile, Log, StoreError, Tamper, Written};
use observance_record::note::Signer;

use super::{Kind, ORIGIN, Place, Writer, bytes, signer};

/// A folder with this many commits, each one token.
async fn written(count: u64) -> Place {
    let place = Place::new(Kind::Folder).await;
    let mut writer = Writer::open(&place.store().await, None).await.unwrap();
    for token in 0..count {
        writer.append(&[token]).await.unwrap();
    }
    place
}

fn commit(ordinal: u64) -> String {
    format!("v1/commit/{ordinal:012}")
}

async fn refusal(place: &Place, memory: Option<HeadFile>) -> StoreError {
    Writer::open(&place.store().await, memory).await.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn a_hole_is_noticed_wherever_it_is() {
    for count in [2_u64, 3, 9] {
        for missing in 0..count - 1 {
            let place = written(count).await;
            fs::remove_file(place.file(&commit(missing))).unwrap();
            let error = refusal(&place, None).await;
            assert!(
                matches!(error, StoreError::Tamper { ordinal, source: Tamper::Hole { .. } } if ordinal == missing),
                "{count} {missing} {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn anything_beyond_the_head_is_noticed() {
    for name in ["v1/commit/000000000009", "v1/commit/zzz", "v1/commit/000000000001x"] {
        let place = written(1).await;
        place.objects.create(name, bytes("x")).await.unwrap();
        let error = refusal(&place, None).await;
        assert!(matches!(error, StoreError::Tamper { ordinal: 1, .. }), "{name} {error:?}");
    }
    // and so is a thing in the place of the next commit
    let place = written(1).await;
    place.objects.create(&commit(1), bytes("x")).await.unwrap();
    assert!(matches!(
        refusal(&place, None).await,
        StoreError::Tamper { ordinal: 1, source: Tamper::Commit(_) }
    ));
}

#[tokio::test]
async fn every_changed_or_missing_byte_of_a_commit_is_noticed() {
    let place = written(2).await;
    let file = place.file(&commit(1));
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&file, &changed).unwrap();
        assert!(matches!(refusal(&place, None).await, StoreError::Tamper { ordinal: 1, .. }), "byte {at}");
    }
    for length in [0, 1, 39, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert!(
            matches!(refusal(&place, None).await, StoreError::Tamper { ordinal: 1, .. }),
            "length {length}"
        );
    }
}

#[tokio::test]
async fn another_key_and_another_origin_are_refused() {
    let place = written(1).await;
    let store = place.store().await;
    let open = async |origin: &str, signer: Signer| {
        Log::open(&store, origin, signer, None, &mut |_, _| Ok(())).await.map(|_| ()).unwrap_err()
    };
    let other = Signer::new(ORIGIN, &[8; 32]).unwrap();
    assert!(matches!(open(ORIGIN, other).await, StoreError::Tamper { ordinal: 0, .. }));
    assert!(matches!(open("test.example/other", signer()).await, StoreError::Tamper { ordinal: 0, .. }));
}

#[tokio::test]
async fn a_store_that_was_rolled_back_is_noticed_with_a_head_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let memory = || Some(HeadFile::new(folder.path().join("head")));
    let place = written(4).await;
    Writer::open(&place.store().await, memory()).await.unwrap();
    fs::remove_file(place.file(&commit(3))).unwrap();
    let error = refusal(&place, memory()).await;
    assert!(matches!(&error, StoreError::Rollback { remembered } if remembered.ordinal == 3), "{error:?}");
    assert!(error.to_string().contains("hint:"));
    assert!(Writer::open(&place.store().await, None).await.is_ok(), "a shorter log looks whole");

    // grown again beyond the head that was seen, but with another history
    let mut writer = Writer::open(&place.store().await, None).await.unwrap();
    writer.append(&[77]).await.unwrap();
    writer.append(&[78]).await.unwrap();
    assert!(matches!(refusal(&place, memory()).await, StoreError::Rollback { .. }));
    for ordinal in 0..5 {
        fs::remove_file(place.file(&commit(ordinal))).unwrap();
    }
    assert!(matches!(refusal(&place, memory()).await, StoreError::Rollback { .. }), "an empty store as well");
}

#[tokio::test]
async fn a_head_file_that_cannot_be_written_does_not_undo_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(Kind::Memory).await;
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let memory = HeadFile::new(inner.join("head"));
    let mut writer = Writer::open(&place.store().await, Some(memory)).await.unwrap();
    fs::remove_dir(&inner).unwrap();
    let appended = writer.append(&[1]).await.unwrap();
    assert!(matches!(appended.forgotten, Some(StoreError::HeadFile { .. })));
    assert_eq!(place.tokens().await, [1]);
}

#[tokio::test]
async fn a_log_found_broken_while_writing_is_written_no_more() {
    let place = written(1).await;
    let mut writer = Writer::open(&place.store().await, None).await.unwrap();
    place.objects.create(&commit(1), bytes("forged")).await.unwrap();
    let error = writer.append(&[5]).await.unwrap_err();
    assert!(matches!(error, StoreError::Tamper { ordinal: 1, .. }) && error.written() == Written::No);
    fs::remove_file(place.file(&commit(1))).unwrap();
    assert!(matches!(writer.append(&[5]).await, Err(StoreError::Halted { ordinal: 1 })));
    assert!(matches!(writer.sync().await, Err(StoreError::Halted { .. })));
    assert_eq!(place.tokens().await, [0]);
}

#[tokio::test]
async fn a_reader_that_refuses_a_commit_halts_the_log() {
    let place = written(1).await;
    let store = place.store().await;
    let mut log = Log::open(&store, ORIGIN, signer(), None, &mut |_, _| Ok(())).await.unwrap();
    let error = log.append(&super::beats(&[1]), Vec::new(), &mut |_, _| Err("no".into())).await.unwrap_err();
    assert!(matches!(error, StoreError::Reader { ordinal: 1, .. }) && error.written() == Written::Yes);
    let error = log.append(&super::beats(&[1]), Vec::new(), &mut |_, _| Ok(())).await.unwrap_err();
    assert!(matches!(error, StoreError::Halted { .. }));
    assert_eq!(place.tokens().await, [0, 1]);
}

#[tokio::test]
async fn what_a_killed_write_leaves_in_a_folder_is_harmless() {
    let place = written(2).await;
    fs::write(place.file("v1/commit/000000000002#1"), b"torn").unwrap();
    let mut writer = Writer::open(&place.store().await, None).await.unwrap();
    writer.append(&[2]).await.unwrap();
    assert_eq!(place.tokens().await, [0, 1, 2]);
}
