//! stub
pub mod fault;
pub mod node;
