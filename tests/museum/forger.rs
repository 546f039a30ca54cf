//! What a forger can do to a bundle: change any file, make the manifests anew, and, who has the key, sign any log again.
//!
//! It keeps a bundle in memory. Everything that it makes is well formed; what is refused is refused for what it says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::OnceLock,
};

use observance::{chance::Chance, key::Keys};
use observance_record::{
    Digest,
    checkpoint::Checkpoint,
    item::SaltKey,
    json,
    merkle::{Compact, leaf_hash},
    note::Signer,
    tile,
};
use observance_verify::{Failure, Files as Source, Report, Trust, verify};
use serde_json::Value;

use crate::{
    demo::{self, SEED, Shown},
    support::mini::{Files, bag, tiles},
};

pub(super) const ORIGIN: &str = "acme.example/demo";

/// Ten days of the demonstration: long enough for drift, alerts, a kill and its gap.
pub(crate) fn real() -> &'static Shown {
    static SHOWN: OnceLock<Shown> = OnceLock::new();
    SHOWN.get_or_init(|| demo::live("demo-ten-days", 10))
}

/// The demonstration's keys: its chance is seeded, and they are the first that it draws.
pub(super) fn keys() -> Keys {
    Keys::generate(&Chance::seeded(SEED)).unwrap()
}

/// The key that signed the real log.
pub(super) fn signer() -> Signer {
    Signer::new(ORIGIN, keys().signing_seed()).unwrap()
}

/// A key that nobody trusts, of the same name.
pub(super) fn rogue() -> Signer {
    Signer::new(ORIGIN, &[0x66; 32]).unwrap()
}

pub(super) fn salts() -> SaltKey {
    keys().salt_key(keys().epoch()).unwrap()
}

/// A bundle that is being forged: its payload, and its log taken apart.
#[derive(Clone)]
pub(super) struct Forged {
    /// What lies under `data/`, without the log.
    pub(super) payload: Files,
    pub(super) entries: Vec<Value>,
    /// Sizes of the signed heads.
    pub(super) heads: Vec<u64>,
    /// The log's files as they are, until the log is written anew.
    log: Files,
}

/// The real bundle.
pub(super) fn bundle() -> Forged {
    static READ: OnceLock<Forged> = OnceLock::new();
    READ.get_or_init(|| Forged::read(&real().bundle)).clone()
}

impl Forged {
    fn read(folder: &Path) -> Self {
        let mut payload = Files::new();
        collect(&folder.join("data"), "data", &mut payload);
        let log: Files = payload.iter().filter(|(path, _)| path.starts_with("data/log/")).map(own).collect();
        payload.retain(|path, _| !path.starts_with("data/log/"));
        let notes = tile::unbundle(&log["data/log/checkpoints"]).unwrap();
        let key = signer().verifier();
        let heads: Vec<u64> = notes
            .iter()
            .map(|note| Checkpoint::open(note, std::slice::from_ref(&key)).unwrap().size)
            .collect();
        let mut entries = Vec::new();
        let size = *heads.last().unwrap();
        for n in 0..size.div_ceil(tile::WIDTH) {
            let width = (size - n * tile::WIDTH).min(tile::WIDTH);
            let bundled = &log[&format!("data/log/{}", tile::entries_path(n, width))];
            let read = |entry: &&[u8]| serde_json::from_slice::<Value>(entry).unwrap();
            entries.extend(tile::unbundle(bundled).unwrap().iter().map(read));
        }
        Self { payload, entries, heads, log }
    }

    /// The bundle with manifests made anew; the log's files as they are.
    pub(super) fn files(&self) -> Files {
        let mut payload = self.payload.clone();
        payload.extend(self.log.iter().map(own));
        bag(payload)
    }

    /// A file of the log, to be changed.
    pub(super) fn log_file(&mut self, path: &str) -> &mut Vec<u8> {
        self.log.get_mut(path).unwrap_or_else(|| panic!("{path}"))
    }

    /// The note of a head.
    pub(super) fn note(&self, head: usize) -> Vec<u8> {
        tile::unbundle(&self.log["data/log/checkpoints"]).unwrap()[head].to_vec()
    }

