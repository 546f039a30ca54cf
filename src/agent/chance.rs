//! The only source of randomness: keys, nonces, jitter; TLS, and the keys of bound tokens, have their own.
//!
//! The seeded source makes a simulation repeatable; it is never used for the keys of a real log.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};

/// The operating system gave no randomness; nothing can be signed or named without it.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct ChanceError(#[from] getrandom::Error);

/// Where random bytes come from. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Chance(Option<Arc<Seeded>>);

#[derive(Debug)]
struct Seeded {
    seed: u64,
    drawn: AtomicU64,
}

impl Chance {
    /// The operating system's.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A repeatable sequence, for simulations alone.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Seeded { seed, drawn: AtomicU64::new(0) })))
    }

    /// 32 random bytes.
    pub fn bytes32(&self) -> Result<[u8; 32], ChanceError> {
        let Some(seeded) = &self.0 else {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)?;
            return Ok(bytes);
        };
        let n = seeded.drawn.fetch_add(1, Ordering::Relaxed);
        Ok(Sha256::new()
            .chain_update(b"observance/simulated chance\0")
            .chain_update(seeded.seed.to_be_bytes())
            .chain_update(n.to_be_bytes())
            .finalize()
            .into())
    }

    /// A number in `0..bound` (0 if the bound is 0), near enough to uniform for jitter.
    pub fn below(&self, bound: u64) -> Result<u64, ChanceError> {
        let bytes = self.bytes32()?;
        let drawn = bytes.first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight));
        Ok(drawn.checked_rem(bound).unwrap_or(0))
    }
}
