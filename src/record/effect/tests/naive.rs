//! A second implementation, look by look and millisecond by millisecond, and the claim that both always agree.
//!
//! It is slow on purpose, keeps every look, and shares nothing with the first but the types of the answer.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{super::*, item};
use crate::{interval::Set, verdict::Code};

const ITEMS: u8 = 3;
/// No instant of any test is later.
const END: i64 = 200;

fn ms(ms: i64) -> Instant {
    Instant::from_ms(ms)
}

fn set(points: impl IntoIterator<Item = i64>) -> Set {
    points.into_iter().map(|at| Span::new(ms(at), ms(at + 1))).collect()
}

type Rows = BTreeMap<Item, ItemResult>;

#[derive(Debug, Clone)]
enum Fed {
    Look { whole: bool, gap: i64, rows: Rows },
    Same,
    Blind { gap: i64 },
}

fn result() -> impl Strategy<Value = ItemResult> {
    let state = prop_oneof![
        3 => Just(State::Passed),
        3 => Just(State::Failed),
        2 => Just(State::Unknown),
        1 => Just(State::NotApplicable),
        1 => Just(State::NotDue),
    ];
    (state, "[xy]").prop_map(|(state, code)| ItemResult::because(state, code.parse().unwrap()))
}

fn rows() -> impl Strategy<Value = Rows> {
    prop::collection::vec(prop::option::weighted(0.8, result()), usize::from(ITEMS))
        .prop_map(|rows| (1..).zip(rows).filter_map(|(n, row)| Some((item(n), row?))).collect())
}

fn fed() -> impl Strategy<Value = Vec<(i64, Fed)>> {
    let look = (prop::bool::weighted(0.7), 0_i64..9, rows());
    let op = prop_oneof![
        4 => look.prop_map(|(whole, gap, rows)| Fed::Look { whole, gap, rows }),
        2 => Just(Fed::Same),
        1 => (0_i64..9).prop_map(|gap| Fed::Blind { gap }),
    ];
    prop::collection::vec((0_i64..7, op), 0..14)
}

/// One look; `None` rows for a blind one.
#[derive(Debug, Clone)]
struct Look {
    at: i64,
    gap: i64,
    seen: Option<(bool, Rows)>,
}

/// A look that says something of one item: `None` when it shows that the item is gone.
#[derive(Debug, Clone)]
struct Sighting {
    look: usize,
    at: i64,
    gap: i64,
    result: Option<ItemResult>,
}

impl Sighting {
    fn state(&self) -> State {
        self.result.as_ref().unwrap().state()
    }
}

fn feed(fed: &[(i64, Fed)]) -> (Effect, Vec<Look>, Vec<Transition>) {
    let (mut effect, mut looks, mut drift, mut at) = (Effect::new(), Vec::<Look>::new(), Vec::new(), 10);
    for (seq, (wait, fed)) in (0..).zip(fed) {
        at += wait;
        match fed {
            Fed::Look { whole, gap, rows } => {
                let membership = if *whole { Membership::Complete } else { Membership::Unknown };
                if is_prompted(seq) {
                    effect.prompt(seq);
                }
                drift.extend(effect.look(ms(at), seq, membership, *gap, rows));
                looks.push(Look { at, gap: *gap, seen: Some((*whole, rows.clone())) });
            }
            Fed::Same => {
                effect.same(ms(at));
                let last = looks.iter().rfind(|look| look.seen.is_some()).cloned();
                looks.push(Look { at, ..last.unwrap_or(Look { at, gap: 0, seen: None }) });
            }
            Fed::Blind { gap } => {
                effect.blind(ms(at), *gap);
                looks.push(Look { at, gap: *gap, seen: None });
            }
        }
    }
    (effect, looks, drift)
}

/// Every other look comes from a change event.
const fn is_prompted(look: u64) -> bool {
    look % 2 == 1
}

