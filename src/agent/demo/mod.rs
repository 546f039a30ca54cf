//! The demonstration: half a year of a small company in a minute, without any account.
//!
//! It holds the company alone; what watches it is the agent itself.

pub mod company;
