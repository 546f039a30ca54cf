//! Packs (formats section 6): artefacts in independent zstd blocks, with a directory and an index.
//!
//! A pack is where bytes lie, never evidence: entries bind tables, and tables bind plain digests. Only slot 0 (plain)
//! is made and read; the slots of retention classes, encrypted, are reserved and refused by name.

mod pick;
mod spool;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::{pick::Pick, spool::Spool};
use crate::digest::Digest;

const MAGIC: &[u8; 8] = b"OBSPAK01";
const END: &[u8; 8] = b"OBSPAKND";
/// Raw bytes of a block.
pub const BLOCK_BYTES_MAX: usize = 262_144;
/// Largest pack; a larger run makes several.
pub const PACK_BYTES_MAX: usize = 32 << 20;
/// Most raw bytes of all blocks together: what a reader of a hostile pack must be ready to hold.
pub const PACK_RAW_BYTES_MAX: usize = 256 << 20;
/// Largest artefact.
pub const ARTEFACT_BYTES_MAX: usize = 16 << 20;
const HEAD_BYTES: usize = 40;
const TAIL_BYTES: usize = 24;
const RECORD_BYTES: usize = 56;
const LEVEL: i32 = 3;

/// What an artefact is for; the numbers are those of the pack index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[expect(missing_docs, reason = "the words are those of the specification")]
pub enum Role {
    Body = 1,
    TableExchange = 2,
    TablePopulation = 3,
    Receipts = 4,
    Results = 5,
    Messages = 6,
    PolicyFile = 7,
    Manifest = 8,
    Config = 9,
    Act = 10,
    Scope = 11,
    Reference = 12,
    Notification = 13,
}

impl Role {
    const ALL: [Self; 13] = [
        Self::Body,
        Self::TableExchange,
        Self::TablePopulation,
        Self::Receipts,
        Self::Results,
        Self::Messages,
        Self::PolicyFile,
        Self::Manifest,
        Self::Config,
        Self::Act,
        Self::Scope,
        Self::Reference,
        Self::Notification,
    ];

    /// The role of an index byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|role| *role as u8 == byte)
    }
}

/// How an artefact's bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Media {
    /// `application/octet-stream`: also the record's own binary forms.
    #[serde(rename = "application/octet-stream")]
    Bytes = 0,
    /// `application/json`.
    #[serde(rename = "application/json")]
    Json = 1,
    /// `application/jsonl`: one JSON value a line.
    #[serde(rename = "application/jsonl")]
    JsonLines = 2,
    /// `text/plain`: also YAML and Rego.
    #[serde(rename = "text/plain")]
    Text = 3,
    /// `text/html`: what proxies and broken servers answer.
    #[serde(rename = "text/html")]
    Html = 4,
}

impl Media {
    /// The medium of an index byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Bytes),
            1 => Some(Self::Json),
            2 => Some(Self::JsonLines),
            3 => Some(Self::Text),
            4 => Some(Self::Html),
            _ => None,
        }
    }
}

/// Bytes that go into a pack, under their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    digest: Digest,
    /// What they are for.
    pub role: Role,
    /// How they are to be read.
    pub media: Media,
    /// Which of its role in its run: the index of the population in the run, of the policy in the verdict's list.
    pub which: u16,
    bytes: Vec<u8>,
}

