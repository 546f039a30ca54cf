//! The `steps` of a manifest.

use std::cell::RefCell;

use super::{
    Each, Pages, Proof, Records, Step, Verb, asks, aws, documents, keys, ldap, parts, proofs, windows,
    yaml::{Faults, Section, Spot},
};
use crate::collect::{
    condition::Condition,
    decode::Decode,
    expr::Expr,
    outcome::Rule,
    project::{Path, Projection, Wanted},
    template::{Slot, Template},
};

/// Most steps of a manifest.
const STEPS_MAX: usize = 64;

/// What a step may refer to.
pub(super) struct Context<'s> {
    params: &'s [String],
    /// Alias and step of the records in whose name the step is asked, innermost last.
    aliases: Vec<(&'s str, usize)>,
}

impl Step {
    /// A request for one record of which nothing is kept, in whose place no manifest says more.
    pub(in crate::collect) fn bare(id: String, verb: Verb, path: Template, outcomes: Vec<Rule>) -> Self {
        Self {
            id,
            verb,
            service: None,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            decode: Decode::Json,
            each: None,
            pages: None,
            records: Records::One,
            key: None,
            projection: Projection::default(),
            require: Vec::new(),
            redact: Vec::new(),
            outcomes,
            window: None,
            complete: Vec::new(),
            needs: None,
            caveat: None,
            marks: Vec::new(),
            exprs: Vec::new(),
            nested: Vec::new(),
            raw: false,
        }
    }
}

pub(super) fn read(spot: &Spot<'_>, faults: &mut Faults, params: &[String]) -> Vec<Step> {
    let spots = spot.list(faults);
    if spots.is_empty() || spots.len() > STEPS_MAX {
        faults.add(spot, format!("{} steps", spots.len()), "1 to 64 steps");
    }
    let mut steps: Vec<Step> = Vec::new();
    for spot in spots.iter().take(STEPS_MAX) {
        let section = spot.section(faults, &keys::STEP_KEYS.names());
        let asks = Asks::default();
        if let Some(step) = step(&section, faults, &steps, params, &asks) {
            opened(spot, faults, &mut steps, &step);
            steps.push(step);
        }
        asks.settle(&mut steps);
    }
    steps
}

/// A step inside of another's records needs these as they came, and their list declared.
fn opened(spot: &Spot<'_>, faults: &mut Faults, steps: &mut [Step], step: &Step) {
    let Verb::Inside(at) = &step.verb else { return };
    let of = step.each.as_ref().and_then(|each| steps.get_mut(each.step));
    match of.filter(|of| of.nested.iter().any(|nested| nested.at == *at)) {
        Some(of) => of.raw = true,
        None => {
            faults.add(spot, format!("inside: {at}"), "for_each of a step that has this list under nested");
        }
    }
}

/// Notes that something asks for a value of a step's records.
pub(super) fn want(steps: &mut [Step], step: usize, path: &Path) {
    if let Some(step) = steps.get_mut(step)
        && !step.marks.contains(path)
    {
        step.marks.push(path.clone());
    }
}

/// The records in whose name a step is asked, outermost first: (alias, step).
pub(super) fn chain(steps: &[Step], each: Option<&Each>) -> Vec<(String, usize)> {
    let mut chain = Vec::new();
    let mut next = each;
    // a step is asked for records of an earlier one, so the chain ends
    while let Some(each) = next {
        chain.push((each.alias.clone(), each.step));
        next = steps.get(each.step).and_then(|step| step.each.as_ref());
    }
    chain.reverse();
    chain
}

/// Values of records that a step asks for.
#[derive(Default)]
pub(super) struct Asks {
    paths: RefCell<Vec<(usize, Path)>>,
    exprs: RefCell<Vec<(usize, Expr)>>,
}

impl Asks {
    pub(super) fn note(&self, step: usize, path: &Path) {
        self.paths.borrow_mut().push((step, path.clone()));
    }

    pub(super) fn note_expr(&self, step: usize, expr: &Expr) {
        self.exprs.borrow_mut().push((step, expr.clone()));
    }

    fn settle(self, steps: &mut [Step]) {
        for (step, path) in self.paths.into_inner() {
            want(steps, step, &path);
        }
        for (step, expr) in self.exprs.into_inner() {
            let step = steps.get_mut(step).filter(|step| !step.exprs.contains(&expr));
            if let Some(step) = step {
                step.exprs.push(expr);
            }
        }
    }

