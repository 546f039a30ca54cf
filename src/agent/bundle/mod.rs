//! A bundle: the log with everything that its entries bind, as a BagIt folder that anybody can check offline.
//!
//! It reads no store and knows no source: commits and what their packs hold are handed in, in order. The same commits,
//! keys and version give the same bytes.

mod bag;
mod contents;
pub mod page;

use std::{collections::BTreeMap, path::Path};

use observance_record::{
    Digest, Instant, Root,
    commit::Commit,
    entry::{Alert, Body, Config, Entry, EntryError, Judged, Policy, Run, Verdict},
    item::SaltKey,
    merkle::{Hash, leaf_hash},
    pack::{Artefact, Role},
    table::{Change, TableError, TableRef, line_item},
    tile::{self, BundleError, WIDTH},
};

pub use self::bag::{BagError, Written};
use self::{bag::Bag, contents::Contents};

/// How to check a bundle by hand; it lies beside the page.
const CHECK: &str = include_str!("CHECK.md");

/// Why a bundle cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// A file cannot be written.
    #[error(transparent)]
    Bag(#[from] BagError),
    /// An entry of the log does not read.
    #[error("entry {seq} does not read")]
    Entry {
        /// Which.
        seq: u64,
        /// Why not.
        source: EntryError,
    },
    /// What an entry binds is not in the packs of its commit.
    #[error("the packs lack {what} of entry {seq}")]
    Lacking {
        /// What is lacking.
        what: String,
        /// The entry that binds it.
        seq: u64,
    },
    /// A stored table does not read.
    #[error("a table of entry {seq} does not read")]
    Table {
        /// The entry that binds it.
        seq: u64,
        /// Why not.
        source: TableError,
    },
    /// Entries cannot be framed.
    #[error(transparent)]
    Frame(#[from] BundleError),
    /// No commit was handed in.
    #[error("the log has no commit")]
    Empty,
}

/// What the page and the bag say of the bundle besides the log.
#[derive(Debug, Clone)]
pub struct Cover {
    /// The page `index.html`.
    pub page: String,
    /// Derived views by file name (`<period>.json`).
    pub views: BTreeMap<String, Vec<u8>>,
    /// The last instant that the bundle speaks about; the bag's date.
    pub at: Instant,
}

/// Builds a bundle commit by commit, into a folder that appears under its name only when it is whole.
pub struct Builder<'k> {
    salts: &'k SaltKey,
    bag: Bag,
    contents: Contents,
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    notes: Vec<Vec<u8>>,
    vkey: String,
}

impl<'k> Builder<'k> {
    /// A bundle that will lie at `dir`, which must not exist yet.
    pub fn create(dir: &Path, salts: &'k SaltKey) -> Result<Self, BundleFault> {
        Ok(Self {
            salts,
            bag: Bag::create(dir)?,
            contents: Contents::default(),
            entries: Vec::new(),
            leaves: Vec::new(),
            notes: Vec::new(),
            vkey: String::new(),
        })
    }