/// What each look says of one item, life by life; a life may end in a sighting without result.
fn lives(item: Item, looks: &[Look]) -> Vec<Vec<Sighting>> {
    let (mut lives, mut life) = (Vec::new(), Vec::<Sighting>::new());
    for (look, Look { at, gap, seen }) in looks.iter().enumerate() {
        let Some((whole, rows)) = seen else { continue };
        let sighting = |result| Sighting { look, at: *at, gap: *gap, result };
        match rows.get(&item) {
            Some(result) => life.push(sighting(Some(result.clone()))),
            None if life.is_empty() => {}
            None if *whole => {
                life.push(sighting(None));
                lives.push(std::mem::take(&mut life));
            }
            None => {
                let code: Code = "unlisted".parse().unwrap();
                life.push(sighting(Some(ItemResult::because(State::Unknown, code))));
            }
        }
    }
    lives.extend((!life.is_empty()).then_some(life));
    lives
}

struct Naive<'a> {
    looks: &'a [Look],
    from: i64,
    to: i64,
    now: i64,
    known: BTreeSet<i64>,
}

impl Naive<'_> {
    fn inside(&self, points: impl IntoIterator<Item = i64>) -> Vec<i64> {
        points.into_iter().filter(|at| self.from <= *at && *at < self.to).collect()
    }

    fn period(mut self) -> PolicyPeriod {
        let mut said = PolicyPeriod::default();
        for n in 1..=ITEMS {
            self.item(item(n), &mut said);
        }
        let mut looked = BTreeSet::new();
        for (i, look) in self.looks.iter().enumerate() {
            let next = self.looks.get(i + 1).map_or(END, |next| next.at);
            looked.extend(look.at..next.min(look.at + look.gap));
            let next =
                self.looks[i + 1..].iter().find(|next| next.seen.is_some()).map_or(END, |next| next.at);
            if look.seen.as_ref().is_some_and(|(whole, rows)| *whole && rows.is_empty()) {
                self.known.extend(look.at..next.min(look.at + look.gap));
            }
        }
        for at in self.from..self.to.min(self.now) {
            match (self.known.contains(&at), looked.contains(&at)) {
                (true, _) => {}
                (false, true) => said.part_unknown_ms += 1,
                (false, false) => said.gap_ms += 1,
            }
        }
        said.evidence = self.looks.iter().any(|look| look.seen.is_some()).then_some(Evidence::Look);
        said.deviations.sort_by_key(|deviation| (deviation.most.from(), deviation.item));
        said
    }

    fn item(&mut self, item: Item, said: &mut PolicyPeriod) {
        let (mut states, mut deviations, mut lived, mut judged) = (BTreeSet::new(), Vec::new(), false, false);
        for life in lives(item, self.looks) {
            let gone = life.last().filter(|last| last.result.is_none()).cloned();
            let seen: Vec<_> = life.into_iter().filter(|sighting| sighting.result.is_some()).collect();
            let newest = self.looks.iter().filter(|look| look.seen.is_some()).map(|look| look.at).max();
            let last = if gone.is_some() { seen.last().unwrap().at } else { self.now.max(newest.unwrap()) };
            lived |= seen[0].at < self.to && last >= self.from;
            states.extend(seen.iter().filter(|s| !self.inside([s.at]).is_empty()).map(Sighting::state));
            let evidence: Vec<_> = seen.iter().filter(|s| s.state() != State::Unknown).cloned().collect();
            for (i, now) in evidence.iter().enumerate() {
                let next = evidence.get(i + 1).or(gone.as_ref());
                let good = now.at..next.map_or(END, |next| next.at).min(now.at + now.gap);
                self.known.extend(good.clone());
                let holds = evidence.get(i + 1).is_some_and(|next| next.state() == now.state());
                if holds && !self.inside(good).is_empty() {
                    states.insert(now.state());
                }
            }
            let born =
                self.looks[..seen[0].look].iter().rfind(|l| l.seen.as_ref().is_some_and(|(whole, _)| *whole));
            let born = born.map_or(seen[0].at, |look| look.at);
            deviations.extend(self.deviations(item, born, &evidence, gone.as_ref(), &mut judged));
        }
        if lived || !deviations.is_empty() {
            said.items_n += 1;
            let certain = deviations.iter().filter(|d: &&Deviation| d.sights > 0 || d.least_ms > 0).count();
            let class = match () {
                () if certain > 0 => &mut said.deviated_items,
                () if !deviations.is_empty() => &mut said.edge_items,
                () if states.contains(&State::Passed) => &mut said.met,
                () if states.is_empty() || states.contains(&State::Unknown) => &mut said.unknown_items,
                () if states.contains(&State::NotDue) => &mut said.not_due,
                () => &mut said.not_applicable,
            };
            *class += 1;
            said.occasions += certain as u64;
            said.deviations.extend(deviations);
        }
    }

    fn deviations(
        &self,
        item: Item,
        born: i64,
        evidence: &[Sighting],
        gone: Option<&Sighting>,
        judged: &mut bool,
    ) -> Vec<Deviation> {
        let mut deviations = Vec::new();
        for (i, first) in evidence.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| &evidence[i]);
            if first.state() == State::Failed && before.is_none_or(|before| before.state() != State::Failed) {
                let n = evidence[i..].iter().take_while(|s| s.state() == State::Failed).count();
                let end = evidence.get(i + n).or(gone);
                let after = before.map_or(born, |before| before.at);
                deviations.extend(self.deviation(item, &evidence[i..i + n], after, end, !*judged));
            }
            *judged |= first.state() != State::NotApplicable;
        }
        deviations
    }

    fn deviation(
        &self,
        item: Item,
        failed: &[Sighting],
        after: i64,
        end: Option<&Sighting>,
        baseline: bool,
    ) -> Option<Deviation> {
        let held = failed.windows(2).flat_map(|two| two[0].at..two[1].at.min(two[0].at + two[0].gap));
        let last = failed.last().unwrap().at;
        let before = end.map_or(self.now.max(last), |end| end.at);
        let clip = |at: i64| ms(at.clamp(self.from, self.to));
        let most = Span::new(clip(after), clip(before));
        let least = set(self.inside(held));
        let sights = failed.iter().filter(|s| !self.inside([s.at]).is_empty()).count() as u64;
        let between =
            |look: usize| if is_prompted(look as u64) { Known::ChangeFeed } else { Known::Bracketed };
        let ended = end.filter(|end| end.at < self.to);
        let known = Bounds {
            begin: if after == failed[0].at { Known::SingleLook } else { between(failed[0].look) },
            end: ended.map_or(Known::SingleLook, |end| between(end.look)),
        };
        let deviation = Deviation {
            item,
            least_ms: least.ms(),
            most_ms: most.ms(),
            least,
            most,
            sights,
            baseline,
            open: end.is_none_or(|end| end.at >= self.to),
            codes: failed.iter().flat_map(|s| s.result.as_ref().unwrap().codes().clone()).collect(),
            known,
            opened_seq: failed[0].look as u64,
            closed_seq: end.map(|end| end.look as u64),
        };
        (sights > 0 || deviation.least_ms > 0 || deviation.most_ms > 0).then_some(deviation)
    }
}

