//! The words, formats and arithmetic of the Observance record.
//!
//! Pure: no I/O, no clock, no randomness, no async. `FORMATS.md` beside this file is the specification of every
//! byte that is made here, and golden files freeze it.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

pub mod checkpoint;
pub mod commit;
pub mod digest;
pub mod entry;
pub mod item;
pub mod json;
pub mod ledger;
pub mod merkle;
pub mod note;
#[cfg(feature = "pack")]
pub mod pack;
pub mod population;
pub mod results;
pub mod row;
pub mod slots;
pub mod table;
pub mod tile;
pub mod time;
pub mod verdict;

pub use digest::{Digest, Item, Root};
pub use time::Instant;
