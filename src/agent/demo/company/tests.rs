//! What the company promises: it is the same every time, exactly the planted things happen in it, and it speaks real HTTP.
//!
//! Its shapes are held against the vendor's description in `contract`.

use observance_record::Instant;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    Company, Event, TOKEN,
    calendar::{berlin, date},
    dice::mix,
    page::Page,
    plan,
    route::{Paging, Resource, Route, route},
    serve,
};
use crate::clock::Clock;

const WHOLE: Paging = Paging { page: 1, per_page: 100 };

fn at(month: u32, day: u32, hour: i64, minute: i64) -> Instant {
    berlin(date(2026, month, day), hour * 3600 + minute * 60)
}

fn company(seed: u64) -> Company {
    Company::new(seed, at(1, 1, 0, 0), at(7, 1, 0, 0))
}

fn list(company: &Company, resource: Resource, now: Instant) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let page = Page::of(company, (resource, Paging { page, ..WHOLE }), "", now);
        all.extend(serde_json::from_slice::<Vec<Value>>(&page.body).unwrap());
        if page.link.is_none_or(|link| !link.to_str().unwrap().contains("rel=\"next\"")) {
            break;
        }
    }
    all
}

fn one(company: &Company, resource: Resource, now: Instant) -> Value {
    serde_json::from_slice(&Page::of(company, (resource, WHOLE), "", now).body).unwrap()
}

fn index(company: &Company, name: &str) -> usize {
    company.names[name]
}

/// What a reader of the bodies alone would say of one merged change.
fn judged(company: &Company, i: usize, change: &Value, now: Instant) -> &'static str {
    let number = change["number"].to_string();
    let k = company.repository(i).change(&number, now).unwrap();
    let writers: Vec<Value> = list(company, Resource::Commits(i, k), now)
        .iter()
        .flat_map(|commit| [commit["author"]["id"].clone(), commit["committer"]["id"].clone()])
        .chain([change["user"]["id"].clone()])
        .collect();
    let approvals: Vec<Value> = list(company, Resource::Reviews(i, k), now)
        .into_iter()
        .filter(|review| review["state"] == "APPROVED" && review["commit_id"] == change["head"]["sha"])
        .filter(|review| review["submitted_at"].as_str() <= change["merged_at"].as_str())
        .collect();
    let by = |review: &Value| review["user"]["id"].clone();
    if approvals.iter().any(|review| !review["user"].is_null() && !writers.contains(&by(review))) {
        "approved"
    } else if approvals.iter().any(|review| review["user"].is_null()) {
        "unknown"
    } else {
        "unapproved"
    }
}

/// The merged changes of the period that are not approved, as `repository#number word`.
fn not_approved(company: &Company) -> (usize, Vec<String>) {
    let now = company.to;
    let (mut merged, mut found) = (0, Vec::new());
    for i in 0..company.repositories() {
        for change in list(company, Resource::Pulls(i), now) {
            let Some(text) = change["merged_at"].as_str() else { continue };
            let merged_at: Instant = text.replace('Z', ".000Z").parse().unwrap();
            if merged_at < company.from || company.to <= merged_at {
                continue;
            }
            merged += 1;
            let word = judged(company, i, &change, now);
            if word != "approved" {
                found.push(format!("{}#{} {word}", company.repository(i).name(now), change["number"]));
            }
        }
    }
    found.sort();
    (merged, found)
}

#[test]
fn exactly_the_planted_changes_are_not_approved() {
    let wanted = [
        "billing-api#881 unapproved",
        "data-export#268 unknown",
        "mobile-ios#1204 unknown",
        "web#412 unapproved",
    ];
    for seed in [7, 8] {
        let company = company(seed);
        let (merged, found) = not_approved(&company);
        assert_eq!((merged, company.merged(), found), (2_318, 2_318, wanted.map(String::from).to_vec()));
    }
}

#[test]
fn the_same_seed_is_the_same_company() {
    let hash = |seed| {
        let company = company(seed);
        let mut hash = 0;
        for i in 0..company.repositories() {
            for resource in
                [Resource::Pulls(i), Resource::Rules(i), Resource::Reviews(i, 3), Resource::Commits(i, 3)]
            {
                let page = Page::of(&company, (resource, WHOLE), "", at(5, 1, 12, 0));
                hash = page.body.iter().fold(hash, |hash, byte| mix(hash ^ u64::from(*byte)));
            }
        }
        hash
    };
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}

