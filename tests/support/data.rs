//! Where the vectors and recordings lie that others wrote: beside the repository, never in it.
//!
//! It fetches nothing. Without them a test says that it was skipped; on a build server that is a failure.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folder `part` of the shared material: `$OBSERVANCE_DATA`, else `../shared/data`. `None`, said aloud, when it is
/// not there; a panic when the variable `CI` is set, so that nobody mistakes silence for success.
pub(crate) fn folder(part: &str) -> Option<PathBuf> {
    let base = variable("OBSERVANCE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = base.join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(variable("CI").is_none(), "{} is missing; set OBSERVANCE_DATA", folder.display());
    eprintln!("skipped: {} is not there (set OBSERVANCE_DATA)", folder.display());
    None
}

/// Every file under `folder` whose name ends in `extension`, sorted.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where things lie")]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
