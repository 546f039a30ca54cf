//! Tables (formats section 5): keyed rows under a salted root, stored as the change from an earlier table.
//!
//! One mechanism for exchanges, populations and one-row facts. Salts and items come in by the door.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    digest::{Item, Root},
    item::{Salt, SaltKey},
    merkle::{Hash, leaf_hash_of, root_of},
};

const MAGIC: &[u8; 8] = b"OBSTBL01";
/// Longest row, in bytes.
pub const ROW_BYTES_MAX: usize = 1 << 20;
/// Most rows in a table.
pub const ROWS_MAX: usize = 1 << 24;

/// A row's bytes: shared by the table that has it, the change that puts it and whoever collected it.
pub type RowBytes = Arc<[u8]>;

/// The rows of a table, by item: sorted, each item once.
pub type Rows = BTreeMap<Item, RowBytes>;

/// How an entry binds a table: `{"n","root","epoch","base"?,"put","del"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRef {
    /// How many rows it has.
    pub n: u64,
    /// Merkle root over its salted leaves.
    pub root: Root,
    /// Which salt key its rows were salted with.
    pub epoch: u64,
    /// Sequence number of the entry whose table this one is a change of; absent for a keyframe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Rows put by the stored change (all rows of a keyframe).
    pub put: u64,
    /// Rows deleted by the stored change.
    pub del: u64,
}

/// `SHA-256(00 || salt || item || row)`.
pub fn leaf(salt: &Salt, item: &Item, row: &[u8]) -> Hash {
    leaf_hash_of(&[salt, item.as_bytes(), row])
}

/// The root of a table of this name.
pub fn root(name: &str, rows: &Rows, key: &SaltKey) -> Root {
    root_of(rows.iter().map(|(item, row)| leaf(&key.salt(name, item, row), item, row)))
}

/// The item of receipt line `i`: its number, as 16 bytes.
pub fn line_item(i: u64) -> Item {
    Item::from_bytes(u128::from(i).to_be_bytes())
}

/// Lines (receipts, one-row facts) as a table: item = line number.
pub fn lines(lines: impl IntoIterator<Item = Vec<u8>>) -> Rows {
    (0..).map(line_item).zip(lines.into_iter().map(Into::into)).collect()
}

/// The root of lines, which need not be made rows for it.
pub fn lines_root<'a>(name: &str, lines: impl IntoIterator<Item = &'a [u8]>, key: &SaltKey) -> Root {
    let items = (0..).map(line_item).zip(lines);
    root_of(items.map(|(item, line)| leaf(&key.salt(name, &item, line), &item, line)))
}

/// Why bytes are not a change, or it does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The frame.
    #[error("not a table: {0}")]
    Form(&'static str),
    /// A row to delete is not there.
    #[error("the change deletes item {0}, which its base does not have")]
    Absent(Item),
}

/// What turns one table into the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Rows that are new or differ, by item.
    pub put: Rows,
    /// Items that are gone, sorted.
    pub del: Vec<Item>,
}

impl Change {
    /// The change from `old` to `new`.
    pub fn between(old: &Rows, new: &Rows) -> Self {
        let put = new.iter().filter(|(item, row)| old.get(item) != Some(row));
        let del = old.keys().filter(|item| !new.contains_key(item));
        Self { put: put.map(|(item, row)| (*item, row.clone())).collect(), del: del.copied().collect() }
    }

    /// Nothing differs; nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.del.is_empty()
    }

    /// Turns `rows` into the next table; on an error `rows` may be half changed and must be dropped.
    pub fn apply(self, rows: &mut Rows) -> Result<(), TableError> {
        for item in &self.del {
            rows.remove(item).ok_or(TableError::Absent(*item))?;
        }
        rows.extend(self.put);
        Ok(())
    }

    /// The artefact `OBSTBL01`.
    pub fn encode(&self) -> Vec<u8> {
        let rows: usize = self.put.values().map(|row| row.len()).sum();
        let items = self.put.len().saturating_mul(20).saturating_add(self.del.len().saturating_mul(16));
        let mut out = Vec::with_capacity(rows.saturating_add(items).saturating_add(24));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&count(self.put.len()));
        for (item, row) in &self.put {
            out.extend_from_slice(item.as_bytes());
            // rows are bounded far below 4 GiB where they are made
            out.extend_from_slice(&u32::try_from(row.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(row);
        }
        out.extend_from_slice(&count(self.del.len()));
        out.extend(self.del.iter().flat_map(Item::as_bytes));
        out
    }

    /// Reads the artefact; items must be sorted and unique, nothing may be left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, TableError> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(TableError::Form("unknown magic"))?;
        let mut change = Self::default();
        for _ in 0..size(&mut rest)? {
            let item = Item::from_bytes(take(&mut rest)?);
            let length = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).unwrap_or(usize::MAX);
            let (row, after) = rest.split_at_checked(length).ok_or(TableError::Form("truncated"))?;
            rest = after;
            if length > ROW_BYTES_MAX || change.put.last_key_value().is_some_and(|(last, _)| *last >= item) {
                return Err(TableError::Form("a row too long or out of order"));
            }
            change.put.insert(item, row.into());
        }
        for _ in 0..size(&mut rest)? {
            let item = Item::from_bytes(take(&mut rest)?);
            if change.del.last().is_some_and(|last| *last >= item) || change.put.contains_key(&item) {
                return Err(TableError::Form("a deletion out of order"));
            }
            change.del.push(item);
        }
        if rest.is_empty() { Ok(change) } else { Err(TableError::Form("bytes left over")) }
    }
}

fn count(n: usize) -> [u8; 8] {
    u64::try_from(n).unwrap_or(u64::MAX).to_be_bytes()
}

fn size(bytes: &mut &[u8]) -> Result<usize, TableError> {
    usize::try_from(u64::from_be_bytes(take(bytes)?))
        .ok()
        .filter(|n| *n <= ROWS_MAX)
        .ok_or(TableError::Form("too many rows"))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], TableError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(TableError::Form("truncated"))?;
    *bytes = rest;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Rows> {
        let item = (0_u8..12).prop_map(|i| Item::from_bytes([i; 16]));
        let row = prop::collection::vec(any::<u8>(), 0..6).prop_map(Into::into);
        prop::collection::btree_map(item, row, 0..10)
    }

    proptest! {
        #[test]
        fn a_change_leads_from_one_table_to_the_next(old in rows(), new in rows()) {
            let change = Change::between(&old, &new);
            prop_assert_eq!(change.is_empty(), old == new);
            let read = Change::decode(&change.encode()).unwrap();
            prop_assert_eq!(&read, &change);
            let mut rows = old;
            read.apply(&mut rows).unwrap();
            prop_assert_eq!(rows, new);
        }

        #[test]
        fn lines_need_not_be_rows_for_their_root(lines in prop::collection::vec(any::<Vec<u8>>(), 0..6)) {
            let key = SaltKey::new([4; 32]);
            let bare = lines_root("t", lines.iter().map(Vec::as_slice), &key);
            prop_assert_eq!(bare, root("t", &super::lines(lines), &key));
        }

        #[test]
        fn equal_roots_mean_equal_tables(old in rows(), new in rows()) {
            let key = SaltKey::new([4; 32]);
            prop_assert_eq!(root("t", &old, &key) == root("t", &new, &key), old == new);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _read = Change::decode(&[MAGIC.as_slice(), &bytes].concat()).is_ok();
        }
    }
}
