//! The schema and the reference page: goldens beside the collectors, true of every shipped manifest and of the reader.

use std::{env, fs, path::Path};

use observance_record::population::Outcome;
use serde_json::{Value, json};

use super::collectors;
use crate::collect::{
    Manifest,
    manifest::{keys, schema},
};

/// Compares with the golden, or writes it if `OBSERVANCE_BLESS` is set.
#[expect(clippy::disallowed_methods, reason = "goldens are blessed by a variable of the environment")]
fn same(name: &str, text: &str) {
    let path = collectors().join(name);
    if env::var("OBSERVANCE_BLESS").is_ok() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "differs from collectors/{name}; OBSERVANCE_BLESS=1 writes it anew");
}

#[test]
fn what_is_published_is_what_the_reader_knows() {
    same("schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema::schema()).unwrap()));
    same("REFERENCE.md", &schema::reference());
}

#[test]
fn the_reader_knows_no_key_but_the_listed_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/agent/collect/manifest");
    let mut sections = 0;
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        let text = fs::read_to_string(path).unwrap();
        let asked = text.split(".section(faults, ").skip(1);
        for list in asked {
            assert!(list.starts_with("&keys::"), "{}", list.lines().next().unwrap());
            sections += 1;
        }
    }
    assert!(sections > 20, "the reader was not read");
    assert_eq!(
        keys::OUTCOMES.to_vec(),
        Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>()
    );
}

#[test]
fn every_shipped_manifest_is_one_by_the_schema_too() {
    let schema = schema::schema();
    let mut read = 0;
    for system in
        fs::read_dir(collectors()).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_dir())
    {
        for folder in fs::read_dir(system).unwrap() {
            let path = folder.unwrap().path().join("collector.yaml");
            let value: Value = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            check(&schema, &schema, &value, "").unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
            for (pointer, wrong, said) in [
                ("/metadata/version", json!("1"), "/metadata/version"),
                ("/limits/concurrency", json!(0), "/limits/concurrency"),
                ("/steps/0/records", json!("some"), "/steps/0/records"),
                ("/steps/0", json!({ "get": "/a" }), "/steps/0: no id"),
                ("/outcomes/0/as", json!("good"), "/outcomes/0/as"),
                ("/metadata", json!({ "name": 1 }), "/metadata"),
            ] {
                let mut value = value.clone();
                // a file needs no outcomes
                let Some(place) = value.pointer_mut(pointer) else { continue };
                *place = wrong;
                let fault = check(&schema, &schema, &value, "").unwrap_err();
                assert!(fault.contains(said), "{pointer}: {fault}");
            }
            read += 1;
        }
    }
    assert!(read >= 3, "{read}");
}

/// As much of JSON Schema as ours uses, but for patterns.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
        check(root, &root["$defs"][name], value, at)?;
    }
    if let Some(any) = schema["anyOf"].as_array()
        && !any.iter().any(|one| check(root, one, value, at).is_ok())
    {
        return Err(format!("{at}: none of several"));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{at}: {value} is no word of it"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_u64() && schema["type"] == "integer" => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = &schema["type"];
    if !(kinds.is_null()
        || kinds == kind
        || kinds.as_array().is_some_and(|kinds| kinds.contains(&json!(kind))))
    {
        return Err(format!("{at}: {kind}, not {kinds}"));
    }
    let bound = |name: &str, fails: fn(u64, u64) -> bool| {
        schema[name].as_u64().zip(value.as_u64()).is_some_and(|(bound, n)| fails(n, bound))
    };
    if bound("minimum", |n, least| n < least) || bound("maximum", |n, most| n > most) {
        return Err(format!("{at}: {value} out of bounds"));
    }
    for (i, element) in
        value.as_array().into_iter().flatten().enumerate().filter(|_| schema["items"].is_object())
    {
        check(root, &schema["items"], element, &format!("{at}/{i}"))?;
    }
    let Some(members) = value.as_object().filter(|_| kinds == "object") else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        members.get(name).ok_or_else(|| format!("{at}: no {name}"))?;
    }
    for (name, member) in members {
        let at = format!("{at}/{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (known @ Value::Object(_), _) => check(root, known, member, &at)?,
            (_, any @ Value::Object(_)) => check(root, any, member, &at)?,
            (_, _) => return Err(format!("{at}: not known")),
        }
    }
    Ok(())
}

#[test]
fn what_holds_without_a_key_is_what_is_written() {
    let text = "apiVersion: collectors/v1\nkind: HttpCollector\n\
        metadata: { id: test.things, version: 1, title: Things, evidence: [population] }\n\
        connection: { base_url: \"https://example.org\" }\noutcomes: []\n\
        limits: { rate: {} }\nschedule: {}\n\
        steps: [{ id: org, get: /org, records: one, key: id, project: [id], redact: [{ hmac: a }] }]\n\
        populations: { things: { type: thing, of: org, scope: org.id, name: \"{id}\" } }\n";
    let usual = |section: &keys::Section, name: &str| {
        section.keys.iter().find(|key| key.name == name).unwrap().usual.to_owned()
    };
    for (section, more) in [
        (&keys::LIMITS, ["concurrency", "requests_max", "bytes_max", "wall_ms"].as_slice()),
        (&keys::LIMITS, &["wait_ms", "attempts_max", "body_bytes_max"]),
        (&keys::SCHEDULE, &["every", "jitter", "grace", "max_gap"]),
        (&keys::RATE, &["bucket_by", "reserve", "no_header_wait_ms"]),
    ] {
        for name in more {
            let (key, said) = (section.name, usual(section, name));
            let place = if key == "rate" { "rate: {" } else { &format!("{key}: {{") };
            let written =
                text.replace(place, &format!("{place} {name}: {said}, ")).replace(",  rate", ", rate");
            assert_ne!(written, text);
            let (without, with) =
                (Manifest::read("m", text).unwrap(), Manifest::read("m", &written).unwrap());
            assert_eq!(without.limits, with.limits, "{key}.{name}");
            assert_eq!(without.schedule, with.schedule, "{key}.{name}");
        }
    }
}
