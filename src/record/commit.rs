//! The commit object (formats section 2): entries, the signed head after them, and small packs that ride along.
//!
//! It frames bytes; whether a commit follows another is decided where both are at hand ([`Commit::follows`]).

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    merkle::{Compact, Hash, leaf_hash},
    note::VerifierKey,
    tile::{BundleError, bundle, unbundle},
};

const MAGIC: &[u8; 8] = b"OBSCMT01";
/// Most entries in a commit.
pub const ENTRIES_MAX: usize = 256;
/// Most bytes of framed entries in a commit.
pub const ENTRIES_BYTES_MAX: usize = 4 << 20;
/// Most packs inside a commit.
pub const PACKS_MAX: usize = 16;
/// Most bytes of packs inside a commit.
pub const PACKS_BYTES_MAX: usize = 4 << 20;
/// A pack up to this size rides inside its commit.
pub const PACK_INLINE_BYTES_MAX: usize = 1 << 20;

/// Why bytes are not a commit, or a commit does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The frame.
    #[error("not a commit: {0}")]
    Form(&'static str),
    /// The entries' frame.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The head.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It claims another place in the log.
    #[error("commit {found} stands where commit {expected} belongs")]
    Ordinal {
        /// The number it carries.
        found: u64,
        /// The number of its place.
        expected: u64,
    },
    /// Its tree is not the one that the commit before it signed.
    #[error("commit {ordinal} does not continue the tree before it")]
    Edge {
        /// The commit.
        ordinal: u64,
    },
    /// The head that it signs is not the head of its entries.
    #[error("commit {ordinal} signs a head that is not that of its entries")]
    Head {
        /// The commit.
        ordinal: u64,
    },
}

/// A commit taken apart. What it claims is checked by [`Commit::follows`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// 0, 1, 2, ... without holes.
    pub ordinal: u64,
    /// The tree before its entries.
    pub before: Compact,
    /// The entries' bytes, 1 to 256 of them.
    pub entries: Vec<Vec<u8>>,
    /// The signed checkpoint of the tree after them.
    pub note: Vec<u8>,
    /// Packs that ride along.
    pub packs: Vec<Vec<u8>>,
}

impl Commit {
    /// The tree after the commit.
    pub fn after(&self) -> Compact {
        let mut tree = self.before.clone();
        tree.extend(self.entries.iter().map(|entry| leaf_hash(entry)));
        tree
    }

    /// The object's bytes; every limit is checked.
    pub fn encode(&self) -> Result<Vec<u8>, CommitError> {
        let entries = bundle(self.entries.iter().map(Vec::as_slice))?;
        self.check_limits(entries.len())?;
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.ordinal.to_be_bytes());
        out.extend_from_slice(&self.before.size().to_be_bytes());
        for count in [self.entries.len(), entries.len(), self.note.len(), self.packs.len()] {
            out.extend_from_slice(&length(count)?);
        }
        out.extend(self.before.edge().iter().flatten());
        out.extend_from_slice(&entries);
        out.extend_from_slice(&self.note);
        for pack in &self.packs {
            out.extend_from_slice(&length(pack.len())?);
            out.extend_from_slice(pack);
        }
        Ok(out)
    }

    /// Takes the object's bytes apart; refuses anything left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommitError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(CommitError::Form("unknown magic"))?;
        let (ordinal, size) = (u64::from_be_bytes(take(&mut rest)?), u64::from_be_bytes(take(&mut rest)?));
        let [count, entries, note, packs] =
            [size_of(&mut rest)?, size_of(&mut rest)?, size_of(&mut rest)?, size_of(&mut rest)?];
        let edge = (0..size.count_ones()).map(|_| take(&mut rest)).collect::<Result<Vec<Hash>, _>>()?;
        let before = Compact::from_edge(size, edge).ok_or(CommitError::Form("wrong edge"))?;
        let framed = cut(&mut rest, entries)?;
        let entries: Vec<Vec<u8>> = unbundle(framed)?.into_iter().map(<[u8]>::to_vec).collect();
        let note = cut(&mut rest, note)?.to_vec();
        if entries.len() != count || packs > PACKS_MAX {
            return Err(CommitError::Form("wrong counts"));
        }
        let packs = (0..packs)
            .map(|_| {
                let length = size_of(&mut rest)?;
                cut(&mut rest, length).map(<[u8]>::to_vec)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let commit = Self { ordinal, before, entries, note, packs };
        commit.check_limits(framed.len())?;
        if rest.is_empty() { Ok(commit) } else { Err(CommitError::Form("bytes left over")) }
    }

    /// Does it stand at `ordinal` after `head`, and does it sign the head of its own entries? Gives the new head.
    pub fn follows(
        &self,
        ordinal: u64,
        head: &Compact,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Compact, CommitError> {
        if self.ordinal != ordinal {
            return Err(CommitError::Ordinal { found: self.ordinal, expected: ordinal });
        }
        if self.before != *head {
            return Err(CommitError::Edge { ordinal });
        }
        let after = self.after();
        let signed = Checkpoint::open(&self.note, keys)?;
        if signed.origin == origin && signed.size == after.size() && signed.root == after.root() {
            Ok(after)
        } else {
            Err(CommitError::Head { ordinal })
        }
    }

    fn check_limits(&self, entries_bytes: usize) -> Result<(), CommitError> {
        let packs_bytes = self.packs.iter().fold(0, |sum, pack| usize::saturating_add(sum, pack.len()));
        if self.entries.is_empty() || self.entries.len() > ENTRIES_MAX || entries_bytes > ENTRIES_BYTES_MAX {
            return Err(CommitError::Form("no entries, or too many"));
        }
        if self.packs.len() > PACKS_MAX || packs_bytes > PACKS_BYTES_MAX {
            return Err(CommitError::Form("too many packs"));
        }
        Ok(())
    }
}

fn length(n: usize) -> Result<[u8; 4], CommitError> {
    u32::try_from(n).map(u32::to_be_bytes).map_err(|_large| CommitError::Form("a part beyond 4 GiB"))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], CommitError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(CommitError::Form("truncated"))?;
    *bytes = rest;
    Ok(*head)
}

