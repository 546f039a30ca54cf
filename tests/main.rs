//! The one test binary: every suite is a module, and `support` is what they share.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test fails by panicking, also in what tests share; its texts are short, its file names its own"
)]

mod cli;
mod container;
mod counters;
mod fences;
mod foreign;
mod formats;
mod kill;
mod page;
mod python;
mod readme;
mod recordings;
mod scenarios;
mod simulation;
mod store;
mod support;
mod tidy;
mod vectors;
