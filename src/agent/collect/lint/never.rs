//! What is never collected, whatever a manifest says: secrets, and the content of people's work.
//!
//! The list is code with its reasons, so that no manifest can talk its way past it. Bodies are sealed as received, so a
//! path whose answer holds a secret is refused even if the field is not projected, unless the manifest covers it first.

use super::{Note, StepOutline, fits, pattern};

/// A place that is not read, and why.
struct Place {
    /// The path; `{}` is any one part, a last `**` all that follow.
    path: &'static str,
    why: &'static str,
}

/// Content and logs: what people wrote, and what machines printed while they worked on it.
const PLACES: &[Place] = &[
    Place { path: "/repos/{}/{}/contents/**", why: "file contents are no evidence of a control" },
    Place { path: "/repos/{}/{}/readme", why: "file contents are no evidence of a control" },
    Place { path: "/repos/{}/{}/git/blobs/**", why: "file contents are no evidence of a control" },
    Place { path: "/repos/{}/{}/tarball/**", why: "this is the whole source code" },
    Place { path: "/repos/{}/{}/zipball/**", why: "this is the whole source code" },
    Place { path: "/repos/{}/{}/actions/runs/{}/logs", why: "workflow logs hold whatever a build printed" },
    Place { path: "/repos/{}/{}/actions/jobs/{}/logs", why: "workflow logs hold whatever a build printed" },
    Place {
        path: "/repos/{}/{}/actions/runs/{}/attempts/{}/logs",
        why: "workflow logs hold whatever a build printed",
    },
    Place {
        path: "/repos/{}/{}/actions/artifacts/{}/{}",
        why: "an artifact holds whatever a build left behind",
    },
    Place { path: "/repos/{}/{}/actions/variables/**", why: "the values of variables are in the answer" },
    Place { path: "/repos/{}/{}/actions/variables", why: "the values of variables are in the answer" },
    Place { path: "/orgs/{}/actions/variables", why: "the values of variables are in the answer" },
    Place { path: "/gists/**", why: "gists are content" },
];

/// Answers that hold a value which must be covered before the body is kept: the path, the field, and why.
const COVERED: &[(&str, &str, &str)] = &[
    ("/repos/{}/{}/commits/{}", "patch", "the answer holds the changed lines of every file"),
    ("/repos/{}/{}/compare/{}", "patch", "the answer holds the changed lines of every file"),
    ("/repos/{}/{}/pulls/{}/files", "patch", "the answer holds the changed lines of every file"),
];

/// Last parts of paths that name a secret.
const SECRETS: &[&str] = &[
    "secret",
    "token",
    "password",
    "private_key",
    "pem",
    "client_secret",
    "webhook_secret",
    "access_token",
    "private_token",
    "runners_token",
    "refresh_token",
    "temp_clone_token",
    "api_key",
];

pub(super) fn check(step: &StepOutline) -> Vec<Note> {
    let path = pattern(step);
    let mut notes = Vec::new();
    let refuse =
        |word: &str, what: String, why: &str| Note::fault(word, what, format!("never collected: {why}"));
    for place in PLACES.iter().filter(|place| fits(&path, place.path)) {
        notes.push(refuse(&step.path, format!("{} is read", step.path), place.why));
    }
    for (place, field, why) in COVERED {
        if fits(&path, place) && !covers(step, field) {
            let what = format!("{} is read and {field} is not covered", step.path);
            let hint =
                format!("never collected: {why}; redact: [{{ drop: \"**.{field}\" }}] leaves the rest");
            notes.push(Note::fault(&step.path, what, hint));
        }
    }
    if path.contains("/secret-scanning/alerts") && !path.ends_with("/locations") && !hides_secrets(step) {
        let what = format!("{} is asked without hide_secret=true", step.path);
        notes.push(Note::fault(
            &step.path,
            what,
            "never collected: the found secret is in the answer; query: { hide_secret: \"true\" } leaves it out",
        ));
    }
    let looked_at: std::collections::BTreeSet<&String> = step.projected.iter().chain(&step.asked).collect();
    for field in looked_at {
        let last = field.rsplit('.').next().unwrap_or_default();
        if SECRETS.contains(&last.to_ascii_lowercase().as_str()) {
            notes.push(refuse(field, format!("{field} is read"), "its name says that it is a secret"));
        }
    }
    if path.contains("/hooks") && step.projected.iter().any(|field| field == "config") {
        let what = "config is kept whole".to_owned();
        let hint = "never collected: config.secret is part of it; project config.content_type and config.insecure_ssl";
        notes.push(Note::fault("config", what, hint));
    }
    notes
}

fn covers(step: &StepOutline, field: &str) -> bool {
    step.redacted.iter().filter(|rule| !rule.contains(" having ")).any(|rule| {
        rule.split(' ').nth(1).is_some_and(|path| path == field || path.ends_with(&format!(".{field}")))
    })
}

fn hides_secrets(step: &StepOutline) -> bool {
    step.query.iter().any(|(name, value)| name == "hide_secret" && value == "true")
}
