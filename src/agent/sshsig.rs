//! Signatures of OpenSSH (PROTOCOL.sshsig): who signed a file, by keys that the configuration names.
//!
//! It makes none. Keys that work: `ssh-ed25519`, `sk-ssh-ed25519@openssh.com` (touched), `ecdsa-sha2-nistp256`, and `ssh-rsa` of 2048
//! to 8192 bits with SHA-2. Certificates and DSA do not.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use sha2::{Digest as _, Sha256, Sha512};

/// What a signature is made for; one that was made for anything else (a commit, another file's purpose) is not ours.
pub const NAMESPACE: &str = "observance";
const MAGIC: &[u8] = b"SSHSIG";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const ED25519_KEY: &[u8] = b"ssh-ed25519";
const TOUCHED_KEY: &[u8] = b"sk-ssh-ed25519@openssh.com";
const P256_KEY: &[u8] = b"ecdsa-sha2-nistp256";
const RSA_KEY: &[u8] = b"ssh-rsa";
/// Bytes of one coordinate of P-256.
const P256_BYTES: usize = 32;
/// The flag of a security key that somebody touched.
const TOUCHED: u8 = 1;

/// A public key, as one line of OpenSSH says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is none, is made for something else, or does not belong to these bytes.
    Bad,
    /// It is made by a key that is not named.
    Foreign,
}

impl PublicKey {
    /// Reads `ssh-ed25519 AAAA... comment`; nothing if it is no key, or of a kind that cannot be checked.
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (kind, blob) = (words.next()?, words.next()?);
        let blob = STANDARD.decode(blob).ok()?;
        let named = Parts(&blob).text()?;
        let known = [ED25519_KEY, TOUCHED_KEY, P256_KEY, RSA_KEY].contains(&named);
        (known && named == kind.as_bytes()).then_some(Self(blob))
    }

    /// `SHA256:...`, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD.encode(Sha256::digest(&self.0)).trim_end_matches('='))
    }
}

/// Which of these keys signed the bytes.
pub fn signed_by<'k>(keys: &'k [PublicKey], bytes: &[u8], signature: &str) -> Result<&'k PublicKey, Refused> {
    let blob = unarmoured(signature).ok_or(Refused::Bad)?;
    let read = Signature::read(&blob).ok_or(Refused::Bad)?;
    if !holds(&read, bytes).unwrap_or(false) {
        return Err(Refused::Bad);
    }
    keys.iter().find(|key| key.0 == read.key).ok_or(Refused::Foreign)
}

fn unarmoured(text: &str) -> Option<Vec<u8>> {
    let inside = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    STANDARD.decode(inside.split_ascii_whitespace().collect::<String>()).ok()
}

/// The parts of a signature that count.
struct Signature<'b> {
    key: &'b [u8],
    hash: &'b [u8],
    /// Reserved by the format, and signed with the rest.
    reserved: &'b [u8],
    made: &'b [u8],
}

impl<'b> Signature<'b> {
    fn read(blob: &'b [u8]) -> Option<Self> {
        let mut parts = Parts(blob.strip_prefix(MAGIC)?);
        let version = parts.take(4)?;
        let (key, namespace) = (parts.text()?, parts.text()?);
        let (reserved, hash, made) = (parts.text()?, parts.text()?, parts.text()?);
        let ours = version == [0, 0, 0, 1] && namespace == NAMESPACE.as_bytes() && parts.0.is_empty();
        ours.then_some(Self { key, hash, reserved, made })
    }
}

fn holds(signature: &Signature<'_>, bytes: &[u8]) -> Option<bool> {
    let digest = match signature.hash {
        b"sha256" => Sha256::digest(bytes).to_vec(),
        b"sha512" => Sha512::digest(bytes).to_vec(),
        _ => return None,
    };
    let mut message = MAGIC.to_vec();
    for part in [NAMESPACE.as_bytes(), signature.reserved, signature.hash, &digest] {
        push(&mut message, part)?;
    }
    let (mut key, mut made) = (Parts(signature.key), Parts(signature.made));
    let (kind, algorithm, value) = (key.text()?, made.text()?, made.text()?);
    match kind {
        ED25519_KEY => {
            let point = key.text()?;
            let whole = algorithm == kind && key.0.is_empty() && made.0.is_empty();
            Some(whole && UnparsedPublicKey::new(&ED25519, point).verify(&message, value).is_ok())
        }
        TOUCHED_KEY => {
            let (point, application, counted) = (key.text()?, key.text()?, made.take(5)?);
            let touched = counted.first().is_some_and(|flags| flags & TOUCHED != 0);
            let mut told = Sha256::digest(application).to_vec();
            told.extend_from_slice(counted);
            told.extend_from_slice(&Sha256::digest(&message));
            let whole = algorithm == kind && touched && key.0.is_empty() && made.0.is_empty();
            Some(whole && UnparsedPublicKey::new(&ED25519, point).verify(&told, value).is_ok())
        }
        P256_KEY => {
            let (_curve, point) = (key.text()?, key.text()?);
            let mut pair = Parts(value);
            let fixed = [fixed(pair.text()?)?, fixed(pair.text()?)?].concat();
            let whole = algorithm == kind && key.0.is_empty() && made.0.is_empty() && pair.0.is_empty();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            Some(whole && key.verify(&message, &fixed).is_ok())
        }
        RSA_KEY => {
            let (e, n) = (unsigned(key.text()?), unsigned(key.text()?));
            let way = match algorithm {
                b"rsa-sha2-256" => &RSA_PKCS1_2048_8192_SHA256,
                b"rsa-sha2-512" => &RSA_PKCS1_2048_8192_SHA512,
                // SHA-1 is no signature any more
                _ => return None,
            };
            let whole = key.0.is_empty() && made.0.is_empty();
            Some(whole && RsaPublicKeyComponents { n, e }.verify(way, &message, value).is_ok())
        }
        _ => None,
    }
}

/// A positive number without the zeros before it.
fn unsigned(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn fixed(number: &[u8]) -> Option<[u8; P256_BYTES]> {
    let number = unsigned(number);
    let mut out = [0; P256_BYTES];
    let at = P256_BYTES.checked_sub(number.len())?;
    out.get_mut(at..)?.copy_from_slice(number);
    Some(out)
}

fn push(out: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    out.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
    out.extend_from_slice(part);
    Some(())
}

/// Parts that each begin with their length (RFC 4251 section 5).
struct Parts<'b>(&'b [u8]);

impl<'b> Parts<'b> {
    fn take(&mut self, n: usize) -> Option<&'b [u8]> {
        let (part, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(part)
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let length: [u8; 4] = self.take(4)?.try_into().ok()?;
        self.take(usize::try_from(u32::from_be_bytes(length)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_cut_short_holds() {
        let mut blob = MAGIC.to_vec();
        blob.extend_from_slice(&[0, 0, 0, 1]);
        for n in 0..blob.len() {
            assert!(Signature::read(&blob[..n]).is_none());
        }
        let text = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(&blob));
        assert_eq!(signed_by(&[], b"", &text), Err(Refused::Bad));
        assert_eq!(signed_by(&[], b"", "no signature"), Err(Refused::Bad));
        assert!(PublicKey::read("ssh-ed25519 AAAA").is_none());
        assert!(PublicKey::read("ssh-dss AAAAB3NzaC1kc3M=").is_none());
    }
}
