//! Artefacts on their way into packs: kept compressed, so that what a run has read costs little until it is sealed.
//!
//! It draws no nonce and writes nothing; a pack that comes of it is the one that [`super::encode`] makes of the same
//! artefacts.

use std::collections::BTreeMap;

use super::{Artefact, Media, PackError, Role, Writer};
use crate::digest::Digest;

/// Raw bytes after which a further pack is begun; compressed they stay below a pack's limit.
const BALE_RAW_BYTES_MAX: usize = 24 << 20;
/// A pack is sorted by digest; so many parts of it are opened one after the other when it is made.
const PARTS: usize = 16;
/// Raw bytes that are compressed together, if no artefact is larger.
const PIECE_BYTES_MIN: usize = 65_536;
/// Fast: it is opened once, soon.
const LEVEL: i32 = 1;

/// An artefact's place in a pack's index.
type Key = (Digest, Role, u16);

/// Artefacts, compressed, in as many bales as there will be packs.
#[derive(Debug, Default)]
pub struct Spool {
    bales: Vec<Bale>,
}

impl Spool {
    /// Takes bytes under their digest; equal ones are kept once.
    pub fn add(&mut self, role: Role, media: Media, bytes: &[u8]) {
        let key = (Digest::of(bytes), role, 0);
        if self.bales.iter().any(|bale| bale.part(&key).is_some_and(|part| part.index.contains_key(&key))) {
            return;
        }
        let fits = |bale: &&mut Bale| bale.has_room(bytes.len());
        match self.bales.last_mut().filter(fits) {
            Some(bale) => bale.add(key, media, bytes),
            None => {
                let mut bale = Bale::default();
                bale.add(key, media, bytes);
                self.bales.push(bale);
            }
        }
    }

    /// How many artefacts there are.
    pub fn len(&self) -> usize {
        self.bales.iter().flat_map(|bale| &bale.parts).map(|part| part.index.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bales.is_empty()
    }

    /// All artefacts, opened; in the order of their packs.
    pub fn artefacts(&self) -> Result<Vec<Artefact>, PackError> {
        let mut all = Vec::new();
        for part in self.bales.iter().flat_map(|bale| &bale.parts) {
            let raw = part.open()?;
            for ((_, role, which), place) in &part.index {
                let bytes = place.of(&raw)?.to_vec();
                all.push(Artefact::new(*role, place.media, bytes).numbered(*which));
            }
        }
        Ok(all)
    }

    /// Makes the packs, with what comes to them at the end: in the last one as far as there is room, then in others.
    pub fn packs<E: From<PackError>>(
        &self,
        rest: &[Artefact],
        mut nonce: impl FnMut() -> Result<[u8; 32], E>,
    ) -> Result<Vec<Vec<u8>>, E> {
        let none = Bale::default();
        let (last, whole) = self.bales.split_last().unwrap_or((&none, &[]));
        let mut packs = Vec::new();
        for bale in whole {
            packs.push(bale.encode(&nonce()?, &[])?);
        }
        let (mut bale, mut raw, mut from) = (last, last.raw, 0);
        for (at, artefact) in rest.iter().enumerate() {
            let more = raw.saturating_add(artefact.bytes.len());
            if more > BALE_RAW_BYTES_MAX && raw > 0 {
                packs.push(bale.encode(&nonce()?, rest.get(from..at).unwrap_or_default())?);
                (bale, raw, from) = (&none, artefact.bytes.len(), at);
            } else {
                raw = more;
            }
        }
        let rest = rest.get(from..).unwrap_or_default();
        if !rest.is_empty() || bale.raw > 0 {
            packs.push(bale.encode(&nonce()?, rest)?);
        }
        Ok(packs)
    }
}

/// What will be one pack.
#[derive(Debug, Default)]
struct Bale {
    raw: usize,
    parts: [Part; PARTS],
}

impl Bale {
    fn has_room(&self, bytes: usize) -> bool {
        self.raw.saturating_add(bytes) <= BALE_RAW_BYTES_MAX
    }

    fn part(&self, key: &Key) -> Option<&Part> {
        self.parts.get(part_of(&key.0))
    }

    fn add(&mut self, key: Key, media: Media, bytes: &[u8]) {
        self.raw = self.raw.saturating_add(bytes.len());
        if let Some(part) = self.parts.get_mut(part_of(&key.0)) {
            part.add(key, media, bytes);
        }
    }

