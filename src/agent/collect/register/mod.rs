//! A file of the organisation as a source: read once, whole, and believed only by the signature beside it.
//!
//! It answers as a server would, so that everything behind it is the same: 200 with the file, 401 without a signature that holds,
//! 403 where somebody else signed, 404 where there is no such file. It reads no cell: `table` does.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use observance_record::Digest;

use super::{
    http::{Answer, Broken, Headers},
    manifest::Manifest,
    outcome::why,
    table::TableFault,
};
use crate::sshsig::{PublicKey, Refused, signed_by};

/// Largest signature, in bytes.
const SIGNATURE_BYTES_MAX: u64 = 64 * 1024;
/// What stands behind the name of a file in that of its signature, as `ssh-keygen -Y sign` writes it.
const SIGNATURE_SUFFIX: &str = "sig";
/// The header of an answer that says who signed.
pub(super) const SIGNED_BY: &str = "signed-by";
/// The header with the fingerprint of the key that did.
pub(super) const SIGNING_KEY: &str = "signing-key";
/// The header with the reason of an answer without a file.
pub(super) const REASON: &str = "reason";

/// A file, and who has to have signed it.
#[derive(Debug, Clone)]
pub struct Register {
    /// Where it is.
    pub path: PathBuf,
    /// Who signs it; without anybody it is read as it is, and every run says so.
    pub signer: Option<Signer>,
}

/// Somebody who may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The name in the configuration.
    pub name: String,
    /// His keys; any of them will do.
    pub keys: Vec<PublicKey>,
}

/// What a file comes to, for the people who keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// So many rows.
    Rows(usize),
    /// Not even read, and why.
    Refused(&'static str),
    /// Not as its columns say; every fault.
    Faults(Vec<TableFault>),
}

impl Register {
    /// Reads the file as a run of this collector does.
    pub fn look(&self, manifest: &Manifest) -> Look {
        let Ok(answer) = self.answer(manifest.limits.body_bytes_max) else {
            return Look::Refused(why::TOO_LARGE);
        };
        let said = answer.headers.get(REASON);
        if let Some(why) = why::OF_REGISTERS.into_iter().find(|why| said == Some(why)) {
            return Look::Refused(why);
        }
        match manifest.table_rows(&answer.body) {
            Ok(rows) => Look::Rows(rows),
            Err(faults) => Look::Faults(faults),
        }
    }

    /// The file, if it may be believed. What is checked is what is given: nothing is read twice.
    pub(super) fn answer(&self, bytes_max: u64) -> Result<Answer, Broken> {
        let bytes = match plain(&self.path, bytes_max) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(Broken::TooLarge),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return refused(404, why::FILE_MISSING),
            Err(_) => return refused(404, why::FILE_UNREADABLE),
        };
        let digest = Digest::of(&bytes).to_string();
        let mut headers = vec![("content-type", "text/csv".to_owned()), ("etag", digest)];
        if let Some(signer) = &self.signer {
            match self.key(signer, &bytes) {
                Ok(key) => {
                    headers.push((SIGNED_BY, signer.name.clone()));
                    headers.push((SIGNING_KEY, key.fingerprint()));
                }
                Err((status, why)) => return refused(status, why),
            }
        }
        let headers = Headers::of(headers.iter().map(|(name, value)| (*name, value.as_str())));
        Ok(Answer { status: 200, headers: headers.ok_or(Broken::Other)?, body: Bytes::from(bytes) })
    }

    fn key<'s>(&self, signer: &'s Signer, bytes: &[u8]) -> Result<&'s PublicKey, (u16, &'static str)> {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(SIGNATURE_SUFFIX);
        let signature = plain(Path::new(&name), SIGNATURE_BYTES_MAX).map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            (401, if missing { why::SIGNATURE_MISSING } else { why::SIGNATURE_BAD })
        })?;
        let signature = String::from_utf8(signature).map_err(|_other| (401, why::SIGNATURE_BAD))?;
        signed_by(&signer.keys, bytes, &signature).map_err(|refused| match refused {
            Refused::Bad => (401, why::SIGNATURE_BAD),
            Refused::Foreign => (403, why::SIGNATURE_FOREIGN),
        })
    }
}

fn refused(status: u16, why: &'static str) -> Result<Answer, Broken> {
    let headers = Headers::of([(REASON, why)]).ok_or(Broken::Other)?;
    Ok(Answer { status, headers, body: Bytes::new() })
}

/// The bytes of an ordinary file: no link to one, no pipe, no device, none that changed its place meanwhile.
fn plain(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let named = fs::symlink_metadata(path)?;
    if !named.is_file() {
        return Err(io::Error::other("no ordinary file"));
    }
    let file = File::open(path)?;
    if !same(&named, &file.metadata()?) {
        return Err(io::Error::other("another file meanwhile"));
    }
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= bytes_max) {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

#[cfg(unix)]
fn same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    a.file_type() == b.file_type() && b.is_file()
}

#[cfg(test)]
mod tests;
