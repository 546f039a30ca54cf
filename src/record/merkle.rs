//! RFC 6962 section 2.1 Merkle trees: leaves, nodes, compact ranges, inclusion and consistency proofs.
//!
//! It stores nothing and signs nothing; a proof says nothing about a tree's size unless the size was signed.

use sha2::{Digest as _, Sha256};

use crate::digest::Root;

/// Hash of a leaf or node.
pub type Hash = [u8; 32];

/// `SHA-256(0x00 || data)`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    leaf_hash_of(&[data])
}

/// [`leaf_hash`] of the parts joined.
pub fn leaf_hash_of(parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new_with_prefix([0]);
    for part in parts {
        sha.update(part);
    }
    sha.finalize().into()
}

/// `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of no leaves: `SHA-256("")`.
pub fn empty_root() -> Root {
    Root::from_bytes(Sha256::digest(b"").into())
}

/// A proof does not show what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The sizes or the index cannot belong to such a proof.
    #[error("no proof exists for these sizes")]
    Sizes,
    /// Too few or too many hashes.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The right edge of the tree over `[0, size)`: one hash for each full subtree, largest first. Appending leaf by leaf
/// and folding gives every intermediate root, so a reader that holds all leaves needs no consistency proofs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compact {
    size: u64,
    edge: Vec<Hash>,
}

impl Compact {
    /// The range over no leaves.
    pub const fn new() -> Self {
        Self { size: 0, edge: Vec::new() }
    }

    /// A range whose edge was kept; `None` unless there is one hash for each bit set in `size`.
    pub fn from_edge(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()) == Ok(edge.len())).then_some(Self { size, edge })
    }

    /// How many leaves it covers.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes, largest subtree first.
    pub fn edge(&self) -> &[Hash] {
        &self.edge
    }

    /// Appends one leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.edge.push(hash);
        // 2^64 leaves cannot be written
        self.size = self.size.saturating_add(1);
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Root {
        let mut edges = self.edge.iter().rev();
        let Some(&last) = edges.next() else { return empty_root() };
        Root::from_bytes(edges.fold(last, |right, left| node_hash(left, &right)))
    }
}

impl Extend<Hash> for Compact {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        for leaf in leaves {
            self.push(leaf);
        }
    }
}

/// The root over these leaf hashes.
pub fn root_of(leaves: impl IntoIterator<Item = Hash>) -> Root {
    let mut range = Compact::new();
    range.extend(leaves);
    range.root()
}

/// Audit path of leaf `index` in the tree over `leaves` (RFC 6962 2.1.1); `None` if there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    leaves.get(index)?;
    let mut proof = Vec::new();
    let (mut tree, mut index) = (leaves, index);
    while tree.len() > 1 {
        let (left, right) = tree.split_at_checked(split(tree.len()))?;
        let sibling;
        (tree, sibling, index) = match index.checked_sub(left.len()) {
            None => (left, right, index),
            Some(index) => (right, left, index),
        };
        proof.push(*root_of(sibling.iter().copied()).as_bytes());
    }
    proof.reverse();
    Some(proof)
}

/// Proof that the tree over the first `size1` leaves is a prefix of the tree over all (RFC 6962 2.1.2); `None` unless
/// `0 < size1 <= leaves.len()`.
pub fn consistency_proof(leaves: &[Hash], size1: usize) -> Option<Vec<Hash>> {
    if size1 == 0 || size1 > leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut tree, mut size, mut whole) = (leaves, size1, true);
    while size != tree.len() {
        let (left, right) = tree.split_at_checked(split(tree.len()))?;
        match size.checked_sub(left.len()) {
            None | Some(0) => {
                proof.push(*root_of(right.iter().copied()).as_bytes());
                tree = left;
            }
            Some(rest) => {
                proof.push(*root_of(left.iter().copied()).as_bytes());
                (tree, size, whole) = (right, rest, false);
            }
        }
    }
    if !whole {
        proof.push(*root_of(tree.iter().copied()).as_bytes());
    }
    proof.reverse();
    Some(proof)
}

/// The largest power of two below `n` (n > 1).
const fn split(n: usize) -> usize {
    match n.saturating_sub(1).checked_ilog2() {
        Some(log) => 1_usize.wrapping_shl(log),
        None => 0,
    }
}

/// Is `leaf` the leaf `index` of the tree of this size and root? (RFC 9162 2.1.3.2)
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Root,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Sizes);
    }
    let (mut node, mut last, mut hash) = (index, size.saturating_sub(1), *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match (last, hash == *root.as_bytes()) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

/// Is the tree of `size1` and `root1` a prefix of the tree of `size2` and `root2`? (RFC 9162 2.1.4.2) Size 0 is
/// refused: everything extends nothing, which proves nothing.
pub fn verify_consistency(
    size1: u64,
    size2: u64,
    root1: &Root,
    root2: &Root,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if size1 == 0 || size1 > size2 {
        return Err(ProofError::Sizes);
    }
    if size1 == size2 {
        return match (proof.is_empty(), root1 == root2) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let mut hashes = proof.iter();
    let first =
        if size1.is_power_of_two() { root1.as_bytes() } else { hashes.next().ok_or(ProofError::Length)? };
    let (mut node, mut last) = (size1.saturating_sub(1), size2.saturating_sub(1));
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (mut old, mut new) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            (old, new) = (node_hash(hash, &old), node_hash(hash, &new));
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, hash);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    match (last, old == *root1.as_bytes() && new == *root2.as_bytes()) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn known_answers_of_the_reference_implementation() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let mut range = Compact::new();
        let mut starts = vec![hex::encode(&range.root().as_bytes()[..4])];
        for input in inputs {
            range.push(leaf_hash(input));
            starts.push(hex::encode(&range.root().as_bytes()[..4]));
        }
        assert_eq!(
            starts,
            [
                "e3b0c442", "6e340b9c", "fac54203", "aeb6bcfe", "d37ee418", "4e3bbb1f", "76e67dad",
                "ddb89be4", "5dc9da79"
            ]
        );
    }

    proptest! {
        #[test]
        fn every_leaf_is_included_and_no_other(n in 1_usize..80, i in 0_usize..80) {
            let leaves = leaves(n);
            let root = root_of(leaves.iter().copied());
            prop_assume!(i < n);
            let proof = inclusion_proof(&leaves, i).unwrap();
            let (index, size) = (i as u64, n as u64);
            prop_assert_eq!(verify_inclusion(index, size, &leaves[i], &proof, &root), Ok(()));
            prop_assert!(verify_inclusion(index, size, &leaf_hash(b"x"), &proof, &root).is_err());
            prop_assert!(n == 1 || verify_inclusion((index + 1) % size, size, &leaves[i], &proof, &root).is_err());
        }

        #[test]
        fn every_prefix_is_consistent(n in 1_usize..80, m in 1_usize..80) {
            prop_assume!(m <= n);
            let leaves = leaves(n);
            let root = |k: usize| root_of(leaves[..k].iter().copied());
            let proof = consistency_proof(&leaves, m).unwrap();
            prop_assert_eq!(verify_consistency(m as u64, n as u64, &root(m), &root(n), &proof), Ok(()));
            let other = Root::from_bytes([9; 32]);
            prop_assert!(verify_consistency(m as u64, n as u64, &other, &root(n), &proof).is_err());
        }
    }
}