/// Every pair of judged sightings with nothing judged in between.
fn drift(looks: &[Look]) -> Vec<Transition> {
    let mut drift = Vec::new();
    for n in 1..=ITEMS {
        let seen: Vec<_> =
            lives(item(n), looks).into_iter().flatten().filter(|s| s.result.is_some()).collect();
        for (i, now) in seen.iter().enumerate() {
            let before = |wanted: &[State]| seen[..i].iter().rfind(|s| wanted.contains(&s.state())).cloned();
            let old = match now.state() {
                State::Failed => before(&[State::Passed, State::Failed, State::NotDue]),
                State::Passed => before(&[State::Passed, State::Failed]),
                State::Unknown | State::NotApplicable | State::NotDue => None,
            };
            let Some(old) = old.filter(|old| old.state() != now.state()) else { continue };
            drift.push(Transition {
                item: item(n),
                from: old.state(),
                to: now.state(),
                observed_from: ms(old.at),
                observed_to: ms(now.at),
                evidence: Evidence::Look,
            });
        }
    }
    drift.sort_by_key(|t| (t.observed_to, t.item));
    drift
}

type Read = (i64, i64, bool, Rows);

/// What is known of each item at each millisecond, after some windows.
type Grid = BTreeMap<(Item, i64), ItemResult>;

