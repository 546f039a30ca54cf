//! Answers that look alike and say different things: no protection, nothing to see, protection of the other kind.

use observance_record::{population::Membership, verdict::State};
use serde_json::{Value, json};

use super::{RULES, hourly, watch};
use crate::support::{
    life::{Record, at, words},
    source::{Asked, Reply, message, reply},
};

/// Branch rules of one repository: effective rules, classic protection, what is to be said of them.
type Case = (Option<Value>, Option<(u16, Value)>);

/// Watches three repositories once; each is as its case says.
async fn once(cases: [Case; 3]) -> Record {
    let fault = move |asked: &Asked<'_>| -> Option<Reply> {
        let rest = asked.path.strip_prefix("/repos/acme/r")?;
        let (rules, protection) = &cases[rest[..1].parse::<usize>().unwrap() - 1];
        if rest.contains("/rules/branches/") {
            return rules.as_ref().map(|rules| reply(200, &[], rules));
        }
        let classic = rest.ends_with("/protection");
        protection.as_ref().filter(|_| classic).map(|(status, body)| reply(*status, &[], body))
    };
    watch(RULES, fault, hourly, at("03-10T12:30")).await.0
}

fn not_found(text: &str) -> (u16, Value) {
    (404, json!({ "message": text }))
}

#[tokio::test]
async fn s4_not_found_is_no_answer_and_not_protected_is_one() {
    let record = once([
        (Some(json!([])), Some(not_found("Branch not protected"))),
        // the same status, and it says that this credential may not see it
        (Some(json!([])), Some(not_found("Not Found"))),
        // rules alone would pass; what may stand beside them was not seen
        (None, Some(not_found("Not Found"))),
    ])
    .await;
    let runs = record.runs(RULES);
    let said = runs[0].policy("GH-05");
    assert_eq!((said.n, said.passed, said.failed, said.unknown), (3, 0, 1, 2));
    assert_eq!(runs[0].population("repositories").membership, Membership::Complete);
    let bare = record.result("GH-05", "acme/r1");
    assert_eq!(bare.state(), State::Failed);
    assert!(words(bare.codes()).contains(&"review.not_required"), "{:?}", bare.codes());
    for name in ["acme/r2", "acme/r3"] {
        let result = record.result("GH-05", name);
        assert_eq!((result.state(), result.codes().is_empty()), (State::Unknown, false), "{name}");
    }
}

#[tokio::test]
async fn s4_words_of_a_refusal_count_only_with_its_status() {
    // a body that says so under another status is no word of the source about protection
    let said = json!({ "message": "Branch not protected" });
    let record = once([
        (Some(json!([])), Some((403, said.clone()))),
        (Some(json!([])), Some((500, said.clone()))),
        (Some(json!([])), Some((410, said))),
    ])
    .await;
    let runs = record.runs(RULES);
    let said = runs[0].policy("GH-05");
    assert_eq!((said.n, said.failed, said.unknown), (3, 0, 3));
}

#[tokio::test]
async fn s11_what_holds_is_what_rulesets_and_classic_protection_demand_together() {
    let reviews = json!({ "required_approving_review_count": 2, "dismiss_stale_reviews": true });
    let enough = json!({ "required_pull_request_reviews": reviews, "allow_force_pushes": { "enabled": false },
                         "allow_deletions": { "enabled": false } });
    let none = Some(not_found("Branch not protected"));
    let record = once([
        // rulesets alone, as the source has them
        (None, none.clone()),
        // classic protection alone
        (Some(json!([])), Some((200, enough))),
        // neither
        (Some(json!([])), none),
    ])
    .await;
    let runs = record.runs(RULES);
    let said = runs[0].policy("GH-05");
    assert_eq!((said.n, said.passed, said.failed, said.unknown), (3, 2, 1, 0));
    let states = ["acme/r1", "acme/r2", "acme/r3"].map(|name| record.result("GH-05", name).state());
    assert_eq!(states, [State::Passed, State::Passed, State::Failed]);
}

#[tokio::test]
async fn s11_half_of_it_unseen_is_unknown_even_if_the_other_half_would_do() {
    let fault = |asked: &Asked<'_>| {
        asked.path.contains("/r1/rules/branches/").then(|| message(403, &[], "Resource not accessible"))
    };
    let (record, _) = watch(RULES, fault, hourly, at("03-10T12:30")).await;
    assert_eq!(record.result("GH-05", "acme/r1").state(), State::Unknown);
    assert_eq!(record.result("GH-05", "acme/r2").state(), State::Passed);
}
