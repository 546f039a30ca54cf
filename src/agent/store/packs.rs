//! Where the packs of a commit travel (formats section 2): inside it if they are small, before it if they are not.
//!
//! A pack outside is written before the commit that names it, so a crash leaves at worst a pack that nobody names.

use bytes::Bytes;
use observance_record::{
    Digest,
    commit::{PACK_INLINE_BYTES_MAX, PACKS_BYTES_MAX, PACKS_MAX},
    pack as format,
};

use super::{Fault, Objects, Store, StoreError, Written, get, log::Placed};
use crate::clock::Clock;

/// Largest pack.
pub(super) const PACK_BYTES_MAX: u64 = format::PACK_BYTES_MAX as u64;

/// Where a pack travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackPlace {
    /// Inside its commit.
    Inline,
    /// As an object of its own, `v1/pack/<64 hex>`.
    Outside,
}

/// Where each pack will travel, given the sizes in order: a run's entry states it, so it is known beforehand.
pub fn pack_places(sizes: impl IntoIterator<Item = usize>) -> Vec<PackPlace> {
    let (mut inline, mut bytes) = (0, 0_usize);
    let place = |size: usize| {
        let after = bytes.saturating_add(size);
        if size > PACK_INLINE_BYTES_MAX || inline == PACKS_MAX || after > PACKS_BYTES_MAX {
            return PackPlace::Outside;
        }
        (inline, bytes) = (inline + 1, after);
        PackPlace::Inline
    };
    sizes.into_iter().map(place).collect()
}

/// A pack that lies outside its commit, for whoever only reads; the bytes are those of the digest.
pub async fn pack(objects: &dyn Objects, clock: &Clock, digest: &Digest) -> Result<Bytes, StoreError> {
    let found = get(objects, clock, &name(digest), PACK_BYTES_MAX).await?;
    found
        .filter(|bytes| Digest::of(bytes) == *digest)
        .ok_or_else(|| StoreError::PackMissing { digest: digest.to_string() })
}

impl Store {
    /// A pack that lies outside its commit; the bytes are those of the digest.
    pub async fn pack(&self, digest: &Digest) -> Result<Bytes, StoreError> {
        pack(&*self.objects, &self.clock, digest).await
    }

    /// Writes the packs that travel outside and gives the others back. If we crash here, packs lie about that no entry
    /// names: harmless, and found in place when the run is repeated.
    pub(super) async fn put_packs(&self, packs: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, StoreError> {
        let places = pack_places(packs.iter().map(Vec::len));
        let mut inline = Vec::new();
        for (pack, place) in packs.into_iter().zip(places) {
            match place {
                PackPlace::Inline => inline.push(pack),
                PackPlace::Outside => self.put_pack(pack).await?,
            }
        }
        Ok(inline)
    }

    async fn put_pack(&self, pack: Vec<u8>) -> Result<(), StoreError> {
        if pack.len() as u64 > PACK_BYTES_MAX {
            return Err(StoreError::Pack { found: pack.len(), most: PACK_BYTES_MAX });
        }
        let digest = Digest::of(&pack);
        match self.place(&name(&digest), &pack.into(), PACK_BYTES_MAX, Written::No).await {
            Ok(Placed::Ours) => Ok(()),
            Ok(Placed::Theirs(_)) => Err(StoreError::PackMissing { digest: digest.to_string() }),
            Err((_, fault)) => {
                let source = fault.unwrap_or_else(|| Fault::Unheard("another write kept the name".into()));
                Err(StoreError::objects("write", &name(&digest), source))
            }
        }
    }
}

fn name(digest: &Digest) -> String {
    format!("v1/pack/{}", digest.to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_packs_ride_along_until_the_commit_is_full() {
        use PackPlace::{Inline, Outside};
        let most = PACK_INLINE_BYTES_MAX;
        assert_eq!(pack_places([most, most + 1, 1]), [Inline, Outside, Inline]);
        assert_eq!(pack_places([most, most, most, most, 1]), [Inline, Inline, Inline, Inline, Outside]);
        assert_eq!(pack_places([1; 17])[15..], [Inline, Outside]);
    }
}
