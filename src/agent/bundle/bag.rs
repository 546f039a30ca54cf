//! BagIt 1.0 on disk: payload, tag files, manifests; the folder has its name only when everything is in it.
//!
//! Nothing in it depends on the clock or the file system's order.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use observance_record::{Digest, Instant};

/// A bundle that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BagError {
    /// Something stands where the bundle should.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// The file system refuses.
    #[error("cannot write {path}")]
    Write {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Two different contents for one path.
    #[error("{0} would be written twice")]
    Twice(String),
}

/// A bundle that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// Where it lies.
    pub dir: PathBuf,
    /// SHA-256 of its tag manifest, which covers everything.
    pub digest: Digest,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// A bag being written, in `<dir>.partial`.
pub(super) struct Bag {
    dir: PathBuf,
    partial: PathBuf,
    files: BTreeMap<String, (Digest, u64)>,
}

impl Bag {
    pub(super) fn create(dir: &Path) -> Result<Self, BagError> {
        if dir.symlink_metadata().is_ok() {
            return Err(BagError::Exists(dir.to_owned()));
        }
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = dir.with_file_name(name);
        if partial.symlink_metadata().is_ok() {
            // left by an attempt that did not end: nobody was ever told of it
            fs::remove_dir_all(&partial).map_err(|source| write_error(&partial, source))?;
        }
        fs::create_dir_all(&partial).map_err(|source| write_error(&partial, source))?;
        Ok(Self { dir: dir.to_owned(), partial, files: BTreeMap::new() })
    }

    pub(super) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), BagError> {
        if self.files.contains_key(path) {
            return Err(BagError::Twice(path.to_owned()));
        }
        self.write(path, bytes)?;
        self.files.insert(path.to_owned(), (Digest::of(bytes), length(bytes)));
        Ok(())
    }

    /// Puts a file that several entries name; the same bytes again are no fault.
    pub(super) fn put_once(&mut self, path: &str, bytes: &[u8]) -> Result<(), BagError> {
        match self.files.get(path) {
            Some((digest, _)) if *digest == Digest::of(bytes) => Ok(()),
            _ => self.put(path, bytes),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), BagError> {
        let full = self.partial.join(path);
        let parent = full.parent().unwrap_or(&self.partial);
        fs::create_dir_all(parent).map_err(|source| write_error(parent, source))?;
        fs::write(&full, bytes).map_err(|source| write_error(&full, source))
    }

    pub(super) fn finish(mut self, at: Instant) -> Result<Written, BagError> {
        let payload = |path: &str| path.starts_with("data/");
        let octets: u64 = self.files.iter().filter(|(path, _)| payload(path)).map(|(_, file)| file.1).sum();
        let count = self.files.keys().filter(|path| payload(path)).count();
        let date: String = at.to_string().chars().take(10).collect();
        let software = concat!("observance ", env!("CARGO_PKG_VERSION"));
        let info =
            format!("Bag-Software-Agent: {software}\nBagging-Date: {date}\nPayload-Oxum: {octets}.{count}\n");
        let manifest = self.manifest(payload);
        self.put("bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")?;
        self.put("bag-info.txt", info.as_bytes())?;
        self.put("manifest-sha256.txt", manifest.as_bytes())?;
        let tags = self.manifest(|path| !payload(path));
        self.write("tagmanifest-sha256.txt", tags.as_bytes())?;
        // if we crash before this, only `<dir>.partial` is left, which the next attempt removes
        fs::rename(&self.partial, &self.dir).map_err(|source| write_error(&self.dir, source))?;
        let bytes = self.files.values().map(|file| file.1).sum::<u64>() + length(tags.as_bytes());
        let files = u64::try_from(self.files.len()).unwrap_or(u64::MAX) + 1;
        Ok(Written { dir: self.dir, digest: Digest::of(tags.as_bytes()), files, bytes })
    }

    fn manifest(&self, listed: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        for (path, (digest, _)) in self.files.iter().filter(|(path, _)| listed(path)) {
            // writing to a String cannot fail
            let _infallible = writeln!(text, "{}  {path}", digest.to_hex());
        }
        text
    }
}

fn write_error(path: &Path, source: io::Error) -> BagError {
    BagError::Write { path: path.to_owned(), source }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
