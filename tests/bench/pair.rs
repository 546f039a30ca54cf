//! Two halves measured against each other: pairs in alternating order, the median and the quartiles of their ratios.
//!
//! An absolute time on a shared machine says little, so none is ever printed.

use std::{fs, time::Instant};

/// Ratios of one comparison, sorted.
pub(crate) struct Ratios(Vec<f64>);

/// What is measured: processor time of this thread, or time on the wall where other processes or threads work.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Processor,
    Wall,
}

impl Ratios {
    /// Of ratios that were measured elsewhere.
    pub(crate) fn new(mut ratios: Vec<f64>) -> Self {
        ratios.sort_by(f64::total_cmp);
        Self(ratios)
    }

    /// `pairs` times both; each ratio is what `b` took of what `a` took: above 1, `a` is the slower one.
    pub(crate) fn measure(pairs: usize, by: By, mut a: impl FnMut(), mut b: impl FnMut()) -> Self {
        a();
        b();
        let ratio = |n: usize| {
            let (first, second);
            if n.is_multiple_of(2) {
                first = took(by, &mut a);
                second = took(by, &mut b);
            } else {
                second = took(by, &mut b);
                first = took(by, &mut a);
            }
            first / second
        };
        Self::new((0..pairs).map(ratio).collect())
    }

    /// The ratios themselves.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        self.0.iter().copied()
    }

    /// One line of a Markdown table.
    pub(crate) fn line(&self, what: &str) -> String {
        let at = |quarter: usize| self.0[(self.0.len() - 1) * quarter / 4];
        format!("| {what} | {} | {:.3} | {:.3} | {:.3} |", self.0.len(), at(1), at(2), at(3))
    }
}

/// Seconds.
pub(crate) fn took(by: By, work: &mut dyn FnMut()) -> f64 {
    let begin = now(by);
    work();
    (now(by) - begin).max(f64::MIN_POSITIVE)
}

fn now(by: By) -> f64 {
    thread_local!(static BEGIN: Instant = Instant::now());
    let wall = || BEGIN.with(|begin| begin.elapsed().as_secs_f64());
    match by {
        By::Processor => processor().unwrap_or_else(wall),
        By::Wall => wall(),
    }
}

/// Seconds that this thread has run (Linux); it grows by the scheduler's tick, so what is measured takes many of them.
fn processor() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let ns: f64 = text.split(' ').next()?.parse().ok()?;
    Some(ns / 1e9)
}
