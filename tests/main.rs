//! What holds of the whole; every suite is a module of this one binary.

#[cfg(test)]
mod container;
#[cfg(test)]
mod fences;
#[cfg(test)]
mod map;
#[cfg(test)]
mod readme;
