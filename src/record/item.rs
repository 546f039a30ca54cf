//! Keyed pseudonyms and row salts (formats section 3): HMAC-SHA-256, cut to 16 bytes.
//!
//! It neither makes nor stores keys; they come in by the door, and whoever keeps them wipes them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::digest::Item;

/// A part that holds a zero byte, which would make two names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {0} of an item holds a zero byte")]
pub struct PartError(&'static str);

/// `K_item`: names things and people, one per estate, for its life. Cannot be printed.
#[derive(Clone)]
pub struct ItemKey([u8; 32]);

impl ItemKey {
    /// The key in force.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The item of `natural` (the vendor's immutable id) of a `kind` (`repository`, `person`, ...) in a `scope`
    /// (the source's immutable id; `*` for `person`).
    pub fn item(&self, kind: &str, scope: &str, natural: &str) -> Result<Item, PartError> {
        for (part, name) in [(kind, "type"), (scope, "scope"), (natural, "natural id")] {
            if part.contains('\0') {
                return Err(PartError(name));
            }
        }
        Ok(Item::from_bytes(cut(
            &self.0,
            &[b"observance/item/v1\0", kind.as_bytes(), b"\0", scope.as_bytes(), b"\0", natural.as_bytes()],
        )))
    }
}

impl fmt::Debug for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemKey(..)")
    }
}

/// `K_salt` of one epoch: salts the rows of every table, so that equal rows have equal leaves. Cannot be printed.
#[derive(Clone)]
pub struct SaltKey([u8; 32]);

/// The salt of one row.
pub type Salt = [u8; 16];

impl SaltKey {
    /// The key of one epoch.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The salt of `row`, which stands for `item` in the table of this name (`exchange`, `receipt`, a population's).
    pub fn salt(&self, table: &str, item: &Item, row: &[u8]) -> Salt {
        let row = Sha256::digest(row);
        cut(&self.0, &[b"observance/salt/v1\0", table.as_bytes(), b"\0", item.as_bytes(), &row])
    }
}

impl fmt::Debug for SaltKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltKey(..)")
    }
}

fn cut(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 16] {
    // HMAC fills a key up to the hash's block with zeros (RFC 2104 section 2), so this is the key itself
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let [a @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = full;
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_run_into_each_other() {
        let key = ItemKey::new([7; 32]);
        assert_ne!(key.item("a", "bc", "d").unwrap(), key.item("ab", "c", "d").unwrap());
        assert_eq!(key.item("a", "b\0", "c"), Err(PartError("scope")));
    }

    #[test]
    fn the_same_row_has_the_same_salt_in_its_table_only() {
        let (key, item) = (SaltKey::new([1; 32]), Item::from_bytes([2; 16]));
        assert_eq!(key.salt("exchange", &item, b"{}"), key.salt("exchange", &item, b"{}"));
        assert_ne!(key.salt("exchange", &item, b"{}"), key.salt("repositories", &item, b"{}"));
    }
}
