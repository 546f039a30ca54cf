//! What guards a default branch, in GitHub's shapes: the rules that apply, and classic protection.
//!
//! It does not know when they change; see `company`.

use super::{
    names::Guard,
    object::{Object, array},
    shapes::{API, LOGIN},
};

const ORGANISATION_RULESET: u64 = 5_104_411;
const OWN_RULESET: u64 = 6_220_873;

/// What stands in a ruleset with required reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reviews {
    /// One approval, of the last push, by somebody else.
    Required,
    /// None; force pushes are allowed as well.
    Lifted,
}

/// `repository-rule-detailed` of each rule that applies to the default branch.
pub(super) fn rules(guard: Guard, name: &str, reviews: Reviews) -> Vec<String> {
    let acme = |kind: &str| rule(kind, None, LOGIN, "Organization", ORGANISATION_RULESET);
    let strict = |kind: &str, parameters: &str| {
        rule(kind, Some(parameters), LOGIN, "Organization", ORGANISATION_RULESET)
    };
    let full = format!("{LOGIN}/{name}");
    let own = |kind: &str, parameters: Option<&str>| rule(kind, parameters, &full, "Repository", OWN_RULESET);
    match (guard, reviews) {
        (Guard::Classic, _) => Vec::new(),
        (Guard::Organisation | Guard::Both, _) => vec![
            acme("deletion"),
            acme("non_fast_forward"),
            strict("pull_request", &pull_request(1)),
            strict("required_status_checks", &checks("ci/build")),
        ],
        (Guard::Own, Reviews::Required) => vec![
            acme("deletion"),
            own("non_fast_forward", None),
            own("pull_request", Some(&pull_request(1))),
            own("required_status_checks", Some(&checks("ci/billing"))),
        ],
        (Guard::Own, Reviews::Lifted) => vec![
            acme("deletion"),
            own("pull_request", Some(&pull_request(0))),
            own("required_status_checks", Some(&checks("ci/billing"))),
        ],
    }
}

/// `branch-protection`, where the guard has any.
pub(super) fn protection(guard: Guard, name: &str, branch: &str) -> Option<String> {
    match guard {
        Guard::Organisation | Guard::Own => return None,
        Guard::Classic | Guard::Both => (),
    }
    let url = format!("{API}/repos/{LOGIN}/{name}/branches/{branch}/protection");
    let switch = |enabled: bool| Object::new().put("enabled", enabled).end();
    let linked = |end: &str, enabled: bool| {
        Object::new().put("url", format!("{url}{end}")).put("enabled", enabled).end()
    };
    let reviews = Object::new()
        .put("url", format!("{url}/required_pull_request_reviews"))
        .put("dismiss_stale_reviews", true)
        .put("require_code_owner_reviews", false)
        .put("require_last_push_approval", true)
        .put("required_approving_review_count", 1)
        .end();
    let check = Object::new().put("context", "ci/build").put("app_id", 15_368).end();
    let checks = Object::new()
        .links(
            &url,
            &[("url", "/required_status_checks"), ("contexts_url", "/required_status_checks/contexts")],
        )
        .put("strict", true)
        .put("contexts", vec!["ci/build"])
        .raw("checks", &array(&[check]))
        .end();
    let object = Object::new()
        .put("url", url.as_str())
        .raw("required_status_checks", &checks)
        .raw("required_pull_request_reviews", &reviews)
        .raw("required_signatures", &linked("/required_signatures", false))
        .raw("enforce_admins", &linked("/enforce_admins", true));
    let off = switch(false);
    let object = ["required_linear_history", "allow_force_pushes", "allow_deletions", "block_creations"]
        .iter()
        .chain(&["lock_branch", "allow_fork_syncing"])
        .fold(object, |object, key| object.raw(key, &off));
    Some(object.raw("required_conversation_resolution", &switch(true)).end())
}

fn rule(kind: &str, parameters: Option<&str>, source: &str, source_type: &str, ruleset: u64) -> String {
    let object = Object::new().put("type", kind);
    let object = match parameters {
        Some(parameters) => object.raw("parameters", parameters),
        None => object,
    };
    object
        .put("ruleset_source_type", source_type)
        .put("ruleset_source", source)
        .put("ruleset_id", ruleset)
        .end()
}

fn pull_request(approvals: u64) -> String {
    Object::new()
        .put("required_approving_review_count", approvals)
        .put("dismiss_stale_reviews_on_push", true)
        .put("require_code_owner_review", false)
        .put("require_last_push_approval", true)
        .put("required_review_thread_resolution", false)
        .put("allowed_merge_methods", vec!["merge", "squash"])
        .end()
}

fn checks(context: &str) -> String {
    let check = Object::new().put("context", context).put("integration_id", 15_368).end();
    Object::new()
        .put("strict_required_status_checks_policy", true)
        .put("do_not_enforce_on_create", false)
        .raw("required_status_checks", &array(&[check]))
        .end()
}