    /// Writes the log anew from its entries, every head signed by this key.
    pub(super) fn sign(&mut self, signer: &Signer) {
        let entries: Vec<Vec<u8>> =
            self.entries.iter().map(|entry| json::to_canonical(entry).unwrap()).collect();
        self.write(&entries, signer);
    }

    /// The same, from entries as bytes.
    pub(super) fn write(&mut self, entries: &[Vec<u8>], signer: &Signer) {
        let (mut tree, mut notes) = (Compact::new(), Vec::new());
        for (seq, entry) in (1_u64..).zip(entries) {
            tree.push(leaf_hash(entry));
            if self.heads.contains(&seq) {
                let head = Checkpoint { origin: ORIGIN.to_owned(), size: tree.size(), root: tree.root() };
                notes.push(head.sign(signer));
            }
        }
        self.write_notes(entries, &notes, &self.vkey());
    }

    /// Writes the log anew with these notes.
    pub(super) fn write_notes(&mut self, entries: &[Vec<u8>], notes: &[String], vkey: &str) {
        self.log = tiles(entries);
        let last = notes.last().unwrap().clone().into_bytes();
        self.log.insert("data/log/checkpoint".to_owned(), last);
        let all = tile::bundle(notes.iter().map(String::as_bytes)).unwrap();
        self.log.insert("data/log/checkpoints".to_owned(), all);
        self.log.insert("data/log/vkey".to_owned(), format!("{vkey}\n").into_bytes());
    }

    /// The key that the genesis names.
    pub(super) fn vkey(&self) -> String {
        self.entries[0]["body"]["vkey"].as_str().unwrap().to_owned()
    }

    /// Entries of a kind, by seq.
    pub(super) fn of(&self, kind: &str) -> Vec<u64> {
        let numbered = (0_u64..).zip(&self.entries);
        numbered.filter(|(_, entry)| entry["kind"] == kind).map(|(seq, _)| seq).collect()
    }

    pub(super) fn entry(&self, seq: u64) -> &Value {
        &self.entries[place(seq)]
    }

    pub(super) fn body(&mut self, seq: u64) -> &mut Value {
        &mut self.entries[place(seq)]["body"]
    }

    /// Runs of a collector by the population that it yields first, by seq.
    pub(super) fn runs(&self, population: &str) -> Vec<u64> {
        let seen = |seq: &u64| self.entry(*seq)["body"]["populations"][0]["name"] == population;
        self.of("run").into_iter().filter(seen).collect()
    }

    /// Leaves entries out, with what lies beside them, and numbers the rest anew. Nothing that stays may name them.
    pub(super) fn drop(&mut self, gone: &BTreeSet<u64>) {
        let mut places = BTreeMap::new();
        let numbered: Vec<(u64, Value)> = (0..).zip(std::mem::take(&mut self.entries)).collect();
        for (seq, entry) in numbered.into_iter().filter(|(seq, _)| !gone.contains(seq)) {
            places.insert(seq, u64::try_from(self.entries.len()).unwrap());
            self.entries.push(entry);
        }
        for entry in &mut self.entries {
            renumber(entry, &places);
        }
        let stays = |size: u64| u64::try_from(places.range(..size).count()).unwrap();
        self.heads =
            self.heads.iter().map(|size| stays(*size)).collect::<BTreeSet<_>>().into_iter().collect();
        self.payload = std::mem::take(&mut self.payload)
            .into_iter()
            .filter_map(|(path, bytes)| Some((moved(&path, &places)?, bytes)))
            .collect();
        self.forget_unbound();
    }

    /// Cuts the tail after a head, which stays signed as it is.
    pub(super) fn cut(&mut self, head: usize) {
        let size = self.heads[head];
        let notes: Vec<String> = (0..=head).map(|head| String::from_utf8(self.note(head)).unwrap()).collect();
        self.heads.truncate(head + 1);
        self.entries.truncate(place(size));
        let stays: BTreeMap<u64, u64> = (0..size).map(|seq| (seq, seq)).collect();
        self.payload.retain(|path, _| moved(path, &stays).is_some());
        self.forget_unbound();
        let entries: Vec<Vec<u8>> =
            self.entries.iter().map(|entry| json::to_canonical(entry).unwrap()).collect();
        self.write_notes(&entries, &notes, &self.vkey());
    }

