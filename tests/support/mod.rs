//! What the suites share. It asserts nothing about the product by itself.

pub(crate) mod acme;
pub(crate) mod corpus;
pub(crate) mod data;
pub(crate) mod faulty;
pub(crate) mod golden;
pub(crate) mod lab;
pub(crate) mod life;
pub(crate) mod lives;
pub(crate) mod mini;
#[path = "../../src/agent/demo/company/openapi.rs"]
pub(crate) mod openapi;
pub(crate) mod plain;
pub(crate) mod program;
pub(crate) mod s3;
pub(crate) mod samples;
pub(crate) mod source;
pub(crate) mod stack;
