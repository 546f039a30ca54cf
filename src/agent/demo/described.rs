//! Where tests find the vendors' own descriptions of their APIs; they are not part of this repository.

use std::path::PathBuf;

/// A description, from the shared data folder (`OBSERVANCE_DATA`, else `../shared/data`); nothing, said aloud, where there is none.
pub(super) fn described(name: &str) -> Option<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "a test finds its data as the whole suite does")]
    let (folder, ci) = (std::env::var("OBSERVANCE_DATA"), std::env::var("CI"));
    let folder = folder
        .map_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join("contracts").join(name);
    let Ok(text) = std::fs::read(&path) else {
        assert!(ci.is_err(), "{} is missing", path.display());
        println!("skipped: {} is missing", path.display());
        return None;
    };
    Some(text)
}
