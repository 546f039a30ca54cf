//! Populations that a policy reads beside the one it judges: which run's rows it is given, and whether they are young enough.
//!
//! Agent, ledger and replay ask here, so that nobody can choose what a policy was shown.

use std::collections::BTreeSet;

use super::{Ledger, Table};
use crate::{
    entry::{Input, Policy, Population, Run},
    time::Instant,
};

/// A population as it was last seen.
#[derive(Debug, Clone, Copy)]
pub struct LastSeen<'a> {
    /// The run that saw it: its collector's newest, whatever that run came to.
    pub run: u64,
    /// What the run says of it.
    pub population: &'a Population,
    /// Its rows.
    pub table: &'a Table,
    /// Is it within the largest gap of its collector's schedule at the instant that was asked about? What no schedule reads
    /// never is.
    pub is_fresh: bool,
}

impl Ledger {
    /// A population as the newest run of its collector saw it. `None` if nothing saw it yet, if no collector in force yields
    /// it, or if more than one does.
    pub fn last_seen(&self, name: &str, at: Instant) -> Option<LastSeen<'_>> {
        let yields = |collector: &&crate::entry::Collector| {
            !collector.removed && collector.yields.iter().any(|yielded| yielded == name)
        };
        let mut found = self.collectors.values().filter(yields);
        let (collector, None) = (found.next()?, found.next()) else { return None };
        let last = self.runs.get(&collector.id)?;
        let population = last.run.populations.iter().find(|population| population.name == name)?;
        let table = self.table(&collector.id, name).filter(|table| table.seq == last.seq)?;
        let max_gap_ms = self.max_gap_ms(&collector.id);
        let is_fresh = max_gap_ms > 0 && at.ms_since(last.run.as_of) <= max_gap_ms;
        Some(LastSeen { run: last.seq, population, table, is_fresh })
    }

    /// Those of these populations that no collector in force yields: nobody was asked for them, so nothing is missing.
    pub fn unyielded<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> BTreeSet<String> {
        let yields = |name: &str| {
            let mut in_force = self.collectors.values().filter(|collector| !collector.removed);
            in_force.any(|collector| collector.yields.iter().any(|yielded| yielded == name))
        };
        names.into_iter().filter(|name| !yields(name)).cloned().collect()
    }

    /// What a verdict on this run has to name as read beside the judged population, in the policy's order; a population that
    /// nobody saw is not among it.
    pub fn inputs_beside(&self, policy: &Policy, run: &Run) -> Vec<Input> {
        let input = |name: &String| {
            if let Some(own) = run.populations.iter().find(|population| population.name == *name) {
                return Some(Input { run: None, name: name.clone(), root: own.table.root });
            }
            let beside = self.last_seen(name, run.as_of)?;
            Some(Input { run: Some(beside.run), name: name.clone(), root: beside.table.root() })
        };
        policy.populations.iter().skip(1).filter_map(input).collect()
    }
}
