//! The one test binary: every suite is a module, and `support` is what they share.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]

mod foreign;
mod formats;
mod python;
mod support;
mod tidy;
mod vectors;
