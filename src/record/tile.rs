//! C2SP tlog-tiles: where tiles and entry bundles lie, and how a bundle frames its entries.
//!
//! Tiles are derived from commits; nothing is ever decided from them.

use crate::merkle::{Hash, root_of};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Longest entry: its length travels in 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// An entry that cannot be framed, or a bundle that does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Longer than 65,535 bytes.
    #[error("an entry of {0} bytes; the most is 65,535")]
    Long(usize),
    /// The bytes end inside an entry.
    #[error("the bundle ends inside an entry")]
    Torn,
}

/// Frames entries as tlog-tiles does: `(u16 length || entry)*`, big-endian.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, BundleError> {
    let mut out = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_long| BundleError::Long(entry.len()))?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// The entries of a bundle, in order.
pub fn unbundle(mut bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk().ok_or(BundleError::Torn)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(BundleError::Torn)?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}

/// Path of tile `n` of a level, `width` hashes wide (256 = full): `tile/0/x001/067`, `tile/0/000.p/5`.
pub fn tile_path(level: u8, n: u64, width: u64) -> String {
    format!("tile/{level}/{}", numbered(n, width))
}

/// Path of entry bundle `n` of `width` entries.
pub fn entries_path(n: u64, width: u64) -> String {
    format!("tile/entries/{}", numbered(n, width))
}

fn numbered(n: u64, width: u64) -> String {
    let mut path = format!("{:03}", n % 1000);
    let mut rest = n / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < WIDTH { format!("{path}.p/{width}") } else { path }
}

/// Bytes of a tile: its hashes, joined.
pub fn tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The hash that a full tile contributes to the level above.
pub fn parent(hashes: &[Hash]) -> Hash {
    *root_of(hashes.iter().copied()).as_bytes()
}

/// The tiles `(level, n, width)` that a tree of `size` has, partial ones last on each level.
pub fn tiles_of(size: u64) -> Vec<(u8, u64, u64)> {
    let mut tiles = Vec::new();
    let (mut level, mut count) = (0, size);
    while count > 0 {
        tiles.extend((0..count / WIDTH).map(|n| (level, n, WIDTH)));
        if count % WIDTH > 0 {
            tiles.push((level, count / WIDTH, count % WIDTH));
        }
        level = u8::saturating_add(level, 1);
        count /= WIDTH;
    }
    tiles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_as_the_specification_shows_them() {
        assert_eq!(tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(entries_path(0, 17), "tile/entries/000.p/17");
        let tiles = tiles_of(70_000);
        assert_eq!(tiles.iter().filter(|t| t.0 == 0 && t.2 == 256).count(), 273);
        assert!(tiles.contains(&(0, 273, 112)) && tiles.contains(&(1, 1, 17)) && tiles.contains(&(2, 0, 1)));
        assert_eq!(tiles_of(256), [(0, 0, 256), (1, 0, 1)]);
    }

    #[test]
    fn the_longest_entry_fits_and_one_byte_more_does_not() {
        let entry = vec![7; ENTRY_BYTES_MAX];
        assert_eq!(unbundle(&bundle([entry.as_slice()]).unwrap()).unwrap(), [entry.as_slice()]);
        assert_eq!(bundle([vec![7; 65_536].as_slice()]), Err(BundleError::Long(65_536)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(entries) = unbundle(&bytes) {
                prop_assert_eq!(bundle(entries), Ok(bytes));
            }
        }

        #[test]
        fn bundles_read_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let bytes = bundle(entries.iter().map(Vec::as_slice)).unwrap();
            prop_assert_eq!(unbundle(&bytes).unwrap(), entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
            if bytes.len() > 1 && entries.last().is_some_and(|e| !e.is_empty()) {
                prop_assert_eq!(unbundle(&bytes[..bytes.len() - 1]), Err(BundleError::Torn));
            }
        }
    }
}