    /// Adds the next commit and what its packs hold.
    pub fn commit(&mut self, commit: &Commit, artefacts: &[Artefact]) -> Result<(), BundleFault> {
        self.contents.take(artefacts);
        let first = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        for ((seq, which), bytes) in (first..).zip(0_u16..).zip(&commit.entries) {
            let entry = Entry::decode(bytes).map_err(|source| BundleFault::Entry { seq, source })?;
            self.entry(&entry, which, artefacts)?;
            self.leaves.push(leaf_hash(bytes));
            self.entries.push(bytes.clone());
        }
        for artefact in artefacts.iter().filter(|artefact| artefact.role == Role::Body) {
            let hex = artefact.digest().to_hex();
            let prefix: String = hex.chars().take(2).collect();
            self.bag.put_once(&format!("data/artefacts/{prefix}/{hex}"), artefact.bytes())?;
        }
        self.notes.push(commit.note.clone());
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, which: u16, artefacts: &[Artefact]) -> Result<(), BundleFault> {
        match &entry.body {
            Body::Genesis(genesis) => self.vkey.clone_from(&genesis.vkey),
            Body::Run(run) => self.run(entry.seq, run, artefacts)?,
            Body::Verdict(verdict) => self.verdict(entry.seq, verdict, artefacts)?,
            Body::Policy(policy) if !policy.removed => self.policy(entry.seq, policy)?,
            Body::Collector(collector) if !collector.removed => {
                let path = format!("data/collectors/{}.yaml", collector.digest.to_hex());
                self.named(entry.seq, &path, collector.digest)?;
            }
            Body::Config(config) => self.config(entry.seq, config, which, artefacts)?,
            Body::Alert(alert) => self.alert(entry.seq, alert, which, artefacts)?,
            Body::Policy(_)
            | Body::Collector(_)
            | Body::Start(_)
            | Body::Stop(_)
            | Body::Schedule(_)
            | Body::Slots(_)
            | Body::Gap(_)
            | Body::Drift(_)
            | Body::Notice(_)
            | Body::PeriodOpen(_)
            | Body::PeriodClose(_)
            | Body::Posture(_)
            | Body::Hook(_)
            | Body::Export(_)
            | Body::Heartbeat(_)
            | Body::Foreign { .. } => {}
        }
        Ok(())
    }

    fn run(&mut self, seq: u64, run: &Run, artefacts: &[Artefact]) -> Result<(), BundleFault> {
        self.table(seq, "exchange", &run.exchanges.table, find(artefacts, Role::TableExchange, 0))?;
        for (which, population) in (0..).zip(&run.populations) {
            let stored = find(artefacts, Role::TablePopulation, which);
            self.table(seq, &population.name, &population.table, stored)?;
        }
        if run.receipts.n == 0 {
            return Ok(());
        }
        let stored = find(artefacts, Role::Receipts, 0).ok_or_else(|| lacking("the receipts", seq))?;
        let lines = stored.bytes().strip_suffix(b"\n").unwrap_or_else(|| stored.bytes());
        let salts = (0..).zip(lines.split(|byte| *byte == b'\n'));
        let salts: Vec<u8> =
            salts.flat_map(|(i, line)| self.salts.salt("receipt", &line_item(i), line)).collect();
        self.bag.put(&format!("{}/receipts.jsonl", run_dir(seq)), stored.bytes())?;
        self.bag.put(&format!("{}/receipts.salts", run_dir(seq)), &salts)?;
        Ok(())
    }

    fn table(
        &mut self,
        seq: u64,
        name: &str,
        bound: &TableRef,
        stored: Option<&Artefact>,
    ) -> Result<(), BundleFault> {
        if bound.put == 0 && bound.del == 0 {
            return Ok(());
        }
        let stored = stored.ok_or_else(|| lacking(&format!("table {name}"), seq))?;
        let change = Change::decode(stored.bytes()).map_err(|source| BundleFault::Table { seq, source })?;
        let salts: Vec<u8> =
            change.put.iter().flat_map(|(item, row)| self.salts.salt(name, item, row)).collect();
        self.bag.put(&format!("{}/{name}.table", run_dir(seq)), stored.bytes())?;
        self.bag.put(&format!("{}/{name}.salts", run_dir(seq)), &salts)?;
        Ok(())
    }

    fn verdict(&mut self, seq: u64, verdict: &Verdict, artefacts: &[Artefact]) -> Result<(), BundleFault> {
        let Some(list) = &verdict.list else { return Ok(()) };
        for (which, policy) in (0..).zip(list) {
            let stored_here = policy.judged == Judged::All && policy.results.is_none();
            if stored_here {
                let column = find(artefacts, Role::Results, which);
                let column =
                    column.ok_or_else(|| lacking(&format!("the results of {}", policy.policy), seq))?;
                let path = format!("{}/{}.results", run_dir(verdict.run), policy.policy);
                self.bag.put(&path, column.bytes())?;
            }
        }
        Ok(())
    }

    fn policy(&mut self, seq: u64, policy: &Policy) -> Result<(), BundleFault> {
        let dir = format!("data/policies/{}", policy.digest.to_hex());
        let files = self.contents.policy_files(policy.digest);
        for (name, digest) in files.ok_or_else(|| lacking(&format!("policy {}", policy.id), seq))? {
            self.named(seq, &format!("{dir}/{name}"), digest)?;
        }
        self.named(seq, &format!("{dir}/meta.json"), policy.digest)?;
        self.named(seq, &format!("data/params/{}.json", policy.params.to_hex()), policy.params)
    }

