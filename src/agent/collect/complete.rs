//! What may be claimed of a population's list: is it whole, what does that rest on, may the credential see everything?
//!
//! A proof that is declared and cannot be made is not a proof: the claim is then unknown.

use std::collections::{BTreeSet, HashMap};

use observance_record::{
    Item,
    population::{Grade, Horizon, Membership},
    verdict::Code,
};

use super::{
    Instance,
    manifest::{Manifest, Population, Proof, Says, Step},
    outcome::why,
    page::Record,
    project::{Mark, Path},
};

/// One proof, made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// `terminal_page`, `empty_page`, `short_page`, `unique_keys`, `equals`, `total`, `header_total`, `count_request`.
    pub kind: &'static str,
    /// What the source says there is; absent if it does not say.
    pub stated: Option<u64>,
    /// What was counted.
    pub counted: u64,
    /// The exchange that states it.
    pub exchange: Option<Item>,
}

/// A population's claim.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Is the list whole?
    pub membership: Membership,
    /// What that rests on.
    pub grade: Grade,
    /// May the credential see everything?
    pub horizon: Horizon,
    /// Why the claim is no better.
    pub why: BTreeSet<Code>,
    /// What was proved, or tried to be.
    pub proofs: Vec<Proven>,
    /// The source's own count, where it states one that was agreed with.
    pub source_total: Option<u64>,
}

/// Weighs the lists that a population rests on: its own, and those of the records they were asked for.
pub(super) fn claim(manifest: &Manifest, done: &[Vec<Instance>], population: &Population) -> Claim {
    let mut weighing = Weighing { manifest, done, claim: Claim::untouched(), grade: None, short: false };
    let mut next = Some(population.step);
    // a step is asked for records of an earlier one, so the chain ends
    while let Some(index) = next {
        let Some(step) = manifest.steps.get(index) else { break };
        weighing.step(index, step);
        next = step.each.as_ref().map(|each| each.step);
    }
    weighing.claim.grade = weighing.grade.unwrap_or(Grade::ReadToEnd);
    weighing.claim.horizon = weighing.horizon(population);
    if manifest.steps.get(population.step).is_some_and(|step| step.each.is_some()) {
        weighing.claim.source_total = None;
    }
    weighing.claim
}

/// The one record of a step without fan-out, if it was read.
pub(super) fn single(done: &[Vec<Instance>], step: usize) -> Option<&Record> {
    done.get(step)?.first()?.listing.records.first().map(AsRef::as_ref)
}

/// Lowers a claim, and says why.
pub(super) fn lower(claim: &mut Claim, to: Membership, why: &str) {
    // known to lack something is the worst: it outranks not knowing
    let rank = |membership| match membership {
        Membership::Complete => 0,
        Membership::Unknown => 1,
        Membership::Partial => 2,
    };
    if rank(to) > rank(claim.membership) {
        claim.membership = to;
    }
    claim.why.extend(why.parse::<Code>());
}

impl Claim {
    const fn untouched() -> Self {
        Self {
            membership: Membership::Complete,
            grade: Grade::ReadToEnd,
            horizon: Horizon::Unknown,
            why: BTreeSet::new(),
            proofs: Vec::new(),
            source_total: None,
        }
    }
}

struct Weighing<'a> {
    manifest: &'a Manifest,
    done: &'a [Vec<Instance>],
    claim: Claim,
    /// The weakest so far.
    grade: Option<Grade>,
    /// The source counts more than it lists.
    short: bool,
}

