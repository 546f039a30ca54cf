//! The `populations` of a manifest.

use super::{
    Join, JoinHow, Population, Records, Step, keys, parts,
    steps::{chain, refer, want},
    yaml::{Faults, Scalar, Section, Spot},
};
use crate::collect::{project::Path, template::Template};

/// Most populations of one run (formats section 11).
const POPULATIONS_MAX: usize = 16;

pub(super) fn read(spot: &Spot<'_>, faults: &mut Faults, steps: &mut [Step]) -> Vec<Population> {
    let members = spot.members(faults);
    if members.is_empty() || members.len() > POPULATIONS_MAX {
        faults.add(spot, format!("{} populations", members.len()), "1 to 16 populations");
    }
    members
        .iter()
        .take(POPULATIONS_MAX)
        .filter_map(|(name, spot)| population(name, spot, faults, steps))
        .collect()
}

fn population(name: &str, spot: &Spot<'_>, faults: &mut Faults, steps: &mut [Step]) -> Option<Population> {
    let section = spot.section(faults, &keys::POPULATION.names());
    let kind = section.need(faults, "type").and_then(|spot| parts::name(spot, faults));
    let step = section.need(faults, "of").and_then(|spot| refer(spot, faults, steps))?;
    let everywhere =
        |spot: &&Spot<'_>| spot.scalar().is_some_and(|s| matches!(s, Scalar::Text(t) if t == "*"));
    let scope = match section.need(faults, "scope") {
        Some(spot) if everywhere(&spot) => Some(None),
        Some(spot) => place(spot, faults, steps).map(Some),
        None => None,
    };
    let horizon = section.get("horizon").and_then(|spot| place(spot, faults, steps));
    let at = section.get("at").and_then(|spot| parts::path(spot, faults));
    let joins = section.get("join").map(|spot| joins(spot, faults, steps, step)).unwrap_or_default();
    let label = section.need(faults, "name").and_then(|spot| label(spot, faults, steps, (step, &joins)));
    if let Some(path) = &at {
        want(steps, step, path);
    }
    for (step, path) in scope.iter().flatten().chain(&horizon) {
        want(steps, *step, path);
    }
    check_keys(&section, faults, steps, step, &joins);
    Some(Population {
        name: name.to_owned(),
        kind: kind?,
        step,
        scope: scope?,
        label: label?,
        at,
        joins,
        horizon,
    })
}

/// `org.id`: the path `id` of the one record of step `org`.
fn place(spot: &Spot<'_>, faults: &mut Faults, steps: &[Step]) -> Option<(usize, Path)> {
    spot.read(faults, "step.path of a step with records: one and no for_each", |text| {
        let (id, path) = text.split_once('.')?;
        let single = |step: &Step| step.id == id && step.records == Records::One && step.each.is_none();
        Some((steps.iter().position(single)?, Path::read(path)?))
    })
}

/// A name is made of the record, of those in whose name it was asked for, and of the one record of a join.
fn label(
    spot: &Spot<'_>,
    faults: &mut Faults,
    steps: &mut [Step],
    (step, joins): (usize, &[Join]),
) -> Option<Template> {
    let one = joins.iter().filter(|join| matches!(join.how, JoinHow::One));
    let mut chain: Vec<_> = one.map(|join| (join.name.clone(), join.step)).collect();
    chain.extend(self::chain(steps, steps.get(step)?.each.as_ref()));
    let aliases: Vec<_> = chain.iter().map(|(alias, _)| alias.as_str()).collect();
    let template = parts::template(spot, faults, &aliases)?;
    for slot in template.slots() {
        let of = |alias: &String| chain.iter().rev().find(|(name, _)| name == alias).map(|(_, step)| *step);
        want(steps, slot.alias.as_ref().and_then(of).unwrap_or(step), &slot.path);
    }
    Some(template)
}

fn joins(spot: &Spot<'_>, faults: &mut Faults, steps: &mut [Step], base: usize) -> Vec<Join> {
    let mut joins = Vec::new();
    for (name, spot) in spot.members(faults) {
        let section = spot.section(faults, &keys::JOIN.names());
        let Some(step) = section.need(faults, "step").and_then(|spot| refer(spot, faults, steps)) else {
            continue;
        };
        let own = steps.get(step).and_then(|step| step.each.as_ref()).map(|each| each.step);
        if own.is_some_and(|own| own != base) || step == base {
            faults.add(
                &spot,
                "a step of other records",
                "a step for each record of this population, or one without for_each",
            );
        }
        let Some(how) = how(&section, faults, own.is_some()) else { continue };
        if let JoinHow::On(path) | JoinHow::Flag(path) = &how {
            want(steps, base, path);
            if steps.get(step).is_some_and(|step| step.key.as_ref().is_none_or(Path::is_joined)) {
                faults.add(&spot, "a step without a key of one value", "a step with a key of one value");
            }
        }
        joins.push(Join { name: name.to_owned(), step, how });
    }
    joins
}

fn how(section: &Section<'_>, faults: &mut Faults, fanned: bool) -> Option<JoinHow> {
    let one = section.get("one").and_then(|spot| spot.truth(faults));
    let on = section.get("on").and_then(|spot| parts::path(spot, faults));
    let flag = section
        .get("as")
        .and_then(|spot| spot.read(faults, "flag", |text| (text == "flag").then_some(())))
        .is_some();
    match (on, one.unwrap_or(false), flag) {
        (Some(path), false, true) if !fanned => Some(JoinHow::Flag(path)),
        (Some(path), _, false) if !fanned => Some(JoinHow::On(path)),
        (None, true, false) => Some(JoinHow::One),
        (None, false, false) => Some(JoinHow::List),
        (Some(_) | None, _, _) => {
            faults.add(
                section.spot(),
                "a mixture of one, on and as",
                "nothing, one: true, on: path, or on: path with as: flag (on: for a step without for_each)",
            );
            None
        }
    }
}

fn check_keys(section: &Section<'_>, faults: &mut Faults, steps: &[Step], step: usize, joins: &[Join]) {
    let Some(step) = steps.get(step) else { return };
    if step.key.is_none() {
        faults.add(
            section.spot(),
            format!("step {} without a key", step.id),
            "a step with a key (the immutable id)",
        );
    }
    for join in joins {
        if step.projection.names().any(|name| name == join.name) || join.name.starts_with('_') {
            faults.add(
                section.spot(),
                format!("join {:?}", join.name),
                "a name that the record does not have",
            );
        }
    }
}
