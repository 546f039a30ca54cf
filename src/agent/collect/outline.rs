//! A manifest as whoever wants to show, check or grant it reads it: steps, paths, fields, populations as plain text.
//!
//! It adds nothing to the manifest and runs nothing; the engine never looks here.

use std::collections::BTreeSet;

use super::{
    manifest::{Manifest, Population, Proof, Records, Step, Verb},
    project::Path,
};

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepOutline {
    /// Its name.
    pub id: String,
    /// How it asks: `GET`, `POST` to a path that reads, or `GRAPHQL`; `INSIDE` asks nothing.
    pub verb: &'static str,
    /// The path, with its places: `/repos/{org}/{repo.name}/pulls`; of `INSIDE`, where the list stands in a record.
    pub path: String,
    /// The query, and the page size; values with their places.
    pub query: Vec<(String, String)>,
    /// Asked for each record of this step; none: once.
    pub each: Option<String>,
    /// Has it more than one page?
    pub paged: bool,
    /// Where the records of a body are.
    pub records: Place,
    /// What is kept of a record: dotted paths.
    pub projected: Vec<String>,
    /// What else is looked at: key, required fields, conditions, what later steps and labels ask for.
    pub asked: Vec<String>,
    /// Fields that must be there, else the credential is not enough.
    pub required: Vec<String>,
    /// What is covered before anything is kept: the way and the path, `drop **.avatar_url`.
    pub redacted: Vec<String>,
    /// What its completeness rests on, in the manifest's words.
    pub complete: Vec<&'static str>,
    /// Does it read a window?
    pub windowed: bool,
    /// How far back the source reaches, in milliseconds; none: all the way.
    pub reach_ms: Option<i64>,
    /// What a credential needs for it, in words.
    pub needs: Option<String>,
}

/// Where the records of a body are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The body is one record.
    One,
    /// The body is a list of records.
    List,
    /// A member of the body is the list: dotted path.
    At(String),
    /// A number: how many records there are.
    Count,
}

/// Rows for one kind of thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopulationOutline {
    /// Its name.
    pub name: String,
    /// The type of its items.
    pub item_type: String,
    /// The step whose records are the rows.
    pub of: String,
    /// Its rows are events.
    pub events: bool,
    /// It speaks about a window.
    pub windowed: bool,
    /// Does the source state how many there are, and is the list compared with that?
    pub counted: bool,
    /// The keys that are put beside a record, and their steps.
    pub joins: Vec<(String, String)>,
    /// The steps by which the list is made; without one of them it is not whole.
    pub list_steps: BTreeSet<String>,
    /// All steps that its rows rest on, those included.
    pub steps: BTreeSet<String>,
    /// How far back all of these reach, in milliseconds; none: all the way.
    pub reach_ms: Option<i64>,
}

impl Manifest {
    /// The steps, in their order.
    pub fn step_outlines(&self) -> Vec<StepOutline> {
        self.steps.iter().map(|step| self.step_outline(step)).collect()
    }

    /// The populations, in their order.
    pub fn population_outlines(&self) -> Vec<PopulationOutline> {
        self.populations.iter().map(|population| self.population_outline(population)).collect()
    }

    /// Leaves out every population but these, and the steps that nothing else rests on. The digest stays the file's: what
    /// was narrowed is for looking, not for the record.
    pub fn narrow(&mut self, wanted: &BTreeSet<String>) {
        self.populations.retain(|population| wanted.contains(&population.name));
        let needed: BTreeSet<String> =
            self.population_outlines().into_iter().flat_map(|population| population.steps).collect();
        let idle = |step: &Step| !needed.contains(&step.id);
        self.left_out = (0..).zip(&self.steps).filter(|(_, step)| idle(step)).map(|(at, _)| at).collect();
    }

    /// Waits no longer than this for limits and retries, all together: somebody sits before the screen.
    pub fn hurry(&mut self, wait_ms: i64) {
        self.limits.wait_ms = self.limits.wait_ms.min(wait_ms);
    }

    /// Requests at most, of one run.
    pub const fn requests_max(&self) -> u64 {
        self.limits.requests_max
    }