fn read_naively(grid: &mut Grid, (from, length, whole, rows): &Read) {
    for n in 1..=ITEMS {
        let first = grid.keys().filter(|(it, _)| *it == item(n)).map(|(_, at)| *at).min();
        for at in *from..from + length {
            let key = (item(n), at);
            match rows.get(&item(n)) {
                Some(result) => {
                    grid.insert(key, result.clone());
                }
                None if *whole => {
                    grid.remove(&key);
                }
                None if first.is_some_and(|first| first <= at) => {
                    grid.entry(key)
                        .or_insert(ItemResult::because(State::Unknown, "unlisted".parse().unwrap()));
                }
                None => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn looks_agree_with_the_naive_reading(fed in fed(), from in 0_i64..100, length in 0_i64..60, now in 0_i64..120) {
        let (effect, looks, transitions) = feed(&fed);
        let naive = Naive { looks: &looks, from, to: from + length, now, known: BTreeSet::new() };
        prop_assert_eq!(effect.period(ms(from), ms(from + length), ms(now)), naive.period());
        let mut transitions = transitions;
        transitions.sort_by_key(|t| (t.observed_to, t.item));
        prop_assert_eq!(transitions, drift(&looks));
    }

    #[test]
    fn every_item_is_in_one_class_and_two_halves_hold_the_whole(fed in fed(), cut in 10_i64..60) {
        let (effect, ..) = feed(&fed);
        let ask = |from, to| effect.period(ms(from), ms(to), ms(100));
        let (whole, left, right) = (ask(0, 100), ask(0, cut), ask(cut, 100));
        let classes = whole.met + whole.deviated_items + whole.edge_items + whole.unknown_items + whole.not_due + whole.not_applicable;
        prop_assert_eq!(classes, whole.items_n);
        prop_assert_eq!(whole.gap_ms, left.gap_ms + right.gap_ms);
        prop_assert_eq!(whole.part_unknown_ms, left.part_unknown_ms + right.part_unknown_ms);
        let sum = |said: &PolicyPeriod| said.deviations.iter().fold((0, 0), |(a, b), d| (a + d.least_ms, b + d.most_ms));
        prop_assert_eq!(sum(&whole), (sum(&left).0 + sum(&right).0, sum(&left).1 + sum(&right).1));
        prop_assert!(whole.deviations.iter().all(|d| d.least_ms <= d.most_ms));
    }

    #[test]
    fn windows_agree_with_the_naive_reading(
        reads in prop::collection::vec((0_i64..40, 1_i64..12, prop::bool::weighted(0.7), rows()), 0..8),
        from in 0_i64..30,
        length in 0_i64..40,
    ) {
        let (mut effect, mut grid) = (Effect::new(), Grid::new());
        let (mut read, mut bare) = (BTreeSet::new(), BTreeSet::new());
        for (seq, window) in (0..).zip(&reads) {
            let (start, ms_n, whole, rows) = window;
            let membership = if *whole { Membership::Complete } else { Membership::Partial };
            effect.window(ms(*start), ms(start + ms_n), seq, membership, rows);
            read_naively(&mut grid, window);
            read.extend(*start..start + ms_n);
            bare.extend((*start..start + ms_n).filter(|_| *whole && rows.is_empty()));
        }
        let said = effect.period(ms(from), ms(from + length), ms(END));
        let period: BTreeSet<i64> = (from..from + length).collect();
        let known: BTreeSet<i64> =
            grid.iter().filter(|(_, result)| result.state() != State::Unknown).map(|((_, at), _)| *at).collect();
        prop_assert_eq!(usize::try_from(said.gap_ms), Ok((&period - &read).len()));
        let unknown = &(&(&period & &read) - &known) - &bare;
        prop_assert_eq!(usize::try_from(said.part_unknown_ms), Ok(unknown.len()));
        let mut items = 0;
        for n in 1..=ITEMS {
            let of = |state: Option<State>| -> Vec<i64> {
                let inside = period.iter().copied();
                inside.filter(|at| grid.get(&(item(n), *at)).is_some_and(|r| state.is_none_or(|s| r.state() == s))).collect()
            };
            items += u64::from(!of(None).is_empty());
            let least: Set = said.deviations.iter().filter(|d| d.item == item(n)).flat_map(|d| d.least.spans().to_vec()).collect();
            let stays = said.deviations.iter().filter(|d| d.item == item(n)).count();
            let failed = set(of(Some(State::Failed)));
            prop_assert_eq!(stays, failed.spans().len());
            prop_assert_eq!(least, failed);
        }
        prop_assert_eq!(said.items_n, items);
    }
}
