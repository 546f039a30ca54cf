//! What every store must do, and what becomes of one that does not.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures::FutureExt as _;
use observance::store::{
    Answer, Counted, Created, Fault, HeadFile, Log, Objects, PackPlace, Refusal, Safeguards, Sharing, Store,
    StoreError, Tamper, Tiles, Written, connect, pack_places,
};
use observance_record::{
    Digest, Instant,
    commit::Commit,
    entry::{Channel, Entry, Exchanges, PackRef, Privileges, Receipts, Run, RunResult, Trigger},
    table::TableRef,
    tile::{entries_path, tile_path, unbundle},
};

use super::{KINDS, Kind, ORIGIN, Place, Writer, bytes, clock, publish, signer};
use crate::support::s3::{S3Server, keys};

#[tokio::test]
async fn an_object_is_created_once_and_reads_back() {
    for kind in KINDS {
        let place = Place::new(kind).await;
        let (one, two) = (place.again(), place.again());
        assert_eq!(one.get("v1/a/1", 9).await.unwrap(), None, "{kind:?}");
        assert_eq!(one.create("v1/a/1", bytes("one")).await.unwrap(), Created::New);
        assert_eq!(two.create("v1/a/1", bytes("two")).await.unwrap(), Created::Taken);
        assert_eq!(two.get("v1/a/1", 3).await.unwrap(), Some(bytes("one")));
        assert!(matches!(two.get("v1/a/1", 2).await, Err(Fault::Large { found: 3, most: 2 })));
        assert_eq!(one.create("v1/a/empty", Bytes::new()).await.unwrap(), Created::New);
        assert_eq!(two.get("v1/a/empty", 3).await.unwrap(), Some(Bytes::new()));
    }
}

