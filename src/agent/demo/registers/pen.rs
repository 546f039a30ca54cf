//! Signs a file as OpenSSH does (PROTOCOL.sshsig), with a key that everybody can work out: only for the demonstration.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha512};

const MAGIC: &[u8] = b"SSHSIG";
const KIND: &[u8] = b"ssh-ed25519";
/// What signatures of registers are made for.
const NAMESPACE: &[u8] = b"observance";
const HASH: &[u8] = b"sha512";
/// Characters of a line of the armour.
const LINE: usize = 70;

/// Somebody's key.
pub(super) struct Pen(Ed25519KeyPair);

impl Pen {
    pub(super) fn new(seed: &[u8; 32]) -> io::Result<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(io::Error::other)
    }

    /// `ssh-ed25519 AAAA...`, as the configuration names it.
    pub(super) fn public_line(&self) -> String {
        format!("ssh-ed25519 {}", STANDARD.encode(self.public()))
    }

    /// The armoured signature of these bytes.
    pub(super) fn sign(&self, bytes: &[u8]) -> String {
        let digest = Sha512::digest(bytes);
        let message = [MAGIC.to_vec(), parts(&[NAMESPACE, b"", HASH, &digest])].concat();
        let made = parts(&[KIND, self.0.sign(&message).as_ref()]);
        let rest = parts(&[&self.public(), NAMESPACE, b"", HASH, &made]);
        let text = STANDARD.encode([MAGIC, &[0, 0, 0, 1], &rest].concat());
        let lines: String = text
            .as_bytes()
            .chunks(LINE)
            .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
            .collect();
        format!("-----BEGIN SSH SIGNATURE-----\n{lines}-----END SSH SIGNATURE-----\n")
    }

    fn public(&self) -> Vec<u8> {
        parts(&[KIND, self.0.public_key().as_ref()])
    }
}

/// Parts that each begin with their length (RFC 4251 section 5).
fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let one = |part: &&[u8]| {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&length[..], part].concat()
    };
    parts.iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        collect::{Look, Manifest, Register, Signer},
        library,
        sshsig::PublicKey,
    };

    #[test]
    fn what_it_signs_is_believed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let pen = Pen::new(&[7; 32]).unwrap();
        let of = |pen: &Pen| Register {
            path: folder.path().join("log_sources.csv"),
            signer: Some(Signer {
                name: "platform-lead".to_owned(),
                keys: vec![PublicKey::read(&pen.public_line()).unwrap()],
            }),
        };
        let text = "id,system,stream\nweb,loki,web\n";
        fs::write(&of(&pen).path, text).unwrap();
        fs::write(folder.path().join("log_sources.csv.sig"), pen.sign(text.as_bytes())).unwrap();
        let files = library::collectors();
        let (name, file) = files.iter().find(|(name, _)| name.contains("/log_sources/")).unwrap();
        let manifest = Manifest::read(name, std::str::from_utf8(file).unwrap()).unwrap();
        assert_eq!(of(&pen).look(&manifest), Look::Rows(1));
        let other = of(&Pen::new(&[8; 32]).unwrap());
        assert!(
            matches!(other.look(&manifest), Look::Refused("signature.foreign")),
            "{:?}",
            other.look(&manifest)
        );
        fs::write(&of(&pen).path, format!("{text}db,loki,db\n")).unwrap();
        assert!(matches!(of(&pen).look(&manifest), Look::Refused("signature.bad")));
    }
}