    /// Removes bodies that no exchange names any more, and views.
    fn forget_unbound(&mut self) {
        let tables = self.payload.iter().filter(|(path, _)| path.ends_with("/exchange.table"));
        let named: Vec<u8> = tables.flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        let named = String::from_utf8_lossy(&named).into_owned();
        let digests: BTreeSet<&str> =
            named.split("sha256:").skip(1).filter_map(|rest| rest.get(..64)).collect();
        self.payload.retain(|path, _| match path.strip_prefix("data/artefacts/") {
            Some(path) => digests.contains(&path[3..]),
            None => !path.starts_with("data/views/"),
        });
    }
}

fn own((path, bytes): (&String, &Vec<u8>)) -> (String, Vec<u8>) {
    (path.clone(), bytes.clone())
}

fn place(seq: u64) -> usize {
    usize::try_from(seq).unwrap()
}

/// Where a file lies that belongs to an entry, after entries moved; `None` if its entry is gone.
fn moved(path: &str, places: &BTreeMap<u64, u64>) -> Option<String> {
    for folder in ["data/runs/", "data/sealed/"] {
        if let Some((seq, name)) = path.strip_prefix(folder).and_then(|rest| rest.split_once('/')) {
            let seq = places.get(&seq.parse().unwrap())?;
            return Some(format!("{folder}{seq:012}/{name}"));
        }
    }
    Some(path.to_owned())
}

fn renumber(entry: &mut Value, places: &BTreeMap<u64, u64>) {
    let seen = |value: &mut Value| {
        if let Some(seq) = value.as_u64() {
            let moved = places.get(&seq).unwrap_or_else(|| panic!("entry {seq} is named and gone"));
            *value = (*moved).into();
        }
    };
    let kind = entry["kind"].as_str().unwrap().to_owned();
    for key in ["seq", "by"] {
        seen(&mut entry[key]);
    }
    let body = &mut entry["body"];
    let keys: &[&str] = match kind.as_str() {
        "verdict" => &["run", "same"],
        "drift" => &["verdict"],
        "alert" => &["id"],
        "notice" => &["alert"],
        "config" => &["before"],
        "start" => &["config"],
        _ => &[],
    };
    for key in keys {
        body.get_mut(*key).into_iter().for_each(seen);
    }
    if kind == "run" {
        body["exchanges"]["table"].get_mut("base").into_iter().for_each(seen);
        let populations = body["populations"].as_array_mut().unwrap();
        populations.iter_mut().filter_map(|seen| seen["table"].get_mut("base")).for_each(seen);
    }
    for said in body.get_mut("list").and_then(Value::as_array_mut).into_iter().flatten() {
        said.get_mut("results").into_iter().for_each(seen);
        let inputs = said.get_mut("inputs").and_then(Value::as_array_mut).into_iter().flatten();
        inputs.filter_map(|input| input.get_mut("run")).for_each(seen);
    }
}

fn collect(folder: &Path, prefix: &str, into: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &path, into);
        } else {
            into.insert(path, fs::read(entry.path()).unwrap());
        }
    }
}

/// Files in memory, as the verifier reads them.
struct Memory<'a>(&'a Files);

impl Source for Memory<'_> {
    fn list(&self) -> Result<Vec<String>, Failure> {
        Ok(self.0.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| format!("{path}: no such file"))
    }
}

/// What the verifier says of a bundle.
pub(super) fn said(files: &Files, trust: &Trust, replay: bool) -> Report {
    verify(&Memory(files), trust, replay)
}

/// The real log's key, brought from outside.
pub(super) fn keyed() -> Trust {
    Trust { key: Some(signer().verifier()), pins: Vec::new() }
}

/// The real log's closing head, kept from earlier.
pub(super) fn pinned() -> Trust {
    let closing = bundle().note(bundle().heads.len() - 1);
    Trust { key: Some(signer().verifier()), pins: vec![("closing".to_owned(), closing)] }
}

/// Makes the tag manifest fit again after tag files were changed.
pub(super) fn retag(files: &mut Files) {
    let tags =
        files.iter().filter(|(path, _)| !path.starts_with("data/") && *path != "tagmanifest-sha256.txt");
    let lines: String =
        tags.map(|(path, bytes)| format!("{}  {path}\n", Digest::of(bytes).to_hex())).collect();
    files.insert("tagmanifest-sha256.txt".to_owned(), lines.into_bytes());
}
