//! A miniature log and its bundle, made with the record alone: three runs, three verdicts, a drift, an alert.
//!
//! It is not how the agent writes a log (that is `run` and `bundle`); it is the smallest thing a reader must understand.

use std::{collections::BTreeMap, fs, path::Path};

use observance_record::{
    Digest, Root,
    checkpoint::Checkpoint,
    commit::Commit,
    entry::{
        Alert, Body, Collector, Config, Drift, Entry, Exchanges, Heartbeat, PackRef, Policy, Population,
        Receipts, Run, Sealed, Verdict,
    },
    item::Salt,
    json,
    ledger::Artefacts,
    merkle::{Compact, Hash, leaf_hash},
    pack::{self, Artefact, Media, Role},
    population::{Membership, Outcome},
    results,
    table::{self, Change, Rows, TableRef},
    tile,
};

use super::samples::{self, ORIGIN, at, body, item_key, repositories, repository, salt_key, signer};

const HOUR_MS: i64 = 3_600_000;
/// Entries are written a quarter of an hour apart.
const ENTRY_MS: i64 = 900_000;
/// Heartbeats before the stop: enough to fill a tile.
const HEARTBEATS: usize = 300;
const CONFIG: &[u8] = b"organisation: { name: Acme }\n";
const COLLECTOR: &[u8] = b"id: github.branch_rules\n";
const REGO: &[u8] = b"package observance.gh_05\n";
const PARAMS: &[u8] = br#"{"approvals":1}"#;

/// Files of a bundle by their path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A log that was written, and what a bundle ships of it.
pub(crate) struct Mini {
    /// Commit objects, in order.
    pub(crate) commits: Vec<Vec<u8>>,
    /// Roots by `<seq>/<table>` or `<seq>/<policy>`, as the record computed them.
    pub(crate) roots: BTreeMap<String, Root>,
    /// Size and root of every checkpoint.
    pub(crate) heads: Vec<(u64, Root)>,
    /// Every entry's bytes.
    pub(crate) entries: Vec<Vec<u8>>,
    notes: Vec<String>,
    head: Compact,
    tables: BTreeMap<String, (u64, Rows)>,
    payload: Files,
}

/// The log of this module's first line.
pub(crate) fn mini() -> Mini {
    let mut log = Mini {
        commits: vec![],
        roots: BTreeMap::new(),
        heads: vec![],
        entries: vec![],
        notes: vec![],
        head: Compact::new(),
        tables: BTreeMap::new(),
        payload: Files::new(),
    };
    log.commit(vec![body("genesis"), body("start")], vec![]);
    log.declare();
    log.look(&repositories(1), 0, None);
    let mut fewer = repositories(0);
    fewer.remove(&repository("1003"));
    log.look(&fewer, 1, None);
    let alert =
        Alert { id: 11, route: "slack".into(), payload: log.sealed(12, "alert", b"DRIFT branch rules") };
    let Body::Drift(drift) = body("drift") else { panic!("a drift") };
    // every run reads the same window
    let (observed_from, observed_to) = (at(-6 * HOUR_MS), at(0));
    log.commit(
        vec![Drift { verdict: 10, observed_from, observed_to, ..*drift }.into(), alert.into()],
        vec![],
    );
    log.look(&fewer, 0, Some(10));
    for _ in 0..2 {
        let beat = || Heartbeat { last_size: log.head.size() }.into();
        let beats = (0..HEARTBEATS / 2).map(|_| beat()).collect();
        log.commit(beats, vec![]);
    }
    log.commit(vec![body("stop")], vec![]);
    log
}

impl Mini {
    /// Appends one commit.
    fn commit(&mut self, bodies: Vec<Body>, packs: Vec<Vec<u8>>) {
        let seqs = self.head.size()..;
        let encode = |(seq, body): (u64, Body)| {
            let entry = Entry { body, by: seq.min(1), seq, t: at(i64::try_from(seq).unwrap() * ENTRY_MS) };
            entry.encode().unwrap()
        };
        let entries: Vec<_> = seqs.zip(bodies).map(encode).collect();
        let ordinal = self.commits.len() as u64;
        let mut commit = Commit { ordinal, before: self.head.clone(), entries, note: vec![], packs };
        let after = commit.after();
        let head = Checkpoint { origin: ORIGIN.into(), size: after.size(), root: after.root() };
        let note = head.sign(&signer());
        commit.note = note.clone().into_bytes();
        commit.follows(ordinal, &self.head, ORIGIN, &[signer().verifier()]).unwrap();
        self.commits.push(commit.encode().unwrap());
        self.notes.push(note);
        self.entries.append(&mut commit.entries);
        self.heads.push((after.size(), after.root()));
        self.head = after;
    }

