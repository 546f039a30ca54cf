//! Holds the company's answers against the vendor's own description of its API.
//!
//! The checker knows the part of OpenAPI 3.0 that the description uses, and refuses what it does not know. The description
//! is read from the shared data folder (`OBSERVANCE_DATA`, else `../shared/data`); it is not part of this repository.

use std::path::PathBuf;

use observance_record::Instant;
use serde_json::{Map, Value};

use super::{
    Company,
    calendar::{berlin, date},
    page::Page,
    route::{Paging, Resource, Route, route},
};

/// The checker's view of the description; findings are gathered in `wrong`.
struct Contract {
    root: Value,
    wrong: Vec<String>,
    checked: usize,
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
    "x-github-breaking-changes",
];

impl Contract {
    fn check(&mut self, place: &str, schema: &Value, value: &Value) {
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
            "oneOf" => self.fitting(wanted, place, value) == 1,
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
            if !object.contains_key(name.as_str().unwrap()) {
                self.wrong.push(format!("{place}: {name} is required"));
            }
        }
        for (name, value) in object {
            if let Some(property) = schema.get("properties").and_then(|all| all.get(name)).cloned() {
                self.check(&format!("{place}.{name}"), &property, value);
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
    fn schema(&self, path: &str) -> Value {
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
    fn assert_kept(&self) {
        assert!(self.wrong.is_empty(), "{}: {:#?}", self.wrong.len(), &self.wrong[..self.wrong.len().min(5)]);
    }

    fn body(&mut self, path: &str, url: &str, body: &[u8]) {
        let value: Value = serde_json::from_slice(body).unwrap();
        let schema = self.schema(path);
        self.checked += value.as_array().map_or(1, Vec::len);
        self.check(url, &schema, &value);
    }
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
        "date-time" => text.len() == 20 && text.replace('Z', ".000Z").parse::<Instant>().is_ok(),
        "uri" => text.starts_with("https://") && !text.contains(' '),
        "email" => text.contains('@'),
        other => panic!("the checker does not know the format {other:?}"),
    }
}

fn contract() -> Option<Contract> {
    #[expect(clippy::disallowed_methods, reason = "a test finds its data as the whole suite does")]
    let (folder, ci) = (std::env::var("OBSERVANCE_DATA"), std::env::var("CI"));
    let folder = folder
        .map_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join("contracts/github.subset.json");
    let Ok(text) = std::fs::read(&path) else {
        assert!(ci.is_err(), "{} is missing", path.display());
        println!("skipped: {} is missing", path.display());
        return None;
    };
    Some(Contract { root: serde_json::from_slice(&text).unwrap(), wrong: Vec::new(), checked: 0 })
}

fn page(company: &Company, url: &str, now: Instant) -> Page {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    match route(company, path, query, now) {
        Route::To(resource, paging) => Page::of(company, (resource, paging), query, now),
        Route::Moved(path) => Page::moved("http://127.0.0.1", &path),
        Route::Missing => Page::not_found(),
        Route::Refused(field) => Page::unprocessable(field),
    }
}

fn company() -> Company {
    Company::new(7, berlin(date(2026, 1, 1), 0), berlin(date(2026, 7, 1), 0))
}

/// The description's path, and ours, of everything that a repository is asked.
fn asked_of(company: &Company, i: usize, now: Instant) -> Vec<(&'static str, String)> {
    let repository = company.repository(i);
    let base = format!("/repos/acme/{}", repository.name(now));
    let branch = repository.branch();
    let all = "time_period=month&rule_suite_result=all&per_page=100";
    vec![
        ("/repos/{owner}/{repo}/rules/branches/{branch}", format!("{base}/rules/branches/{branch}")),
        (
            "/repos/{owner}/{repo}/branches/{branch}/protection",
            format!("{base}/branches/{branch}/protection"),
        ),
        (
            "/repos/{owner}/{repo}/pulls",
            format!("{base}/pulls?state=closed&sort=updated&direction=desc&per_page=100"),
        ),
        ("/repos/{owner}/{repo}/rulesets/rule-suites", format!("{base}/rulesets/rule-suites?{all}")),
    ]
}

#[test]
fn answers_are_as_the_vendor_describes_them() {
    let Some(mut contract) = contract() else { return };
    let company = company();
    let looks = [(1, 9, 18), (3, 13, 12), (5, 20, 9), (6, 30, 23)];
    for now in looks.map(|(month, day, hour)| berlin(date(2026, month, day), hour * 3600)) {
        let organisation = [
            ("/orgs/{org}", "/orgs/acme"),
            ("/orgs/{org}/repos", "/orgs/acme/repos?type=all&sort=full_name&per_page=100"),
            ("/orgs/{org}/members", "/orgs/acme/members?filter=all&per_page=100"),
            ("/orgs/{org}/members", "/orgs/acme/members?filter=2fa_disabled"),
        ];
        let mut asked: Vec<_> = organisation.map(|(path, url)| (path, url.to_owned())).into();
        asked.extend((0..company.repositories()).flat_map(|i| asked_of(&company, i, now)));
        for (path, url) in asked {
            let answer = page(&company, &url, now);
            let schema = if answer.status.is_success() { path } else { "basic-error" };
            contract.body(schema, &url, &answer.body);
        }
    }
    contract.assert_kept();
    assert!(contract.checked > 5_000, "{} objects", contract.checked);
}

#[test]
fn every_review_and_commit_is_as_described() {
    let Some(mut contract) = contract() else { return };
    let company = company();
    let now = company.to;
    let whole = Paging { page: 1, per_page: 100 };
    for (i, repository) in company.repositories.iter().enumerate() {
        for k in 0..repository.pulls.len() {
            let reviews = Page::of(&company, (Resource::Reviews(i, k), whole), "", now);
            let url = format!("reviews of {} {}", repository.name(now), repository.pulls[k].number);
            contract.body("/repos/{owner}/{repo}/pulls/{pull_number}/reviews", &url, &reviews.body);
            let commits = Page::of(&company, (Resource::Commits(i, k), whole), "", now);
            // The description does not cover the path, but the list of a branch's commits has the same items.
            contract.body("/repos/{owner}/{repo}/commits", &url.replace("reviews", "commits"), &commits.body);
        }
    }
    contract.assert_kept();
}

#[test]
fn refusals_are_as_described() {
    let Some(mut contract) = contract() else { return };
    let refused = |page: Page, status: u16| {
        assert_eq!(page.status.as_u16(), status);
        page.body
    };
    let forbidden = page(&company(), "/repos/acme/legacy-payroll/rules/branches/master", Instant::EPOCH);
    let now = Instant::from_s(1);
    for body in [
        refused(Page::unauthenticated(), 401),
        refused(Page::over_limit(1, "A:B", now), 403),
        refused(forbidden, 403),
        refused(Page::not_found(), 404),
        refused(Page::moved("http://h", "/p"), 301),
        refused(Page::bad_gateway(), 502),
    ] {
        contract.body("basic-error", "a refusal", &body);
    }
    contract.body("validation-error", "422", &refused(Page::unprocessable("type"), 422));
    let overview = super::budget::Budget::default().standing(now, false).overview();
    contract.body("/rate_limit", "/rate_limit", overview.as_bytes());
    contract.assert_kept();
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let root = serde_json::json!({"s": {
        "type": "object", "required": ["id"],
        "properties": {"id": {"type": "integer", "minimum": 1}, "at": {"type": "string", "format": "date-time", "nullable": true},
            "kind": {"oneOf": [{"enum": ["a"]}, {"enum": ["b"]}]}, "list": {"type": "array", "items": {"$ref": "#/s"}}}
    }});
    let wrong = |value: Value| {
        let mut contract = Contract { root: root.clone(), wrong: Vec::new(), checked: 0 };
        contract.check("", &root["s"], &value);
        contract.wrong.len()
    };
    assert_eq!(wrong(serde_json::json!({"id": 1, "at": null, "kind": "b", "list": [{"id": 2}]})), 0);
    for bad in [
        serde_json::json!({}),
        serde_json::json!({"id": "1"}),
        serde_json::json!({"id": null}),
        serde_json::json!({"id": 1, "at": "yesterday"}),
        serde_json::json!({"id": 1, "kind": "c"}),
        serde_json::json!({"id": 1, "list": [{}]}),
    ] {
        assert!(wrong(bad.clone()) > 0, "{bad}");
    }
}