impl Weighing<'_> {
    fn step(&mut self, index: usize, step: &Step) {
        let instances = self.done.get(index).map(Vec::as_slice).unwrap_or_default();
        for listing in instances.iter().map(|instance| &instance.listing) {
            if !listing.outcome.feeds() {
                lower(&mut self.claim, Membership::Partial, &format!("page.{}", listing.outcome.as_str()));
                if let Some(why) = listing.why {
                    lower(&mut self.claim, Membership::Partial, why);
                }
            }
        }
        if step.complete.is_empty() {
            lower(&mut self.claim, Membership::Unknown, why::PROOF_NONE);
        }
        let mut grade = Grade::ReadToEnd;
        for proof in &step.complete {
            match proof {
                Proof::TerminalPage => self.terminal_page(step, instances),
                Proof::UniqueKeys => self.unique_keys(instances),
                Proof::Equals { from, says, tolerance } => {
                    let exchange = self.first(*from);
                    let pair = (self.says(*from, says), counted(instances));
                    grade = grade.max(self.agrees("equals", instances, &[pair], *tolerance, exchange));
                }
                Proof::Total { .. } => grade = grade.max(self.totals("total", instances)),
                Proof::HeaderTotal { .. } => grade = grade.max(self.totals("header_total", instances)),
                Proof::CountRequest { step } => grade = grade.max(self.count_request(instances, *step)),
            }
        }
        self.grade = Some(self.grade.map_or(grade, |weakest| weakest.min(grade)));
    }

    fn terminal_page(&mut self, step: &Step, instances: &[Instance]) {
        let whole = instances.iter().filter(|instance| instance.listing.whole).count();
        self.claim.proofs.push(Proven {
            kind: step.pages.as_ref().map_or("terminal_page", |pages| pages.stop.proof()),
            stated: Some(number(instances.len())),
            counted: number(whole),
            exchange: instances.first().map(|instance| instance.listing.first),
        });
        if whole < instances.len() {
            lower(&mut self.claim, Membership::Partial, why::PROOF_MISSING);
        }
    }

    fn unique_keys(&mut self, instances: &[Instance]) {
        let exchange = instances.first().map(|instance| instance.listing.first);
        self.claim.proofs.push(Proven {
            kind: "unique_keys",
            stated: None,
            counted: counted(instances),
            exchange,
        });
        if instances.iter().any(|instance| instance.listing.repeated) {
            lower(&mut self.claim, Membership::Partial, why::KEYS_REPEATED);
        }
    }

    /// Each list beside what its own pages state.
    fn totals(&mut self, kind: &'static str, instances: &[Instance]) -> Grade {
        let pairs: Vec<_> =
            instances.iter().map(|one| (one.listing.stated, number(one.listing.records.len()))).collect();
        let exchange = instances.first().map(|instance| instance.listing.first);
        self.agrees(kind, instances, &pairs, 0, exchange)
    }

    /// Each list beside what the request says that was made for the same record.
    fn count_request(&mut self, instances: &[Instance], step: usize) -> Grade {
        let counts = self.done.get(step).map(Vec::as_slice).unwrap_or_default();
        let said: HashMap<_, _> = counts.iter().map(|one| (one.parent, one)).collect();
        let of = self.manifest.steps.get(step);
        let stated = |instance: &Instance| {
            let record = said.get(&instance.parent)?.listing.records.first()?;
            record.mark(of?, &Path::read("count")?).count()
        };
        let pairs: Vec<_> =
            instances.iter().map(|one| (stated(one), number(one.listing.records.len()))).collect();
        self.agrees("count_request", instances, &pairs, 0, self.first(step))
    }

    /// Weighs what is stated against what was counted, list by list.
    fn agrees(
        &mut self,
        kind: &'static str,
        instances: &[Instance],
        pairs: &[(Option<u64>, u64)],
        tolerance: u64,
        exchange: Option<Item>,
    ) -> Grade {
        let counted = pairs.iter().fold(0_u64, |sum, (_, counted)| sum.saturating_add(*counted));
        let stated = pairs
            .iter()
            .try_fold(0_u64, |sum, (stated, _)| stated.and_then(|stated| sum.checked_add(stated)));
        self.claim.proofs.push(Proven { kind, stated, counted, exchange });
        let Some(stated) = stated else {
            lower(&mut self.claim, Membership::Unknown, why::PROOF_MISSING);
            return Grade::ReadToEnd;
        };
        if !instances.iter().all(|instance| instance.listing.whole) {
            // a list that broke off says nothing about what the credential may see
            return Grade::ReadToEnd;
        }
        let apart = |(stated, counted): &(Option<u64>, u64)| stated.unwrap_or(0).abs_diff(*counted);
        if pairs.iter().any(|pair| apart(pair) > tolerance) {
            self.short |=
                pairs.iter().any(|(stated, counted)| stated.is_some_and(|stated| *counted < stated));
            lower(&mut self.claim, Membership::Partial, why::COUNT_DIFFERS);
            return Grade::ReadToEnd;
        }
        if pairs.iter().any(|pair| apart(pair) > 0) {
            // near enough to be no contradiction, but no proof
            return Grade::ReadToEnd;
        }
        self.claim.source_total = Some(stated);
        Grade::SourceCount
    }

    fn first(&self, step: usize) -> Option<Item> {
        self.done.get(step).and_then(|done| done.first()).map(|instance| instance.listing.first)
    }

    fn says(&self, from: usize, says: &Says) -> Option<u64> {
        let (step, record) = (self.manifest.steps.get(from)?, single(self.done, from)?);
        match says {
            Says::Sum(paths) => paths
                .iter()
                .try_fold(0_u64, |total, path| total.checked_add(record.mark(step, path).count()?)),
            Says::Answer(expr) => record.answer(step, expr).count(),
        }
    }

    fn horizon(&self, population: &Population) -> Horizon {
        if self.short {
            return Horizon::Selected;
        }
        let seen = population.horizon.as_ref().and_then(|(step, path)| {
            Some(single(self.done, *step)?.mark(self.manifest.steps.get(*step)?, path))
        });
        match seen {
            Some(Mark::Missing | Mark::Null) | None => Horizon::Unknown,
            Some(Mark::Bool(_) | Mark::Number(_) | Mark::Text(_) | Mark::Compound) => Horizon::Whole,
        }
    }
}

fn counted(instances: &[Instance]) -> u64 {
    number(instances.iter().map(|instance| instance.listing.records.len()).sum())
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
