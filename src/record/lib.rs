//! The words, formats and arithmetic of the Observance record.
//!
//! Pure: no I/O, no clock, no randomness, no async. `FORMATS.md` beside this file is the specification of every
//! byte that is made here, and golden files freeze it.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod digest;
pub mod item;
pub mod population;
pub mod slots;
pub mod time;
pub mod verdict;

pub use digest::{Digest, Item, Root};
pub use time::Instant;
