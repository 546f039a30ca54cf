//! Holds one step against the vendor's OpenAPI description: path, query, values, fields.
//!
//! It knows the part of OpenAPI 3.0 that describes what may be asked and what comes back, and no more. References are
//! followed, the branches of `allOf`, `oneOf`, `anyOf` are one shape, lists on the way to a field are passed through.

use serde_json::{Map, Value};

use super::{Note, Weight, pattern};
use crate::{
    collect::{Place, StepOutline},
    text::distance,
};

/// References that are followed in a row, and branches inside branches.
const DEPTH_MAX: usize = 24;
/// Letters by which a part of a path may differ from a known one to be taken for a slip of the pen.
const SLIP_MAX: usize = 2;

/// What is wrong with the step, and whether the description has its path.
pub(super) fn check(step: &StepOutline, root: &Value) -> (Vec<Note>, bool) {
    let none = Map::new();
    let paths = root.get("paths").and_then(Value::as_object).unwrap_or(&none);
    let Some((known, operation)) = operation(step, paths) else { return (vec![unknown(step, paths)], false) };
    let mut notes = Vec::new();
    query(step, root, &parameters(root, known, operation), &mut notes);
    fields(step, root, operation, &mut notes);
    (notes, true)
}

/// The path as described, literal parts first, and what may be asked there.
fn operation<'d>(step: &StepOutline, paths: &'d Map<String, Value>) -> Option<(&'d Value, &'d Value)> {
    let wanted: Vec<&str> = step.path.split('/').collect();
    let rank = |described: &str| {
        let parts: Vec<&str> = described.split('/').collect();
        let same = |(a, b): (&&str, &&str)| b.contains('{') || (a == b && !a.contains('{'));
        let literal = |(a, b): &(&&str, &&str)| a == b;
        (parts.len() == wanted.len() && wanted.iter().zip(&parts).all(same))
            .then(|| wanted.iter().zip(&parts).filter(literal).count())
    };
    let (_, item) =
        paths.iter().filter_map(|(path, item)| Some((rank(path)?, item))).max_by_key(|(rank, _)| *rank)?;
    Some((item, item.get(step.verb.to_lowercase())?))
}

/// A path that the description lacks: a slip if a known one is near, else nothing is told.
fn unknown(step: &StepOutline, paths: &Map<String, Value>) -> Note {
    let path = pattern(step);
    let wanted: Vec<&str> = path.split('/').collect();
    let near = paths.keys().find(|described| {
        let parts: Vec<&str> = described.split('/').collect();
        let steps: Vec<usize> = wanted
            .iter()
            .zip(&parts)
            .map(|(a, b)| if a.contains('{') && b.contains('{') { 0 } else { distance(a, b) })
            .collect();
        let total: usize = steps.iter().sum();
        parts.len() == wanted.len() && (1..=SLIP_MAX).contains(&total)
    });
    match near {
        Some(near) => Note::fault(
            &step.path,
            format!("{} {} is not there", step.verb, step.path),
            format!("did you mean {near}?"),
        ),
        None => Note {
            weight: Weight::Unchecked,
            word: step.path.clone(),
            what: format!("{} {} is not in this description", step.verb, step.path),
            hint: "nothing of this step was checked; a whole description would tell".to_owned(),
        },
    }
}

fn parameters<'d>(root: &'d Value, item: &'d Value, operation: &'d Value) -> Vec<&'d Value> {
    let list = |value: &'d Value| value.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let all = list(item).chain(list(operation)).map(|parameter| resolved(root, parameter));
    all.filter(|parameter| text(parameter, "in") == "query").collect()
}

fn query(step: &StepOutline, root: &Value, known: &[&Value], notes: &mut Vec<Note>) {
    let names = || known.iter().map(|parameter| text(parameter, "name"));
    for (name, value) in &step.query {
        let Some(parameter) = known.iter().find(|parameter| text(parameter, "name") == name) else {
            let all = names().collect::<Vec<_>>().join(", ");
            let near = names().find(|known| distance(known, name) <= SLIP_MAX);
            let hint =
                near.map_or_else(|| format!("it knows: {all}"), |near| format!("did you mean {near}?"));
            notes.push(Note::fault(
                name,
                format!("{} {} has no query parameter {name}", step.verb, step.path),
                hint,
            ));
            continue;
        };
        if value.contains('{') {
            continue;
        }
        let schema = parameter.get("schema").map(|schema| resolved(root, schema));
        if let Some(hint) = schema.and_then(|schema| illegal(root, schema, value)) {
            let what = format!("{value} is no value of {name} at {} {}", step.verb, step.path);
            notes.push(Note::fault(value, what, hint));
        }
    }
}

