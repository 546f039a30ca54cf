//! Finds the policies of a folder: each `<name>.rego` in it is one, together with all of `lib/*.rego` beside it.
//!
//! It loads none of them and follows no link out of its two levels.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::source::{FILE_BYTES_MAX, FILES_MAX};

/// Most policies of one folder.
const POLICIES_MAX: usize = 256;

/// The folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or folder could not be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// More than a folder of policies holds.
    #[error("{path} holds more than {limit} policy files, or one larger than {FILE_BYTES_MAX} bytes")]
    TooMuch {
        /// Which.
        path: PathBuf,
        /// How many it may hold.
        limit: usize,
    },
}

/// The files of each policy of `folder`, by the policy's name; the paths inside are relative to the folder, with `/`.
pub fn read(folder: &Path) -> Result<BTreeMap<String, BTreeMap<String, Vec<u8>>>, FolderError> {
    let library = folder.join("lib");
    let shared = if library.is_dir() { rego(&library, FILES_MAX)? } else { BTreeMap::new() };
    let mut policies = BTreeMap::new();
    for (name, bytes) in rego(folder, POLICIES_MAX)? {
        let mut files: BTreeMap<_, _> =
            shared.iter().map(|(name, bytes)| (format!("lib/{name}.rego"), bytes.clone())).collect();
        files.insert(format!("{name}.rego"), bytes);
        policies.insert(name, files);
    }
    Ok(policies)
}

/// The `.rego` files directly in a folder, by name without the ending.
fn rego(folder: &Path, limit: usize) -> Result<BTreeMap<String, Vec<u8>>, FolderError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Read { path, source }
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
        let (true, Some(name)) = (path.extension().is_some_and(|ending| ending == "rego"), name) else {
            continue;
        };
        let size = fs::metadata(&path).map_err(failed(&path))?.len();
        if files.len() >= limit || usize::try_from(size).is_ok_and(|size| size > FILE_BYTES_MAX) {
            return Err(FolderError::TooMuch { path, limit });
        }
        files.insert(name, fs::read(&path).map_err(failed(&path))?);
    }
    Ok(files)
}
