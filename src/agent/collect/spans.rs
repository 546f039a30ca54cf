//! Which part of a run's window each step reads: streams that were read whole begin later than one that was not.
//!
//! What two populations share is read from where the first of them begins, and both then speak about all of it.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Steps of populations whose last reading was not whole, by their place.
    behind: BTreeSet<usize>,
}

impl Spans {
    /// Of the run's window, of where the window of each population begins, and of those whose last reading was not whole.
    pub(super) fn new(
        manifest: &Manifest,
        whole: Option<Window>,
        (begins, behind): (&BTreeMap<String, Instant>, &BTreeSet<String>),
    ) -> Self {
        let Some((from, to)) = whole else { return Self::default() };
        let lagging = manifest.populations.iter().filter(|population| behind.contains(&population.name));
        let behind = lagging.flat_map(|population| steps(manifest, population)).collect();
        let mut spans = Self { whole, from: BTreeMap::new(), behind };
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

    /// Must a list be gone on with from where its last reading began? What that reading saw may be in no row.
    pub(super) fn is_behind(&self, step: &Step) -> bool {
        let place = self.manifest.steps.iter().position(|other| other.id == step.id);
        place.is_some_and(|place| self.spans.behind.contains(&place))
    }
}

/// The steps of a population that read a window, those among them for whose records others are asked.
fn steps<'m>(manifest: &'m Manifest, population: &'m Population) -> impl Iterator<Item = usize> + 'm {
    let all = std::iter::once(population.step).chain(population.joins.iter().map(|join| join.step));
    let above = |step: &usize| manifest.steps.get(*step)?.each.as_ref().map(|each| each.step);
    let all = all.flat_map(move |step| std::iter::successors(Some(step), above));
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
        let spans = Spans::new(
            &manifest,
            Some((Instant::from_s(10), Instant::from_s(90))),
            (&read, &BTreeSet::new()),
        );
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

    #[test]
    fn what_is_asked_for_the_records_of_a_window_is_bound_to_that_window() {
        let mut manifest = shipped("github/updates");
        let place = |id: &str| manifest.steps.iter().position(|step| step.id == id).unwrap();
        let (above, below, other) = (place("deployments"), place("statuses"), place("merged"));
        manifest.steps[below].window = manifest.steps[other].window.take();
        manifest.populations.retain(|population| population.name != "branches");
        for population in &mut manifest.populations {
            population.joins.clear();
            if population.name == "updates" {
                (population.name, population.step) = ("statuses".to_owned(), below);
            }
        }
        let read = [("deployments", 50), ("statuses", 20)];
        let read = read.map(|(name, s)| (name.to_owned(), Instant::from_s(s))).into();
        let window = Some((Instant::from_s(10), Instant::from_s(90)));
        let spans = Spans::new(&manifest, window, (&read, &["statuses".to_owned()].into()));
        for population in &manifest.populations {
            let begin = spans.of_population(&manifest, population).unwrap().0;
            assert_eq!(begin, Instant::from_s(20), "{}", population.name);
        }
        assert_eq!(spans.behind, [above, below].into());
    }
}
