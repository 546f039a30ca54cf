//! Checks an Observance bundle offline: from the signed head down to every byte, and up again to what was observed.
//!
//! The core is pure: files come in through [`Files`], nothing is asked of a network, a clock or a key store. With the
//! feature `replay` it also re-performs the verdicts. It draws no auditor's conclusion.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod artefacts;
mod bag;
mod bound;
mod check;
#[cfg(feature = "folder")]
mod folder;
mod log;
mod observe;
mod owed;
#[cfg(feature = "replay")]
mod replay;
mod report;

pub use self::{
    bag::{Bag, Files, PATH_BYTES_MAX, is_safe_path},
    check::{Trust, verify},
    report::{Conclusion, Failure, Replayed, Report},
};
#[cfg(feature = "folder")]
pub use folder::{Folder, FolderError};
