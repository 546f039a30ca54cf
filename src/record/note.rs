//! C2SP signed notes with Ed25519 (type 01): the envelope of every checkpoint.
//!
//! Keys come in by the door; nothing is generated or stored. Key type 06 (ML-DSA-44) is reserved.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// Signature type of Ed25519.
const ED25519: u8 = 1;
/// Most signatures that are read on one note.
pub const SIGNATURES_MAX: usize = 100;
/// Longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_000_000;

/// Why a note or a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not `<name>+<8 hex>+<base64>`, or the hash is not the key's.
    #[error("not a verifier key (name+hash+key)")]
    Key,
    /// Not text, blank line and signature lines.
    #[error("not a signed note: {0}")]
    Form(&'static str),
    /// No signature by a key that was given.
    #[error("no signature by a known key")]
    Unsigned,
    /// A known key's signature does not fit the text, which damns the whole note.
    #[error("the signature by {0} does not verify")]
    Signature(String),
}

/// A public key with its name: `<name>+<8 hex of key id>+<base64(type || key)>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// The key under a name; names hold no space and no `+`.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Key);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, &key), key })
    }

    /// Its name; for a log's key the origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ed25519 `verify_strict` of a signature over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(typed))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let typed = STANDARD.decode(typed).map_err(|_not_base64| NoteError::Key)?;
        let key = match typed.split_first() {
            Some((&ED25519, key)) => key.try_into().map_err(|_length| NoteError::Key)?,
            _ => return Err(NoteError::Key),
        };
        let key = VerifyingKey::from_bytes(&key).map_err(|_no_point| NoteError::Key)?;
        let read = Self::new(name, key)?;
        if hex::encode(read.id) == id { Ok(read) } else { Err(NoteError::Key) }
    }
}

/// A signing key with its name. Cannot be printed.
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// From an Ed25519 seed.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Key);
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        let key = self.key.verifying_key();
        VerifierKey { name: self.name.clone(), id: key_id(&self.name, &key), key }
    }

    /// The note: `text` (which ends in a newline), a blank line, one signature line.
    pub fn sign(&self, text: &str) -> String {
        let id = key_id(&self.name, &self.key.verifying_key());
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode([&id[..], &signature].concat()))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.name)
    }
}

/// A note taken apart; nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    /// The signed text, with its final newline.
    pub text: &'a str,
    signatures: Vec<(&'a str, [u8; 4], Vec<u8>)>,
}

impl<'a> Note<'a> {
    /// Takes a note apart at its last blank line.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Form("too long"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_not_utf8| NoteError::Form("not UTF-8"))?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Form("a control character"));
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Form("no blank line"))?;
        let (text, lines) =
            note.split_at_checked(split.saturating_add(1)).ok_or(NoteError::Form("no text"))?;
        let lines = lines.strip_prefix('\n').and_then(|l| l.strip_suffix('\n'));
        let lines = lines.ok_or(NoteError::Form("no final newline"))?;
        let signatures = lines.split('\n').map(signature_line).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Form("too many signatures"));
        }
        Ok(Self { text, signatures })
    }

    /// Checks every signature by one of `keys`; others are ignored. Gives the names that signed: at least one, or an
    /// error; one bad signature by a known key refuses the note.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<&'a str>, NoteError> {
        let mut signed = Vec::new();
        for (name, id, signature) in &self.signatures {
            let Some(key) = keys.iter().find(|key| key.name == *name && key.id == *id) else { continue };
            let fits =
                signature.as_slice().try_into().is_ok_and(|sig| key.verifies(self.text.as_bytes(), sig));
            if !fits {
                return Err(NoteError::Signature(key.to_string()));
            }
            signed.push(*name);
        }
        if signed.is_empty() { Err(NoteError::Unsigned) } else { Ok(signed) }
    }
}

fn signature_line(line: &str) -> Result<(&str, [u8; 4], Vec<u8>), NoteError> {
    let form = || NoteError::Form("a malformed signature line");
    let (name, encoded) =
        line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or_else(form)?;
    let bytes = STANDARD.decode(encoded).map_err(|_not_base64| form())?;
    let (id, signature) = bytes.split_first_chunk().ok_or_else(form)?;
    if !is_name(name) || signature.is_empty() {
        return Err(form());
    }
    Ok((name, *id, signature.to_vec()))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(|c| c.is_whitespace() || c < ' ')
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_specifications_own_key_reads_and_writes_back() {
        let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        assert_eq!(vkey.parse::<VerifierKey>().unwrap().to_string(), vkey);
        for wrong in [
            "",
            "example.com/foo",
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example com+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        ] {
            assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_known_key_that_fails_damns_the_note() {
        let (ours, other) = (Signer::new("a", &[1; 32]).unwrap(), Signer::new("b", &[2; 32]).unwrap());
        let signed = ours.sign("text\n\nwith a blank line\n");
        let keys = [ours.verifier()];
        assert_eq!(Note::parse(signed.as_bytes()).unwrap().verify(&keys), Ok(vec!["a"]));
        assert_eq!(
            Note::parse(signed.as_bytes()).unwrap().verify(&[other.verifier()]),
            Err(NoteError::Unsigned)
        );
        let forged = signed.replace("blank", "bland");
        assert!(matches!(
            Note::parse(forged.as_bytes()).unwrap().verify(&keys),
            Err(NoteError::Signature(_))
        ));
    }

    #[test]
    fn malformed_notes_are_refused() {
        let good = Signer::new("a", &[1; 32]).unwrap().sign("text\n");
        for wrong in [
            good.trim_end().to_owned(),
            good.replace('\u{2014}', "-"),
            good.replace("text", "te\txt"),
            good.replace("\n\n", "\n"),
            "text\n\n\u{2014} a AAAA\n".to_owned(),
            "text\n\n".to_owned(),
        ] {
            assert!(Note::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}") {
            let _read = Note::parse(&bytes).is_ok();
            let _read = text.parse::<VerifierKey>().is_ok();
        }

        #[test]
        fn a_changed_vkey_is_refused_or_another_key(at in 0_usize..70, to in "[ -~]") {
            let vkey = Signer::new("example.test/log", &[1; 32]).unwrap().verifier().to_string();
            let mut changed = vkey.clone();
            prop_assume!(at < vkey.len());
            changed.replace_range(at..=at, &to);
            if let Ok(read) = changed.parse::<VerifierKey>() {
                prop_assert_eq!(read.to_string(), changed);
            }
        }
    }
}