    /// Entries 2 to 6: what is in force, and the promise.
    fn declare(&mut self) {
        let meta = json::to_canonical(&serde_json::json!({
            "contract": 1, "files": { "gh_05.rego": Digest::of(REGO) }, "meta": { "id": "GH-05" },
        }));
        let meta = meta.unwrap();
        let (digest, params) = (Digest::of(&meta), Digest::of(PARAMS));
        let folder = format!("data/policies/{}", digest.to_hex());
        self.payload.insert(format!("{folder}/meta.json"), meta);
        self.payload.insert(format!("{folder}/gh_05.rego"), REGO.to_vec());
        self.payload.insert(format!("data/params/{}.json", params.to_hex()), PARAMS.to_vec());
        let collector = Digest::of(COLLECTOR);
        self.payload.insert(format!("data/collectors/{}.yaml", collector.to_hex()), COLLECTOR.to_vec());
        let (Body::Config(config), Body::Collector(reads), Body::Policy(policy)) =
            (body("config"), body("collector"), body("policy"))
        else {
            panic!("three declarations")
        };
        let config = Config { digest: self.sealed(2, "config", CONFIG), ..*config };
        let bodies = vec![
            config.into(),
            Collector { digest: collector, ..*reads }.into(),
            body("schedule"),
            Policy { digest, params, ..*policy }.into(),
            body("slots"),
        ];
        self.commit(bodies, vec![]);
    }

    /// A run that sees these repositories, and its verdict; `same` names an earlier one with the same list.
    fn look(&mut self, rows: &Rows, flips: u64, same: Option<u64>) {
        let seq = self.head.size();
        let page = Artefact::new(
            Role::Body,
            Media::Json,
            rows.values().flat_map(|row| row.iter().copied()).collect(),
        );
        let path = format!("data/artefacts/{}/{}", &page.digest().to_hex()[..2], page.digest().to_hex());
        self.payload.insert(path, page.bytes().to_vec());
        let run = self.run(seq, rows, &page);
        let list = same.is_none().then(|| {
            let Some(Body::Policy(policy)) = self.body(5) else { panic!("the policy") };
            let own = samples::policy_verdict(rows, flips);
            let said = results::encode(&samples::results(rows));
            self.payload.insert(format!("data/runs/{seq:012}/GH-05.results"), said);
            self.roots.insert(format!("{}/GH-05", seq + 1), own.root);
            vec![observance_record::entry::PolicyVerdict {
                digest: policy.digest,
                params: policy.params,
                ..own
            }]
        });
        let verdict = Verdict { run: seq, now: run.as_of, same, list, part: false };
        let pack = pack::encode(&[0x77; 32], &[page]).unwrap();
        let packs = vec![PackRef { sha256: Digest::of(&pack), bytes: pack.len() as u64, inline: true }];
        self.commit(vec![Run { packs, ..run }.into(), verdict.into()], vec![pack]);
    }

    fn body(&self, seq: usize) -> Option<Body> {
        self.entries.get(seq).map(|bytes| Entry::decode(bytes).unwrap().body)
    }

    fn run(&mut self, seq: u64, rows: &Rows, page: &Artefact) -> Run {
        let (Body::Run(run), Some(Body::Collector(collector))) = (body("run"), self.body(3)) else {
            panic!("a run")
        };
        // the runs answer the slots of the first three hours, in order
        let before = (0..self.entries.len()).filter(|seq| matches!(self.body(*seq), Some(Body::Run(_))));
        let due = at(i64::try_from(before.count()).unwrap() * HOUR_MS);
        let as_of = due.plus_ms(1500);
        // the bytes lie in the pack of the run that read them first
        let seen = self.tables.get("exchange").map(|(_, rows)| rows.clone());
        let exchange = item_key().item("exchange", "4242", "repositories\u{1f}acme\u{1f}1").unwrap();
        let digest = page.digest().to_string();
        let kept = seen.filter(|rows| String::from_utf8_lossy(&rows[&exchange]).contains(&digest));
        let row = serde_json::json!({
            "step": "repositories", "url": "/orgs/{org}/repos", "outcome": "present", "status": 200,
            "artefact": { "sha256": digest, "bytes": page.bytes().len(), "media": "application/json", "in": as_of },
        });
        let exchanges = kept.unwrap_or_else(|| Rows::from([(exchange, row.to_string().into_bytes().into())]));
        let table = self.table(seq, "exchange", &exchanges);
        let population = Population {
            table: self.table(seq, "repositories", rows),
            membership: Membership::Complete,
            why: vec![],
            in_scope: rows.len() as u64,
            ..run.populations[0].clone()
        };
        Run {
            due: Some(due),
            started: as_of,
            ended: as_of.plus_ms(900),
            as_of,
            collector: collector.digest,
            exchanges: Exchanges { table, by: BTreeMap::from([(Outcome::Present, 1)]) },
            receipts: self.receipts(seq),
            populations: vec![population],
            ..*run
        }
    }

