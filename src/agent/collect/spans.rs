//! Which part of a run's window each step reads: streams that were read whole begin later than one that was not.
//!
//! What two populations share is read from where the first of them begins, and both then speak about all of it.

use std::collections::BTreeMap;

use observance_record::Instant;

use super::{
    condition::Window,
    exchange::Session,
    manifest::{Manifest, Population, Step},
};

/// The windows of a run.
#[derive(Debug, Default)]
pub(super) struct Spans {
    whole: Option<Window>,
    /// Where the window of each step begins that reads one, by the step's place.
    from: BTreeMap<usize, Instant>,
}

impl Spans {
    /// Of the run's window, and of where the window of each population begins.
    pub(super) fn new(
        manifest: &Manifest,
        whole: Option<Window>,
        begins: &BTreeMap<String, Instant>,
    ) -> Self {
        let Some((from, to)) = whole else { return Self::default() };
        let mut spans = Self { whole, from: BTreeMap::new() };
        // what is shared pulls the others along, at most from each population to each
        for _ in &manifest.populations {
            for population in &manifest.populations {
                // a window has some length: what was read up to its end already is read again
                let begin = begins.get(&population.name).filter(|begin| from <= **begin && **begin < to);
                let begin = begin.copied().unwrap_or(from);
                let begin = spans.begin(manifest, population).map_or(begin, |before| before.min(begin));
                for step in steps(manifest, population) {
                    spans.from.insert(step, begin);
                }
            }
        }
        spans
    }

    fn of(&self, manifest: &Manifest, step: &Step) -> Option<Window> {
        let (from, to) = self.whole?;
        let place = manifest.steps.iter().position(|other| other.id == step.id);
        Some((place.and_then(|place| self.from.get(&place)).copied().unwrap_or(from), to))
    }

    /// The window that a population speaks about.
    pub(super) fn of_population(&self, manifest: &Manifest, population: &Population) -> Option<Window> {
        let (from, to) = self.whole?;
        Some((self.begin(manifest, population).unwrap_or(from), to))
    }

    fn begin(&self, manifest: &Manifest, population: &Population) -> Option<Instant> {
        steps(manifest, population).filter_map(|step| self.from.get(&step)).min().copied()
    }
}

impl Session<'_> {
    /// The window that a step reads.
    pub(super) fn window(&self, step: &Step) -> Option<Window> {
        self.spans.of(self.manifest, step)
    }
}

/// The steps of a population that read a window.
fn steps<'m>(manifest: &'m Manifest, population: &'m Population) -> impl Iterator<Item = usize> + 'm {
    let all = std::iter::once(population.step).chain(population.joins.iter().map(|join| join.step));
    all.filter(|step| manifest.steps.get(*step).is_some_and(|step| step.window.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::tests::shipped;

    /// Where each windowed population of a shipped collector begins, if its streams were read so far.
    fn begins(name: &str, read: &[(&str, i64)]) -> Vec<(String, i64)> {
        let manifest = shipped(name);
        let read = read.iter().map(|(name, s)| ((*name).to_owned(), Instant::from_s(*s))).collect();
        let spans = Spans::new(&manifest, Some((Instant::from_s(10), Instant::from_s(90))), &read);
        let begin = |population| spans.of_population(&manifest, population).unwrap().0.ms() / 1000;
        manifest.populations.iter().map(|p| (p.name.clone(), begin(p))).collect()
    }

    #[test]
    fn a_stream_begins_by_itself_unless_it_shares_a_list() {
        let pair = |a: &str, b: i64| (a.to_owned(), b);
        let apart = begins("github/changes", &[("changes", 50), ("bypasses", 10)]);
        assert_eq!(apart, [pair("changes", 50), pair("bypasses", 10)]);
        let unread = begins("github/changes", &[("changes", 50)]);
        assert_eq!(unread, [pair("changes", 50), pair("bypasses", 10)], "from the beginning");
        assert_eq!(begins("github/changes", &[("changes", 99)])[0].1, 10, "never after the end");
        let shared = begins("github/updates", &[("updates", 40), ("branches", 60), ("deployments", 30)]);
        assert_eq!(shared, [pair("updates", 30), pair("branches", 30), pair("deployments", 30)]);
    }
}
