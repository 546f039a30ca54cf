//! The log's keys: one Ed25519 key that signs, one HMAC key that names items, one HMAC key of salts per epoch.
//!
//! They live in a folder of mode 0700 or come as one secret each; they are never printed and wiped when dropped. It signs
//! nothing and knows no checkpoint: see the record.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding},
};
use observance_record::item::{ItemKey, SaltKey};
use zeroize::Zeroizing;

use crate::{
    chance::{Chance, ChanceError},
    secret::Secret,
};

/// The signing key's file: PKCS#8 PEM, as `openssl pkey` reads and writes it.
const SIGNING: &str = "signing.pem";
/// The pseudonyms' file: 64 hex.
const ITEM: &str = "item.key";
/// The first epoch of salts.
const EPOCH_FIRST: u32 = 1;
/// Most epochs in one folder.
const EPOCHS_MAX: usize = 1000;
/// Longest key file, in bytes.
const BYTES_MAX: u64 = 4096;

/// The three kinds of key of one log (formats section 3). Cannot be printed.
#[derive(Clone)]
pub struct Keys {
    signing: Zeroizing<[u8; 32]>,
    item: Zeroizing<[u8; 32]>,
    salts: BTreeMap<u32, Zeroizing<[u8; 32]>>,
}

/// Why the keys cannot be had or kept. Names files, holds no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A folder or file could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// New keys would lie over old ones.
    #[error("{} exists already; keys are never overwritten", .0.display())]
    Exists(PathBuf),
    /// Others than the owner may read the file or enter the folder.
    #[error("{} is open to others than its owner (mode {mode:04o})", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits that it may have at most.
        wanted: u32,
    },
    /// Not a key of the kind that was looked for.
    #[error("{name} holds no {wanted}")]
    Form {
        /// The file or secret.
        name: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// No salt key, or more than anybody has.
    #[error("there are {0} salt keys (1 to {EPOCHS_MAX} wanted)")]
    Salts(usize),
    /// No randomness to make keys from.
    #[error("cannot make keys")]
    Chance(#[from] ChanceError),
}

impl KeyError {
    /// The next step, if there is an obvious one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Open { path, wanted, .. } => Some(format!("chmod {wanted:04o} {}", path.display())),
            Self::Exists(_) => Some("name a folder that does not exist, or an empty one".to_owned()),
            Self::Io { doing: "read", source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("observance key new --out DIR makes the keys of a new log; those of an old log cannot be made again".to_owned())
            }
            Self::Io { .. } | Self::Form { .. } | Self::Salts(_) | Self::Chance(_) => None,
        }
    }
}

impl Keys {
    /// The keys of a new log.
    pub fn generate(chance: &Chance) -> Result<Self, KeyError> {
        let draw = || chance.bytes32().map(Zeroizing::new);
        let (signing, item, salt) = (draw()?, draw()?, draw()?);
        Ok(Self { signing, item, salts: BTreeMap::from([(EPOCH_FIRST, salt)]) })
    }

    /// Reads the folder that [`Keys::write_new`] made. Refuses what others than the owner could read.
    pub fn read(folder: &Path) -> Result<Self, KeyError> {
        let mode = fs::metadata(folder).map_err(io_error("read", folder))?.permissions().mode();
        closed(folder, mode, 0o700)?;
        let signing = seed(SIGNING, &file(&folder.join(SIGNING))?)?;
        let item = key(ITEM, &file(&folder.join(ITEM))?)?;
        let mut salts = BTreeMap::new();
        for (epoch, path) in salt_files(folder)? {
            salts.insert(epoch, key(&salt_name(epoch), &file(&path)?)?);
        }
        Self::whole(signing, item, salts)
    }

    /// From one secret each: PKCS#8 PEM for `signing`, 64 hex for the others.
    pub fn from_secrets(
        signing: &Secret,
        item: &Secret,
        salts: &BTreeMap<u32, Secret>,
    ) -> Result<Self, KeyError> {
        let read = |(epoch, secret): (&u32, &Secret)| Ok((*epoch, key(&salt_name(*epoch), secret.expose())?));
        let salts = salts.iter().map(read).collect::<Result<_, KeyError>>()?;
        Self::whole(seed("the signing key", signing.expose())?, key("the item key", item.expose())?, salts)
    }

    fn whole(
        signing: Zeroizing<[u8; 32]>,
        item: Zeroizing<[u8; 32]>,
        salts: BTreeMap<u32, Zeroizing<[u8; 32]>>,
    ) -> Result<Self, KeyError> {
        match salts.len() {
            1..=EPOCHS_MAX => Ok(Self { signing, item, salts }),
            n => Err(KeyError::Salts(n)),
        }
    }