    /// Notes what conditions ask for.
    pub(super) fn conditions(&self, step: usize, conditions: &[Condition]) {
        for condition in conditions {
            self.note(step, &condition.path);
        }
    }
}

fn step(
    section: &Section<'_>,
    faults: &mut Faults,
    before: &[Step],
    params: &[String],
    asks: &Asks,
) -> Option<Step> {
    let me = before.len();
    let id = section.need(faults, "id").and_then(|spot| parts::name(spot, faults));
    if before.iter().any(|step| Some(&step.id) == id.as_ref()) {
        faults.add(section.spot(), "an id that an earlier step has", "an id of its own");
    }
    let each = section.get("for_each").and_then(|spot| each(spot, faults, before, asks));
    let chain = chain(before, each.as_ref());
    let aliases = chain.iter().map(|(alias, step)| (alias.as_str(), *step)).collect();
    let context = Context { params, aliases };
    let asks::Request { path, verb, query, headers } = asks::request(section, faults, &context, asks);
    let window = section.get("window").and_then(|spot| windows::read(spot, faults, &context, asks, me));
    let key = section.get("key").and_then(|spot| parts::key(spot, faults));
    let require = section.get("require").map(|spot| parts::paths(spot, faults)).unwrap_or_default();
    for path in key.iter().chain(&require) {
        asks.note(me, path);
    }
    let records = match &verb {
        Some(Verb::Inside(_)) => Some(Records::List),
        Some(Verb::Search(search)) => Some(ldap::records(search)),
        // what is wrong with it is told where it is read
        None if section.get("ldap").is_some() => None,
        Some(Verb::Get | Verb::Post(_) | Verb::Form(_) | Verb::GraphQl(_)) | None => {
            section.need(faults, "records").and_then(|spot| records(spot, faults))
        }
    };
    let complete = proofs::read(section, faults, before, each.as_ref(), asks);
    if complete.contains(&Proof::UniqueKeys) && key.is_none() {
        faults.add(section.spot(), "unique_keys without a key", "a key");
    }
    let goes_on = window.as_ref().and_then(|window| window.state.as_ref());
    if goes_on.is_some() && complete.contains(&Proof::UniqueKeys) {
        faults.add(section.spot(), "unique_keys of what changed", "other proofs: a thing may change twice");
    }
    let mut step = Step {
        pages: pages(section, faults, records.as_ref()),
        projection: projection(section, faults, records.as_ref()),
        redact: section
            .get("redact")
            .map(|spot| spot.list(faults).iter().filter_map(|spot| parts::cover(spot, faults)).collect())
            .unwrap_or_default(),
        outcomes: section.get("outcomes").map(|spot| parts::rules(spot, faults)).unwrap_or_default(),
        needs: section.get("needs").and_then(|spot| spot.text(faults)).map(str::to_owned),
        caveat: section.get("caveat").and_then(|spot| spot.text(faults)).map(str::to_owned),
        id: id?,
        service: aws::service(section, faults),
        path: path?,
        verb: verb?,
        records: records?,
        query,
        headers,
        decode: asks::decode(section, faults),
        each,
        key,
        require,
        window,
        complete,
        marks: Vec::new(),
        exprs: Vec::new(),
        nested: Vec::new(),
        raw: false,
    };
    documents::complete(section, faults, &mut step);
    Some(step)
}

fn pages(section: &Section<'_>, faults: &mut Faults, records: Option<&Records>) -> Option<Pages> {
    if let Some(spot) = section.get("ldap") {
        return ldap::pages(spot, faults);
    }
    section.get("paginate").and_then(|spot| asks::pages(spot, faults, records))
}

/// The index of the step that is named.
pub(super) fn refer(spot: &Spot<'_>, faults: &mut Faults, steps: &[Step]) -> Option<usize> {
    spot.read(faults, "the id of a step that comes before", |id| steps.iter().position(|step| step.id == id))
}

