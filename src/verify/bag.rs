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
const MANIFEST: &str = "manifest-sha256.txt";

/// The files of a bundle, wherever they lie.
pub trait Files {
    /// Every file's path, relative to the bundle, `/` between segments. Links and other non-files are an error.
    fn list(&self) -> Result<Vec<String>, String>;
    /// A file's bytes.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A bag whose manifests were read; files are checked as they are read.
pub struct Bag<'a> {
    files: &'a dyn Files,
    digests: BTreeMap<String, Digest>,
    read: RefCell<BTreeSet<String>>,
    payload: (u64, u64),
    octets: RefCell<u64>,
}

impl<'a> Bag<'a> {
    /// Reads the manifests and compares them with the files that are there.
    pub fn open(files: &'a dyn Files) -> Result<Self, Failure> {
        let listed = files.list().map_err(|what| Failure::unchecked("bag", ".", what))?;
        check_paths(&listed)?;
        let tags = manifest(TAG_MANIFEST, &raw(files, TAG_MANIFEST)?)?;
        let mut digests = BTreeMap::new();
        for (path, digest) in &tags {
            digests.insert(path.clone(), *digest);
        }
        let bag = |name: &str| -> Result<Vec<u8>, Failure> {
            let bytes = raw(files, name)?;
            match tags.get(name) {
                Some(digest) if *digest == Digest::of(&bytes) => Ok(bytes),
                Some(_) => Err(Failure::new("bag", name, "is not the file that its manifest lists")),
                None => Err(Failure::new("bag", name, format!("is not listed in {TAG_MANIFEST}"))),
            }
        };
        if bag("bagit.txt")? != BAGIT {
            return Err(Failure::new("bag", "bagit.txt", "is not BagIt 1.0 in UTF-8"));
        }
        let payload = oxum(&bag("bag-info.txt")?)?;
        let listed_payload = manifest(MANIFEST, &bag(MANIFEST)?)?;
        if let Some(path) = listed_payload.keys().find(|path| !path.starts_with("data/")) {
            return Err(Failure::new("bag", path, "is listed as payload, and does not lie under data/"));
        }
        digests.extend(listed_payload);
        compare(&listed, &digests)?;
        let read = BTreeSet::from(["bagit.txt", "bag-info.txt", MANIFEST].map(str::to_owned));
        Ok(Self { files, digests, read: RefCell::new(read), payload, octets: RefCell::new(0) })
    }

    /// A file's bytes, which must have the digest that the manifest lists.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let digest = self.digests.get(path).ok_or_else(|| Failure::new("bag", path, "is missing"))?;
        let bytes = raw(self.files, path)?;
        if Digest::of(&bytes) != *digest {
            return Err(Failure::new("bag", path, "is not the file that its manifest lists"));
        }
        if self.read.borrow_mut().insert(path.to_owned()) && path.starts_with("data/") {
            let mut octets = self.octets.borrow_mut();
            *octets = octets.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        Ok(bytes)
    }

    /// The digest that the manifest lists for a path.
    pub fn digest(&self, path: &str) -> Option<Digest> {
        self.digests.get(path).copied()
    }

    /// Was this file read, and so checked, before?
    pub fn is_read(&self, path: &str) -> bool {
        self.read.borrow().contains(path)
    }

    /// The paths that the manifests list under a prefix.
    pub fn under<'b>(&'b self, prefix: &'b str) -> impl Iterator<Item = &'b str> {
        self.digests.keys().map(String::as_str).filter(move |path| path.starts_with(prefix))
    }

    /// Files that nobody has asked for.
    pub fn unread(&self) -> Vec<String> {
        let read = self.read.borrow();
        self.digests.keys().filter(|path| !read.contains(*path)).cloned().collect()
    }

    /// After everything was read: do bytes and count agree with `Payload-Oxum`?
    pub fn check_payload(&self) -> Result<(), Failure> {
        let count = self.digests.keys().filter(|path| path.starts_with("data/")).count();
        let found = (*self.octets.borrow(), u64::try_from(count).unwrap_or(u64::MAX));
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
    for (number, line) in (1..).zip(text.lines()) {
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

fn compare(there: &[String], digests: &BTreeMap<String, Digest>) -> Result<(), Failure> {
    let there: BTreeSet<&str> =
        there.iter().map(String::as_str).filter(|path| *path != TAG_MANIFEST).collect();
    if let Some(path) = there.iter().find(|path| !digests.contains_key(**path)) {
        return Err(Failure::new("bag", *path, "is listed in no manifest"));
    }
    match digests.keys().find(|path| !there.contains(path.as_str())) {
        Some(path) => Err(Failure::new("bag", path, "is missing")),
        None => Ok(()),
    }
}
