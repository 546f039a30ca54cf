//! The log rewritten: by somebody without the key, with another key, and by the operator, who has it.

use std::collections::BTreeSet;

use observance_record::{Root, checkpoint::Checkpoint, json, merkle::leaf_hash, tile};
use observance_verify::{Conclusion, Trust};
use serde_json::{Value, json};

use super::{
    fails,
    forger::{Forged, ORIGIN, bundle, keyed, pinned, rogue, said, signer},
    holds,
};
use crate::support::golden;

/// The real log's bytes, and its notes as they were signed.
fn real() -> (Forged, Vec<Vec<u8>>, Vec<String>, String) {
    let real = bundle();
    let entries = real.entries.iter().map(|entry| json::to_canonical(entry).unwrap()).collect();
    let notes = (0..real.heads.len()).map(|head| String::from_utf8(real.note(head)).unwrap()).collect();
    let vkey = real.vkey();
    (real, entries, notes, vkey)
}

#[test]
fn an_entry_deleted() {
    let (mut forged, mut entries, notes, vkey) = real();
    let path = "data/log/tile/entries/000";
    let mut few: Vec<Vec<u8>> = entries[..256].to_vec();
    few.remove(40);
    *forged.log_file(path) = tile::bundle(few.iter().map(Vec::as_slice)).unwrap();
    fails(&said(&forged.files(), &keyed(), false), "entries", "holds 255 entries, not 256");

    entries.remove(40);
    forged.write_notes(&entries, &notes, &vkey);
    fails(&said(&forged.files(), &keyed(), false), "bag", "is missing");
    forged.write(&entries, &signer());
    fails(&said(&forged.files(), &keyed(), false), "ledger", "says that it is entry 41");
}

#[test]
fn entries_reordered() {
    let (mut forged, mut entries, notes, vkey) = real();
    entries.swap(40, 41);
    forged.write_notes(&entries, &notes, &vkey);
    fails(&said(&forged.files(), &keyed(), false), "checkpoint", "one of them was changed");
    forged.write(&entries, &signer());
    fails(&said(&forged.files(), &keyed(), false), "ledger", "says that it is entry 41");
}

#[test]
fn an_entry_edited() {
    let (mut forged, mut entries, notes, vkey) = real();
    let seq = *forged.of("run").last().unwrap();
    forged.body(seq)["requests"] = 1.into();
    let at = usize::try_from(seq).unwrap();
    entries[at] = json::to_canonical(&forged.entries[at]).unwrap();
    forged.write_notes(&entries, &notes, &vkey);
    fails(&said(&forged.files(), &keyed(), false), "checkpoint", "one of them was changed");
}

#[test]
fn an_entry_edited_and_its_tiles_left() {
    let (mut forged, mut entries, ..) = real();
    entries[3] = entries[4].clone();
    let bundled = tile::bundle(entries[..256].iter().map(Vec::as_slice)).unwrap();
    *forged.log_file("data/log/tile/entries/000") = bundled;
    fails(&said(&forged.files(), &keyed(), false), "checkpoint", "one of them was changed");
    let mut forged = bundle();
    forged.log_file("data/log/tile/0/000")[0] ^= 1;
    fails(&said(&forged.files(), &keyed(), false), "entries", "is not the tile of these entries");
}

#[test]
fn an_older_time() {
    let mut forged = bundle();
    forged.entries[40]["t"] = "2026-01-01T00:00:00.000Z".into();
    forged.entries[39]["t"] = "2026-01-02T00:00:00.000Z".into();
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "ledger", "is older than the entry before it");
}

#[test]
fn the_tail_cut() {
    let mut forged = bundle();
    let end = forged.heads.len() - 60;
    forged.cut(end);
    let report = said(&forged.files(), &keyed(), false);
    holds(&report);
    golden::check("museum/tail-cut.txt", report.text().as_bytes());
    fails(&said(&forged.files(), &pinned(), false), "pin", "its tail was cut");
}

#[test]
fn a_key_that_nobody_trusts() {
    let mut forged = bundle();
    forged.sign(&rogue());
    fails(&said(&forged.files(), &Trust::default(), false), "checkpoint", "head 0");
    forged.body(0)["vkey"] = rogue().verifier().to_string().into();
    forged.sign(&rogue());
    let report = said(&forged.files(), &Trust::default(), false);
    holds(&report);
    golden::check("museum/key-from-inside.txt", report.text().as_bytes());
    fails(&said(&forged.files(), &keyed(), false), "key", "not by the key that was given");
}

#[test]
fn a_second_log_kept_from_the_start() {
    let mut forged = bundle();
    forged.body(0)["estate"] = "another.example".into();
    forged.sign(&signer());
    let report = said(&forged.files(), &keyed(), false);
    holds(&report);
    golden::check("museum/second-log.txt", report.text().as_bytes());
    fails(&said(&forged.files(), &pinned(), false), "pin", "there are two logs");
}

