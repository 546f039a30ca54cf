//! The local head file: the newest head this machine has seen, so that a store that was rolled back is noticed.
//!
//! It is memory, not evidence: without it the log still holds, but a shorter log looks whole.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
};

use observance_record::{Root, json};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// Largest head file that is read.
const BYTES_MAX: u64 = 4096;

/// The head of a log after one of its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The commit.
    pub ordinal: u64,
    /// Entries up to and including it.
    pub size: u64,
    /// The root over them.
    pub root: Root,
}

/// Where the head is remembered: canonical JSON `{"ordinal","root","size"}`, replaced as a whole.
#[derive(Debug, Clone)]
pub struct HeadFile(PathBuf);

impl HeadFile {
    /// At this path; the folder must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The head that was remembered last; `None` if there is no such file.
    pub fn read(&self) -> Result<Option<Head>, StoreError> {
        let length = match fs::metadata(&self.0) {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error("read", error)),
        };
        if length > BYTES_MAX {
            return Err(self.error("read", "it is too large to be one"));
        }
        let bytes = fs::read(&self.0).map_err(|error| self.error("read", error))?;
        json::from_canonical(&bytes).map(Some).map_err(|error| self.error("read", error))
    }

    /// Remembers a head, unless a later one is remembered already.
    pub(super) fn write(&self, head: &Head) -> Result<(), StoreError> {
        if self.read()?.is_some_and(|remembered| remembered.ordinal >= head.ordinal) {
            return Ok(());
        }
        let bytes = json::to_canonical(head).map_err(|error| self.error("write", error))?;
        self.replace(&bytes).map_err(|error| self.error("write", error))
    }

    /// A crash leaves the old file or the new one: the new bytes are on the disk before they take the name.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let mut staged = self.0.clone().into_os_string();
        staged.push(".new");
        let mut file = File::create(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, &self.0)?;
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| ".".as_ref()))?.sync_all()
    }

    fn error(&self, what: &'static str, source: impl Into<super::Refusal>) -> StoreError {
        StoreError::HeadFile { what, path: self.0.clone(), source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_head_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = HeadFile::new(folder.path().join("head"));
        assert!(file.read().unwrap().is_none());
        let head = |ordinal| Head { ordinal, size: ordinal + 1, root: Root::from_bytes([7; 32]) };
        for ordinal in [3, 5, 4] {
            file.write(&head(ordinal)).unwrap();
        }
        assert_eq!(file.read().unwrap(), Some(head(5)));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head");
        fs::write(&path, b"{\"ordinal\":3").unwrap();
        assert!(HeadFile::new(path).read().is_err());
    }
}
