//! A bundle in a folder. Links, devices and pipes are refused: a bundle is plain files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::bag::Files;

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
    fn list(&self) -> Result<Vec<String>, String> {
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

fn walk(dir: &Path, prefix: &str, depth: usize, paths: &mut Vec<String>) -> Result<(), String> {
    let shown = |e: io::Error| format!("{}: {e}", dir.display());
    if depth == 0 {
        return Err(format!("{}: folders nested too deep", dir.display()));
    }
    for entry in fs::read_dir(dir).map_err(shown)? {
        let entry = entry.map_err(shown)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| format!("{}: a name that is not UTF-8", dir.display()))?;
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(shown)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), depth.saturating_sub(1), paths)?;
        } else if kind.is_file() {
            paths.push(path);
        } else {
            return Err(format!("{path}: neither a file nor a folder"));
        }
    }
    Ok(())
}