fn each(spot: &Spot<'_>, faults: &mut Faults, before: &[Step], asks: &Asks) -> Option<Each> {
    let section = spot.section(faults, &keys::FOR_EACH.names());
    let step = section.need(faults, "in").and_then(|spot| refer(spot, faults, before))?;
    let alias = section.need(faults, "as").and_then(|spot| parts::name(spot, faults))?;
    if chain(before, before.get(step).and_then(|step| step.each.as_ref()))
        .iter()
        .any(|(used, _)| *used == alias)
    {
        faults.add(spot, format!("{alias:?}, which an outer for_each uses"), "a name of its own");
    }
    let (when, ask) = section.get("where").map(|spot| parts::filters(spot, faults)).unwrap_or_default();
    asks.conditions(step, &when);
    for expr in &ask {
        asks.note_expr(step, expr);
    }
    let most = section.get("max").and_then(|spot| spot.number(faults, 1..=1_000_000));
    Some(Each { step, alias, when, ask, most: most.and_then(|most| usize::try_from(most).ok()) })
}

pub(super) fn query(
    spot: &Spot<'_>,
    faults: &mut Faults,
    context: &Context<'_>,
    asks: &Asks,
) -> Vec<(String, Template)> {
    let query = parts::query(spot, faults, &context.names());
    for (_, template) in &query {
        context.check(spot, faults, template, asks);
    }
    query
}

impl Context<'_> {
    /// What templates may call records.
    pub(super) fn names(&self) -> Vec<&str> {
        self.aliases.iter().map(|(alias, _)| *alias).collect()
    }

    /// What a place may name: parameters, and records if the step has any.
    fn expected(&self) -> String {
        let listed =
            |names: Vec<&str>, none: &str| if names.is_empty() { none.to_owned() } else { names.join(", ") };
        let params = listed(self.params.iter().map(String::as_str).collect(), "none in connection.params");
        let records = listed(self.names(), "none without for_each");
        format!("a parameter ({params}) or a record ({records})")
    }

    /// Faults of what it names; notes what it asks for.
    pub(super) fn check(&self, spot: &Spot<'_>, faults: &mut Faults, template: &Template, asks: &Asks) {
        for Slot { alias, path } in template.slots() {
            match alias {
                Some(alias) => {
                    let step =
                        self.aliases.iter().rev().find(|(name, _)| name == alias).map(|(_, step)| *step);
                    if let Some(step) = step {
                        asks.note(step, path);
                    }
                }
                None if self.params.contains(&path.to_string()) => {}
                None => faults.add(spot, format!("{{{path}}}"), self.expected()),
            }
        }
    }
}

fn records(spot: &Spot<'_>, faults: &mut Faults) -> Option<Records> {
    if spot.is_map() {
        let section = spot.section(faults, &keys::RECORDS.names());
        if let Some(count) = section.get("count") {
            return parts::path(count, faults).map(|path| Records::Count(Some(path)));
        }
        return section.need(faults, "at").and_then(|spot| parts::path(spot, faults)).map(Records::At);
    }
    spot.read(faults, "one, list, count, { at: path } or { count: path }", |text| match text {
        "one" => Some(Records::One),
        "list" => Some(Records::List),
        "count" => Some(Records::Count(None)),
        _ => None,
    })
}

/// What is kept; of a count, the count.
fn projection(section: &Section<'_>, faults: &mut Faults, records: Option<&Records>) -> Projection {
    let mut projection = Projection::default();
    if !matches!(records, Some(Records::Count(_))) {
        return section.need(faults, "project").map(|spot| project(spot, faults)).unwrap_or_default();
    }
    if let Some(spot) = section.get("project") {
        faults.add(spot, "project", "nothing: the record of a count is { count }");
    }
    if let Some(path) = Path::read("count") {
        // an empty projection takes anything
        let _added = projection.add(Wanted { path, lines: None, expr: None });
    }
    projection
}

fn project(spot: &Spot<'_>, faults: &mut Faults) -> Projection {
    let mut projection = Projection::default();
    for spot in spot.list(faults) {
        let Some(wanted) = parts::wanted(&spot, faults) else { continue };
        if wanted.path.to_string().starts_with('_') {
            faults.add(
                &spot,
                spot.found(),
                "a path that does not begin with _ (those keys are the collector's own)",
            );
        }
        if let Err(path) = projection.add(wanted) {
            faults.add(&spot, format!("{path}, which overlaps an earlier line"), "each value once");
        }
    }
    projection
}
