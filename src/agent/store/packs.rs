//! Where the packs of a commit travel (formats section 2): inside it if they are small, before it if they are not.
//!
//! A pack outside is written before the commit that names it, so a crash leaves at worst a pack that nobody names.

use bytes::Bytes;
use observance_record::{
    Digest,
    commit::{Commit, PACK_INLINE_BYTES_MAX, PACKS_BYTES_MAX, PACKS_MAX},
    entry::PackRef,
    pack,
};

use super::{
    COMMIT_BYTES_MAX, Fault, Log, Objects, Store, StoreError, Tamper, Written, get, log::Placed,
    read::commit_name,
};
use crate::clock::Clock;

/// Largest pack.
pub(super) const PACK_BYTES_MAX: u64 = pack::PACK_BYTES_MAX as u64;

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

impl Log {
    /// A pack that lies outside its commit; the bytes are those of the digest.
    pub async fn pack(&self, digest: &Digest) -> Result<Bytes, StoreError> {
        get_pack(&*self.store().objects, self.store().clock(), digest).await
    }
}

/// A pack that travels outside its commit.
#[derive(Debug, Clone)]
pub(super) struct Pack {
    pub(super) digest: Digest,
    pub(super) bytes: Bytes,
}

/// The packs of one commit, each with its way of travelling.
#[derive(Debug, Default)]
pub(super) struct Packs {
    pub(super) inline: Vec<Vec<u8>>,
    pub(super) outside: Vec<Pack>,
}

impl Packs {
    pub(super) fn new(packs: Vec<Vec<u8>>) -> Self {
        let places = pack_places(packs.iter().map(Vec::len));
        let mut sorted = Self::default();
        for (pack, place) in packs.into_iter().zip(places) {
            match place {
                PackPlace::Inline => sorted.inline.push(pack),
                PackPlace::Outside => {
                    sorted.outside.push(Pack { digest: Digest::of(&pack), bytes: pack.into() });
                }
            }
        }
        sorted
    }

    /// Do the packs that entries name all travel, and in the way that they say? A commit that names another would be
    /// refused by every reader, for ever.
    pub(super) fn check_named(&self, named: &[PackRef]) -> Result<(), Tamper> {
        let inline: Vec<Digest> = self.inline.iter().map(|pack| Digest::of(pack)).collect();
        let travels = |pack: &PackRef| {
            if pack.inline {
                inline.contains(&pack.sha256)
            } else {
                self.outside.iter().any(|outside| outside.digest == pack.sha256)
            }
        };
        match named.iter().find(|pack| !travels(pack)) {
            Some(pack) => Err(Tamper::Pack { digest: pack.sha256.to_string() }),
            None => Ok(()),
        }
    }
}

/// Bytes that are those of the digest.
pub(super) async fn get_pack(
    objects: &dyn Objects,
    clock: &Clock,
    digest: &Digest,
) -> Result<Bytes, StoreError> {
    let found = get(objects, clock, &name(digest), PACK_BYTES_MAX).await?;
    found
        .filter(|bytes| Digest::of(bytes) == *digest)
        .ok_or_else(|| StoreError::PackMissing { digest: digest.to_string() })
}

impl Store {
    /// A pack that a run of this commit names, inside it or beside it; asked for once. `None` if it cannot be had now:
    /// for readers that can do without.
    pub async fn pack(&self, ordinal: u64, named: &PackRef) -> Option<Bytes> {
        if !named.inline {
            let bytes = self.objects.get(&name(&named.sha256), PACK_BYTES_MAX).await.ok()??;
            return (Digest::of(&bytes) == named.sha256).then_some(bytes);
        }
        let commit = self.objects.get(&commit_name(ordinal), COMMIT_BYTES_MAX).await.ok()??;
        let packs = Commit::decode(&commit).ok()?.packs;
        packs.into_iter().find(|pack| Digest::of(pack) == named.sha256).map(Bytes::from)
    }

    /// Writes a pack that travels outside. If we crash here, a pack lies about that no entry names: harmless, and found in
    /// place when the run is repeated.
    pub(super) async fn put_pack(&self, pack: &Pack) -> Result<(), StoreError> {
        if pack.bytes.len() as u64 > PACK_BYTES_MAX {
            return Err(StoreError::Pack { found: pack.bytes.len(), most: PACK_BYTES_MAX });
        }
        match self.place(&name(&pack.digest), &pack.bytes, PACK_BYTES_MAX, Written::No).await {
            Ok(Placed::Ours) => Ok(()),
            Ok(Placed::Theirs(_)) => Err(StoreError::PackMissing { digest: pack.digest.to_string() }),
            Err((_, fault)) => {
                let source = fault.unwrap_or_else(|| Fault::Unheard("another write kept the name".into()));
                Err(StoreError::objects("write", &name(&pack.digest), source))
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
