//! The three fixed-size names of the record: content digests, Merkle roots, items.
//!
//! It does not decide what is hashed, or with which prefix: that is said where the bytes are made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// A text is not the name it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {expected}")]
pub struct NameError {
    /// What was read, cut to 80 characters.
    pub found: String,
    /// What it should have been.
    pub expected: &'static str,
}

impl NameError {
    fn new(found: &str, expected: &'static str) -> Self {
        Self { found: found.chars().take(80).collect(), expected }
    }
}

/// SHA-256 of plain bytes; written `sha256:` and 64 lower-case hex digits (formats section 0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits alone, as object names carry them.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl FromStr for Digest {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::new(text, "a digest (`sha256:` and 64 lower-case hex digits)");
        lower_hex(text.strip_prefix("sha256:").ok_or_else(wrong)?).map(Self).ok_or_else(wrong)
    }
}

/// Root of an RFC 6962 Merkle tree; written as 64 bare lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Root([u8; 32]);

impl Root {
    /// A root that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Root {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        lower_hex(text).map(Self).ok_or_else(|| NameError::new(text, "a root (64 lower-case hex digits)"))
    }
}

/// Keyed pseudonym of one thing or person (formats section 3); 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item([u8; 16]);

impl Item {
    /// An item that was derived elsewhere (see [`crate::item::ItemKey`]) or read from a table.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Item {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        lower_hex(text).map(Self).ok_or_else(|| NameError::new(text, "an item (32 lower-case hex digits)"))
    }
}

fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// Everything that is written as its `Display` and read as its `FromStr`.
macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

as_text!(Digest, Root, Item);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_read_what_they_write_and_nothing_else() {
        let digest = Digest::of(b"");
        assert_eq!(
            digest.to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!(digest.to_hex().to_uppercase().parse::<Root>().is_err());
        assert!(digest.to_hex().parse::<Digest>().is_err());
        assert!("00".parse::<Item>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(any in "\\PC{0,70}", hex in "(sha256:)?[0-9a-fA-F]{30,66}") {
            for text in [any, hex] {
                prop_assert!(text.parse::<Digest>().map_or(true, |read| read.to_string() == text));
                prop_assert!(text.parse::<Root>().map_or(true, |read| read.to_string() == text));
                prop_assert!(text.parse::<Item>().map_or(true, |read| read.to_string() == text));
            }
        }
    }
}
