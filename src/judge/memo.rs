//! What was heard of rows that have not changed since, so that they are not asked about again.
//!
//! It can be dropped at any time: it changes how much is evaluated, never what comes out. What is kept is what the
//! policy said; the gates are passed anew each time.

use std::{collections::HashMap, sync::Arc};

use observance_record::Digest;

use crate::hear::Heard;

/// A bounded memory in two generations: when the young one is full it becomes the old one, and the old one is gone.
#[derive(Debug, Default)]
pub struct Memo {
    young: HashMap<Digest, Arc<Heard>>,
    old: HashMap<Digest, Arc<Heard>>,
    half: usize,
}

impl Memo {
    /// Remembers at most `rows_max` rows; 0 remembers nothing.
    pub fn new(rows_max: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: rows_max / 2 }
    }

    pub(crate) fn recall(&mut self, key: &Digest) -> Option<Arc<Heard>> {
        if let Some(heard) = self.young.get(key) {
            return Some(Arc::clone(heard));
        }
        let heard = self.old.remove(key)?;
        self.keep(*key, Arc::clone(&heard));
        Some(heard)
    }

    pub(crate) fn keep(&mut self, key: Digest, heard: Arc<Heard>) {
        if self.half == 0 {
            return;
        }
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, heard);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::hear::Said;

    #[test]
    fn it_stays_within_its_bound_and_keeps_what_is_used() {
        let mut memo = Memo::new(8);
        let key = |n: u32| Digest::of(&n.to_be_bytes());
        let heard = Arc::new(Heard { said: Ok(Said::default()), unseen: BTreeSet::new() });
        for n in 0..100 {
            memo.keep(key(n), Arc::clone(&heard));
            assert!(memo.recall(&key(0)).is_some(), "{n}");
            assert!(memo.young.len() + memo.old.len() <= 8);
        }
        assert!(memo.recall(&key(1)).is_none());
        assert!(Memo::new(0).recall(&key(0)).is_none());
    }
}
