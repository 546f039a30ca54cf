//! Tables as the log tells them: rows with their leaf hashes, each table the change of the one before.
//!
//! Salts are used once, when a row is put; afterwards its leaf hash stands for it.

use std::collections::BTreeMap;

use crate::{
    digest::{Item, Root},
    item::Salt,
    merkle::{Hash, root_of},
    table::{Change, RowBytes, Rows, TableRef, leaf},
    time::Instant,
};

/// A row and its leaf hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The bytes.
    pub bytes: RowBytes,
    /// The run that put it.
    pub put: u64,
    leaf: Hash,
}

/// A table that the log binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The run that has it.
    pub seq: u64,
    /// How that run's entry binds it.
    pub reference: TableRef,
    /// Changes since the last keyframe.
    pub changes: u64,
    /// When the run of the last keyframe began.
    pub keyframe: Instant,
    rows: BTreeMap<Item, Row>,
}

impl Table {
    /// The table of run `seq`: the stored change applied to the table before it, or a keyframe.
    pub(super) fn next(
        before: Option<Self>,
        (seq, started): (u64, Instant),
        reference: &TableRef,
        (change, salts): (Change, Vec<Salt>),
    ) -> Result<Self, &'static str> {
        let counts = [(change.put.len(), reference.put), (change.del.len(), reference.del)];
        if counts.into_iter().any(|(stored, bound)| u64::try_from(stored) != Ok(bound)) {
            return Err("the stored change has other counts than the entry");
        }
        if salts.len() != change.put.len() {
            return Err("not one salt for each row put");
        }
        let unchanged = change.is_empty();
        let (mut rows, changes, keyframe, old_root) = match (reference.base, before) {
            (None, _) => (BTreeMap::new(), 0, started, None),
            (Some(base), Some(before)) if before.seq == base && before.reference.epoch == reference.epoch => {
                let step = u64::from(!unchanged);
                (
                    before.rows,
                    before.changes.saturating_add(step),
                    before.keyframe,
                    Some(before.reference.root),
                )
            }
            (Some(_), _) => return Err("its base is not the table before it in the same epoch"),
        };
        for item in &change.del {
            rows.remove(item).ok_or("the change deletes a row that is not there")?;
        }
        for ((item, bytes), salt) in change.put.into_iter().zip(salts) {
            let leaf = leaf(&salt, &item, &bytes);
            rows.insert(item, Row { bytes, put: seq, leaf });
        }
        let root = match old_root {
            Some(root) if unchanged => root,
            _ => root_of(rows.values().map(|row| row.leaf)),
        };
        if u64::try_from(rows.len()) != Ok(reference.n) || root != reference.root {
            return Err("its rows do not lead to the root that the entry binds");
        }
        Ok(Self { seq, reference: reference.clone(), changes, keyframe, rows })
    }

    /// Its rows, by item.
    pub const fn rows(&self) -> &BTreeMap<Item, Row> {
        &self.rows
    }

    /// Does it have exactly these rows?
    pub fn equals(&self, rows: &Rows) -> bool {
        self.rows.len() == rows.len()
            && self.rows.iter().zip(rows).all(|(a, b)| a.0 == b.0 && a.1.bytes == *b.1)
    }

    /// The change that leads from it to `rows`.
    pub fn change_to(&self, rows: &Rows) -> Change {
        let put = rows.iter().filter(|(item, row)| self.rows.get(item).map(|old| &old.bytes) != Some(*row));
        let del = self.rows.keys().filter(|item| !rows.contains_key(item));
        Change { put: put.map(|(item, row)| (*item, row.clone())).collect(), del: del.copied().collect() }
    }

    /// The root after a change, whose rows are salted by `salt`: only they are hashed anew.
    pub fn root_after(&self, change: &Change, salt: impl Fn(&Item, &[u8]) -> Salt) -> Root {
        let kept = self.rows.iter().filter(|(item, _)| change.del.binary_search(item).is_err());
        let mut leaves: BTreeMap<Item, Hash> = kept.map(|(item, row)| (*item, row.leaf)).collect();
        leaves.extend(change.put.iter().map(|(item, row)| (*item, leaf(&salt(item, row), item, row))));
        root_of(leaves.into_values())
    }

    /// The bytes of its rows, by item.
    pub fn to_rows(&self) -> Rows {
        self.rows.iter().map(|(item, row)| (*item, row.bytes.clone())).collect()
    }

    /// Its root.
    pub const fn root(&self) -> Root {
        self.reference.root
    }
}
