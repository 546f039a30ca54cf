//! Changes, their reviews, their commits and the pushes judged by rules, in GitHub's shapes (REST, version 2026-03-10).
//!
//! It decides nothing about a change: see `changes` and `reviews`.

use super::{
    calendar::github,
    changes::{Commit, Pull},
    object::{Object, array},
    people::Account,
    reviews::Review,
    shapes::{API, HTML, LOGIN},
};

/// Where a change lies: what its shapes need of its repository.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) id: u64,
    pub(super) name: &'a str,
    pub(super) branch: &'a str,
}

impl Place<'_> {
    fn api(&self) -> String {
        format!("{API}/repos/{LOGIN}/{}", self.name)
    }

    fn html(&self, pull: &Pull) -> String {
        format!("{HTML}/{LOGIN}/{}/pull/{}", self.name, pull.number)
    }
}

/// `pull-request-simple` of a closed change. `user`, `owner` and `repository` are JSON already.
pub(super) fn pull(
    pull: &Pull,
    updated: &str,
    place: Place<'_>,
    user: &str,
    owner: &str,
    repository: &str,
) -> String {
    let (api, html) = (place.api(), place.html(pull));
    let this = format!("{api}/pulls/{}", pull.number);
    let issue = format!("{api}/issues/{}", pull.number);
    let statuses = format!("{api}/statuses/{}", pull.head());
    let closed = github(pull.closed);
    let head_ref = format!("change/{}-{}", pull.number, pull.topic);
    let side = |name: &str, sha: &str| {
        Object::new()
            .put("label", format!("{LOGIN}:{name}"))
            .put("ref", name)
            .put("sha", sha)
            .raw("user", owner)
            .raw("repo", repository)
            .end()
    };
    let object = Object::new()
        .put("id", pull.id)
        .put("node_id", format!("PR_kwDO{:x}", pull.id))
        .put("number", pull.number)
        .put("state", "closed")
        .each(&["locked", "draft"], false)
        .put("title", pull.title.as_str())
        .raw("user", user)
        .nulls(&["body", "assignee", "milestone", "auto_merge", "active_lock_reason"])
        .each(&["labels", "assignees", "requested_reviewers", "requested_teams"], Vec::<u8>::new())
        .put("created_at", github(pull.created))
        .put("updated_at", updated)
        .put("closed_at", closed.as_str())
        .put("author_association", "MEMBER")
        .put("merge_commit_sha", pull.merge.as_str())
        .links(&this, &[("url", ""), ("commits_url", "/commits"), ("review_comments_url", "/comments")])
        .links(&html, &[("html_url", ""), ("diff_url", ".diff"), ("patch_url", ".patch")])
        .links(&issue, &[("issue_url", ""), ("comments_url", "/comments")])
        .put("review_comment_url", format!("{api}/pulls/comments{{/number}}"))
        .put("statuses_url", statuses.as_str())
        .raw("_links", &links(&this, &html, &issue, &statuses))
        .raw("base", &side(place.branch, &pull.base))
        .raw("head", &side(&head_ref, pull.head()));
    let object = if pull.merged { object.put("merged_at", closed) } else { object.nulls(&["merged_at"]) };
    object.end()
}

/// `pull-request-review`; `user` is JSON already, `null` for a deleted account.
pub(super) fn review(review: &Review, of: &Pull, place: Place<'_>, user: &str, association: &str) -> String {
    let html = format!("{}#pullrequestreview-{}", place.html(of), review.id);
    let this = format!("{}/pulls/{}", place.api(), of.number);
    let (href, to_pull) = (link(&html), link(&this));
    let body = match review.state {
        "APPROVED" => "",
        "CHANGES_REQUESTED" => "Please see the comments.",
        _ => "One question.",
    };
    Object::new()
        .put("id", review.id)
        .put("node_id", format!("PRR_kwDO{:x}", review.id))
        .raw("user", user)
        .put("body", body)
        .put("state", review.state)
        .put("html_url", html)
        .put("pull_request_url", this)
        .put("author_association", association)
        .raw("_links", &Object::new().raw("html", &href).raw("pull_request", &to_pull).end())
        .put("submitted_at", github(review.at))
        .put("commit_id", of.commits.get(review.commit).map_or(of.head(), |commit| commit.sha.as_str()))
        .end()
}

/// `commit`; `users` are its author's and its committer's shapes, JSON already.
pub(super) fn commit(
    commit: &Commit,
    title: &str,
    place: Place<'_>,
    by: [&Account; 2],
    users: [&str; 2],
) -> String {
    let api = place.api();
    let of = |kind: &str, sha: &str| format!("{api}/{kind}/{sha}");
    let html = |sha: &str| format!("{HTML}/{LOGIN}/{}/commit/{sha}", place.name);
    let date = github(commit.at);
    let [author, committer] = by.map(|account| {
        let email = format!("{}@acme.example", account.login);
        Object::new()
            .put("name", account.person.as_str())
            .put("email", email)
            .put("date", date.as_str())
            .end()
    });
    let tree = Object::new().put("sha", commit.sha.as_str()).put("url", of("git/trees", &commit.sha)).end();
    let verification = Object::new()
        .put("verified", false)
        .put("reason", "unsigned")
        .nulls(&["signature", "payload", "verified_at"])
        .end();
    let inner = Object::new()
        .raw("author", &author)
        .raw("committer", &committer)
        .put("message", title)
        .raw("tree", &tree)
        .put("url", of("git/commits", &commit.sha))
        .put("comment_count", 0)
        .raw("verification", &verification)
        .end();
    let parent = Object::new()
        .put("sha", commit.parent.as_str())
        .put("url", of("commits", &commit.parent))
        .put("html_url", html(&commit.parent))
        .end();
    Object::new()
        .put("sha", commit.sha.as_str())
        .put("node_id", format!("C_kwDO{}", commit.sha))
        .raw("commit", &inner)
        .put("url", of("commits", &commit.sha))
        .put("html_url", html(&commit.sha))
        .put("comments_url", format!("{}/comments", of("commits", &commit.sha)))
        .raw("author", users[0])
        .raw("committer", users[1])
        .raw("parents", &array(&[parent]))
        .end()
}

/// One item of `rule-suites`: the push by which a change reached the default branch.
pub(super) fn suite(pull: &Pull, place: Place<'_>, actor: &Account) -> String {
    /// Kept apart from the ids of changes, and growing with them.
    const FIRST_SUITE: u64 = 1_000_000_000;
    Object::new()
        .put("id", pull.id - FIRST_SUITE)
        .put("actor_id", actor.id)
        .put("actor_name", actor.login.as_str())
        .put("before_sha", pull.base.as_str())
        .put("after_sha", pull.merge.as_str())
        .put("ref", format!("refs/heads/{}", place.branch))
        .put("repository_id", place.id)
        .put("repository_name", place.name)
        .put("pushed_at", github(pull.closed))
        .put("result", if pull.bypassed { "bypass" } else { "pass" })
        .end()
}

fn links(this: &str, html: &str, issue: &str, statuses: &str) -> String {
    let comment = format!("{}/comments{{/number}}", this.rsplit_once('/').map_or(this, |(before, _)| before));
    Object::new()
        .raw("self", &link(this))
        .raw("html", &link(html))
        .raw("issue", &link(issue))
        .raw("comments", &link(&format!("{issue}/comments")))
        .raw("review_comments", &link(&format!("{this}/comments")))
        .raw("review_comment", &link(&comment))
        .raw("commits", &link(&format!("{this}/commits")))
        .raw("statuses", &link(statuses))
        .end()
}

fn link(href: &str) -> String {
    Object::new().put("href", href).end()
}