/// Why the value cannot be sent; none if it can, or if the description does not tell.
fn illegal(root: &Value, schema: &Value, value: &str) -> Option<String> {
    if text(schema, "type") == "array" {
        let items = resolved(root, schema.get("items")?);
        return value.split(',').find_map(|one| illegal(root, items, one));
    }
    if let Some(legal) = schema.get("enum").and_then(Value::as_array) {
        let word = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
        let words: Vec<String> = legal.iter().map(word).collect();
        return (!words.iter().any(|word| word == value)).then(|| format!("one of {}", words.join(", ")));
    }
    let whole = || value.parse::<i64>().is_ok();
    match text(schema, "type") {
        "integer" if !whole() => Some("a whole number".to_owned()),
        "boolean" if value != "true" && value != "false" => Some("true or false".to_owned()),
        _ => None,
    }
}

fn fields(step: &StepOutline, root: &Value, operation: &Value, notes: &mut Vec<Note>) {
    let Some(body) = body(root, operation) else { return };
    let record = match &step.records {
        Place::Count => return, // the number itself: `count` is our word, not the vendor's
        Place::One | Place::List => vec![body],
        Place::At(path) => {
            let found = at(root, vec![body], path);
            if found.is_empty() {
                let what = format!("the answer of {} {} has no {path}", step.verb, step.path);
                notes.push(Note::fault(path, what, hint(root, &[body])));
                return;
            }
            found
        }
    };
    let looked_at: std::collections::BTreeSet<&String> = step.projected.iter().chain(&step.asked).collect();
    for field in looked_at {
        if at(root, record.clone(), field).is_empty() {
            let what = format!("the answer of {} {} has no {field}", step.verb, step.path);
            let (above, last) = field.rsplit_once('.').unwrap_or(("", field));
            let inside = if above.is_empty() { record.clone() } else { at(root, record.clone(), above) };
            let names = names(root, &inside);
            let near = names.iter().find(|name| distance(name, last) <= SLIP_MAX);
            let hint = near.map_or_else(|| hint(root, &inside), |near| format!("did you mean {near}?"));
            notes.push(Note::fault(field, what, hint));
        }
    }
}

/// The shape of the body of a good answer.
fn body<'d>(root: &'d Value, operation: &'d Value) -> Option<&'d Value> {
    let answer = resolved(root, operation.get("responses")?.get("200")?);
    let content = answer.get("content")?.as_object()?;
    let json = content.get("application/json").or_else(|| content.values().next())?;
    json.get("schema")
}

/// The shapes that stand at a dotted path below these; none if there is no such thing. A shape that says nothing of its
/// members may have any.
fn at<'d>(root: &'d Value, shapes: Vec<&'d Value>, path: &str) -> Vec<&'d Value> {
    path.split('.').fold(shapes, |shapes, part| {
        shapes.iter().flat_map(|shape| members(root, shape, Some(part), DEPTH_MAX)).map(|(_, s)| s).collect()
    })
}

fn names<'d>(root: &'d Value, shapes: &[&'d Value]) -> Vec<&'d str> {
    let all = shapes.iter().flat_map(|shape| members(root, shape, None, DEPTH_MAX));
    let mut names: Vec<&str> = all.map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn hint(root: &Value, shapes: &[&Value]) -> String {
    let names = names(root, shapes);
    if names.is_empty() { "it has no members".to_owned() } else { format!("it has: {}", names.join(", ")) }
}

/// The members of a shape, or the one of that name.
fn members<'d>(
    root: &'d Value,
    shape: &'d Value,
    wanted: Option<&str>,
    depth: usize,
) -> Vec<(&'d str, &'d Value)> {
    let shape = resolved(root, shape);
    let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
    if let Some(items) = shape.get("items") {
        return members(root, items, wanted, depth);
    }
    let mut found = Vec::new();
    for word in ["allOf", "oneOf", "anyOf"] {
        for branch in shape.get(word).and_then(Value::as_array).into_iter().flatten() {
            found.extend(members(root, branch, wanted, depth));
        }
    }
    let properties = shape.get("properties").and_then(Value::as_object);
    for (name, value) in properties.into_iter().flatten() {
        if wanted.is_none_or(|wanted| wanted == name) {
            found.push((name, value));
        }
    }
    let rest = shape.get("additionalProperties");
    let open = rest.is_some_and(|rest| rest != &Value::Bool(false))
        || (text(shape, "type") == "object" && properties.is_none() && found.is_empty());
    if let (true, true, Some(_)) = (open, found.is_empty(), wanted) {
        found.push(("", rest.filter(|rest| rest.is_object()).unwrap_or(shape)));
    }
    found
}

fn resolved<'d>(root: &'d Value, value: &'d Value) -> &'d Value {
    let mut value = value;
    for _ in 0..DEPTH_MAX {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        let Some(next) = target.and_then(|target| root.pointer(target)) else { return value };
        value = next;
    }
    value
}

fn text<'d>(value: &'d Value, key: &str) -> &'d str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