    /// Writes the keys into `folder`, which it makes with mode 0700 unless an empty one of that mode is there. All is on
    /// the disk when it returns. The signing key goes last: a folder without it was never used and may be deleted.
    pub fn write_new(&self, folder: &Path) -> Result<(), KeyError> {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(io_error("make", parent))?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => (),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => empty(folder)?,
            Err(source) => return Err(io_error("make", folder)(source)),
        }
        for (epoch, salt) in &self.salts {
            create(&folder.join(salt_name(*epoch)), &hex_line(salt))?;
        }
        create(&folder.join(ITEM), &hex_line(&self.item))?;
        create(&folder.join(SIGNING), &pem(&self.signing)?)?;
        let parent =
            folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        for kept in [folder, parent] {
            File::open(kept).and_then(|dir| dir.sync_all()).map_err(io_error("keep", kept))?;
        }
        Ok(())
    }

    /// The 32 bytes of the Ed25519 private key, for the one place that signs.
    pub fn signing_seed(&self) -> &[u8; 32] {
        &self.signing
    }

    /// The key of pseudonyms.
    pub fn item_key(&self) -> ItemKey {
        ItemKey::new(*self.item)
    }

    /// The epoch in which new rows are salted: the newest.
    pub fn epoch(&self) -> u32 {
        self.salts.keys().next_back().copied().unwrap_or(EPOCH_FIRST)
    }

    /// The key of salts of an epoch, unless it was destroyed or never was.
    pub fn salt_key(&self, epoch: u32) -> Option<SaltKey> {
        self.salts.get(&epoch).map(|salt| SaltKey::new(**salt))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { doing, path, source }
}

fn salt_name(epoch: u32) -> String {
    format!("salt-{epoch}.key")
}

/// Refuses a mode with any bit beyond those of the owner.
fn closed(path: &Path, mode: u32, wanted: u32) -> Result<(), KeyError> {
    let (mode, others) = (mode & 0o7777, mode & 0o077);
    if others == 0 { Ok(()) } else { Err(KeyError::Open { path: path.to_owned(), mode, wanted }) }
}

/// Refuses a folder that holds anything or is open to others.
fn empty(folder: &Path) -> Result<(), KeyError> {
    if fs::read_dir(folder).map_err(io_error("read", folder))?.next().is_some() {
        return Err(KeyError::Exists(folder.to_owned()));
    }
    let mode = fs::metadata(folder).map_err(io_error("read", folder))?.permissions().mode();
    closed(folder, mode, 0o700)
}

/// The text of a key file. Its mode is asked of the open file, so nobody can swap it in between.
fn file(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let file = File::open(path).map_err(io_error("read", path))?;
    closed(path, file.metadata().map_err(io_error("read", path))?.permissions().mode(), 0o600)?;
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(BYTES_MAX).unwrap_or_default()));
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(io_error("read", path))?;
    Ok(text)
}

