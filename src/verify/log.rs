//! The log in a bundle: entries from tlog-tiles bundles, one signed head for every commit, folded leaf by leaf.
//!
//! Since every entry is there, no consistency proof is needed: each head must come out of the entries before it.

use std::collections::BTreeMap;

use observance_record::{
    checkpoint::Checkpoint,
    entry::{Body, Entry, Genesis},
    merkle::{Compact, Hash, leaf_hash},
    note::{Note, VerifierKey},
    tile::{self, WIDTH},
};

use crate::{bag::Bag, report::Failure};

/// The log, with every head checked.
pub struct Log {
    /// The entries, decoded.
    pub entries: Vec<Entry>,
    /// Leaf hashes, one for each entry.
    pub leaves: Vec<Hash>,
    /// Sizes of the signed heads, in order; the last is the closing one.
    pub heads: Vec<u64>,
    /// The closing head.
    pub closing: Checkpoint,
    /// Entry 0.
    pub genesis: Genesis,
    /// The key that signed every head: the genesis names it.
    pub key: VerifierKey,
}

impl Log {
    /// Reads and checks the log. `trusted` is the key that the auditor has from elsewhere.
    pub fn open(bag: &Bag<'_>, trusted: Option<&VerifierKey>) -> Result<Self, Failure> {
        let closing_note = bag.read("data/log/checkpoint")?;
        let size = stated_size(&closing_note)?;
        let (entries, leaves) = entries(bag, size)?;
        let genesis = match entries.first().map(|entry| &entry.body) {
            Some(Body::Genesis(genesis)) => (**genesis).clone(),
            _ => return Err(Failure::new("entries", "entry 0", "is not the log's genesis")),
        };
        let key = key(bag, &genesis, trusted)?;
        let heads = heads(bag, &leaves, &genesis.origin, &key)?;
        let (Some(last), Some(closing)) = (heads.last(), heads.last().map(|(_, note)| note)) else {
            return Err(Failure::new("checkpoint", "data/log/checkpoints", "holds no signed head"));
        };
        if *closing != closing_note || last.0.size != size {
            return Err(Failure::new("checkpoint", "data/log/checkpoint", "is not the last of all heads"));
        }
        let closing = last.0.clone();
        let heads = heads.iter().map(|(head, _)| head.size).collect();
        check_tiles(bag, &leaves)?;
        Ok(Self { entries, leaves, heads, closing, genesis, key })
    }

    /// The head after the first `size` entries.
    pub fn root_at(&self, size: u64) -> Option<observance_record::Root> {
        let leaves = self.leaves.get(..usize::try_from(size).ok()?)?;
        Some(observance_record::merkle::root_of(leaves.iter().copied()))
    }
}

fn stated_size(note: &[u8]) -> Result<u64, Failure> {
    let refuse = |what: String| Failure::new("checkpoint", "data/log/checkpoint", what);
    let note = Note::parse(note).map_err(|e| refuse(e.to_string()))?;
    Checkpoint::parse(&note).map(|head| head.size).map_err(|e| refuse(e.to_string()))
}

fn entries(bag: &Bag<'_>, size: u64) -> Result<(Vec<Entry>, Vec<Hash>), Failure> {
    let (mut entries, mut leaves) = (Vec::new(), Vec::new());
    let mut seq = 0_u64;
    while seq < size {
        let width = size.saturating_sub(seq).min(WIDTH);
        let path = format!("data/log/{}", tile::entries_path(seq / WIDTH, width));
        let bytes = bag.read(&path)?;
        let bundled = tile::unbundle(&bytes).map_err(|e| Failure::new("entries", &path, e.to_string()))?;
        if u64::try_from(bundled.len()) != Ok(width) {
            return Err(Failure::new(
                "entries",
                path,
                format!("holds {} entries, not {width}", bundled.len()),
            ));
        }
        for leaf in bundled {
            leaves.push(leaf_hash(leaf));
            let entry = Entry::decode(leaf)
                .map_err(|e| Failure::new("entries", format!("entry {seq}"), e.to_string()))?;
            entries.push(entry);
            seq = seq.saturating_add(1);
        }
    }
    Ok((entries, leaves))
}

