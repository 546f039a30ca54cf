//! The only room that knows Rego: a policy and a population in, a verdict out; bounded and deterministic.
//!
//! It reads no network, no clock and no randomness, stores nothing and draws nobody's conclusion. `README.md` beside
//! this file is the contract between a policy and the judge; formats section 9 fixes what is recorded of it.

mod builtins;
pub mod cases;
mod codes;
mod fault;
pub mod folder;
mod gate;
mod hear;
mod memo;
mod meta;
mod policy;
mod row;
mod source;
mod syntax;
mod verdict;
mod yaml;

pub use fault::Fault;
pub use hear::CODES_MAX;
pub use memo::Memo;
pub use meta::{Meta, Needs, Severity};
pub use policy::{EVALUATION_MS_MAX, Params, Policy};
pub use row::{ROW_BYTES_MAX, ROW_DEPTH_MAX};
pub use source::{FILE_BYTES_MAX, FILES_MAX};
pub use verdict::{
    Counts, Freshness, JOINED_BYTES_MAX, Joined, Judged, Match, Population, ROWS_MAX, Verdict, judge,
};

/// The version of regorus that judges; it stands in every `start` entry, and a test holds it to the lock file.
pub const REGORUS_VERSION: &str = "0.14.1";

#[cfg(test)]
mod tests;