/// Every `salt-<epoch>.key` of the folder.
fn salt_files(folder: &Path) -> Result<Vec<(u32, PathBuf)>, KeyError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error("read", folder))? {
        let path = entry.map_err(io_error("read", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let epoch = name.strip_prefix("salt-").and_then(|rest| rest.strip_suffix(".key"));
        if let Some(epoch) =
            epoch.and_then(|text| text.parse().ok()).filter(|epoch| salt_name(*epoch) == name)
        {
            found.push((epoch, path));
        }
        if found.len() > EPOCHS_MAX {
            return Err(KeyError::Salts(found.len()));
        }
    }
    Ok(found)
}

fn seed(name: &str, pem: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    match SigningKey::from_pkcs8_pem(pem.trim()) {
        Ok(key) => Ok(Zeroizing::new(key.to_bytes())),
        // what the reader says of a key it could not read adds nothing that may be printed
        Err(_) => Err(KeyError::Form { name: name.to_owned(), wanted: "Ed25519 private key (PKCS#8 PEM)" }),
    }
}

fn key(name: &str, text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut bytes = Zeroizing::new([0; 32]);
    match hex::decode_to_slice(text.trim(), bytes.as_mut_slice()) {
        Ok(()) => Ok(bytes),
        // the reader would name the first wrong character, which may be one of a key
        Err(_) => Err(KeyError::Form { name: name.to_owned(), wanted: "key of 64 hex characters" }),
    }
}

fn hex_line(key: &[u8; 32]) -> Zeroizing<String> {
    let mut line = Zeroizing::new(hex::encode(key));
    line.push('\n');
    line
}

/// Without the public half (PKCS#8 version 1), as every tool reads it.
fn pem(seed: &[u8; 32]) -> Result<Zeroizing<String>, KeyError> {
    match (KeypairBytes { secret_key: *seed, public_key: None }).to_pkcs8_pem(LineEnding::LF) {
        Ok(pem) => Ok(pem),
        Err(_) => {
            Err(KeyError::Form { name: SIGNING.to_owned(), wanted: "Ed25519 private key (PKCS#8 PEM)" })
        }
    }
}

fn create(path: &Path, text: &str) -> Result<(), KeyError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyError::Exists(path.to_owned()));
        }
        made => made.map_err(io_error("make", path))?,
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io_error("write", path))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn keys() -> Keys {
        Keys::generate(&Chance::seeded(7)).unwrap()
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("keys");
        (outer, path)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_was_written_is_read_back_and_is_its_owners_alone() {
        let (_outer, path) = folder();
        let made = keys();
        made.write_new(&path).unwrap();
        let read = Keys::read(&path).unwrap();
        assert_eq!(read.signing_seed(), made.signing_seed());
        assert_eq!(*read.item, *made.item);
        assert_eq!(read.salts, made.salts);
        assert_eq!((read.epoch(), read.salt_key(2).is_none()), (1, true));
        assert_eq!(mode(&path), 0o700);
        for name in [SIGNING, ITEM, "salt-1.key"] {
            assert_eq!(mode(&path.join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn three_keys_are_three_keys() {
        let keys = keys();
        assert!(keys.signing != keys.item && keys.item != keys.salts[&1] && keys.signing != keys.salts[&1]);
    }

    #[test]
    fn openssl_reads_our_key_and_we_read_its() {
        let (_outer, path) = folder();
        keys().write_new(&path).unwrap();
        let openssl = |args: &[&str]| Command::new("openssl").args(args).output().unwrap();
        let signing = path.join(SIGNING);
        let shown = openssl(&["pkey", "-in", signing.to_str().unwrap(), "-pubout", "-outform", "DER"]);
        assert!(shown.status.success(), "{shown:?}");
        let ours = SigningKey::from_bytes(keys().signing_seed()).verifying_key();
        assert!(shown.stdout.ends_with(ours.as_bytes()));

        let theirs = openssl(&["genpkey", "-algorithm", "ed25519"]).stdout;
        let theirs = Secret::new(String::from_utf8(theirs).unwrap());
        let hex = |byte: &str| Secret::new(byte.repeat(32));
        let salts = BTreeMap::from([(1, hex("0b")), (3, hex("0c"))]);
        let keys = Keys::from_secrets(&theirs, &hex("0a"), &salts).unwrap();
        assert_eq!((keys.epoch(), keys.salt_key(3).is_some()), (3, true));
    }

    #[test]
    fn keys_are_never_overwritten() {
        let (_outer, path) = folder();
        keys().write_new(&path).unwrap();
        let before = fs::read(path.join(SIGNING)).unwrap();
        let error = Keys::generate(&Chance::seeded(8)).unwrap().write_new(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exists(_)));
        assert_eq!(fs::read(path.join(SIGNING)).unwrap(), before);
    }

    #[test]
    fn what_others_could_read_is_refused_with_a_hint() {
        let (_outer, path) = folder();
        keys().write_new(&path).unwrap();
        for (name, mode, hint) in [
            (SIGNING, 0o640, "chmod 0600"),
            (ITEM, 0o604, "chmod 0600"),
            ("salt-1.key", 0o620, "chmod 0600"),
            ("", 0o750, "chmod 0700"),
        ] {
            let open = path.join(name);
            let was = fs::metadata(&open).unwrap().permissions();
            fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
            let error = Keys::read(&path).unwrap_err();
            assert!(error.to_string().contains(&format!("mode {mode:04o}")), "{error}");
            assert!(error.hint().unwrap().starts_with(hint), "{error}");
            fs::set_permissions(&open, was).unwrap();
        }
        Keys::read(&path).unwrap();
    }

    #[test]
    fn a_broken_or_missing_key_is_refused_and_never_printed() {
        let (_outer, path) = folder();
        assert!(Keys::read(&path).unwrap_err().hint().is_some());
        for (name, text) in [(ITEM, "0a0b0c"), (ITEM, ""), (SIGNING, "zz"), ("salt-1.key", &"zx".repeat(32))]
        {
            let folder = path.with_extension(name);
            fs::remove_dir_all(&folder).unwrap_or_default();
            keys().write_new(&folder).unwrap();
            fs::write(folder.join(name), text).unwrap();
            let error = Keys::read(&folder).unwrap_err();
            assert!(matches!(&error, KeyError::Form { name: named, .. } if named == name), "{error}");
            assert!(!format!("{error}{error:?}").contains("zx"));
            fs::remove_file(folder.join(name)).unwrap();
            assert!(Keys::read(&folder).is_err(), "{name} is missing");
        }
        assert_eq!(format!("{:?}", keys()), "Keys(..)");
    }
}
