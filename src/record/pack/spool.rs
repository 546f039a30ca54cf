//! Artefacts on their way into packs: kept compressed, so that what a run has read costs little until it is sealed.
//!
//! It draws no nonce and stores nothing; a pack that comes of it is the one that [`super::encode`] makes of the same
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
    /// Takes an artefact; equal ones are kept once.
    pub fn add(&mut self, artefact: &Artefact) {
        let key = artefact.key();
        if self.bales.iter().any(|bale| bale.part(&key).is_some_and(|part| part.index.contains_key(&key))) {
            return;
        }
        if self.bales.last().is_none_or(|bale| bale.has_no_room(artefact.bytes.len())) {
            self.bales.push(Bale::default());
        }
        if let Some(bale) = self.bales.last_mut() {
            bale.add(artefact);
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

    /// Makes the packs of several, one after the other: as few as their order allows.
    pub fn packs<E: From<PackError>>(
        spools: &[&Self],
        mut nonce: impl FnMut() -> Result<[u8; 32], E>,
    ) -> Result<Vec<Vec<u8>>, E> {
        let (mut packs, mut group, mut raw) = (Vec::new(), Vec::new(), 0_usize);
        for bale in spools.iter().flat_map(|spool| &spool.bales) {
            if raw.saturating_add(bale.raw) > BALE_RAW_BYTES_MAX && !group.is_empty() {
                packs.push(encode(&nonce()?, &std::mem::take(&mut group))?);
                raw = 0;
            }
            raw = raw.saturating_add(bale.raw);
            group.push(bale);
        }
        if !group.is_empty() {
            packs.push(encode(&nonce()?, &group)?);
        }
        Ok(packs)
    }
}

/// One pack of these bales; of each, one part after the other is opened.
fn encode(nonce: &[u8; 32], bales: &[&Bale]) -> Result<Vec<u8>, PackError> {
    let mut writer = Writer::new(nonce)?;
    for number in 0..PARTS {
        let parts: Vec<&Part> = bales.iter().filter_map(|bale| bale.parts.get(number)).collect();
        let raw = parts.iter().map(|part| part.open()).collect::<Result<Vec<_>, _>>()?;
        let mut sorted = BTreeMap::new();
        for (part, raw) in parts.iter().zip(&raw) {
            for (key, place) in &part.index {
                sorted.insert(*key, (place.media, place.of(raw)?));
            }
        }
        for (key, (media, bytes)) in sorted {
            writer.add(key, media, bytes)?;
        }
    }
    writer.finish()
}

/// What will be one pack.
#[derive(Debug, Default)]
struct Bale {
    raw: usize,
    parts: [Part; PARTS],
}

impl Bale {
    fn has_no_room(&self, bytes: usize) -> bool {
        self.raw > 0 && self.raw.saturating_add(bytes) > BALE_RAW_BYTES_MAX
    }

    fn part(&self, key: &Key) -> Option<&Part> {
        self.parts.get(part_of(&key.0))
    }

    fn add(&mut self, artefact: &Artefact) {
        self.raw = self.raw.saturating_add(artefact.bytes.len());
        if let Some(part) = self.parts.get_mut(part_of(&artefact.digest)) {
            part.add(artefact.key(), artefact.media, &artefact.bytes);
        }
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

    /// Bytes that compress as far as `kinds` of them let them.
    fn body(seed: u64, bytes: usize, kinds: u64) -> Artefact {
        let step =
            |n: &u64| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963));
        let dice = std::iter::successors(Some(seed), step).skip(1).take(bytes);
        let bytes = dice.map(|n| u8::try_from((n >> 33) % kinds).unwrap()).collect();
        Artefact::new(Role::Body, Media::Json, bytes)
    }

    fn spool(artefacts: &[Artefact]) -> Spool {
        let mut spool = Spool::default();
        for artefact in artefacts {
            spool.add(artefact);
        }
        spool
    }

    fn packs(spools: &[&Spool]) -> Vec<Vec<u8>> {
        Spool::packs(spools, || Ok::<_, PackError>([9; 32])).unwrap()
    }

    #[test]
    fn its_pack_is_that_of_the_same_artefacts() {
        let sizes = [0, 1, 300, 65_535, 65_536, 300_000, 1_000_000];
        let bodies: Vec<_> = (1..).zip(sizes).map(|(seed, size)| body(seed, size, 7)).collect();
        let twice = spool(&[bodies.as_slice(), &bodies].concat());
        assert_eq!(twice.len(), sizes.len());
        assert_eq!(packs(&[&twice]), [encode(&[9; 32], &bodies).unwrap()]);
        let columns =
            [1, 2].map(|which| Artefact::new(Role::Results, Media::Bytes, vec![5; 90]).numbered(which));
        let all = [bodies.as_slice(), &columns].concat();
        assert_eq!(packs(&[&twice, &spool(&columns)]), [encode(&[9; 32], &all).unwrap()]);
        assert_eq!(packs(&[&Spool::default(), &spool(&columns)]), [encode(&[9; 32], &columns).unwrap()]);
        assert!(packs(&[&Spool::default()]).is_empty() && Spool::default().is_empty());
    }

    #[test]
    fn what_is_too_much_for_one_pack_makes_several_and_nothing_is_lost() {
        let bodies: Vec<_> = (1..=7).map(|seed| body(seed, 7 << 20, 200)).collect();
        let table = [body(8, 15 << 20, 200)];
        let (bodies_spool, table_spool) = (spool(&bodies), spool(&table));
        let read: Vec<_> =
            packs(&[&bodies_spool, &table_spool]).iter().map(|pack| decode(pack).unwrap()).collect();
        assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2]);
        let all = [bodies.as_slice(), &table].concat();
        assert!(all.iter().all(|artefact| read.iter().flatten().any(|other| other == artefact)));
        let opened = bodies_spool.artefacts().unwrap();
        assert!(opened.len() == 7 && bodies.iter().all(|artefact| opened.contains(artefact)));
    }
}
