//! Result columns (formats section 9): what one policy said of every row of a population, and its unsalted root.
//!
//! A column holds no items: it aligns with the population that was judged.

use std::collections::BTreeSet;

use crate::{
    digest::{Item, Root},
    merkle::{leaf_hash_of, root_of},
    verdict::{Code, ItemResult, State},
};

const MAGIC: &[u8; 8] = b"OBSRES01";
/// Most results in a column; a table has no more rows.
pub const RESULTS_MAX: usize = crate::table::ROWS_MAX;

/// A column that does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a results column: {0}")]
pub struct ResultsError(&'static str);

/// Root over the leaves `00 || item || state || codes`, in the population's order.
pub fn root<'a>(results: impl IntoIterator<Item = (&'a Item, &'a ItemResult)>) -> Root {
    root_of(results.into_iter().map(|(item, result)| {
        leaf_hash_of(&[item.as_bytes(), &[result.state().byte()], result.codes_joined().as_bytes()])
    }))
}

/// The artefact `OBSRES01`.
pub fn encode<'a>(results: impl IntoIterator<Item = &'a ItemResult>) -> Vec<u8> {
    let (mut states, mut codes) = (Vec::new(), Vec::new());
    for result in results {
        states.push(result.state().byte());
        if result.state() != State::Passed {
            let joined = result.codes_joined();
            // a result holds no more than CODES_BYTES_MAX
            codes.extend_from_slice(&u16::try_from(joined.len()).unwrap_or(u16::MAX).to_be_bytes());
            codes.extend_from_slice(joined.as_bytes());
        }
    }
    let n = u64::try_from(states.len()).unwrap_or(u64::MAX).to_be_bytes();
    [MAGIC.as_slice(), &n, &states, &codes].concat()
}

/// Reads the artefact; nothing may be left over.
pub fn decode(bytes: &[u8]) -> Result<Vec<ItemResult>, ResultsError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(ResultsError("unknown magic"))?;
    let (n, rest) = rest.split_first_chunk().ok_or(ResultsError("truncated"))?;
    let n = usize::try_from(u64::from_be_bytes(*n)).ok().filter(|n| *n <= RESULTS_MAX);
    let (states, mut rest) =
        rest.split_at_checked(n.ok_or(ResultsError("too many"))?).ok_or(ResultsError("truncated"))?;
    let results = states.iter().map(|&byte| result(byte, &mut rest)).collect::<Result<_, _>>()?;
    if rest.is_empty() { Ok(results) } else { Err(ResultsError("bytes left over")) }
}

fn result(byte: u8, rest: &mut &[u8]) -> Result<ItemResult, ResultsError> {
    let state = State::from_byte(byte).ok_or(ResultsError("an unknown state"))?;
    if state == State::Passed {
        return Ok(ItemResult::passed());
    }
    let (length, after) = rest.split_first_chunk().ok_or(ResultsError("truncated"))?;
    let (joined, after) =
        after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(ResultsError("truncated"))?;
    *rest = after;
    let joined = std::str::from_utf8(joined).map_err(|_not_utf8| ResultsError("codes that are not text"))?;
    let codes = joined.split(',').map(str::parse).collect::<Result<BTreeSet<Code>, _>>();
    let codes = codes.map_err(|_code| ResultsError("an illegal code"))?;
    let read = ItemResult::new(state, codes).ok_or(ResultsError("a state without a code"))?;
    if read.codes_joined() == joined { Ok(read) } else { Err(ResultsError("codes out of order")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn results() -> impl Strategy<Value = Vec<ItemResult>> {
        let result =
            (1_u8..=5, prop::collection::btree_set("[a-z0-9_.]{1,8}", 1..4)).prop_map(|(byte, codes)| {
                match State::from_byte(byte) {
                    Some(State::Passed) | None => ItemResult::passed(),
                    Some(state) => {
                        ItemResult::new(state, codes.iter().map(|c| c.parse().unwrap()).collect()).unwrap()
                    }
                }
            });
        prop::collection::vec(result, 0..20)
    }

    proptest! {
        #[test]
        fn columns_read_back(results in results()) {
            prop_assert_eq!(decode(&encode(&results)), Ok(results));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(results) = decode(&[MAGIC.as_slice(), &bytes].concat()) {
                prop_assert_eq!(&encode(&results)[8..], bytes);
            }
        }
    }
}
