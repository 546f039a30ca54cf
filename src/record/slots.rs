//! Due instants as run lengths, `[[first unix s, step s, count],...]`: what `slots` entries promise and `gap` entries
//! name (formats section 7).
//!
//! It knows no cron, no time zone and no schedule: whoever checks a promise never works one out.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::time::Instant;

/// Due instants in order, each once, in whole seconds of UTC.
///
/// There is one encoding for every list: each run is as long as it can be, taken from the front. Hence two `Due` are
/// equal exactly if they name the same instants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    runs: Vec<Run>,
    len: u64,
}

/// `count` instants from `first` on, `step` seconds apart; `step` is 0 exactly if `count` is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: i64,
    step: i64,
    count: i64,
}

/// A list of due instants, or an encoding of one, that cannot stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DueError {
    /// Schedules are due at whole seconds.
    #[error("due instant {0} is not a whole second")]
    Fraction(Instant),
    /// Due instants come in order, each once.
    #[error("due instant {next} does not come after {last}")]
    Order {
        /// The instant before.
        last: Instant,
        /// The instant that does not come after it.
        next: Instant,
    },
    /// A triple that no list of instants has: a count below 1, a step that does not fit the count, a year that cannot
    /// be written, or a run that could have been joined to its neighbour.
    #[error("[{}, {}, {}] is not a run of due instants", .0[0], .0[1], .0[2])]
    Run([i64; 3]),
    /// More instants than [`Due::LEN_MAX`].
    #[error("more than {} due instants in one list", Due::LEN_MAX)]
    Many,
}

impl Due {
    /// Most instants in one list; every reader may unroll so many.
    pub const LEN_MAX: u64 = 200_000;

    /// From instants that strictly increase.
    pub fn new(instants: &[Instant]) -> Result<Self, DueError> {
        let mut due = Self::default();
        for instant in instants {
            due.push(*instant)?;
        }
        Ok(due)
    }

    /// From the triples of an entry, which must be the encoding that [`Due::triples`] would give.
    pub fn from_triples(triples: &[[i64; 3]]) -> Result<Self, DueError> {
        let mut due = Self::default();
        for triple in triples {
            due.push_run(Run::new(*triple)?)?;
        }
        Ok(due)
    }

    /// Adds one instant, later than all before. Nothing changes if it is refused.
    pub fn push(&mut self, instant: Instant) -> Result<(), DueError> {
        if instant != Instant::from_s(instant.s()) {
            return Err(DueError::Fraction(instant));
        }
        if let Some(last) = self.last().filter(|last| *last >= instant) {
            return Err(DueError::Order { last, next: instant });
        }
        let len = self.len.saturating_add(1);
        if len > Self::LEN_MAX {
            return Err(DueError::Many);
        }
        self.len = len;
        match self.runs.last_mut() {
            Some(run) if run.takes(instant.s()) => {
                run.step = instant.s().saturating_sub(run.last());
                run.count = run.count.saturating_add(1);
            }
            _ => self.runs.push(Run { first: instant.s(), step: 0, count: 1 }),
        }
        Ok(())
    }

    /// The encoding: first unix second, step in seconds, count.
    pub fn triples(&self) -> impl Iterator<Item = [i64; 3]> + '_ {
        self.runs.iter().map(|run| [run.first, run.step, run.count])
    }

    /// Every instant, in order.
    pub fn iter(&self) -> impl Iterator<Item = Instant> + '_ {
        self.runs.iter().flat_map(|run| (0..run.count).map(|n| Instant::from_s(run.at(n))))
    }

    /// How many instants there are; at most [`Due::LEN_MAX`].
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// How many triples the encoding has.
    pub const fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Is nothing due?
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The earliest instant.
    pub fn first(&self) -> Option<Instant> {
        self.runs.first().map(|run| Instant::from_s(run.first))
    }

    /// The latest instant.
    pub fn last(&self) -> Option<Instant> {
        self.runs.last().map(|run| Instant::from_s(run.last()))
    }

    /// Is this instant one of them? Looks at one run only, however many there are.
    pub fn contains(&self, instant: Instant) -> bool {
        let s = instant.s();
        let after = self.runs.partition_point(|run| run.first <= s);
        instant == Instant::from_s(s)
            && after.checked_sub(1).and_then(|i| self.runs.get(i)).is_some_and(|run| run.contains(s))
    }

    fn push_run(&mut self, run: Run) -> Result<(), DueError> {
        if let Some(before) = self.runs.last() {
            if run.first <= before.last() {
                return Err(DueError::Order {
                    last: Instant::from_s(before.last()),
                    next: Instant::from_s(run.first),
                });
            }
            if before.takes(run.first) {
                return Err(DueError::Run([run.first, run.step, run.count]));
            }
        }
        self.len = self.len.saturating_add(run.count.unsigned_abs());
        if self.len > Self::LEN_MAX {
            return Err(DueError::Many);
        }
        self.runs.push(run);
        Ok(())
    }
}

impl Run {
    /// Checks what can be said of one triple alone.
    fn new(triple: [i64; 3]) -> Result<Self, DueError> {
        let [first, step, count] = triple;
        let run = Self { first, step, count };
        let step_fits = if count == 1 { step == 0 } else { step > 0 };
        let end = step.checked_mul(count.saturating_sub(1)).and_then(|length| first.checked_add(length));
        let writable = |s: i64| Instant::from_s(s).s() == s;
        if count < 1 || !step_fits || !writable(first) || !end.is_some_and(writable) {
            return Err(DueError::Run(triple));
        }
        Ok(run)
    }

