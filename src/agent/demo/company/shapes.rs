//! The company's organisation, people and repositories in GitHub's shapes (REST, version 2026-03-10).
//!
//! Only the keys that GitHub promises, and those a control reads; every link is written out but leads nowhere: bodies must
//! not depend on where they are served. Changes have their own shapes in `change_shapes`, rules in `rule_shapes`.

use observance_record::Instant;

use super::{calendar::github, names::Visibility, object::Object, people::Account};

/// Where the API would be; a reserved name (RFC 2606).
pub(super) const API: &str = "https://api.github.example";
/// Where the pages would be.
pub(super) const HTML: &str = "https://github.example";
/// The organisation's login.
pub(super) const LOGIN: &str = "acme";
/// The organisation's id.
pub(super) const ORGANISATION: u64 = 41_812_007;

const USER_LINKS: &[(&str, &str)] = &[
    ("url", ""),
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

const REPOSITORY_LINKS: &[(&str, &str)] = &[
    ("url", ""),
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// What the shape of a repository needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RepositoryLook<'a> {
    pub(super) id: u64,
    pub(super) name: &'a str,
    pub(super) branch: &'a str,
    pub(super) language: &'a str,
    pub(super) visibility: Visibility,
    pub(super) archived: bool,
    pub(super) created: Instant,
    pub(super) pushed: Instant,
}

/// `simple-user`.
pub(super) fn user(account: &Account) -> String {
    simple_user(account.id, &account.login, account.kind)
}

/// `simple-user` of the organisation itself.
pub(super) fn owner() -> String {
    simple_user(ORGANISATION, LOGIN, "Organization")
}

/// `organization-full`, as an owner's token sees it.
pub(super) fn organisation(public: usize, private: usize, filled_seats: usize, changed: Instant) -> String {
    let base = format!("{API}/orgs/{LOGIN}");
    let plan = Object::new()
        .put("name", "enterprise")
        .put("space", 976_562_499)
        .put("private_repos", 999_999)
        .put("filled_seats", filled_seats)
        .put("seats", 150)
        .end();
    Object::new()
        .put("login", LOGIN)
        .put("id", ORGANISATION)
        .put("node_id", format!("O_kgDO{ORGANISATION:x}"))
        .links(
            &base,
            &[
                ("url", ""),
                ("repos_url", "/repos"),
                ("events_url", "/events"),
                ("hooks_url", "/hooks"),
                ("issues_url", "/issues"),
                ("members_url", "/members{/member}"),
                ("public_members_url", "/public_members{/member}"),
            ],
        )
        .put("avatar_url", avatar(ORGANISATION))
        .put("description", "Invoices and payments for small companies")
        .put("name", "Acme GmbH")
        .put("is_verified", true)
        .each(&["has_organization_projects", "has_repository_projects"], true)
        .put("public_repos", public)
        .each(&["public_gists", "followers", "following"], 0)
        .put("html_url", format!("{HTML}/{LOGIN}"))
        .put("created_at", "2018-06-04T08:12:45Z")
        .put("updated_at", github(changed))
        .nulls(&["archived_at"])
        .put("type", "Organization")
        .each(&["total_private_repos", "owned_private_repos"], private)
        .put("two_factor_requirement_enabled", true)
        .put("default_repository_permission", "read")
        .put("members_can_create_repositories", true)
        .put("members_can_create_public_repositories", false)
        .raw("plan", &plan)
        .end()
}

/// `minimal-repository`, with what a control reads of it.
pub(super) fn listed_repository(look: RepositoryLook<'_>) -> String {
    base_of_repository(look).put("role_name", "read").end()
}

/// `repository`, as it stands inside a change.
pub(super) fn repository(look: RepositoryLook<'_>) -> String {
    let full = format!("{LOGIN}/{}", look.name);
    base_of_repository(look)
        .put("git_url", format!("git://github.example/{full}.git"))
        .put("ssh_url", format!("git@github.example:{full}.git"))
        .put("clone_url", format!("{HTML}/{full}.git"))
        .put("svn_url", format!("{HTML}/{full}"))
        .nulls(&["homepage", "mirror_url", "license"])
        .each(&["has_downloads", "has_pages"], false)
        .each(&["has_issues", "has_projects", "has_wiki"], true)
        .each(&["forks", "forks_count", "stargazers_count", "watchers", "watchers_count"], 0)
        .each(&["open_issues", "open_issues_count"], 0)
        .put("size", 4_096)
        .end()
}

fn base_of_repository(look: RepositoryLook<'_>) -> Object {
    let full = format!("{LOGIN}/{}", look.name);
    Object::new()
        .put("id", look.id)
        .put("node_id", format!("R_kgDO{:x}", look.id))
        .put("name", look.name)
        .put("full_name", full.as_str())
        .put("private", look.visibility != Visibility::Public)
        .raw("owner", &owner())
        .put("html_url", format!("{HTML}/{full}"))
        .nulls(&["description"])
        .put("fork", false)
        .links(&format!("{API}/repos/{full}"), REPOSITORY_LINKS)
        .put("created_at", github(look.created))
        .each(&["updated_at", "pushed_at"], github(look.pushed))
        .put("language", look.language)
        .put("archived", look.archived)
        .put("disabled", false)
        .put("visibility", look.visibility.word())
        .put("default_branch", look.branch)
}

fn simple_user(id: u64, login: &str, kind: &str) -> String {
    let initial = if kind == "Organization" { "O_kgDO" } else { "U_kgDO" };
    Object::new()
        .put("login", login)
        .put("id", id)
        .put("node_id", format!("{initial}{id:x}"))
        .put("avatar_url", avatar(id))
        .put("gravatar_id", "")
        .put("html_url", format!("{HTML}/{login}"))
        .links(&format!("{API}/users/{login}"), USER_LINKS)
        .put("type", kind)
        .put("site_admin", false)
        .end()
}

fn avatar(id: u64) -> String {
    format!("https://avatars.github.example/u/{id}?v=4")
}