impl Artefact {
    /// Takes bytes under their digest.
    pub fn new(role: Role, media: Media, bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), role, media, which: 0, bytes }
    }

    /// The same, as the `which`-th of its role.
    #[must_use]
    pub fn numbered(self, which: u16) -> Self {
        Self { which, ..self }
    }

    const fn key(&self) -> (Digest, Role, u16) {
        (self.digest, self.role, self.which)
    }

    /// SHA-256 of the bytes.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a pack cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The frame.
    #[error("not a pack: {0}")]
    Form(&'static str),
    /// A block or an artefact is not what the directory or the index says.
    #[error("the pack is damaged: {0}")]
    Damaged(&'static str),
    /// A retention class, which this version does not read.
    #[error("the pack holds retention class {0}, which is reserved")]
    Reserved(u8),
    /// More than a pack may hold.
    #[error("an artefact or pack beyond its limit")]
    Large,
}

/// Makes a pack; `nonce` is 32 random bytes. Equal artefacts of one role are stored once.
pub fn encode(nonce: &[u8; 32], artefacts: &[Artefact]) -> Result<Vec<u8>, PackError> {
    let sorted: BTreeMap<_, &Artefact> =
        artefacts.iter().map(|artefact| (artefact.key(), artefact)).collect();
    let mut writer = Writer::new(nonce)?;
    for (key, artefact) in sorted {
        writer.add(key, artefact.media, &artefact.bytes)?;
    }
    writer.finish()
}

/// A pack in the making: artefacts come sorted, each block is compressed as soon as it is full.
struct Writer {
    out: Vec<u8>,
    directory: Vec<u8>,
    index: Vec<u8>,
    /// Raw bytes of the data stream that are not compressed yet; less than a block.
    open: Vec<u8>,
    /// Raw bytes of the data stream.
    raw: usize,
    zstd: zstd::bulk::Compressor<'static>,
}

impl Writer {
    fn new(nonce: &[u8; 32]) -> Result<Self, PackError> {
        Ok(Self {
            out: [MAGIC.as_slice(), nonce].concat(),
            directory: Vec::new(),
            index: Vec::new(),
            open: Vec::new(),
            raw: 0,
            zstd: zstd::bulk::Compressor::new(LEVEL).map_err(|_zstd| PackError::Form("zstd"))?,
        })
    }

    /// Adds an artefact, whose key is above all before it.
    fn add(&mut self, key: (Digest, Role, u16), media: Media, bytes: &[u8]) -> Result<(), PackError> {
        let (digest, role, which) = key;
        if bytes.len() > ARTEFACT_BYTES_MAX {
            return Err(PackError::Large);
        }
        self.index.extend_from_slice(digest.as_bytes());
        self.index.extend_from_slice(&u64_of(self.raw).to_be_bytes());
        self.index.extend_from_slice(&u64_of(bytes.len()).to_be_bytes());
        self.index.extend_from_slice(&[role as u8, media as u8]);
        self.index.extend_from_slice(&which.to_be_bytes());
        self.index.extend_from_slice(&[0; 4]);
        self.raw = self.raw.saturating_add(bytes.len());
        if self.raw.saturating_add(self.index.len()) > PACK_RAW_BYTES_MAX {
            return Err(PackError::Large);
        }
        let mut rest = bytes;
        while self.open.len().saturating_add(rest.len()) >= BLOCK_BYTES_MAX {
            let room = BLOCK_BYTES_MAX.saturating_sub(self.open.len());
            let (head, tail) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.open.extend_from_slice(head);
            rest = tail;
            self.flush()?;
        }
        self.open.extend_from_slice(rest);
        Ok(())
    }

    /// Ends the data stream's block, if it has any byte.
    fn flush(&mut self) -> Result<(), PackError> {
        let mut block = std::mem::take(&mut self.open);
        if !block.is_empty() {
            self.block(1, &block)?;
        }
        block.clear();
        self.open = block;
        Ok(())
    }

    fn block(&mut self, stream: u8, raw: &[u8]) -> Result<(), PackError> {
        let stored = self.zstd.compress(raw).map_err(|_zstd| PackError::Form("zstd"))?;
        self.directory.extend_from_slice(&u64_of(self.out.len()).to_be_bytes());
        self.directory.extend_from_slice(&u32_of(stored.len()).to_be_bytes());
        self.directory.extend_from_slice(&u32_of(raw.len()).to_be_bytes());
        self.directory.extend_from_slice(&[0, stream, 0, 0, 0, 0, 0, 0]);
        self.directory.extend_from_slice(&Sha256::digest(&stored));
        self.out.extend_from_slice(&stored);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, PackError> {
        self.flush()?;
        let index = std::mem::take(&mut self.index);
        for raw in index.chunks(BLOCK_BYTES_MAX) {
            self.block(0, raw)?;
        }
        let Self { mut out, directory, .. } = self;
        let offset = u64_of(out.len());
        let blocks = u32_of(directory.len() / RECORD_BYTES);
        out.extend_from_slice(&directory);
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&blocks.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(END);
        if out.len() > PACK_BYTES_MAX { Err(PackError::Large) } else { Ok(out) }
    }
}

/// The artefacts of a pack, sorted by digest and role; every block and every artefact is checked against its digest, and
/// no byte may lie outside of them.
pub fn decode(pack: &[u8]) -> Result<Vec<Artefact>, PackError> {
    decode_if(pack, |_role| true)
}

/// The same of those roles that are wanted: the others are checked and let go, one after the other.
pub fn decode_if(pack: &[u8], wanted: impl Fn(Role) -> bool) -> Result<Vec<Artefact>, PackError> {
    if pack.len() > PACK_BYTES_MAX {
        return Err(PackError::Large);
    }
    let (blocks, index) = blocks(pack)?;
    let mut blocks = blocks.into_iter();
    let (mut found, mut last, mut at) = (Vec::new(), None, 0);
    // what of the data stream is open, and how much of that is read
    let (mut open, mut read): (Vec<u8>, usize) = (Vec::new(), 0);
    for record in index.chunks(RECORD_BYTES) {
        let place = Place::read(record, &mut at)?;
        if last.is_some_and(|last| last >= place.key) {
            return Err(PackError::Form("an index out of order"));
        }
        last = Some(place.key);
        while open.len().saturating_sub(read) < place.length {
            let block = blocks.next().ok_or(PackError::Form("an artefact outside its stream"))?;
            open.drain(..std::mem::take(&mut read));
            open.extend_from_slice(&block.open(block.of(pack)?)?);
        }
        let until = read.saturating_add(place.length);
        let artefact = place.artefact(open.get(read..until).unwrap_or_default().to_vec())?;
        read = until;
        found.extend(Some(artefact).filter(|artefact| wanted(artefact.role)));
    }
    if open.len() == read && blocks.next().is_none() {
        Ok(found)
    } else {
        Err(PackError::Form("bytes of no artefact"))
    }
}

/// The blocks of the data stream, and the index, opened.
fn blocks(pack: &[u8]) -> Result<(Vec<Block>, Vec<u8>), PackError> {
    let directory = directory(pack)?;
    let (mut blocks, mut index, mut raw) = (Vec::new(), Vec::new(), 0_usize);
    let mut at = HEAD_BYTES;
    for record in directory.chunks_exact(RECORD_BYTES) {
        let block = Block::read(record)?;
        if block.offset != at {
            return Err(PackError::Form("blocks that do not lie one after the other"));
        }
        at = at.saturating_add(block.stored);
        raw = raw.saturating_add(block.raw);
        if raw > PACK_RAW_BYTES_MAX {
            return Err(PackError::Large);
        }
        if block.data {
            blocks.push(block);
        } else {
            index.extend_from_slice(&block.open(block.of(pack)?)?);
        }
    }
    let end = at.saturating_add(directory.len()).saturating_add(TAIL_BYTES);
    if end == pack.len() {
        Ok((blocks, index))
    } else {
        Err(PackError::Form("bytes between the blocks and the directory"))
    }
}

fn directory(pack: &[u8]) -> Result<&[u8], PackError> {
    if !pack.starts_with(MAGIC) {
        return Err(PackError::Form("unknown magic"));
    }
    let tail_at = pack.len().checked_sub(TAIL_BYTES).ok_or(PackError::Form("truncated"))?;
    let (body, mut tail) = pack.split_at_checked(tail_at).ok_or(PackError::Form("truncated"))?;
    let offset = usize::try_from(u64::from_be_bytes(take(&mut tail)?)).unwrap_or(usize::MAX);
    let blocks = usize::try_from(u32::from_be_bytes(take(&mut tail)?)).unwrap_or(usize::MAX);
    let zero: [u8; 4] = take(&mut tail)?;
    let directory = body.get(offset..).ok_or(PackError::Form("a directory outside the pack"))?;
    let fits = blocks.checked_mul(RECORD_BYTES) == Some(directory.len()) && zero == [0; 4] && tail == END;
    if fits { Ok(directory) } else { Err(PackError::Form("a wrong trailer")) }
}

#[derive(Debug)]
struct Block {
    offset: usize,
    stored: usize,
    raw: usize,
    data: bool,
    sha256: [u8; 32],
}

impl Block {
    fn read(mut record: &[u8]) -> Result<Self, PackError> {
        let offset = usize::try_from(u64::from_be_bytes(take(&mut record)?)).unwrap_or(usize::MAX);
        let stored = usize::try_from(u32::from_be_bytes(take(&mut record)?)).unwrap_or(usize::MAX);
        let raw = usize::try_from(u32::from_be_bytes(take(&mut record)?)).unwrap_or(usize::MAX);
        let [slot, stream, pad @ ..]: [u8; 8] = take(&mut record)?;
        if slot != 0 {
            return Err(PackError::Reserved(slot));
        }
        if stream > 1 || pad != [0; 6] || raw == 0 || raw > BLOCK_BYTES_MAX {
            return Err(PackError::Form("a wrong block record"));
        }
        Ok(Self { offset, stored, raw, data: stream == 1, sha256: take(&mut record)? })
    }

    fn of<'p>(&self, pack: &'p [u8]) -> Result<&'p [u8], PackError> {
        let until = self.offset.saturating_add(self.stored);
        pack.get(self.offset..until).ok_or(PackError::Form("a block outside the pack"))
    }

    fn open(&self, stored: &[u8]) -> Result<Vec<u8>, PackError> {
        if <[u8; 32]>::from(Sha256::digest(stored)) != self.sha256 {
            return Err(PackError::Damaged("a block is not what the directory says"));
        }
        let raw = zstd::bulk::decompress(stored, self.raw)
            .map_err(|_zstd| PackError::Damaged("a block does not open"))?;
        if raw.len() == self.raw { Ok(raw) } else { Err(PackError::Damaged("a block has another length")) }
    }
}

