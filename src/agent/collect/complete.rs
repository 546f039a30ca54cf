//! What may be claimed of a population's list: is it whole, what does that rest on, may the credential see everything?
//!
//! A proof that is declared and cannot be made is not a proof: the claim is then unknown.

use std::collections::BTreeSet;

use observance_record::{
    Item,
    population::{Grade, Horizon, Membership},
    verdict::Code,
};

use super::{
    Instance,
    manifest::{Manifest, Population, Proof, Step},
    outcome::why,
    page::Record,
    project::{Mark, Path},
};

/// One proof, made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// `terminal_page`, `empty_page`, `short_page`, `unique_keys`, `equals`.
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
                Proof::Equals { from, sum } => grade = grade.max(self.equals(instances, *from, sum)),
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

    fn equals(&mut self, instances: &[Instance], from: usize, sum: &[Path]) -> Grade {
        let counted = counted(instances);
        let stated = self.sum(from, sum);
        let exchange =
            self.done.get(from).and_then(|done| done.first()).map(|instance| instance.listing.first);
        self.claim.proofs.push(Proven { kind: "equals", stated, counted, exchange });
        let Some(stated) = stated else {
            lower(&mut self.claim, Membership::Unknown, why::PROOF_MISSING);
            return Grade::ReadToEnd;
        };
        if !instances.iter().all(|instance| instance.listing.whole) {
            // a list that broke off says nothing about what the credential may see
            return Grade::ReadToEnd;
        }
        if stated != counted {
            self.short |= counted < stated;
            lower(&mut self.claim, Membership::Partial, why::COUNT_DIFFERS);
            return Grade::ReadToEnd;
        }
        self.claim.source_total = Some(stated);
        Grade::SourceCount
    }

    fn sum(&self, from: usize, sum: &[Path]) -> Option<u64> {
        let (step, record) = (self.manifest.steps.get(from)?, single(self.done, from)?);
        sum.iter().try_fold(0_u64, |total, path| total.checked_add(record.mark(step, path).count()?))
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