fn key(bag: &Bag<'_>, genesis: &Genesis, trusted: Option<&VerifierKey>) -> Result<VerifierKey, Failure> {
    let named: VerifierKey =
        genesis.vkey.parse().map_err(|_not_a_key| Failure::new("key", "entry 0", "names no verifier key"))?;
    if named.name() != genesis.origin {
        return Err(Failure::new("key", "entry 0", "names a key that is not called like the log"));
    }
    if bag.read("data/log/vkey")? != format!("{named}\n").into_bytes() {
        return Err(Failure::new("key", "data/log/vkey", "is not the key that the genesis names"));
    }
    match trusted {
        Some(trusted) if *trusted != named => {
            let what = format!("is signed by {named}, not by the key that was given, {trusted}");
            Err(Failure::new("key", "entry 0", what))
        }
        _ => Ok(named),
    }
}

/// Every head must be signed, grow, and be the head of the entries before it.
fn heads(
    bag: &Bag<'_>,
    leaves: &[Hash],
    origin: &str,
    key: &VerifierKey,
) -> Result<Vec<(Checkpoint, Vec<u8>)>, Failure> {
    let path = "data/log/checkpoints";
    let bytes = bag.read(path)?;
    let notes = tile::unbundle(&bytes).map_err(|e| Failure::new("checkpoint", path, e.to_string()))?;
    let mut heads: Vec<(Checkpoint, Vec<u8>)> = Vec::with_capacity(notes.len());
    let (mut tree, mut leaves) = (Compact::new(), leaves.iter());
    for note in notes {
        let place = format!("head {} of {path}", heads.len());
        let refuse = |what: String| Failure::new("checkpoint", place.clone(), what);
        let head = Checkpoint::open(note, std::slice::from_ref(key)).map_err(|e| refuse(e.to_string()))?;
        if head.origin != origin {
            return Err(refuse(format!("is of another log, {}", head.origin)));
        }
        if head.size <= tree.size() {
            return Err(refuse(format!("has size {} after size {}", head.size, tree.size())));
        }
        while tree.size() < head.size {
            let leaf =
                leaves.next().ok_or_else(|| refuse(format!("has size {}, beyond the entries", head.size)))?;
            tree.push(*leaf);
        }
        if tree.root() != head.root {
            return Err(refuse(format!(
                "is not the head of the first {} entries: one of them was changed",
                head.size
            )));
        }
        heads.push((head, note.to_vec()));
    }
    match leaves.next() {
        Some(_) => Err(Failure::new("checkpoint", path, "no head covers the last entries")),
        None => Ok(heads),
    }
}

/// The tiles are there for other tools; they must be those of the same entries.
fn check_tiles(bag: &Bag<'_>, leaves: &[Hash]) -> Result<(), Failure> {
    let size = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    let mut levels: BTreeMap<u8, Vec<Hash>> = BTreeMap::from([(0, leaves.to_vec())]);
    for (level, n, width) in tile::tiles_of(size) {
        let path = format!("data/log/{}", tile::tile_path(level, n, width));
        let from = usize::try_from(n.saturating_mul(WIDTH)).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::try_from(width).unwrap_or(usize::MAX));
        let hashes = levels.get(&level).and_then(|hashes| hashes.get(from..to)).unwrap_or_default().to_vec();
        if bag.read(&path)? != tile::tile(&hashes) {
            return Err(Failure::new("entries", path, "is not the tile of these entries"));
        }
        if width == WIDTH {
            levels.entry(level.saturating_add(1)).or_default().push(tile::parent(&hashes));
        }
    }
    Ok(())
}