/// What the index says of an artefact.
struct Place {
    key: (Digest, Role, u16),
    media: Media,
    length: usize,
}

impl Place {
    /// Reads a record of the index, whose artefact must begin `at`, and moves that behind it.
    fn read(mut record: &[u8], at: &mut usize) -> Result<Self, PackError> {
        let digest = Digest::from_bytes(take(&mut record)?);
        let from = usize::try_from(u64::from_be_bytes(take(&mut record)?)).unwrap_or(usize::MAX);
        let length = usize::try_from(u64::from_be_bytes(take(&mut record)?)).unwrap_or(usize::MAX);
        let [role, media, high, low, pad @ ..]: [u8; 8] = take(&mut record)?;
        let known = Role::from_byte(role).zip(Media::from_byte(media)).filter(|_| pad == [0; 4]);
        let (role, media) = known.ok_or(PackError::Form("a wrong index record"))?;
        if from != *at {
            return Err(PackError::Form("artefacts that do not lie one after the other"));
        }
        if length > ARTEFACT_BYTES_MAX {
            return Err(PackError::Large);
        }
        *at = from.saturating_add(length);
        Ok(Self { key: (digest, role, u16::from_be_bytes([high, low])), media, length })
    }

    fn artefact(&self, bytes: Vec<u8>) -> Result<Artefact, PackError> {
        let (digest, role, which) = self.key;
        let read = Artefact::new(role, self.media, bytes).numbered(which);
        if read.digest == digest {
            Ok(read)
        } else {
            Err(PackError::Damaged("an artefact is not what the index says"))
        }
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], PackError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(PackError::Form("truncated"))?;
    *bytes = rest;
    Ok(*head)
}

