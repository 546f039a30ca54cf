//! Made-up bodies of a GitHub-like source: repository objects of about 7.6 kB in the size and repetition of real ones.
//!
//! The same seed gives the same bytes. Nobody's data is in it.

use std::fmt::Write as _;

/// Links of a repository object, as far as they follow its address.
const LINKS: &[&str] = &[
    "archive_url|/{archive_format}{/ref}",
    "assignees_url|/assignees{/user}",
    "blobs_url|/git/blobs{/sha}",
    "branches_url|/branches{/branch}",
    "collaborators_url|/collaborators{/collaborator}",
    "comments_url|/comments{/number}",
    "commits_url|/commits{/sha}",
    "compare_url|/compare/{base}...{head}",
    "contents_url|/contents/{+path}",
    "contributors_url|/contributors",
    "deployments_url|/deployments",
    "downloads_url|/downloads",
    "events_url|/events",
    "forks_url|/forks",
    "git_commits_url|/git/commits{/sha}",
    "git_refs_url|/git/refs{/sha}",
    "git_tags_url|/git/tags{/sha}",
    "hooks_url|/hooks",
    "issue_comment_url|/issues/comments{/number}",
    "issue_events_url|/issues/events{/number}",
    "issues_url|/issues{/number}",
    "keys_url|/keys{/key_id}",
    "labels_url|/labels{/name}",
    "languages_url|/languages",
    "merges_url|/merges",
    "milestones_url|/milestones{/number}",
    "notifications_url|/notifications{?since,all,participating}",
    "pulls_url|/pulls{/number}",
    "releases_url|/releases{/id}",
    "stargazers_url|/stargazers",
    "statuses_url|/statuses/{sha}",
    "subscribers_url|/subscribers",
    "subscription_url|/subscription",
    "tags_url|/tags",
    "teams_url|/teams",
    "trees_url|/git/trees{/sha}",
];
const OWNER_LINKS: &[&str] = &[
    "events_url|/events{/privacy}",
    "followers_url|/followers",
    "following_url|/following{/other_user}",
    "gists_url|/gists{/gist_id}",
    "organizations_url|/orgs",
    "received_events_url|/received_events",
    "repos_url|/repos",
    "starred_url|/starred{/owner}{/repo}",
    "subscriptions_url|/subscriptions",
];
const WORDS: &[&str] = &[
    "ledger", "billing", "gateway", "portal", "worker", "invoice", "payment", "search", "archive", "mobile",
    "report", "mailer",
];
const API: &str = "https://api.source.example";

/// The repository number `i` in its `version`, as a JSON object.
pub(crate) fn repository(i: u64, version: u64) -> String {
    let dice = mix(i.wrapping_mul(0x9e37).wrapping_add(version << 40));
    let fixed = mix(i);
    let name = format!("{}-{}-{i:05}", word(fixed), word(fixed >> 8));
    let base = format!("{API}/repos/acme-corporation/{name}");
    let mut out = format!(
        "{{\"id\":{},\"node_id\":\"R_kgDO{fixed:016x}\",\"name\":\"{name}\",\"full_name\":\"acme-corporation/{name}\",\
         \"private\":true,\"owner\":{},\"html_url\":\"https://source.example/acme-corporation/{name}\",\
         \"description\":\"{} {} {}\",\"fork\":false,\"url\":\"{base}\",",
        700_000 + i,
        owner(),
        word(fixed >> 16),
        word(fixed >> 24),
        word(fixed >> 32),
    );
    links(&mut out, &base, LINKS);
    let (day, second) = (1 + dice % 28, dice >> 32);
    let _infallible = write!(
        out,
        "\"created_at\":\"2021-03-14T09:26:53Z\",\"updated_at\":\"2026-02-{day:02}T{:02}:{:02}:{:02}Z\",\
         \"pushed_at\":\"2026-02-{day:02}T{:02}:{:02}:{:02}Z\",\"size\":{},\"archived\":false,\"disabled\":false,\
         \"visibility\":\"private\",\"default_branch\":\"main\",\"forks_count\":{},\"open_issues_count\":{},\
         \"license\":{{\"key\":\"apache-2.0\",\"name\":\"Apache License 2.0\",\"spdx_id\":\"Apache-2.0\"}},\
         \"permissions\":{{\"admin\":false,\"maintain\":false,\"push\":false,\"triage\":false,\"pull\":true}},",
        second % 24,
        second % 60,
        second % 59,
        second % 23,
        second % 58,
        second % 57,
        dice % 90_000,
        dice % 30,
        dice % 70,
    );
    let analysis = [
        "advanced_security",
        "secret_scanning",
        "secret_scanning_push_protection",
        "dependabot_security_updates",
    ];
    let status = |(n, name): (usize, &&str)| {
        let word = if fixed >> n & 1 == 1 { "enabled" } else { "disabled" };
        format!("\"{name}\":{{\"status\":\"{word}\"}}")
    };
    let analysis: Vec<String> = analysis.iter().enumerate().map(status).collect();
    let _infallible = write!(out, "\"security_and_analysis\":{{{}}},", analysis.join(","));
    let _infallible = write!(out, "\"organization\":{},", owner());
    let _infallible = write!(out, "\"default_branch_protection\":{}}}", protection(&base, fixed));
    out
}

/// Classic protection of a default branch.
pub(crate) fn protection(base: &str, dice: u64) -> String {
    let url = format!("{base}/branches/main/protection");
    let switch = |name: &str, on: bool| format!("\"{name}\":{{\"url\":\"{url}/{name}\",\"enabled\":{on}}}");
    format!(
        "{{\"url\":\"{url}\",\"required_pull_request_reviews\":{{\"url\":\"{url}/required_pull_request_reviews\",\
         \"dismiss_stale_reviews\":true,\"require_code_owner_reviews\":{},\"require_last_push_approval\":true,\
         \"required_approving_review_count\":{}}},{},{},{},{}}}",
        dice & 1 == 1,
        1 + (dice >> 1 & 1),
        switch("enforce_admins", true),
        switch("required_signatures", dice & 4 == 4),
        switch("allow_force_pushes", false),
        switch("allow_deletions", false),
    )
}

/// Bytes that no compressor makes smaller than half, as lower-case hex.
pub(crate) fn noise(seed: u64, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 16);
    // streams of two seeds do not meet
    let mut n = seed << 32;
    while out.len() < bytes {
        n = n.wrapping_add(1);
        let _infallible = write!(out, "{:016x}", mix(n));
    }
    out
}

fn owner() -> String {
    let base = format!("{API}/users/acme-corporation");
    let mut out = format!(
        "{{\"login\":\"acme-corporation\",\"id\":41812007,\"node_id\":\"O_kgDO27e0\",\"url\":\"{base}\","
    );
    links(&mut out, &base, OWNER_LINKS);
    out.push_str("\"type\":\"Organization\",\"site_admin\":false}");
    out
}

fn links(out: &mut String, base: &str, links: &[&str]) {
    for (name, end) in links.iter().filter_map(|link| link.split_once('|')) {
        let _infallible = write!(out, "\"{name}\":\"{base}{end}\",");
    }
}

fn word(dice: u64) -> &'static str {
    let at = usize::try_from(dice % 12).unwrap_or(0);
    WORDS.get(at).copied().unwrap_or_default()
}

/// splitmix64 (Steele, Lea, Flood 2014), one step.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