#[tokio::test]
async fn a_listing_begins_after_a_name_and_stays_in_its_folder() {
    for kind in KINDS {
        let place = Place::new(kind).await;
        assert!(place.objects.list("v1/a", None, 9).await.unwrap().is_empty(), "{kind:?}");
        for name in ["v1/a/1", "v1/a/2", "v1/a/3", "v1/b/4"] {
            place.objects.create(name, bytes("x")).await.unwrap();
        }
        let mut names = place.objects.list("v1/a", Some("v1/a/1"), 9).await.unwrap();
        names.sort();
        assert_eq!(names, ["v1/a/2", "v1/a/3"], "{kind:?}");
        assert_eq!(place.objects.list("v1/a", None, 2).await.unwrap().len(), 2);
        assert!(place.objects.list("v1/a", Some("v1/a/3"), 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn every_start_judges_the_store_alike_and_leaves_little() {
    for kind in KINDS {
        let place = Place::new(kind).await;
        let first = place.store().await.posture().clone();
        let second = place.store().await.posture().clone();
        assert_eq!(first, second, "{kind:?}");
        assert_eq!(
            (first.create_only.to_string(), first.reads_back.to_string()),
            ("yes".into(), "yes".into())
        );
        // s3s-fs answers a wrong checksum with 400 and keeps the body, and knows nothing of locks
        let (checksum, retention) = if kind == Kind::S3 { ("no", "unknown") } else { ("no", "no") };
        assert_eq!(
            (first.checksum.to_string(), first.retention.to_string()),
            (checksum.into(), retention.into())
        );
        assert!(place.objects.list("v1", None, 9).await.unwrap().len() <= 2);
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_not_retried_for_long() {
    let server = S3Server::start().await;
    let mut wrong = keys();
    wrong.secret_key = observance::secret::Secret::new("wrong".into());
    let objects = connect(&server.location("x").parse().unwrap(), Some(&wrong)).unwrap();
    assert!(matches!(objects.create("v1/a", bytes("x")).await, Err(Fault::Refused(_))));
    assert!(connect(&server.location("x").parse().unwrap(), None).is_err());
}

#[tokio::test]
async fn a_public_store_can_be_connected_to_over_tls() {
    // the client is made, roots and cryptography included; nothing is sent
    let location = "s3://acme-evidence/observance?region=eu-central-1".parse().unwrap();
    assert!(connect(&location, Some(&keys())).is_ok());
}

/// A store that ignores the condition, as one real server does.
#[derive(Debug, Default)]
struct Overwriting(std::sync::Mutex<std::collections::BTreeMap<String, Bytes>>);

impl Objects for Overwriting {
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created> {
        self.0.lock().unwrap().insert(name.to_owned(), bytes);
        async { Ok(Created::New) }.boxed()
    }

    fn get<'a>(&'a self, name: &'a str, _: u64) -> Answer<'a, Option<Bytes>> {
        let found = self.0.lock().unwrap().get(name).cloned();
        async { Ok(found) }.boxed()
    }

    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>> {
        let objects = self.0.lock().unwrap();
        let inside = |name: &&String| name.starts_with(folder) && Some(name.as_str()) > after;
        let names = objects.keys().filter(inside).take(names_max).cloned().collect();
        async { Ok(names) }.boxed()
    }

    fn safeguards(&self) -> Answer<'_, Safeguards> {
        use observance::store::Found::Unknown;
        async { Ok(Safeguards { backend: "s3", checksum: Unknown, retention: Unknown }) }.boxed()
    }
}

#[tokio::test]
async fn a_store_that_overwrites_is_not_shared() {
    let (clock, _busy) = clock();
    let objects: Arc<dyn Objects> = Arc::new(Overwriting::default());
    for _ in 0..2 {
        let refused = Store::prove(Arc::clone(&objects), Sharing::Shared, clock.clone()).await.unwrap_err();
        assert!(matches!(refused, StoreError::Overwrites { .. }) && refused.to_string().contains("hint:"));
    }
    // alone on it, nothing is overwritten either: a second writer that should not be there is found out
    let store = Store::prove(objects, Sharing::Exclusive, clock).await.unwrap();
    assert_eq!(store.posture().create_only.to_string(), "no");
    let (mut one, mut two) =
        (Writer::open(&store, None).await.unwrap(), Writer::open(&store, None).await.unwrap());
    one.append(&[1]).await.unwrap();
    two.append(&[2]).await.unwrap();
    assert_eq!(two.seen, [1, 2]);
}

#[tokio::test]
async fn a_log_reads_back_with_its_packs() {
    for kind in KINDS {
        let place = Place::new(kind).await;
        let folder = tempfile::tempdir().unwrap();
        let memory = || Some(HeadFile::new(folder.path().join("head")));
        let store = place.store().await;
        let mut writer = Writer::open(&store, memory()).await.unwrap();
        assert!(writer.log.head().is_none());
        let packs = vec![vec![1; 100], vec![2; (1 << 20) + 1]];
        let places = pack_places(packs.iter().map(Vec::len));
        assert_eq!(places, [PackPlace::Inline, PackPlace::Outside]);
        let first = writer.append_with(&[10, 11], packs.clone()).await.unwrap();
        assert_eq!((first.ordinal, first.first_seq, first.size), (0, 0, 2));
        let second = writer.append(&[12]).await.unwrap();
        assert_eq!((second.ordinal, second.first_seq, second.size), (1, 2, 3));
        assert_eq!(writer.seen, [10, 11, 12], "{kind:?}: our own commits are read, too");

        let reopened = Writer::open(&place.store().await, memory()).await.unwrap();
        assert_eq!(reopened.seen, [10, 11, 12]);
        assert_eq!(reopened.log.head(), writer.log.head());
        assert_eq!(memory().unwrap().read().unwrap(), writer.log.head());
        assert_eq!(reopened.log.pack(&Digest::of(&packs[1])).await.unwrap(), packs[1]);
        assert_eq!(reopened.log.commit(0).await.unwrap().unwrap().packs, packs[..1]);
        assert!(matches!(reopened.log.pack(&Digest::of(b"x")).await, Err(StoreError::PackMissing { .. })));
        assert!(reopened.log.commit(2).await.unwrap().is_none());
    }
}

/// A run that names one pack outside its commit and one inside.
fn run(seq: u64, t: Instant, outside: &[u8], inside: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let pack =
        |bytes: &[u8], inline| PackRef { sha256: Digest::of(bytes), bytes: bytes.len() as u64, inline };
    let root = observance_record::merkle::empty_root();
    let table = TableRef { n: 0, root, epoch: 1, base: None, put: 0, del: 0 };
    let body = Run {
        schedule: None,
        due: None,
        trigger: Trigger::Manual,
        started: t,
        ended: t,
        as_of: t,
        late_ms: 0,
        attempt: 1,
        collector: Digest::of(b""),
        source: "test".into(),
        result: RunResult::Complete,
        why: Vec::new(),
        exchanges: Exchanges { table, by: BTreeMap::new() },
        receipts: Receipts { n: 0, root, epoch: 1 },
        skew_ms: None,
        requests: 0,
        bytes: 0,
        privileges: Privileges::default(),
        windows: Vec::new(),
        channel: Channel::default(),
        populations: Vec::new(),
        packs: vec![pack(outside, false), pack(inside, true)],
    };
    Ok(vec![Entry { body: body.into(), by: 0, seq, t }.encode()?])
}

#[tokio::test]
async fn packs_that_a_run_names_come_with_its_commit() {
    let place = Place::new(Kind::Memory).await;
    let counted = Arc::new(Counted::new(place.again()));
    let store = Store::prove(Arc::clone(&counted) as _, Sharing::Shared, clock().0).await.unwrap();
    let mut log = Log::open(&store, ORIGIN, signer(), None, &mut |_, _| Ok(())).await.unwrap();
    let (outside, inside) = (vec![3; (1 << 20) + 1], vec![4; 9]);
    let draft = |seq, t| run(seq, t, &outside, &inside);
    let gets = counted.tally().gets;
    let mut seen = Vec::new();
    let mut reader = |commit: Commit, packs: Vec<Bytes>| {
        seen.push((commit.packs, packs));
        Ok(())
    };
    log.append(&draft, vec![outside.clone(), inside.clone()], &mut reader).await.unwrap();
    assert_eq!(counted.tally().gets, gets, "our own pack is not fetched again");
    Log::open(&store, ORIGIN, signer(), None, &mut reader).await.unwrap();
    let expected = (vec![inside.clone()], vec![Bytes::from(outside.clone())]);
    assert_eq!(seen, [expected.clone(), expected]);

    // a run that names a pack which does not travel would be refused by all readers, so it is not written
    let size = log.head().unwrap().size;
    for packs in [vec![inside.clone()], vec![outside.clone()], vec![vec![5; (1 << 20) + 1], inside.clone()]] {
        let error = log.append(&draft, packs, &mut |_, _| Ok(())).await.unwrap_err();
        assert!(matches!(error, StoreError::Commit { source: Tamper::Pack { .. }, .. }), "{error:?}");
        assert_eq!(error.written(), Written::No);
    }
    log.sync(&mut |_, _| Ok(())).await.unwrap();
    assert_eq!(log.head().unwrap().size, size);
}

#[tokio::test]
async fn a_pack_that_was_lost_or_changed_is_missed_by_every_reader() {
    for changed in [None, Some(b"other bytes")] {
        let place = Place::new(Kind::Folder).await;
        let store = place.store().await;
        let mut log = Log::open(&store, ORIGIN, signer(), None, &mut |_, _| Ok(())).await.unwrap();
        let (outside, inside) = (vec![3; (1 << 20) + 1], vec![4; 9]);
        let draft = |seq, t| run(seq, t, &outside, &inside);
        log.append(&draft, vec![outside.clone(), inside.clone()], &mut |_, _| Ok(())).await.unwrap();
        let file = place.file(&format!("v1/pack/{}", Digest::of(&outside).to_hex()));
        match changed {
            None => std::fs::remove_file(file).unwrap(),
            Some(bytes) => std::fs::write(file, bytes).unwrap(),
        }
        let opened = Log::open(&store, ORIGIN, signer(), None, &mut |_, _| Ok(())).await;
        assert!(matches!(opened, Err(StoreError::PackMissing { .. })), "{opened:?}");
    }
}

#[tokio::test]
async fn a_commit_is_one_put_and_a_start_few_calls() {
    let place = Place::new(Kind::Memory).await;
    let counted = Arc::new(Counted::new(place.again()));
    let store = Store::prove(Arc::clone(&counted) as _, Sharing::Shared, clock().0).await.unwrap();
    let mut writer = Writer::open(&store, None).await.unwrap();
    for token in 0..40 {
        let before = counted.tally();
        writer.append_with(&[token], vec![vec![0; 1000]]).await.unwrap();
        let after = counted.tally();
        assert_eq!((after.puts - before.puts, after.gets - before.gets, after.lists), (1, 0, before.lists));
    }
    let before = counted.tally();
    Writer::open(&store, None).await.unwrap();
    let after = counted.tally();
    // 40 commits, about twice the logarithm to find the end, one look beyond, one listing
    assert!(after.gets - before.gets <= 40 + 14, "{after:?}");
    assert_eq!((after.puts, after.lists - before.lists), (before.puts, 1));
}

#[tokio::test]
async fn tiles_are_made_once_and_hold_the_log() {
    let place = Place::new(Kind::Memory).await;
    let counted = Arc::new(Counted::new(place.again()));
    let store = Store::prove(Arc::clone(&counted) as _, Sharing::Shared, clock().0).await.unwrap();
    let mut writer = Writer::open(&store, None).await.unwrap();
    let mut tiles = Tiles::default();
    assert_eq!(publish(&mut tiles, 0, &store, &writer).await.unwrap(), 0);
    for batch in 0..9_u64 {
        let tokens: Vec<u64> = (batch * 100..(batch + 1) * 100).collect();
        writer.append(&tokens).await.unwrap();
        if batch == 4 {
            assert_eq!(publish(&mut tiles, 0, &store, &writer).await.unwrap(), 2);
        }
    }
    assert_eq!(publish(&mut tiles, 5, &store, &writer).await.unwrap(), 4, "900 entries fill three bundles");
    let puts = counted.tally().puts;
    let mut again = Tiles::resume(&store).await.unwrap();
    assert_eq!(publish(&mut again, 0, &store, &writer).await.unwrap(), 0, "somebody new finds them there");
    assert_eq!(counted.tally().puts, puts);

    let get = async |name: String| place.objects.get(&format!("v1/{name}"), 1 << 20).await.unwrap();
    let (bundle, hashes) =
        (get(entries_path(2, 256)).await.unwrap(), get(tile_path(0, 2, 256)).await.unwrap());
    let entries = unbundle(&bundle).unwrap();
    assert_eq!(entries.len(), 256);
    let expected: Vec<u8> = entries.iter().flat_map(|e| observance_record::merkle::leaf_hash(e)).collect();
    assert_eq!(hashes, expected);
    assert!(get(entries_path(3, 256)).await.is_none());
}

#[tokio::test]
async fn a_full_tile_of_full_tiles_makes_one_above() {
    let place = Place::new(Kind::Memory).await;
    let store = place.store().await;
    let mut writer = Writer::open(&store, None).await.unwrap();
    for batch in 0..256_u64 {
        let tokens: Vec<u64> = (batch * 256..(batch + 1) * 256).collect();
        writer.append(&tokens).await.unwrap();
    }
    assert_eq!(publish(&mut Tiles::default(), 0, &store, &writer).await.unwrap(), 256 * 2 + 1);
    let top = place.objects.get(&format!("v1/{}", tile_path(1, 0, 256)), 8192).await.unwrap().unwrap();
    let root = observance_record::merkle::root_of(top.chunks(32).map(|hash| hash.try_into().unwrap()));
    assert_eq!(root, writer.log.head().unwrap().root);
}