    fn step_outline(&self, step: &Step) -> StepOutline {
        let in_query = matches!(step.verb, Verb::Get);
        let size = step.pages.as_ref().filter(|_| in_query).and_then(|pages| pages.size.as_ref());
        let query = step.query.iter().map(|(name, value)| (name.clone(), value.source().to_owned()));
        let window = step.window.as_ref();
        StepOutline {
            id: step.id.clone(),
            verb: match &step.verb {
                Verb::Get => "GET",
                Verb::Post(_) | Verb::Form(_) => "POST",
                Verb::GraphQl(_) => "GRAPHQL",
                Verb::Search(_) => "SEARCH",
                Verb::Inside(_) => "INSIDE",
            },
            path: step.path.source().to_owned(),
            query: query.chain(size.map(|(name, n)| (name.clone(), n.to_string()))).collect(),
            each: step.each.as_ref().and_then(|each| Some(self.steps.get(each.step)?.id.clone())),
            paged: step.pages.is_some(),
            records: match &step.records {
                Records::One => Place::One,
                Records::List => Place::List,
                Records::At(path) => Place::At(path.to_string()),
                Records::Count(_) => Place::Count,
            },
            projected: step.projection.paths(),
            asked: step.marks.iter().flat_map(Path::each).collect(),
            required: step.require.iter().map(ToString::to_string).collect(),
            redacted: step.redact.iter().map(ToString::to_string).collect(),
            complete: step.complete.iter().map(proof).collect(),
            windowed: window.is_some(),
            reach_ms: window.and_then(|window| Some(window.reach.last()?.within_ms)),
            needs: step.needs.clone(),
        }
    }

    fn population_outline(&self, population: &Population) -> PopulationOutline {
        let name = |step: usize| self.steps.get(step).map(|step| step.id.clone());
        let own = self.steps.get(population.step);
        let mut list_steps = BTreeSet::new();
        let mut next = Some(population.step);
        // a step is asked for records of an earlier one, so the chain ends
        while let Some(step) = next.and_then(|step| self.steps.get(step)) {
            list_steps.insert(step.id.clone());
            list_steps.extend(step.complete.iter().filter_map(|proof| match proof {
                Proof::Equals { from: step, .. } | Proof::CountRequest { step } => name(*step),
                Proof::TerminalPage | Proof::UniqueKeys | Proof::Total { .. } | Proof::HeaderTotal { .. } => {
                    None
                }
            }));
            next = step.each.as_ref().map(|each| each.step);
        }
        list_steps.extend(population.scope.as_ref().and_then(|(step, _)| name(*step)));
        let joins: Vec<(String, String)> =
            population.joins.iter().filter_map(|join| Some((join.name.clone(), name(join.step)?))).collect();
        let horizon = population.horizon.as_ref().and_then(|(step, _)| name(*step));
        let steps: BTreeSet<String> =
            list_steps.iter().chain(&horizon).chain(joins.iter().map(|(_, step)| step)).cloned().collect();
        let reach = |step: &Step| step.window.as_ref()?.reach.last().map(|reach| reach.within_ms);
        let reach_ms = self.steps.iter().filter(|step| steps.contains(&step.id)).filter_map(reach).min();
        PopulationOutline {
            name: population.name.clone(),
            item_type: population.kind.clone(),
            of: name(population.step).unwrap_or_default(),
            events: population.at.is_some(),
            windowed: self.windowed(population),
            counted: own.is_some_and(|step| step.complete.iter().any(counts)),
            joins,
            list_steps,
            steps,
            reach_ms,
        }
    }
}

/// Does it hold the list against a count of the source's own?
const fn counts(proof: &Proof) -> bool {
    !matches!(proof, Proof::TerminalPage | Proof::UniqueKeys)
}

const fn proof(proof: &Proof) -> &'static str {
    match proof {
        Proof::TerminalPage => "terminal_page",
        Proof::UniqueKeys => "unique_keys",
        Proof::Equals { .. } => "equals",
        Proof::Total { .. } => "total",
        Proof::HeaderTotal { .. } => "header_total",
        Proof::CountRequest { .. } => "count_request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_wants_is_left_out_and_what_it_rests_on_is_kept() {
        let text = include_str!("../../../collectors/github/changes/collector.yaml");
        let mut manifest = Manifest::read("m", text).unwrap();
        let asked = |manifest: &Manifest| -> Vec<String> {
            let wanted = |at: &usize| !manifest.left_out.contains(at);
            (0..manifest.steps.len()).filter(wanted).map(|at| manifest.steps[at].id.clone()).collect()
        };
        assert_eq!(asked(&manifest), ["org", "repos", "pulls", "reviews", "commits", "rule_suites"]);
        let reach: Vec<_> =
            manifest.population_outlines().into_iter().map(|p| (p.name, p.reach_ms)).collect();
        assert_eq!(reach, [("changes".into(), None), ("bypasses".into(), Some(2_415_600_000))]);
        manifest.narrow(&["bypasses".to_owned()].into());
        assert_eq!(asked(&manifest), ["org", "repos", "rule_suites"]);
        assert_eq!(manifest.population_outlines().len(), 1);
    }
}