    /// Stores what changed of a table, with its salts.
    fn table(&mut self, seq: u64, name: &str, rows: &Rows) -> TableRef {
        let (base, old) = match self.tables.get(name) {
            Some((base, old)) => (Some(*base), old.clone()),
            None => (None, Rows::new()),
        };
        let change = Change::between(&old, rows);
        let (put, del) = (change.put.len() as u64, change.del.len() as u64);
        if !change.is_empty() {
            self.payload.insert(format!("data/runs/{seq:012}/{name}.table"), change.encode());
            self.payload.insert(format!("data/runs/{seq:012}/{name}.salts"), salts(name, &change.put));
        }
        let root = table::root(name, rows, &salt_key());
        self.roots.insert(format!("{seq}/{name}"), root);
        self.tables.insert(name.to_owned(), (seq, rows.clone()));
        TableRef { n: rows.len() as u64, root, epoch: 1, base, put, del }
    }

    fn receipts(&mut self, seq: u64) -> Receipts {
        let lines = [
            format!(r#"{{"i":0,"at_ms":{seq},"took_ms":12,"skew_ms":3,"o":"present"}}"#),
            "{\"i\":1}".into(),
        ];
        let rows = table::lines(lines.iter().map(|line| line.clone().into_bytes()));
        let root = table::root("receipt", &rows, &salt_key());
        self.payload
            .insert(format!("data/runs/{seq:012}/receipts.jsonl"), (lines.join("\n") + "\n").into_bytes());
        self.payload.insert(format!("data/runs/{seq:012}/receipts.salts"), salts("receipt", &rows));
        self.roots.insert(format!("{seq}/receipt"), root);
        Receipts { n: rows.len() as u64, root, epoch: 1 }
    }

    fn sealed(&mut self, seq: u64, name: &str, row: &[u8]) -> Sealed {
        let rows = table::lines([row.to_vec()]);
        self.payload.insert(format!("data/sealed/{seq:012}/row"), row.to_vec());
        self.payload.insert(format!("data/sealed/{seq:012}/salt"), salts(name, &rows));
        let sealed = samples::sealed(name, row);
        self.roots.insert(format!("{seq}/{name}"), sealed.root);
        sealed
    }

    /// The bundle's payload: `data/...`, without its manifests.
    pub(crate) fn payload(&self) -> Files {
        let mut files = self.payload.clone();
        let notes = self.notes.iter().map(String::as_bytes);
        files.insert("data/log/checkpoints".into(), tile::bundle(notes).unwrap());
        files.insert("data/log/checkpoint".into(), self.notes.last().unwrap().clone().into_bytes());
        files.insert("data/log/vkey".into(), format!("{}\n", signer().verifier()).into_bytes());
        files.append(&mut tiles(&self.entries));
        files
    }
}

/// Reads stored changes and columns as a bundle ships them.
impl Artefacts for Mini {
    fn change(&self, run: u64, _which: Option<u16>, name: &str) -> Result<(Change, Vec<Salt>), String> {
        let file = |kind| self.payload.get(&format!("data/runs/{run:012}/{name}.{kind}")).ok_or("not there");
        let change = Change::decode(file("table")?).map_err(|e| e.to_string())?;
        Ok((change, file("salts")?.as_chunks().0.to_vec()))
    }

    fn column(&self, run: u64, _which: u16, policy: &str) -> Result<Vec<u8>, String> {
        Ok(self.payload.get(&format!("data/runs/{run:012}/{policy}.results")).ok_or("not there")?.clone())
    }
}

/// Entry bundles and hash tiles of a log.
pub(crate) fn tiles(entries: &[Vec<u8>]) -> Files {
    let mut files = Files::new();
    let mut hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    for (n, part) in (0..).zip(entries.chunks(256)) {
        let path = tile::entries_path(n, part.len() as u64);
        files.insert(format!("data/log/{path}"), tile::bundle(part.iter().map(Vec::as_slice)).unwrap());
    }
    for level in 0.. {
        for (n, part) in (0..).zip(hashes.chunks(256)) {
            let path = tile::tile_path(level, n, part.len() as u64);
            files.insert(format!("data/log/{path}"), tile::tile(part));
        }
        hashes = hashes.chunks_exact(256).map(tile::parent).collect();
        if hashes.is_empty() {
            break;
        }
    }
    files
}

/// A payload with its BagIt files.
pub(crate) fn bag(mut files: Files) -> Files {
    let bytes: usize = files.values().map(Vec::len).sum();
    let oxum = format!("Payload-Oxum: {bytes}.{}\n", files.len());
    let manifest = lines(&files);
    let tags = [
        ("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned()),
        ("bag-info.txt", oxum),
        ("manifest-sha256.txt", manifest),
        ("index.html", "<!doctype html>\n".into()),
        ("CHECK.md", "# How to check\n".into()),
    ];
    let tags: Files = tags.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
    let tagmanifest = lines(&tags).into_bytes();
    files.extend(tags);
    files.insert("tagmanifest-sha256.txt".into(), tagmanifest);
    files
}

fn lines(files: &Files) -> String {
    files.iter().map(|(path, bytes)| format!("{}  {path}\n", Digest::of(bytes).to_hex())).collect()
}

/// Writes files below a folder.
pub(crate) fn write(folder: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn salts(name: &str, rows: &Rows) -> Vec<u8> {
    let salt = |(item, row): (_, &table::RowBytes)| -> Salt { salt_key().salt(name, item, row) };
    rows.iter().flat_map(salt).collect()
}
