//! Finds the SubjectPublicKeyInfo in a certificate (RFC 5280 section 4.1): a walk over DER lengths, nothing more.
//!
//! It checks no signature and trusts nothing; rustls has done that before.

/// The bytes of the certificate's SubjectPublicKeyInfo, header included; `None` if this is not a certificate.
pub(super) fn find(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (SEQUENCE, _, inside, _) = element(certificate)? else { return None };
    let (SEQUENCE, _, tbs, _) = element(inside)? else { return None };
    let mut rest = tbs;
    if let (VERSION, _, _, after) = element(rest)? {
        rest = after;
    }
    // serial number, signature algorithm, issuer, validity, subject
    for _ in 0..5 {
        (_, _, _, rest) = element(rest)?;
    }
    let (SEQUENCE, whole, _, _) = element(rest)? else { return None };
    Some(whole)
}

/// Tag, whole element, its content, what follows.
type Element<'a> = (u8, &'a [u8], &'a [u8], &'a [u8]);

fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, content) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, content) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |n, digit| (n << 8) | usize::from(*digit)), content)
    };
    let (inside, after) = content.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - after.len())?;
    Some((tag, whole, inside, after))
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use observance_record::Digest;
    use proptest::prelude::*;

    use super::*;

    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        let inside = parts.concat();
        let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82][..], &length, &inside].concat()
    }

    #[test]
    fn the_key_is_the_seventh_field_or_the_sixth_without_a_version() {
        let key = sequence(&[&[5, 0], &[3, 1, 7]]);
        let (integer, other): (&[u8], &[u8]) = (&[2, 1, 9], &[0x30, 0]);
        let version: &[u8] = &[0xa0, 3, 2, 1, 2];
        let old = sequence(&[integer, other, other, other, other, &key]);
        let new = sequence(&[version, integer, other, other, other, other, &key, &[0xa3, 0]]);
        for tbs in [old, new] {
            assert_eq!(find(&sequence(&[&tbs, other])), Some(&key[..]));
        }
    }

    /// Self-signed, Ed25519, made with openssl for this test; so was the digest of its public key.
    const CERTIFICATE: &str = "MIIBUzCCAQWgAwIBAgIUcYnicH/6gDrPODa8CSA82CWXyFQwBQYDK2VwMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDAeFw\
         0yNjExMjExMDE0MTRaFw0zNjExMTgxMDE0MTRaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDAqMAUGAytlcAMhAISsnuK2\
         Fk09lPFBACBxo7P8zEc1/sNOVq6/K2yOkecTo2kwZzAdBgNVHQ4EFgQUV90YZ19o0DB3NHSBzBjrodS46QcwHwYDVR\
         0jBBgwFoAUV90YZ19o0DB3NHSBzBjrodS46QcwFAYDVR0RBA0wC4IJbG9jYWxob3N0MA8GA1UdEwEB/wQFMAMBAf8w\
         BQYDK2VwA0EAkvOgNQOr4LcN8S03pZ9VEXuhDmQ1HwSf0btNfE5ZQaZ8qK1qZ00Y3GLRWclrnM6C2SpOnpJ8YVjnQY\
         kJWBFFDA==";

    #[test]
    fn openssl_finds_the_same_key() {
        let certificate = STANDARD.decode(CERTIFICATE).unwrap();
        let key = Digest::of(find(&certificate).unwrap());
        assert_eq!(key.to_hex(), "9e0ad8ed42b8ed78fb7d10ceb64b11c6c0cc3b6c20de9ba69cfee03ea182638f");
        for cut in 0..certificate.len() - 1 {
            assert_eq!(find(&certificate[..cut]), None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _found = find(&bytes);
        }
    }
}