#[test]
fn pins_that_are_none() {
    let files = bundle().files();
    let pin = |note: String| Trust { pins: vec![("pin".to_owned(), note.into_bytes())], ..keyed() };
    let head =
        |origin: &str, size| Checkpoint { origin: origin.to_owned(), size, root: Root::from_bytes([0; 32]) };
    let other = head(ORIGIN, 5).sign(&rogue());
    fails(&said(&files, &pin(other), false), "pin", "is not a head signed by this log's key");
    let garbage = said(&files, &pin("garbage".to_owned()), false);
    assert_eq!(
        garbage.conclusion,
        Conclusion::Unchecked,
        "the auditor's own file is at fault, not the bundle"
    );
    fails(&said(&files, &pin(head(ORIGIN, u64::MAX).sign(&signer())), false), "pin", "its tail was cut");
    fails(&said(&files, &pin(head(ORIGIN, 0).sign(&signer())), false), "pin", "there are two logs");
}

#[test]
fn a_head_that_claims_too_much() {
    let claim = |size| {
        let head = Checkpoint { origin: ORIGIN.to_owned(), size, root: Root::from_bytes([0; 32]) };
        head.sign(&signer()).into_bytes()
    };
    for size in [1 << 20, 1 << 62, u64::MAX] {
        let mut forged = bundle();
        *forged.log_file("data/log/checkpoint") = claim(size);
        fails(&said(&forged.files(), &keyed(), false), "bag", "is missing");
        let mut forged = bundle();
        let more = tile::bundle([claim(size).as_slice()]).unwrap();
        forged.log_file("data/log/checkpoints").extend(more);
        fails(&said(&forged.files(), &keyed(), false), "checkpoint", "beyond the entries");
    }
}

#[test]
fn a_head_left_out() {
    let (mut forged, entries, mut notes, vkey) = real();
    let closing = notes.pop().unwrap();
    forged.write_notes(&entries, &notes, &vkey);
    *forged.log_file("data/log/checkpoint") = closing.into_bytes();
    fails(&said(&forged.files(), &keyed(), false), "checkpoint", "no head covers the last entries");
    let mut forged = bundle();
    *forged.log_file("data/log/checkpoints") = Vec::new();
    fails(&said(&forged.files(), &keyed(), false), "checkpoint", "");
}

#[test]
fn another_vkey_beside_the_log() {
    let mut forged = bundle();
    *forged.log_file("data/log/vkey") = format!("{}\n", rogue().verifier()).into_bytes();
    fails(&said(&forged.files(), &keyed(), false), "key", "is not the key that the genesis names");
}

#[test]
fn a_slot_removed() {
    let mut forged = bundle();
    let run = *forged.runs("members").last().unwrap();
    forged.drop(&BTreeSet::from([run, run + 1]));
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "promises", "a slot of github.members");
}

#[test]
fn a_drift_that_says_something_else() {
    let mut forged = bundle();
    let drift = forged.of("drift")[0];
    let fails_n = forged.entry(drift)["body"]["fails_n"].as_u64().unwrap();
    forged.body(drift)["fails_n"] = (fails_n + 1).into();
    forged.sign(&signer());
    let report = said(&forged.files(), &keyed(), false);
    fails(&report, "ledger", "a drift that its newest verdict does not show");
}

#[test]
fn a_drift_left_out_with_its_alert() {
    let mut forged = bundle();
    let drift = forged.of("drift")[0];
    let told = |forged: &Forged, kind: &str, key: &str| {
        let all = forged.of(kind).into_iter();
        all.filter(|seq| forged.entry(*seq)["body"][key].as_u64() == Some(drift)).collect::<Vec<_>>()
    };
    let mut gone = BTreeSet::from([drift]);
    gone.extend(told(&forged, "alert", "id"));
    gone.extend(told(&forged, "notice", "alert"));
    forged.drop(&gone);
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "ledger", "and no drift says so");
}

#[test]
fn a_gap_removed() {
    let mut forged = bundle();
    let gap = forged.of("gap")[0];
    forged.drop(&BTreeSet::from([gap]));
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "promises", "a slot of github.branch_rules");
}

#[test]
fn a_schedule_that_is_no_longer_promised() {
    let mut forged = bundle();
    let since = "2026-01-08T00:00:00.000Z";
    let is_late = |forged: &Forged, seq: &u64| forged.entry(*seq)["t"].as_str().unwrap() >= since;
    let promises = forged.of("slots").into_iter().filter(|seq| is_late(&forged, seq));
    for seq in promises.collect::<Vec<_>>() {
        forged.body(seq)["due"].as_object_mut().unwrap().remove("github.members");
    }
    let answered = unpromised(&forged);
    let gone = forged
        .runs("members")
        .into_iter()
        .filter(|seq| answered.contains(seq))
        .flat_map(|run| [run, run + 1]);
    let gone: BTreeSet<u64> = gone.collect();
    assert!(!gone.is_empty());
    forged.drop(&gone);
    forged.sign(&signer());
    fails(
        &said(&forged.files(), &keyed(), false),
        "promises",
        "schedule github.members: promised no slot after",
    );
}