    /// The `n`th second; cannot overflow, since a run ends at an instant that can be written.
    const fn at(&self, n: i64) -> i64 {
        self.first.saturating_add(self.step.saturating_mul(n))
    }

    const fn last(&self) -> i64 {
        self.at(self.count.saturating_sub(1))
    }

    /// Would `s`, which comes after the end, lengthen this run?
    const fn takes(&self, s: i64) -> bool {
        self.count == 1 || s.saturating_sub(self.last()) == self.step
    }

    /// Is `s`, which is not before the first, in this run?
    fn contains(&self, s: i64) -> bool {
        let distance = s.saturating_sub(self.first);
        s <= self.last() && distance.checked_rem(self.step).unwrap_or(distance) == 0
    }
}

impl Serialize for Due {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.triples())
    }
}

impl<'de> Deserialize<'de> for Due {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::from_triples(&Vec::<[i64; 3]>::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Lists as schedules make them: stretches of equal steps and single instants, in any order.
    fn seconds() -> impl Strategy<Value = BTreeSet<i64>> {
        let stretch = (-3_000_000_i64..3_000_000, 1_i64..4000, 1_i64..40);
        proptest::collection::vec(stretch, 0..12).prop_map(|stretches| {
            stretches.into_iter().flat_map(|(first, step, n)| (0..n).map(move |i| first + i * step)).collect()
        })
    }

    fn due(seconds: impl IntoIterator<Item = i64>) -> Due {
        Due::new(&seconds.into_iter().map(Instant::from_s).collect::<Vec<_>>()).unwrap()
    }

    proptest! {
        #[test]
        fn a_list_reads_back_from_its_triples_and_from_json(seconds in seconds()) {
            let due = due(seconds.iter().copied());
            prop_assert_eq!(due.iter().map(Instant::s).collect::<Vec<_>>(), seconds.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(due.len(), seconds.len() as u64);
            let triples: Vec<_> = due.triples().collect();
            prop_assert_eq!(&Due::from_triples(&triples).unwrap(), &due);
            let json = serde_json::to_string(&due).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Due>(&json).unwrap(), &due);
        }

        #[test]
        fn it_contains_what_it_lists_and_nothing_else(seconds in seconds()) {
            let due = due(seconds.iter().copied());
            for s in seconds.iter().flat_map(|s| [s - 1, *s, s + 1]) {
                prop_assert_eq!(due.contains(Instant::from_s(s)), seconds.contains(&s));
                prop_assert!(!due.contains(Instant::from_ms(s * 1000 + 1)));
            }
        }

        #[test]
        fn one_list_has_one_encoding(triples in proptest::collection::vec((0_i64..50, 0_i64..4, 0_i64..4), 0..5)) {
            let triples: Vec<_> = triples.into_iter().map(|(first, step, n)| [first, step, n]).collect();
            if let Ok(read) = Due::from_triples(&triples) {
                let built = Due::new(&read.iter().collect::<Vec<_>>()).unwrap();
                prop_assert_eq!(built.triples().collect::<Vec<_>>(), triples);
                prop_assert_eq!(built, read);
            }
        }
    }

    #[test]
    fn runs_are_taken_from_the_front() {
        let due = due([0, 3600, 7200, 7260, 7320, 90_000]);
        assert_eq!(serde_json::to_string(&due).unwrap(), "[[0,3600,3],[7260,60,2],[90000,0,1]]");
        assert_eq!((due.first(), due.last()), (Some(Instant::EPOCH), Some(Instant::from_s(90_000))));
        assert_eq!(serde_json::to_string(&Due::default()).unwrap(), "[]");
    }

    #[test]
    fn what_no_list_encodes_to_is_refused() {
        for wrong in [
            "[[0,0,0]]",
            "[[0,0,2]]",
            "[[0,60,1]]",
            "[[0,-60,2]]",
            "[[0,60,-1]]",
            "[[0,60,2],[60,60,2]]",
            "[[0,60,2],[120,60,2]]",
            "[[0,0,1],[60,0,1]]",
            "[[0,1,200001]]",
            "[[0,9223372036854775807,3]]",
            "[[9223372036854775807,0,1]]",
            "[[0,60,9223372036854775807]]",
            "[[0,60]]",
            "[[0.5,0,1]]",
        ] {
            assert!(serde_json::from_str::<Due>(wrong).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Due>("[[0,1,200000]]").is_ok());
    }

    #[test]
    fn instants_out_of_order_or_between_seconds_are_refused() {
        let at = Instant::from_s;
        assert_eq!(Due::new(&[at(5), at(5)]), Err(DueError::Order { last: at(5), next: at(5) }));
        assert_eq!(Due::new(&[Instant::from_ms(1)]), Err(DueError::Fraction(Instant::from_ms(1))));
        let mut full = Due::from_triples(&[[0, 1, 200_000]]).unwrap();
        assert_eq!(full.push(at(200_000)), Err(DueError::Many));
        assert_eq!(full.len(), 200_000);
    }
}
