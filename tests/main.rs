//! The one test binary: every suite is a module, and `support` is what they share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::match_same_arms,
    clippy::type_complexity,
    clippy::double_ended_iterator_last,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test fails by panicking, also in what tests share; its texts are short, its file names its own"
)]

mod aws;
mod cli;
mod clients;
mod conditional;
mod container;
mod contract;
mod counters;
mod demo;
mod elsewhere;
mod fences;
mod first;
mod foreign;
mod formats;
mod grants;
mod hooks;
mod interop;
mod joined;
mod keycloak;
mod kill;
mod ldap;
mod logging;
mod museum;
mod page;
mod python;
mod readme;
mod recordings;
mod reread;
mod scenarios;
mod scim;
mod simulation;
mod store;
mod support;
mod tidy;
mod vectors;
mod writers;
