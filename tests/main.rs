//! The one test binary; every suite is a module.

#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