fn size_of(bytes: &mut &[u8]) -> Result<usize, CommitError> {
    usize::try_from(u32::from_be_bytes(take(bytes)?)).map_err(|_large| CommitError::Form("too large"))
}

fn cut<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], CommitError> {
    let (head, rest) = bytes.split_at_checked(length).ok_or(CommitError::Form("truncated"))?;
    *bytes = rest;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::note::Signer;

    fn commit(ordinal: u64, before: Compact, entries: &[&str], signer: &Signer) -> Commit {
        let entries = entries.iter().map(|e| e.as_bytes().to_vec()).collect();
        let mut commit = Commit { ordinal, before, entries, note: Vec::new(), packs: vec![vec![1, 2, 3]] };
        let after = commit.after();
        let head = Checkpoint { origin: "o".into(), size: after.size(), root: after.root() };
        commit.note = head.sign(signer).into_bytes();
        commit
    }

    #[test]
    fn commits_chain_and_read_back() {
        let signer = Signer::new("o", &[1; 32]).unwrap();
        let keys = [signer.verifier()];
        let first = commit(0, Compact::new(), &["a", "b", "c"], &signer);
        let head = first.follows(0, &Compact::new(), "o", &keys).unwrap();
        let second = commit(1, head.clone(), &["d"], &signer);
        assert_eq!(Commit::decode(&second.encode().unwrap()), Ok(second.clone()));
        assert!(second.follows(1, &head, "o", &keys).is_ok());
        assert_eq!(second.follows(2, &head, "o", &keys), Err(CommitError::Ordinal { found: 1, expected: 2 }));
        assert_eq!(second.follows(1, &Compact::new(), "o", &keys), Err(CommitError::Edge { ordinal: 1 }));
        assert_eq!(second.follows(1, &head, "p", &keys), Err(CommitError::Head { ordinal: 1 }));
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused_or_noticed(at in 0_usize..400, flip in 1_u8..) {
            let signer = Signer::new("o", &[1; 32]).unwrap();
            let whole = commit(0, Compact::new(), &["a", "b"], &signer);
            let mut bytes = whole.encode().unwrap();
            let packs_at = bytes.len() - 3;
            prop_assume!(at < packs_at);
            bytes[at] ^= flip;
            if let Ok(read) = Commit::decode(&bytes) {
                prop_assert!(read.follows(0, &Compact::new(), "o", &[signer.verifier()]).is_err());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _read = Commit::decode(&[MAGIC.as_slice(), &bytes].concat()).is_ok();
        }
    }
}
