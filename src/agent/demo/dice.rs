//! The company's own dice: the same seed throws the same numbers on every machine and in every version.
//!
//! Never used for keys or names of a real log; that is `chance`.

/// splitmix64: one word of state, and no step depends on anything but the seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice for one thing of the company; different `what` never share throws.
    pub(super) fn of(seed: u64, what: u64) -> Self {
        Self(mix(seed ^ mix(what)))
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `least..=most`; `least` if the range is empty.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = most.saturating_sub(least).saturating_add(1).max(1).unsigned_abs();
        least.saturating_add(i64::try_from(self.throw() % width).unwrap_or(0))
    }

    /// An index into something of `len` members; 0 if it has none.
    pub(super) fn index(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.throw() % len).unwrap_or(0)
    }

    /// True in `percent` of a hundred throws.
    pub(super) fn happens(&mut self, percent: u64) -> bool {
        self.throw() % 100 < percent
    }
}

/// 40 hexadecimal digits, as git names its objects.
pub(super) fn sha(seed: u64, object: u64) -> String {
    let mut dice = Dice::of(seed, object);
    let (a, b, c) = (dice.throw(), dice.throw(), dice.throw() >> 32);
    format!("{a:016x}{b:016x}{c:08x}")
}

/// The finaliser of splitmix64: every bit of `word` moves about half of the others.
pub(super) const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence_of_splitmix64() {
        let mut dice = Dice(1_234_567);
        assert_eq!(dice.throw(), 6_457_827_717_110_365_317);
        assert_eq!(dice.throw(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn throws_stay_in_range() {
        let mut dice = Dice::of(7, 1);
        let seen: std::collections::BTreeSet<i64> = (0..200).map(|_| dice.between(-2, 2)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
        assert_eq!((dice.between(5, 4), dice.index(0)), (5, 0));
        assert_eq!(sha(7, 1).len(), 40);
    }
}
