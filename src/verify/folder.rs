//! A bundle in a folder. Links, devices and pipes are refused: a bundle is plain files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{bag::Files, report::Failure};

/// Deepest nesting of folders that is looked into.
const DEPTH_MAX: usize = 16;
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The folder is not there, or is none.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// The files below a folder.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A folder that exists.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        match fs::read_dir(path) {
            Ok(_) => Ok(Self(path.to_owned())),
            Err(source) => Err(FolderError { path: path.to_owned(), source }),
        }
    }
}

impl Files for Folder {
    fn list(&self) -> Result<Vec<String>, Failure> {
        let mut paths = Vec::new();
        walk(&self.0, "", DEPTH_MAX, &mut paths)?;
        paths.sort();
        Ok(paths)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let full = self.0.join(path);
        let length = fs::symlink_metadata(&full).map_err(|e| e.to_string())?.len();
        if length > FILE_BYTES_MAX {
            return Err(format!("has {length} bytes; the most is {FILE_BYTES_MAX}"));
        }
        fs::read(full).map_err(|e| e.to_string())
    }
}

fn walk(dir: &Path, prefix: &str, depth: usize, paths: &mut Vec<String>) -> Result<(), Failure> {
    let refuse = |path: &str, what: &str| Failure::new("bag", path.escape_default().to_string(), what);
    let unread = |e: io::Error| Failure::unchecked("bag", dir.display().to_string(), e.to_string());
    if depth == 0 {
        return Err(refuse(prefix, "lies deeper than any folder of a bundle"));
    }
    for entry in fs::read_dir(dir).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_name().to_str().is_none() {
            return Err(refuse(&path, "is not a safe path"));
        }
        let kind = entry.file_type().map_err(unread)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), depth.saturating_sub(1), paths)?;
        } else if kind.is_file() {
            paths.push(path);
        } else {
            return Err(refuse(&path, "is neither a file nor a folder"));
        }
    }
    Ok(())
}
