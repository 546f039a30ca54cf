//! The judge's own reason codes.
//!
//! A policy's codes come from its rules; these are said by the gates and bounds around it.

use observance_record::verdict::Code;

/// A code of this room's own writing.
///
/// # Panics
/// Never with the words of this room, all of which are codes.
#[expect(clippy::expect_used, reason = "the words are this room's own, and checked field names")]
pub(crate) fn code(word: &str) -> Code {
    word.parse().expect("the judge's own words are codes")
}