/// Runs of members whose slot stands in no promise.
fn unpromised(forged: &Forged) -> BTreeSet<u64> {
    let mut promised = BTreeSet::new();
    for seq in forged.of("slots") {
        let due = &forged.entry(seq)["body"]["due"]["github.members"];
        for run in due.as_array().into_iter().flatten() {
            let [first, step, n] = [0, 1, 2].map(|i| run[i].as_i64().unwrap());
            promised.extend((0..n).map(|i| observance_record::Instant::from_s(first + i * step).to_string()));
        }
    }
    let is_promised = |seq: &u64| promised.contains(forged.entry(*seq)["body"]["due"].as_str().unwrap());
    forged.runs("members").into_iter().filter(|seq| !is_promised(seq)).collect()
}

#[test]
fn a_slot_answered_twice() {
    let mut forged = bundle();
    let runs = forged.runs("members");
    let due = forged.entry(runs[0])["body"]["due"].clone();
    forged.body(runs[1])["due"] = due;
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "ledger", "never promised or is answered already");
}

#[test]
fn a_verdict_left_out() {
    let mut forged = bundle();
    let run = *forged.runs("members").last().unwrap();
    forged.drop(&BTreeSet::from([run + 1]));
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "verdicts", "is a run without a verdict right after it");
}

/// The newest verdict on a run of changes that has a list of its own.
fn last_list(forged: &Forged) -> u64 {
    let verdicts = forged.runs("changes").into_iter().map(|run| run + 1);
    verdicts.filter(|seq| !forged.entry(*seq)["body"]["list"].is_null()).last().unwrap()
}

fn list(forged: &mut Forged, seq: u64) -> &mut Vec<Value> {
    forged.body(seq)["list"].as_array_mut().unwrap()
}

#[test]
fn a_policy_left_out_of_a_verdict() {
    let mut forged = bundle();
    let seq = last_list(&forged);
    list(&mut forged, seq).retain(|said| said["policy"] != "GH-08");
    let run = seq - 1;
    forged.payload.remove(&format!("data/runs/{run:012}/GH-08.results"));
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "verdicts", "a run on which GH-08 says nothing");
}

#[test]
fn a_population_left_out_of_a_run() {
    let mut forged = bundle();
    let run = *forged.runs("members").last().unwrap();
    forged.body(run)["populations"] = json!([]);
    forged.body(run + 1).as_object_mut().unwrap().remove("same");
    forged.body(run + 1)["list"] = json!([]);
    forged.payload.retain(|path, _| !path.starts_with(&format!("data/runs/{run:012}/members.")));
    forged.payload.remove(&format!("data/runs/{run:012}/GH-01.results"));
    forged.sign(&signer());
    fails(
        &said(&forged.files(), &keyed(), false),
        "tables",
        "says nothing of members, which its collector yields",
    );
}

#[test]
fn verdict_counts_altered() {
    let mut forged = bundle();
    let seq = last_list(&forged);
    let policy = &mut list(&mut forged, seq)[0];
    policy["passed"] = (policy["passed"].as_u64().unwrap() + 1).into();
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "ledger", "its results have");
}

#[test]
fn flips_altered() {
    let mut forged = bundle();
    let seq = last_list(&forged);
    list(&mut forged, seq)[0]["flips"] = 7.into();
    forged.sign(&signer());
    fails(&said(&forged.files(), &keyed(), false), "ledger", "says that 7 items flipped");
}

#[test]
fn kinds_that_nobody_knows() {
    let with = |kind: &str, v: u64| {
        let mut forged = bundle();
        let last = forged.entries.last().unwrap().clone();
        let seq = forged.entries.len();
        forged.entries.push(json!({
            "body": {}, "by": last["by"], "kind": kind, "seq": seq, "t": last["t"], "v": v,
        }));
        forged.heads.push(u64::try_from(seq).unwrap() + 1);
        forged.sign(&signer());
        said(&forged.files(), &keyed(), false)
    };
    for (kind, v) in [("future", 1), ("run", 2), ("xy", 1)] {
        let report = with(kind, v);
        assert_eq!(report.conclusion, Conclusion::Unchecked, "{}", report.text());
        assert!(report.text().contains("no conclusion can be drawn"), "{}", report.text());
    }
    holds(&with("x.note", 1));
}

#[test]
fn keys_that_come_twice() {
    let (mut forged, mut entries, ..) = real();
    let text = String::from_utf8(entries[40].clone()).unwrap();
    entries[40] = text.replacen("\"by\":", "\"by\":1,\"by\":", 1).into_bytes();
    forged.write(&entries, &signer());
    fails(&said(&forged.files(), &keyed(), false), "entries", "entry 40");
    let (mut forged, mut entries, ..) = real();
    entries[40].push(b' ');
    forged.write(&entries, &signer());
    fails(&said(&forged.files(), &keyed(), false), "entries", "entry 40");
    assert_ne!(leaf_hash(&entries[40]), leaf_hash(&real().1[40]));
}