#[test]
fn a_shorter_period_has_its_share_of_changes() {
    let month = Company::new(7, at(1, 1, 0, 0), at(2, 1, 0, 0));
    assert_eq!((month.merged(), month.repositories(), month.people(month.to)), (397, 40, 130));
}

#[test]
fn equal_versions_have_equal_bodies() {
    let company = company(7);
    let web = index(&company, "web");
    let renamed = index(&company, plan::RENAMED.0);
    let lifted = index(&company, plan::LIFTED);
    let day = 24 * 3_600_000;
    for resource in [
        Resource::Organisation,
        Resource::Repositories,
        Resource::Members,
        Resource::Pulls(web),
        Resource::Pulls(renamed),
        Resource::Rules(lifted),
        Resource::Protection(index(&company, "ledger")),
        Resource::Reviews(lifted, company.repository(lifted).change("881", company.to).unwrap()),
        Resource::Commits(web, 60),
        Resource::Suites(web, day, super::route::Judged::All),
    ] {
        let mut seen = std::collections::HashMap::new();
        let mut now = company.from;
        while now < company.to {
            let body = Page::of(&company, (resource, WHOLE), "", now).body;
            let kept = seen.entry(company.version(resource, now)).or_insert_with(|| body.clone());
            assert_eq!(*kept, body, "{resource:?} at {now}");
            now = now.plus_ms(17 * 3_600_000 + 60_000);
        }
    }
}

#[test]
fn reviews_are_lifted_for_thirty_and_a_half_hours_and_nowhere_else() {
    let company = company(7);
    let requires = |i: usize, now: Instant| {
        let rules = one(&company, Resource::Rules(i), now);
        let protection = one(&company, Resource::Protection(i), now);
        let counts = rules.as_array().into_iter().flatten().map(|rule| &rule["parameters"]);
        counts
            .chain([&protection["required_pull_request_reviews"]])
            .filter_map(|part| part["required_approving_review_count"].as_u64())
            .max()
    };
    let lacking = |now: Instant| -> Vec<&str> {
        let all = (0..company.repositories()).filter(|i| requires(*i, now) != Some(1));
        all.map(|i| company.repository(i).name(now)).collect()
    };
    let (from, to) = (at(3, 12, 9, 13), at(3, 13, 15, 50));
    assert_eq!(lacking(from.plus_ms(-1)), [plan::FORBIDDEN]);
    assert_eq!(lacking(from), [plan::FORBIDDEN, plan::LIFTED]);
    assert_eq!(lacking(to.plus_ms(-1)), [plan::FORBIDDEN, plan::LIFTED]);
    assert_eq!(lacking(to), [plan::FORBIDDEN]);
    assert_eq!(lacking(company.to), [plan::FORBIDDEN]);

    let lifted = company.repository(index(&company, plan::LIFTED));
    let meanwhile = lifted.pushes.iter().filter(|(merged, _)| from <= *merged && *merged < to);
    assert_eq!(meanwhile.map(|(_, k)| lifted.pulls[*k].number).collect::<Vec<_>>(), [879, 880, 881]);
}

#[test]
fn one_push_of_the_half_year_went_past_a_rule() {
    let company = company(7);
    let mut bypassed = Vec::new();
    for day in 0..182 {
        let now = company.from.plus_ms(day * 86_400_000);
        for i in 0..company.repositories() {
            let asked = Resource::Suites(i, 86_400_000, super::route::Judged::Bypass);
            bypassed.extend(list(&company, asked, now).iter().map(|suite| {
                format!(
                    "{} {}",
                    suite["repository_name"].as_str().unwrap(),
                    suite["pushed_at"].as_str().unwrap()
                )
            }));
        }
    }
    assert_eq!(bypassed, ["infra-terraform 2026-01-09T16:24:00Z"]);
    let planted = company.planted().iter().find(|planted| planted.event == Event::RuleBypassed).unwrap();
    assert_eq!(
        (planted.from, planted.place, planted.number),
        (at(1, 9, 17, 24), "infra-terraform", Some(611))
    );
}

#[test]
fn planted_events_are_in_order_and_their_numbers_are_real() {
    let company = company(7);
    assert!(company.planted().is_sorted_by_key(|planted| planted.from));
    let numbered: Vec<_> = company.planted().iter().filter(|planted| planted.number.is_some()).collect();
    assert_eq!(numbered.len(), 7);
    for planted in numbered {
        let repository = company.repository(index(&company, planted.place));
        let change = repository.pulls.iter().find(|pull| Some(pull.number) == planted.number).unwrap();
        assert_eq!(change.closed, planted.from);
    }
}

