//! Finds the policies of a folder: each `<name>.rego` in it, or in a folder below it, is one, together with what it imports of
//! `lib/*.rego` at the top and beside it.
//!
//! It loads none of them and looks no deeper.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use crate::source::FILE_BYTES_MAX;

/// Most files of one folder.
const FILES_OF_FOLDER_MAX: usize = 256;
/// How their names end.
const ENDING: &str = ".rego";

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

/// The folder of files that are no policies but what policies import.
const LIBRARY: &str = "lib";
/// How a policy names what it imports.
const IMPORTED: &str = "data.lib.";

/// The files of each policy of `folder`, by the policy's name; the paths inside are relative to the folder, with `/`. A policy of
/// a folder below is named with it: `github/two_factor`.
pub fn read(folder: &Path) -> Result<BTreeMap<String, BTreeMap<String, Vec<u8>>>, FolderError> {
    let mut files = rego(folder, "")?;
    for below in folders(folder)? {
        files.extend(rego(folder, &format!("{below}/"))?);
        if below != LIBRARY {
            files.extend(rego(folder, &format!("{below}/{LIBRARY}/"))?);
        }
    }
    Ok(policies(&files))
}

/// The same of files that are already read, by their paths.
pub fn policies(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let policy = |(path, _): (&String, _)| {
        let name = path.strip_suffix(ENDING)?;
        let (below, _) = name.rsplit_once('/').unwrap_or(("", name));
        let is_library = below.rsplit('/').next() == Some(LIBRARY);
        (!is_library).then(|| (name.to_owned(), with_imports(path, below, files)))
    };
    files.iter().filter_map(policy).collect()
}

/// A policy's file and what it imports, and what that imports.
fn with_imports(path: &str, below: &str, files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        let Some(bytes) = files.get(&path).filter(|_| !found.contains_key(&path)) else { continue };
        for name in imports(bytes) {
            open.push(format!("{LIBRARY}/{name}{ENDING}"));
            open.push(format!("{below}/{LIBRARY}/{name}{ENDING}"));
        }
        found.insert(path, bytes.clone());
    }
    found
}

/// The names after `data.lib.`, wherever they stand: one too many only adds a file that is not used.
fn imports(text: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(text);
    let name =
        |after: &str| after.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().map(str::to_owned);
    text.split(IMPORTED).skip(1).filter_map(name).collect()
}

/// The folders directly below the folder.
fn folders(folder: &Path) -> Result<BTreeSet<String>, FolderError> {
    let failed = |source| FolderError::Read { path: folder.to_owned(), source };
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_str().map(str::to_owned);
        folders.extend(name.filter(|_| entry.path().is_dir()));
    }
    Ok(folders)
}

/// The `.rego` files directly in a folder below the folder, by path; none if it is not there.
fn rego(folder: &Path, below: &str) -> Result<BTreeMap<String, Vec<u8>>, FolderError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Read { path, source }
    };
    let there = folder.join(below);
    let mut files = BTreeMap::new();
    if !below.is_empty() && !there.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(&there).map_err(failed(&there))? {
        let path = entry.map_err(failed(&there))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let Some(name) = name.filter(|name| name.ends_with(ENDING)) else { continue };
        let size = fs::metadata(&path).map_err(failed(&path))?.len();
        if files.len() >= FILES_OF_FOLDER_MAX || usize::try_from(size).is_ok_and(|size| size > FILE_BYTES_MAX)
        {
            return Err(FolderError::TooMuch { path, limit: FILES_OF_FOLDER_MAX });
        }
        files.insert(format!("{below}{name}"), fs::read(&path).map_err(failed(&path))?);
    }
    Ok(files)
}
