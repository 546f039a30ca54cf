//! The container: BagIt 1.0 (RFC 8493) with SHA-256, paths that cannot leave it, no file that no manifest lists.
//!
//! A bag proves only that its files are what its own manifest says. Every file is read and hashed once, when asked for.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use observance_record::Digest;

use crate::report::Failure;

/// Longest path in a bag, in bytes.
pub const PATH_BYTES_MAX: usize = 300;
const BAGIT: &[u8] = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// Where the payload lies.
const PAYLOAD: &str = "data/";
const MANIFEST: &str = "manifest-sha256.txt";

/// The files of a bundle, wherever they lie.
pub trait Files {
    /// Every file's path, relative to the bundle, `/` between segments. A link, a device or a pipe is a failure of the bag;
    /// what cannot be looked at is unchecked.
    fn list(&self) -> Result<Vec<String>, Failure>;
    /// A file's bytes.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A bag whose manifests were read; files are checked as they are read.
pub struct Bag<'a> {
    files: &'a dyn Files,
    digests: BTreeMap<String, Digest>,
    /// What was read, and so checked, with its length.
    read: RefCell<BTreeMap<String, u64>>,
    payload: (u64, u64),
}

impl<'a> Bag<'a> {
    /// Reads the manifests and compares them with the files that are there.
    pub fn open(files: &'a dyn Files) -> Result<Self, Failure> {
        let listed = files.list()?;
        check_paths(&listed)?;
        let digests = manifest(TAG_MANIFEST, &raw(files, TAG_MANIFEST)?)?;
        if let Some(path) = digests.keys().find(|path| path.starts_with(PAYLOAD)) {
            return Err(Failure::new("bag", path, format!("is payload, and yet listed in {TAG_MANIFEST}")));
        }
        check_there(&listed, &digests)?;
        let mut bag = Self { files, digests, read: RefCell::default(), payload: (0, 0) };
        if bag.read("bagit.txt")? != BAGIT {
            return Err(Failure::new("bag", "bagit.txt", "is not BagIt 1.0 in UTF-8"));
        }
        bag.payload = oxum(&bag.read("bag-info.txt")?)?;
        let payload = manifest(MANIFEST, &bag.read(MANIFEST)?)?;
        if let Some(path) = payload.keys().find(|path| !path.starts_with(PAYLOAD)) {
            return Err(Failure::new("bag", path, "is listed as payload, and does not lie under data/"));
        }
        bag.digests.extend(payload);
        check_there(&listed, &bag.digests)?;
        match listed.iter().find(|path| *path != TAG_MANIFEST && !bag.digests.contains_key(*path)) {
            Some(path) => Err(Failure::new("bag", path, "is listed in no manifest")),
            None => Ok(bag),
        }
    }

    /// A file's bytes, which must have the digest that the manifest lists.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let digest = self.digests.get(path).ok_or_else(|| Failure::new("bag", path, "is missing"))?;
        let bytes = raw(self.files, path)?;
        if Digest::of(&bytes) != *digest {
            return Err(Failure::new("bag", path, "is not the file that its manifest lists"));
        }
        self.read.borrow_mut().insert(path.to_owned(), u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(bytes)
    }

    /// The digest that the manifest lists for a path.
    pub fn digest(&self, path: &str) -> Option<Digest> {
        self.digests.get(path).copied()
    }

    /// The length of a file that was read, and so checked, before.
    pub fn length_read(&self, path: &str) -> Option<u64> {
        self.read.borrow().get(path).copied()
    }

    /// The paths that the manifests list under a prefix.
    pub fn under<'b>(&'b self, prefix: &'b str) -> impl Iterator<Item = &'b str> {
        self.digests.keys().map(String::as_str).filter(move |path| path.starts_with(prefix))
    }

    /// Files that nobody has asked for.
    pub fn unread(&self) -> Vec<String> {
        let read = self.read.borrow();
        self.digests.keys().filter(|path| !read.contains_key(*path)).cloned().collect()
    }

    /// After everything was read: do bytes and count agree with `Payload-Oxum`?
    pub fn check_payload(&self) -> Result<(), Failure> {
        let read = self.read.borrow();
        let lengths = || read.iter().filter(|(path, _)| path.starts_with(PAYLOAD)).map(|(_, length)| *length);
        let octets = lengths().fold(0, u64::saturating_add);
        let found = (octets, u64::try_from(lengths().count()).unwrap_or(u64::MAX));
        if found == self.payload {
            return Ok(());
        }
        let what =
            format!("Payload-Oxum says {}.{}, found {}.{}", self.payload.0, self.payload.1, found.0, found.1);
        Err(Failure::new("bag", "bag-info.txt", what))
    }
}

fn raw(files: &dyn Files, path: &str) -> Result<Vec<u8>, Failure> {
    files.read(path).map_err(|what| Failure::unchecked("bag", path, what))
}

/// Can this path neither leave the bundle nor surprise a file system?
pub fn is_safe_path(path: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'@' | b'/');
    path.len() <= PATH_BYTES_MAX
        && path.bytes().all(legal)
        && path.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != "..")
}

fn check_paths(paths: &[String]) -> Result<(), Failure> {
    let mut folded = BTreeSet::new();
    for path in paths {
        if !is_safe_path(path) {
            return Err(Failure::new("bag", path.escape_default().to_string(), "is not a safe path"));
        }
        if !folded.insert(path.to_ascii_lowercase()) {
            return Err(Failure::new("bag", path, "differs from another path in case only"));
        }
    }
    Ok(())
}

/// `<64 hex>  <path>` lines.
fn manifest(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, Digest>, Failure> {
    let malformed = |line: usize| Failure::new("bag", name, format!("line {line} is not `<sha256>  <path>`"));
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| malformed(0))?;
    let mut digests = BTreeMap::new();
    // as `sha256sum` reads it: a carriage return would be part of the path
    for (number, line) in (1..).zip(text.strip_suffix('\n').unwrap_or(text).split('\n')) {
        let (hex, path) = line.split_once("  ").ok_or_else(|| malformed(number))?;
        let digest = format!("sha256:{hex}").parse().map_err(|_no_digest| malformed(number))?;
        if !is_safe_path(path) || digests.insert(path.to_owned(), digest).is_some() {
            return Err(malformed(number));
        }
    }
    Ok(digests)
}

fn oxum(info: &[u8]) -> Result<(u64, u64), Failure> {
    let text = String::from_utf8_lossy(info);
    text.lines()
        .find_map(|line| line.strip_prefix("Payload-Oxum: "))
        .and_then(|oxum| oxum.split_once('.'))
        .and_then(|(octets, count)| octets.parse().ok().zip(count.parse().ok()))
        .ok_or_else(|| Failure::new("bag", "bag-info.txt", "has no Payload-Oxum"))
}

fn check_there(there: &[String], digests: &BTreeMap<String, Digest>) -> Result<(), Failure> {
    let there: BTreeSet<&str> =
        there.iter().map(String::as_str).filter(|path| *path != TAG_MANIFEST).collect();
    match digests.keys().find(|path| !there.contains(path.as_str())) {
        Some(path) => Err(Failure::new("bag", path, "is missing")),
        None => Ok(()),
    }
}
