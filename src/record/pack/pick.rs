//! A pack of which single artefacts are wanted: it stays compressed, and only the blocks that hold one are opened.
//!
//! It checks what it hands out, each block and each artefact against its digest; not that the pack holds nothing else, as
//! [`super::decode`] does.

use std::collections::BTreeMap;

use super::{Block, PACK_BYTES_MAX, PACK_RAW_BYTES_MAX, PackError, RECORD_BYTES, directory, take};
use crate::digest::Digest;

/// A pack with its index read.
#[derive(Debug)]
pub struct Pick<B> {
    pack: B,
    /// Blocks of the data stream by where their raw bytes begin in it.
    blocks: BTreeMap<usize, Block>,
    /// Where each artefact lies in the data stream: from, length.
    index: BTreeMap<Digest, (usize, usize)>,
}

impl<B: AsRef<[u8]>> Pick<B> {
    /// Reads the directory and the index.
    pub fn open(pack: B) -> Result<Self, PackError> {
        let bytes = pack.as_ref();
        if bytes.len() > PACK_BYTES_MAX {
            return Err(PackError::Large);
        }
        let (mut blocks, mut at, mut index) = (BTreeMap::new(), 0_usize, Vec::new());
        for record in directory(bytes)?.chunks_exact(RECORD_BYTES) {
            let block = Block::read(record)?;
            if block.data {
                let next = at.saturating_add(block.raw);
                blocks.insert(at, block);
                at = next;
            } else {
                index.extend_from_slice(&block.open(stored(bytes, &block)?)?);
            }
            if at.saturating_add(index.len()) > PACK_RAW_BYTES_MAX {
                return Err(PackError::Large);
            }
        }
        let index = index.chunks_exact(RECORD_BYTES).map(place).collect::<Result<_, _>>()?;
        Ok(Self { pack, blocks, index })
    }

    /// The artefact's bytes; `None` if the pack does not hold it.
    pub fn artefact(&self, digest: &Digest) -> Result<Option<Vec<u8>>, PackError> {
        let Some((from, length)) = self.index.get(digest).copied() else { return Ok(None) };
        let until = from.saturating_add(length);
        let first = self.blocks.range(..=from).next_back().map_or(from, |(at, _)| *at);
        let mut raw = Vec::new();
        for (_, block) in self.blocks.range(first..until) {
            raw.extend_from_slice(&block.open(stored(self.pack.as_ref(), block)?)?);
        }
        let skip = from.saturating_sub(first);
        let bytes = raw.get(skip..skip.saturating_add(length)).map(<[u8]>::to_vec);
        let bytes = bytes.filter(|bytes| Digest::of(bytes) == *digest);
        bytes.map(Some).ok_or(PackError::Damaged("an artefact is not what the index says"))
    }

    /// How many bytes it keeps.
    pub fn len(&self) -> usize {
        let places = self.index.len().saturating_add(self.blocks.len()).saturating_mul(RECORD_BYTES);
        self.pack.as_ref().len().saturating_add(places)
    }

    /// Whether it holds no artefact.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

fn stored<'p>(pack: &'p [u8], block: &Block) -> Result<&'p [u8], PackError> {
    let until = block.offset.saturating_add(block.stored);
    pack.get(block.offset..until).ok_or(PackError::Form("a block outside the pack"))
}

fn place(mut record: &[u8]) -> Result<(Digest, (usize, usize)), PackError> {
    let digest = Digest::from_bytes(take(&mut record)?);
    let from = usize::try_from(u64::from_be_bytes(take(&mut record)?)).unwrap_or(usize::MAX);
    let length = usize::try_from(u64::from_be_bytes(take(&mut record)?)).unwrap_or(usize::MAX);
    if length > super::ARTEFACT_BYTES_MAX { Err(PackError::Large) } else { Ok((digest, (from, length))) }
}

#[cfg(test)]
mod tests {
    use super::super::{Artefact, Media, Role, encode};
    use super::*;

    #[test]
    fn each_artefact_comes_out_as_it_went_in_and_damage_is_seen() {
        let sizes = [0, 1, 100, 262_143, 262_144, 262_145, 700_000];
        let body = |size: usize| (0..size).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect::<Vec<_>>();
        let artefacts: Vec<_> =
            sizes.iter().map(|size| Artefact::new(Role::Body, Media::Json, body(*size))).collect();
        let pack = encode(&[7; 32], &artefacts).unwrap();
        let pick = Pick::open(&pack).unwrap();
        for artefact in &artefacts {
            assert_eq!(pick.artefact(&artefact.digest()).unwrap().as_deref(), Some(artefact.bytes()));
        }
        assert_eq!(pick.artefact(&Digest::of(b"another")).unwrap(), None);
        assert!(pick.len() >= pack.len() && !pick.is_empty());
        let mut damaged = pack.clone();
        damaged[60] ^= 1;
        let pick = Pick::open(&damaged).unwrap();
        let read = artefacts.iter().filter(|artefact| pick.artefact(&artefact.digest()).is_err()).count();
        assert!(read > 0);
        for cut in [0, 8, 40, pack.len() - 1] {
            assert!(Pick::open(&pack[..cut]).is_err());
        }
    }
}