    fn encode(&self, nonce: &[u8; 32], rest: &[Artefact]) -> Result<Vec<u8>, PackError> {
        let mut writer = Writer::new(nonce)?;
        for (number, part) in self.parts.iter().enumerate() {
            let raw = part.open()?;
            let mut sorted = BTreeMap::new();
            for (key, place) in &part.index {
                sorted.insert(*key, (place.media, place.of(&raw)?));
            }
            let here = rest.iter().filter(|artefact| part_of(&artefact.digest) == number);
            sorted.extend(here.map(|artefact| (artefact.key(), (artefact.media, artefact.bytes()))));
            for (key, (media, bytes)) in sorted {
                writer.add(key, media, bytes)?;
            }
        }
        writer.finish()
    }
}

fn part_of(digest: &Digest) -> usize {
    digest.as_bytes().first().map_or(0, |first| usize::from(*first) * PARTS / 256)
}

/// The artefacts of a bale whose digests begin alike.
#[derive(Debug, Default)]
struct Part {
    index: BTreeMap<Key, Place>,
    /// What is compressed, in order.
    pieces: Vec<Piece>,
    /// What is not yet.
    open: Vec<u8>,
    raw: usize,
}

#[derive(Debug)]
struct Place {
    media: Media,
    from: usize,
    length: usize,
}

#[derive(Debug)]
struct Piece {
    raw: usize,
    /// As it was, if nothing would be won.
    stored: Box<[u8]>,
}

impl Part {
    fn add(&mut self, key: Key, media: Media, bytes: &[u8]) {
        self.index.insert(key, Place { media, from: self.raw, length: bytes.len() });
        self.raw = self.raw.saturating_add(bytes.len());
        self.open.extend_from_slice(bytes);
        if self.open.len() >= PIECE_BYTES_MIN {
            self.pieces.push(Piece::new(&std::mem::take(&mut self.open)));
        }
    }

    fn open(&self) -> Result<Vec<u8>, PackError> {
        let mut raw = Vec::with_capacity(self.raw);
        for piece in &self.pieces {
            piece.open(&mut raw)?;
        }
        raw.extend_from_slice(&self.open);
        Ok(raw)
    }
}

impl Place {
    fn of<'r>(&self, raw: &'r [u8]) -> Result<&'r [u8], PackError> {
        let until = self.from.saturating_add(self.length);
        raw.get(self.from..until).ok_or(PackError::Damaged("a spooled artefact outside its part"))
    }
}

impl Piece {
    fn new(raw: &[u8]) -> Self {
        let smaller = zstd::bulk::compress(raw, LEVEL).ok().filter(|stored| stored.len() < raw.len());
        Self { raw: raw.len(), stored: smaller.map_or_else(|| raw.into(), Into::into) }
    }

    fn open(&self, into: &mut Vec<u8>) -> Result<(), PackError> {
        if self.stored.len() == self.raw {
            into.extend_from_slice(&self.stored);
        } else {
            let raw = zstd::bulk::decompress(&self.stored, self.raw);
            into.extend(raw.map_err(|_zstd| PackError::Damaged("a spooled piece does not open"))?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{decode, encode},
        *,
    };

    /// Bytes that compress as far as `noise` lets them.
    fn body(seed: u64, bytes: usize, noise: u64) -> Vec<u8> {
        let step = |n: &u64| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        let dice = std::iter::successors(Some(seed), step);
        dice.skip(1).take(bytes).map(|n| u8::try_from((n >> 33) % noise).unwrap()).collect()
    }

    fn nonce() -> Result<[u8; 32], PackError> {
        Ok([9; 32])
    }

    #[test]
    fn its_packs_are_those_of_the_same_artefacts() {
        let sizes = [0, 1, 300, 65_535, 65_536, 300_000, 1_000_000];
        let bodies: Vec<_> = (1..).zip(sizes).map(|(seed, size)| body(seed, size, 7)).collect();
        let mut spool = Spool::default();
        for bytes in bodies.iter().chain(&bodies) {
            spool.add(Role::Body, Media::Json, bytes);
        }
        assert_eq!(spool.len(), sizes.len());
        let mut all: Vec<_> =
            bodies.into_iter().map(|bytes| Artefact::new(Role::Body, Media::Json, bytes)).collect();
        let rest = [1, 2].map(|which| Artefact::new(Role::Results, Media::Bytes, vec![5; 90]).numbered(which));
        assert_eq!(spool.packs(&[], nonce).unwrap(), [encode(&[9; 32], &all).unwrap()]);
        all.extend(rest.iter().cloned());
        assert_eq!(spool.packs(&rest, nonce).unwrap(), [encode(&[9; 32], &all).unwrap()]);
        assert_eq!(Spool::default().packs(&rest, nonce).unwrap(), [encode(&[9; 32], &rest).unwrap()]);
        assert_eq!(Spool::default().packs(&[], nonce).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn what_is_too_much_for_one_pack_makes_several_and_nothing_is_lost() {
        let mut spool = Spool::default();
        let bodies: Vec<_> = (1..=7).map(|seed| body(seed, 7 << 20, 200)).collect();
        bodies.iter().for_each(|bytes| spool.add(Role::Body, Media::Json, bytes));
        let rest = [Artefact::new(Role::TableExchange, Media::Bytes, body(8, 15 << 20, 200))];
        let packs: Vec<_> = spool.packs(&rest, nonce).unwrap().iter().map(|pack| decode(pack).unwrap()).collect();
        assert_eq!(packs.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2]);
        assert_eq!(spool.artefacts().unwrap().len(), 7);
        for bytes in &bodies {
            assert!(packs.iter().flatten().any(|artefact| artefact.bytes() == bytes));
        }
        let more = [rest.as_slice(), &rest].concat();
        assert_eq!(spool.packs(&more, nonce).unwrap().len(), 4, "what comes at the end is grouped too");
    }
}
