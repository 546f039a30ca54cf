//! The checker of answers against a description in OpenAPI.
//!
//! It knows the part of OpenAPI 3.0 that the vendor's description uses, and refuses what it does not know. It finds no files
//! and makes no answers: the company and the suite's own source are held against it where they stand.

use observance_record::Instant;
use serde_json::{Map, Value};

/// The checker's view of a description; findings are gathered in `wrong`.
pub(crate) struct Contract {
    pub(crate) root: Value,
    pub(crate) scope: Scope,
    pub(crate) wrong: Vec<String>,
    /// Objects seen, an entry of a list each for itself.
    pub(crate) checked: usize,
}

/// What is asked of an answer besides the types of its fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every field that is required is there.
    Whole,
    /// Of what the vendor sends a part is served: no field is there that the description does not have.
    #[allow(dead_code, reason = "the suite's own sources ask so")]
    Part,
    /// Nothing: there is also what the vendor would not send.
    #[allow(dead_code, reason = "the suite's own sources ask so")]
    Types,
}

/// Words of a schema that hold back no value that this test could see.
const SILENT: &[&str] = &[
    "title",
    "description",
    "example",
    "examples",
    "default",
    "deprecated",
    "properties",
    "required",
    "items",
    "readOnly",
    "writeOnly",
    // says which of several schemas is meant: `oneOf` asks it
    "discriminator",
];

impl Contract {
    /// Of a description's text.
    pub(crate) fn new(text: &[u8], scope: Scope) -> Self {
        Self { root: serde_json::from_slice(text).unwrap(), scope, wrong: Vec::new(), checked: 0 }
    }

    /// Holds a value against a schema; `place` is named in what is found.
    pub(crate) fn check(&mut self, place: &str, schema: &Value, value: &Value) {
        let schema = self.resolved(schema).clone();
        let nullable = schema.get("nullable") == Some(&Value::Bool(true));
        if value.is_null() && (nullable || schema.get("type").is_none()) {
            return;
        }
        let rules = schema.as_object().unwrap_or_else(|| panic!("{place}: the schema is no object"));
        for (rule, wanted) in rules {
            self.rule(place, rule, wanted, value, &schema);
        }
        match value {
            Value::Object(object) => self.object(place, &schema, object),
            Value::Array(items) => {
                let of = schema.get("items").cloned().unwrap_or_default();
                items
                    .iter()
                    .enumerate()
                    .for_each(|(n, item)| self.check(&format!("{place}[{n}]"), &of, item));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
        }
    }

    fn rule(&mut self, place: &str, rule: &str, wanted: &Value, value: &Value, schema: &Value) {
        let holds = match rule {
            "type" => has_type(wanted, value),
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_f64() >= wanted.as_f64(),
            "maximum" => value.as_f64() <= wanted.as_f64(),
            "format" => value.as_str().is_none_or(|text| has_format(wanted.as_str().unwrap(), text)),
            "allOf" => self.fitting(wanted, place, value) == wanted.as_array().unwrap().len(),
            "anyOf" => self.fitting(wanted, place, value) > 0,
            "oneOf" if schema.get("discriminator").is_some() => self.is_the_meant(place, schema, value),
            "oneOf" => self.fitting(wanted, place, value) == 1,
            "minLength" => value.as_str().is_none_or(|text| text.len() >= length(wanted)),
            "maxLength" => value.as_str().is_none_or(|text| text.len() <= length(wanted)),
            own if own.starts_with("x-") => true,
            "additionalProperties" => wanted == &Value::Bool(true) || has_only(schema, value),
            "nullable" => !value.is_null() || wanted == &Value::Bool(true),
            _ => {
                assert!(SILENT.contains(&rule), "{place}: the checker does not know {rule:?} in {schema}");
                true
            }
        };
        if !holds {
            self.wrong.push(format!("{place}: {rule} {wanted} does not hold for {value}"));
        }
    }

    fn object(&mut self, place: &str, schema: &Value, object: &Map<String, Value>) {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if self.scope == Scope::Whole && !object.contains_key(name.as_str().unwrap()) {
                self.wrong.push(format!("{place}: {name} is required"));
            }
        }
        for (name, value) in object {
            if let Some(property) = schema.get("properties").and_then(|all| all.get(name)).cloned() {
                self.check(&format!("{place}.{name}"), &property, value);
            }
        }
    }

