//! What several suites share.

pub(crate) mod faulty;
pub(crate) mod s3;