fn u64_of(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Only for lengths inside a pack, which are bounded below 4 GiB.
fn u32_of(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn artefacts(sizes: &[usize]) -> Vec<Artefact> {
        let bytes = |(i, n): (usize, &usize)| (0..*n).map(|k| (k * 31 + i * 7) as u8).collect();
        sizes.iter().enumerate().map(|it| Artefact::new(Role::Body, Media::Json, bytes(it))).collect()
    }

    #[test]
    fn large_artefacts_span_blocks_and_equal_ones_are_stored_once() {
        let mut given = artefacts(&[0, 1, 300_000, 700_000]);
        given.push(given[2].clone());
        given.push(given[1].clone().numbered(7));
        let read = decode(&encode(&[9; 32], &given).unwrap()).unwrap();
        assert_eq!(read.len(), 5);
        assert!(given.iter().all(|artefact| read.contains(artefact)));
    }

    #[test]
    fn no_byte_lies_outside_of_an_artefact() {
        let pack = encode(&[9; 32], &artefacts(&[10])).unwrap();
        let directory_at = pack.len() - TAIL_BYTES - 2 * RECORD_BYTES;
        let mut between = pack.clone();
        between.insert(directory_at, 7);
        let tail = between.len() - TAIL_BYTES;
        between[tail..tail + 8].copy_from_slice(&(directory_at as u64 + 1).to_be_bytes());
        assert_eq!(decode(&between), Err(PackError::Form("bytes between the blocks and the directory")));

        let lonely = artefacts(&[]);
        assert_eq!(decode(&encode(&[9; 32], &lonely).unwrap()), Ok(lonely));
        let mut writer = Writer::new(&[9; 32]).unwrap();
        writer.add((Digest::of(b"a"), Role::Body, 0), Media::Json, b"a").unwrap();
        writer.open.push(b'b');
        assert_eq!(decode(&writer.finish().unwrap()), Err(PackError::Form("bytes of no artefact")));
        let mut writer = Writer::new(&[9; 32]).unwrap();
        writer.add((Digest::of(b"a"), Role::Body, 0), Media::Json, b"a").unwrap();
        writer.open.clear();
        assert_eq!(decode(&writer.finish().unwrap()), Err(PackError::Form("an artefact outside its stream")));
    }

    #[test]
    fn what_is_not_wanted_is_checked_and_left_out() {
        let mut given = artefacts(&[3, 300_000, 5]);
        given[1].role = Role::Receipts;
        let pack = encode(&[9; 32], &given).unwrap();
        let read = decode_if(&pack, |role| role == Role::Receipts).unwrap();
        assert_eq!(read, [given[1].clone()]);
        let mut writer = Writer::new(&[9; 32]).unwrap();
        writer.add((Digest::of(b"a"), Role::Body, 0), Media::Json, b"b").unwrap();
        let damaged = PackError::Damaged("an artefact is not what the index says");
        assert_eq!(decode_if(&writer.finish().unwrap(), |_role| false), Err(damaged));
    }

    #[test]
    fn retention_classes_are_refused_by_name() {
        let mut pack = encode(&[9; 32], &artefacts(&[10])).unwrap();
        let at = pack.len() - TAIL_BYTES - RECORD_BYTES + 16;
        pack[at] = 3;
        assert_eq!(decode(&pack), Err(PackError::Reserved(3)));
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(sizes in prop::collection::vec(0_usize..500, 0..6), at in any::<prop::sample::Index>(), flip in 1_u8..) {
            let pack = encode(&[9; 32], &artefacts(&sizes)).unwrap();
            let mut bytes = pack.clone();
            let at = at.index(bytes.len());
            // the nonce is covered by the pack's own digest, which its commit binds
            prop_assume!(!(8..HEAD_BYTES).contains(&at));
            bytes[at] ^= flip;
            prop_assert!(decode(&bytes).is_err() || decode(&bytes) == decode(&pack));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _read = decode(&[MAGIC.as_slice(), &bytes, END].concat()).is_ok();
        }
    }
}
