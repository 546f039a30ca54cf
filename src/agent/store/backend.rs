//! Folders, memory and S3 behind [`Objects`], through `object_store`.
//!
//! It retries nothing: a try that may have written must be judged by the log before there is another.

use std::{fs, path::Path as FsPath, sync::Arc};

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use object_store::{
    Error, GetOptions, ObjectStore, PutMode, PutOptions, local::LocalFileSystem, memory::InMemory, path::Path,
};

use super::{Answer, Created, Fault, Found, Location, Objects, S3Keys, Safeguards, StoreError, s3};

/// Connects to a store; nothing is sent yet. A folder is made if it is missing. Whoever means to write proves it first.
pub fn connect(location: &Location, keys: Option<&S3Keys>) -> Result<Arc<dyn Objects>, StoreError> {
    let open = |source| StoreError::Open { location: location.to_string(), source };
    Ok(match location {
        Location::Memory => Arc::new(Plain { objects: InMemory::new(), backend: "memory" }),
        Location::Folder(path) => Arc::new(Plain { objects: folder(path).map_err(open)?, backend: "folder" }),
        Location::S3(bucket) => {
            let keys = keys.ok_or_else(|| open("an S3 store needs an access key and its secret".into()))?;
            Arc::new(s3::S3::new(bucket, keys).map_err(|source| open(Box::new(source)))?)
        }
    })
}

/// Every write is synced to the disk, the folder's own entry too; `object_store` does neither unless told.
fn folder(path: &FsPath) -> Result<LocalFileSystem, Box<dyn std::error::Error + Send + Sync>> {
    fs::create_dir_all(path)?;
    Ok(LocalFileSystem::new_with_prefix(path)?.with_fsync(true))
}

/// A store that offers nothing beyond its objects.
#[derive(Debug)]
struct Plain<O> {
    objects: O,
    backend: &'static str,
}

impl<O: ObjectStore> Objects for Plain<O> {
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created> {
        create(&self.objects, Path::from(name), bytes).boxed()
    }

    fn get<'a>(&'a self, name: &'a str, bytes_max: u64) -> Answer<'a, Option<Bytes>> {
        get(&self.objects, Path::from(name), bytes_max).boxed()
    }

    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>> {
        list(&self.objects, Path::from(folder), after.map(Path::from), names_max).boxed()
    }

    fn safeguards(&self) -> Answer<'_, Safeguards> {
        let found = Safeguards { backend: self.backend, checksum: Found::No, retention: Found::No };
        async move { Ok(found) }.boxed()
    }
}

pub(super) async fn create(objects: &dyn ObjectStore, path: Path, bytes: Bytes) -> Result<Created, Fault> {
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match objects.put_opts(&path, bytes.into(), options).await {
        Ok(_) => Ok(Created::New),
        Err(Error::AlreadyExists { .. }) => Ok(Created::Taken),
        Err(error) => Err(fault(error)),
    }
}

pub(super) async fn get(
    objects: &dyn ObjectStore,
    path: Path,
    bytes_max: u64,
) -> Result<Option<Bytes>, Fault> {
    let got = match objects.get_opts(&path, GetOptions::default()).await {
        Ok(got) => got,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(fault(error)),
    };
    if got.meta.size > bytes_max {
        return Err(Fault::Large { found: got.meta.size, most: bytes_max });
    }
    let size = got.meta.size;
    let bytes = got.bytes().await.map_err(fault)?;
    // a connection that ends early must not pass for a shorter object
    if u64::try_from(bytes.len()) == Ok(size) {
        Ok(Some(bytes))
    } else {
        Err(Fault::Unheard("the object's bytes ended early".into()))
    }
}

pub(super) async fn list(
    objects: &dyn ObjectStore,
    folder: Path,
    after: Option<Path>,
    names_max: usize,
) -> Result<Vec<String>, Fault> {
    let listed = match &after {
        Some(after) => objects.list_with_offset(Some(&folder), after),
        None => objects.list(Some(&folder)),
    };
    listed.take(names_max).map_ok(|meta| meta.location.to_string()).try_collect().await.map_err(fault)
}

/// Only an answer that rules a write out counts as a refusal.
pub(super) fn fault(error: Error) -> Fault {
    if matches!(
        error,
        Error::NotFound { .. }
            | Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotImplemented { .. }
            | Error::NotSupported { .. }
            | Error::InvalidPath { .. }
            | Error::Precondition { .. }
            | Error::UnknownConfigurationKey { .. }
    ) {
        Fault::Refused(Box::new(error))
    } else {
        Fault::Unheard(Box::new(error))
    }
}