#[test]
fn counts_of_the_organisation_agree_with_its_lists() {
    let company = company(7);
    for now in [company.from, at(3, 10, 0, 0), at(6, 29, 0, 0)] {
        let organisation = one(&company, Resource::Organisation, now);
        let stated = organisation["public_repos"].as_u64().unwrap()
            + organisation["total_private_repos"].as_u64().unwrap();
        let repositories = list(&company, Resource::Repositories, now);
        assert_eq!((stated, repositories.len()), (40, 40));
        let private = repositories.iter().filter(|repository| repository["private"] == true).count();
        assert_eq!(organisation["total_private_repos"], private);
        assert!(
            repositories.is_sorted_by_key(|repository| repository["full_name"].as_str().unwrap().to_owned())
        );
        assert_eq!(list(&company, Resource::Members, now).len(), company.people(now));
    }
    let archived =
        |now| list(&company, Resource::Repositories, now).iter().filter(|r| r["archived"] == true).count();
    assert_eq!((archived(at(6, 9, 14, 19)), archived(at(6, 10, 0, 0))), (0, 1));
}

#[test]
fn only_what_happened_by_now_is_listed_and_the_last_update_comes_first() {
    let company = company(7);
    let lifted = index(&company, plan::LIFTED);
    let numbers = |now: Instant| -> Vec<u64> {
        list(&company, Resource::Pulls(lifted), now)
            .iter()
            .map(|pull| pull["number"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers(at(3, 13, 10, 20))[0], 880);
    assert_eq!(numbers(at(3, 13, 10, 21))[0], 881);
    let before = numbers(at(3, 16, 9, 39));
    let after = numbers(at(3, 16, 9, 40));
    assert_eq!((after[0], after.len()), (881, before.len()), "a late approval moves it to the front");
    let updates: Vec<Value> = list(&company, Resource::Pulls(lifted), company.to)
        .into_iter()
        .map(|mut pull| pull["updated_at"].take())
        .collect();
    assert!(updates.is_sorted_by(|a, b| a.as_str() >= b.as_str()));
    let closed_unmerged = list(&company, Resource::Pulls(lifted), company.to);
    assert!(closed_unmerged.iter().any(|pull| pull["merged_at"].is_null()));
}

#[test]
fn a_renamed_repository_moves_and_keeps_its_ids() {
    let company = company(7);
    let (old, new) = plan::RENAMED;
    let query = "state=closed&sort=updated&direction=desc";
    let to = |name: &str, now| route(&company, &format!("/repos/acme/{name}/pulls"), query, now);
    let (before, after) = (at(2, 17, 10, 39), at(2, 17, 10, 40));
    assert!(matches!((to(old, before), to(new, before)), (Route::To(..), Route::Missing)));
    let id = company.repository(index(&company, old)).id;
    assert_eq!(to(old, after), Route::Moved(format!("/repositories/{id}/pulls?{query}")));
    assert_eq!(to(new, after), to(old, before));
    assert_eq!(route(&company, &format!("/repositories/{id}/pulls"), query, after), to(new, after));
}

#[test]
fn what_is_not_modelled_is_refused() {
    let company = company(7);
    let to = |path: &str, query: &str| route(&company, path, query, company.from);
    assert_eq!(to("/repos/acme/web/pulls", "state=open&sort=updated"), Route::Refused("state"));
    assert_eq!(to("/repos/acme/web/pulls", ""), Route::Refused("state"));
    assert_eq!(to("/orgs/acme/members", "filter=2fa_insecure"), Route::Refused("filter"));
    assert_eq!(to("/orgs/acme/repos", "sort=pushed"), Route::Refused("sort"));
    assert_eq!(to("/orgs/acme/repos", "page=x"), Route::Refused("page"));
    assert_eq!(to("/orgs/other", ""), Route::Missing);
    assert_eq!(to("/repos/acme/web/pulls/99999/reviews", ""), Route::Missing);
}

/// Status, headers in lower case, body.
type Answer = (u16, Vec<(String, String)>, String);

async fn get(base_url: &str, path: &str, headers: &str) -> Answer {
    let host = base_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pairs = lines.map(|line| line.split_once(": ").unwrap());
    (
        status,
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        body.to_owned(),
    )
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut found = answer.1.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let value = found.next().unwrap_or("");
    assert_eq!(found.next(), None, "{name} twice");
    value
}

fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}\r\n")
}