    /// Fields that no reading of the schema declares; one that declares nothing declares everything.
    fn declares(&self, schema: &Value, name: &str) -> bool {
        let schema = self.resolved(schema);
        let parts: Vec<&Value> = ["allOf", "anyOf", "oneOf"]
            .into_iter()
            .filter_map(|rule| schema.get(rule)?.as_array())
            .flatten()
            .collect();
        let own = schema.get("properties");
        let is_open = schema.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
        is_open
            || (own.is_none() && parts.is_empty())
            || own.is_some_and(|own| own.get(name).is_some())
            || parts.into_iter().any(|part| self.declares(part, name))
    }

    /// Notes the fields of an answer that the description does not have, at every depth that it describes.
    fn undeclared(&mut self, place: &str, schema: &Value, value: &Value) {
        let schema = self.resolved(schema).clone();
        if let (Some(items), Some(of)) = (value.as_array(), schema.get("items")) {
            for item in items {
                self.undeclared(place, of, item);
            }
        }
        for (name, value) in value.as_object().into_iter().flatten() {
            if !self.declares(&schema, name) {
                self.wrong.push(format!("{place}: {name} is not in the description"));
            }
            if let Some(property) = schema.get("properties").and_then(|all| all.get(name)) {
                self.undeclared(&format!("{place}.{name}"), property, value);
            }
        }
    }

    /// How many of `schemas` the value fits.
    fn fitting(&mut self, schemas: &Value, place: &str, value: &Value) -> usize {
        let schemas = schemas.as_array().unwrap().clone();
        let fits = |schema: &Value| {
            let before = self.wrong.len();
            self.check(place, schema, value);
            let fits = self.wrong.len() == before;
            self.wrong.truncate(before);
            fits
        };
        schemas.iter().map(fits).filter(|fits| *fits).count()
    }

    /// Does the value fit the schema that its own word names?
    fn is_the_meant(&mut self, place: &str, schema: &Value, value: &Value) -> bool {
        let discriminator = &schema["discriminator"];
        let word = value[discriminator["propertyName"].as_str().unwrap()].as_str().unwrap_or_default();
        let Some(meant) = discriminator["mapping"].get(word) else { return false };
        let meant = serde_json::json!([{ "$ref": meant }]);
        self.fitting(&meant, place, value) == 1
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        const REFERENCES_MAX: usize = 8;
        let mut schema = schema;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return schema };
            schema = self.root.pointer(reference.trim_start_matches('#')).unwrap();
        }
        panic!("more than {REFERENCES_MAX} references in a row")
    }

    /// The schema of the answer 200 of a path, or of a component.
    pub(crate) fn schema(&self, path: &str) -> Value {
        let answer = |path: &str| {
            self.root["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
                .clone()
        };
        let schema = if path.starts_with('/') {
            answer(path)
        } else {
            self.root["components"]["schemas"][path].clone()
        };
        assert!(schema.is_object(), "the description does not cover {path}");
        schema
    }

    /// Fails with the first few findings.
    pub(crate) fn assert_kept(&self) {
        assert!(self.wrong.is_empty(), "{}: {:#?}", self.wrong.len(), &self.wrong[..self.wrong.len().min(5)]);
    }

    /// Holds the body that `url` answered against the schema of `path`, or of a component.
    pub(crate) fn body(&mut self, path: &str, url: &str, body: &[u8]) {
        let value: Value = serde_json::from_slice(body).unwrap();
        let schema = self.schema(path);
        self.checked += value.as_array().map_or(1, Vec::len);
        self.check(url, &schema, &value);
        if self.scope == Scope::Part {
            self.undeclared(url, &schema, &value);
        }
    }
}

fn length(wanted: &Value) -> usize {
    usize::try_from(wanted.as_u64().unwrap()).unwrap()
}

fn has_only(schema: &Value, value: &Value) -> bool {
    let known = |name: &String| schema["properties"].get(name).is_some();
    value.as_object().is_none_or(|object| object.keys().all(known))
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the checker does not know the type {other:?}"),
    }
}

fn has_format(wanted: &str, text: &str) -> bool {
    match wanted {
        // whole seconds, or thousandths of them
        "date-time" => {
            let whole = if text.len() == 20 { text.replace('Z', ".000Z") } else { text.to_owned() };
            matches!(text.len(), 20 | 24) && whole.parse::<Instant>().is_ok()
        }
        "uri" => text.starts_with("https://") && !text.contains(' '),
        "email" => text.contains('@'),
        // of numbers, and of texts that are never sent
        "int32" | "password" => true,
        other => panic!("the checker does not know the format {other:?}"),
    }
}