    fn named(&mut self, seq: u64, path: &str, digest: Digest) -> Result<(), BundleFault> {
        let bytes = self.contents.get(digest).ok_or_else(|| lacking(path, seq))?;
        Ok(self.bag.put_once(path, bytes)?)
    }

    fn config(
        &mut self,
        seq: u64,
        config: &Config,
        which: u16,
        from: &[Artefact],
    ) -> Result<(), BundleFault> {
        self.sealed(seq, ("config", &config.digest.root), find(from, Role::Config, which))
    }

    fn alert(&mut self, seq: u64, alert: &Alert, which: u16, from: &[Artefact]) -> Result<(), BundleFault> {
        self.sealed(seq, ("alert", &alert.payload.root), find(from, Role::Notification, which))
    }

    fn sealed(
        &mut self,
        seq: u64,
        (table, _root): (&str, &Root),
        stored: Option<&Artefact>,
    ) -> Result<(), BundleFault> {
        let row = stored.ok_or_else(|| lacking(table, seq))?.bytes();
        let salt = self.salts.salt(table, &line_item(0), row);
        self.bag.put(&format!("data/sealed/{seq:012}/row"), row)?;
        self.bag.put(&format!("data/sealed/{seq:012}/salt"), &salt)?;
        Ok(())
    }

    /// Writes the log, the cover and the manifests, and gives the folder its name.
    pub fn finish(mut self, cover: &Cover) -> Result<Written, BundleFault> {
        let closing = self.notes.last().ok_or(BundleFault::Empty)?.clone();
        self.bag.put("data/log/checkpoint", &closing)?;
        self.bag.put("data/log/checkpoints", &tile::bundle(self.notes.iter().map(Vec::as_slice))?)?;
        self.bag.put("data/log/vkey", format!("{}\n", self.vkey).as_bytes())?;
        self.tiles()?;
        for (name, view) in &cover.views {
            self.bag.put(&format!("data/views/{name}"), view)?;
        }
        self.bag.put("index.html", cover.page.as_bytes())?;
        self.bag.put("CHECK.md", CHECK.as_bytes())?;
        Ok(self.bag.finish(cover.at)?)
    }

    fn tiles(&mut self) -> Result<(), BundleFault> {
        let mut levels: BTreeMap<u8, Vec<Hash>> = BTreeMap::from([(0, std::mem::take(&mut self.leaves))]);
        let size = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        for (level, n, width) in tile::tiles_of(size) {
            let range = range(n, width);
            let hashes = levels.get(&level).and_then(|hashes| hashes.get(range.clone())).unwrap_or_default();
            self.bag.put(&format!("data/log/{}", tile::tile_path(level, n, width)), &tile::tile(hashes))?;
            if level == 0 {
                let entries = self.entries.get(range).unwrap_or_default().iter().map(Vec::as_slice);
                self.bag
                    .put(&format!("data/log/{}", tile::entries_path(n, width)), &tile::bundle(entries)?)?;
            }
            if width == WIDTH {
                let parent = tile::parent(hashes);
                levels.entry(level.saturating_add(1)).or_default().push(parent);
            }
        }
        Ok(())
    }
}

fn range(n: u64, width: u64) -> std::ops::Range<usize> {
    let from = usize::try_from(n.saturating_mul(WIDTH)).unwrap_or(usize::MAX);
    from..from.saturating_add(usize::try_from(width).unwrap_or(usize::MAX))
}

fn run_dir(seq: u64) -> String {
    format!("data/runs/{seq:012}")
}

fn find(artefacts: &[Artefact], role: Role, which: u16) -> Option<&Artefact> {
    artefacts.iter().find(|artefact| artefact.role == role && artefact.which == which)
}

fn lacking(what: &str, seq: u64) -> BundleFault {
    BundleFault::Lacking { what: what.to_owned(), seq }
}
