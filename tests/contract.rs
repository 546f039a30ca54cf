//! The suite's own sources, held against the vendor's description: what a test believes of GitHub is what GitHub says.
//!
//! They serve a part of what the vendor sends, so a field that is required may be missing; no field is of another type than
//! described. The large source's repositories carry more than GitHub's, to have their size. The demonstration's company is held whole against the same description, beside itself.

use std::{fs, sync::Arc};

use observance::clock::Clock;
use observance_record::Instant;

use crate::support::{
    acme::{Acme, Estate},
    data,
    openapi::{Contract, Scope},
    plain::Plain,
    source::Source,
};

const RULES: (&str, &str) = ("/repos/{owner}/{repo}/rules/branches/{branch}", "rules/branches/main");
const PROTECTION: (&str, &str) =
    ("/repos/{owner}/{repo}/branches/{branch}/protection", "branches/main/protection");
const PULLS: (&str, &str) = ("/repos/{owner}/{repo}/pulls", "pulls?state=closed&base=main");
const SUITES: (&str, &str) =
    ("/repos/{owner}/{repo}/rulesets/rule-suites", "rulesets/rule-suites?rule_suite_result=all");
const REVIEWS: (&str, &str) = ("/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pulls/10/reviews");
/// The description does not cover the commits of a pull request; those of a branch have the same items.
const COMMITS: (&str, &str) = ("/repos/{owner}/{repo}/commits", "pulls/10/commits");

/// What every collector begins with.
const ORGANISATION: [(&str, &str); 4] = [
    ("/orgs/{org}", "/orgs/acme"),
    ("/orgs/{org}/repos", "/orgs/acme/repos?type=all&sort=full_name&per_page=100"),
    ("/orgs/{org}/members", "/orgs/acme/members?filter=all&per_page=100"),
    ("/orgs/{org}/members", "/orgs/acme/members?filter=2fa_disabled&per_page=100"),
];

fn contract(scope: Scope) -> Option<Contract> {
    let path = data::folder("contracts")?.join("github.subset.json");
    Some(Contract::new(&fs::read(path).unwrap(), scope))
}

/// Asks everything, and holds what comes against the path's schema; a refusal, against that of refusals.
async fn hold(
    mut contract: Contract,
    base_url: &str,
    repositories: &'static [&str],
    of_each: &'static [(&str, &str)],
) -> usize {
    let base_url = base_url.to_owned();
    let held = move || {
        let mut plain = Plain::connect(&base_url);
        let mut asked: Vec<(&str, String)> = ORGANISATION.map(|(path, url)| (path, url.to_owned())).into();
        for name in repositories {
            asked.extend(of_each.iter().map(|(path, rest)| (*path, format!("/repos/acme/{name}/{rest}"))));
        }
        for (path, url) in asked {
            match plain.get(&url) {
                (200, body) => contract.body(path, &url, &body),
                (404, body) => contract.body("basic-error", &url, &body),
                (other, _) => panic!("{url}: {other}"),
            }
        }
        contract.assert_kept();
        contract.checked
    };
    tokio::task::spawn_blocking(held).await.unwrap()
}

#[tokio::test]
async fn the_small_source_answers_as_the_vendor_describes() {
    let Some(contract) = contract(Scope::Part) else { return };
    let source = Source::serve(&Clock::simulated(Instant::EPOCH), |_| None).await;
    let of_each = &[RULES, PROTECTION, PULLS, SUITES];
    let checked = hold(contract, source.base_url(), &["r1", "r2", "r3"], of_each).await;
    assert!(checked > 10, "{checked} objects");
}

#[tokio::test]
async fn the_large_source_answers_as_the_vendor_describes() {
    let Some(contract) = contract(Scope::Types) else { return };
    let from = Instant::from_s(1_767_225_600);
    let estate = Estate { repositories: 101, members: 101, merged: (1, from), changes: None, noise: 0 };
    let source: Arc<Acme> = Acme::serve(estate, Clock::simulated(from)).await;
    let of_each = &[RULES, PROTECTION, PULLS, SUITES, REVIEWS, COMMITS];
    let checked = hold(contract, source.base_url(), &["one-00000", "one-00001"], of_each).await;
    assert!(checked > 200, "{checked} objects");
}
