//! The Basic Encoding Rules as far as LDAP allows them (RFC 4511 section 5.1): one-byte tags, definite lengths, primitive strings.
//!
//! It knows no message. What it reads are slices of what came, so nothing that a peer writes can make it take memory.

/// Tag of BOOLEAN.
pub(super) const BOOLEAN: u8 = 0x01;
/// Tag of INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// Tag of OCTET STRING.
pub(super) const OCTETS: u8 = 0x04;
/// Tag of ENUMERATED.
pub(super) const ENUMERATED: u8 = 0x0a;
/// Tag of SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// Tag of SET.
pub(super) const SET: u8 = 0x31;
/// Bits of a tag that go on in the next byte; LDAP has no such tag.
const LONG_TAG: u8 = 0x1f;
/// Most bytes in which a length is written.
const LENGTH_BYTES_MAX: usize = 4;

/// What came is not as the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// One value under its tag.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let bytes = content.len().to_be_bytes();
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let used = bytes.get(zeros..).unwrap_or_default();
            // a length has eight bytes at most
            out.push(0x80 | u8::try_from(used.len()).unwrap_or_default());
            out.extend_from_slice(used);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Several values, one after the other, under a tag.
pub(super) fn values(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    value(tag, &parts.concat())
}

/// A number that is not negative.
pub(super) fn number(tag: u8, number: u32) -> Vec<u8> {
    let bytes = u64::from(number).to_be_bytes();
    // the first bit says the sign, so a number that begins with it has a zero before it
    let first =
        (0..7).find(|i| bytes.get(*i..*i + 2).is_some_and(|pair| pair[0] != 0 || pair[1] & 0x80 != 0));
    value(tag, bytes.get(first.unwrap_or(7)..).unwrap_or_default())
}

/// How many bytes the value at the beginning has with its tag and length; nothing while that is not there yet.
pub(super) fn whole(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(head(bytes)?.and_then(|(_, start, length)| start.checked_add(length)))
}

/// Tag, where the content begins, how long it is.
fn head(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, Malformed> {
    let (Some(tag), length) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
    if tag & LONG_TAG == LONG_TAG {
        return Err(Malformed);
    }
    let Some(length) = length else { return Ok(None) };
    if length & 0x80 == 0 {
        return Ok(Some((*tag, 2, usize::from(*length))));
    }
    let n = usize::from(length & 0x7f);
    if n == 0 || n > LENGTH_BYTES_MAX {
        return Err(Malformed);
    }
    let Some(written) = bytes.get(2..2 + n) else { return Ok(None) };
    let length = written.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    Ok(Some((*tag, 2 + n, length)))
}

/// Values, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    /// Of these bytes, all of which are values.
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Was everything read?
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value: its tag and its content.
    pub(super) fn next(&mut self) -> Result<(u8, &'b [u8]), Malformed> {
        let (tag, start, length) = head(self.rest)?.ok_or(Malformed)?;
        let end = start.checked_add(length).ok_or(Malformed)?;
        let content = self.rest.get(start..end).ok_or(Malformed)?;
        self.rest = self.rest.get(end..).ok_or(Malformed)?;
        Ok((tag, content))
    }

    /// The next value, which has this tag.
    pub(super) fn of(&mut self, tag: u8) -> Result<&'b [u8], Malformed> {
        match self.next()? {
            (found, content) if found == tag => Ok(content),
            _ => Err(Malformed),
        }
    }

    /// The next value, if it has this tag.
    pub(super) fn may(&mut self, tag: u8) -> Result<Option<&'b [u8]>, Malformed> {
        if self.rest.first() == Some(&tag) { self.of(tag).map(Some) } else { Ok(None) }
    }

    /// The next value, a number that is not negative.
    pub(super) fn number(&mut self, tag: u8) -> Result<u32, Malformed> {
        let bytes = self.of(tag)?;
        let small =
            !bytes.is_empty() && bytes.len() <= 8 && bytes.first().is_some_and(|byte| byte & 0x80 == 0);
        let sum = bytes.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        u32::try_from(sum).ok().filter(|_| small).ok_or(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_lengths_are_written_as_the_rules_say() {
        assert_eq!(number(INTEGER, 0), [2, 1, 0]);
        assert_eq!(number(INTEGER, 127), [2, 1, 127]);
        assert_eq!(number(INTEGER, 128), [2, 2, 0, 128]);
        assert_eq!(number(INTEGER, u32::MAX), [2, 5, 0, 255, 255, 255, 255]);
        assert_eq!(value(OCTETS, &[7; 127])[..2], [4, 127]);
        assert_eq!(value(OCTETS, &[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(value(OCTETS, &[7; 256])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn what_is_no_ber_of_ldap_is_refused() {
        for wrong in [
            &[0x1f, 1, 0][..],
            &[4, 0x80, 0, 0],
            &[4, 0x85, 0, 0, 0, 0, 1, 7],
            &[4, 2, 7],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[4],
        ] {
            assert_eq!(Reader::new(wrong).next(), Err(Malformed), "{wrong:?}");
        }
        for wrong in [&[2, 0][..], &[2, 1, 0x80], &[2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1], &[2, 5, 1, 0, 0, 0, 0]]
        {
            assert_eq!(Reader::new(wrong).number(INTEGER), Err(Malformed), "{wrong:?}");
        }
        // some servers write every length in four bytes
        assert_eq!(Reader::new(&[4, 0x84, 0, 0, 0, 1, 7]).of(OCTETS), Ok(&[7][..]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(tag in 0_u8..0x1f, content: Vec<u8>, n: u32) {
            let written = value(tag, &content);
            prop_assert_eq!(whole(&written), Ok(Some(written.len())));
            prop_assert_eq!(Reader::new(&written).next(), Ok((tag, &content[..])));
            prop_assert_eq!(Reader::new(&number(INTEGER, n)).number(INTEGER), Ok(n));
        }
    }
}
