//! Observance, the agent: schedule, collect, seal, judge, record, tell, bundle. `src/README.md` is the map of its rooms.

pub mod bundle;
pub mod chance;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod demo;
pub mod hear;
pub mod key;
pub mod library;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod sshsig;
pub mod status;
pub mod store;
pub mod tell;
pub mod text;
