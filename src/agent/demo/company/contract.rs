//! Holds the company's answers against the vendor's own description of its API.
//!
//! How is the checker's business (`openapi`), and where the description is found that of `described`.

use observance_record::Instant;
use serde_json::Value;

use super::{
    Company,
    calendar::{berlin, date},
    described::described,
    openapi::{Contract, Scope},
    page::Page,
    route::{Paging, Resource, Route, route},
};

fn contract() -> Option<Contract> {
    Some(Contract::new(&described("github.subset.json")?, Scope::Whole))
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
        let mut contract = Contract::new(root.to_string().as_bytes(), Scope::Whole);
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