#[tokio::test]
async fn pages_conditions_and_headers_over_real_http() {
    let clock = Clock::simulated(at(5, 19, 12, 0));
    let server = serve(company(7), clock.clone()).unwrap();
    let path = "/orgs/acme/members?filter=all&per_page=100";
    let first = get(server.base_url(), path, &bearer()).await;
    assert_eq!((first.0, header(&first, "date")), (200, "Tue, 19 May 2026 10:00:00 GMT"));
    assert_eq!(header(&first, "x-ratelimit-used"), "1");
    assert_eq!(header(&first, "x-accepted-github-permissions"), "members=read");
    assert_eq!(header(&first, "github-authentication-token-expiration"), "2026-09-28 22:00:00 UTC");
    let next = header(&first, "link").split_once('>').unwrap().0.trim_start_matches('<');
    let second = get(server.base_url(), next, &bearer()).await;
    let rows = |answer: &Answer| serde_json::from_str::<Vec<Value>>(&answer.2).unwrap().len();
    assert_eq!((rows(&first), rows(&second)), (100, 30));

    let condition = format!("{}If-None-Match: \"x\", {}\r\n", bearer(), header(&first, "etag"));
    let again = get(server.base_url(), path, &condition).await;
    assert_eq!((again.0, again.2.as_str(), header(&again, "link")), (304, "", header(&first, "link")));
    assert_eq!(header(&again, "x-github-request-id"), header(&first, "x-github-request-id"));
    let later = async |condition: &str| {
        clock.sleep_ms(1_000).await;
        get(server.base_url(), path, condition).await
    };
    assert_eq!(
        header(&later(&condition).await, "x-ratelimit-used"),
        "2",
        "an unchanged answer costs nothing"
    );
    assert_eq!(header(&later(&bearer()).await, "x-ratelimit-used"), "3");

    assert_eq!(get(server.base_url(), path, "").await.0, 401);
    assert_eq!(
        get(server.base_url(), path, &format!("{}X-GitHub-Api-Version: 2022-11-28\r\n", bearer())).await.0,
        400
    );
    let moved = get(server.base_url(), "/repos/acme/notify/rules/branches/main", &bearer()).await;
    assert_eq!(moved.0, 301);
    assert!(header(&moved, "location").starts_with(&format!("{}/repositories/", server.base_url())));
    assert_eq!((server.requests()["members"], server.requests()["other"]), (7, 1));
}

#[tokio::test]
async fn faults_come_and_go_with_the_clock() {
    let clock = Clock::simulated(at(2, 20, 6, 0));
    let busy = clock.busy();
    let server = serve(company(7), clock.clone()).unwrap();
    let status = async |path: &str| get(server.base_url(), path, &bearer()).await.0;
    let second = "/orgs/acme/members?filter=all&per_page=100&page=2";
    assert_eq!((status("/orgs/acme/members?filter=all").await, status(second).await), (200, 502));
    clock.sleep_until(at(2, 21, 0, 0)).await;
    assert_eq!(status(second).await, 200);
    clock.sleep_until(at(4, 2, 1, 0)).await;
    let down = get(server.base_url(), "/orgs/acme", &bearer()).await;
    assert_eq!((down.0, header(&down, "content-type")), (503, "text/html; charset=utf-8"));
    clock.sleep_until(at(4, 2, 8, 0)).await;
    assert_eq!(status("/orgs/acme").await, 200);
    clock.sleep_until(at(4, 14, 10, 0)).await;
    for _ in 0..30 {
        assert_eq!(status("/orgs/acme").await, 200);
    }
    let spent = get(server.base_url(), "/orgs/acme", &bearer()).await;
    assert_eq!((spent.0, header(&spent, "x-ratelimit-remaining")), (403, "0"));
    assert!(spent.2.contains("API rate limit exceeded"));
    assert_eq!(status("/rate_limit").await, 200);
    let reset: i64 = header(&spent, "x-ratelimit-reset").parse().unwrap();
    clock.sleep_until(Instant::from_s(reset)).await;
    assert_eq!((status("/orgs/acme").await, clock.now()), (200, at(4, 14, 10, 11)));
    drop(busy);
}

#[tokio::test]
async fn nothing_answers_once_the_server_is_dropped() {
    let server = serve(company(7), Clock::simulated(at(1, 1, 0, 0))).unwrap();
    let base_url = server.base_url().to_owned();
    assert_eq!(get(&base_url, "/orgs/acme", &bearer()).await.0, 200);
    drop(server);
    let host = base_url.trim_start_matches("http://");
    for _ in 0..1_000 {
        if TcpStream::connect(host).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{base_url} still answers");
}
