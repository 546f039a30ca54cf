//! AWS as another's server speaks it (moto), which checks signatures and rights with AWS's own library: keys that last and a role that
//! is assumed read an account, and who may not see is told so.
//!
//! It proves nothing of AWS itself, and nothing of session policies, which that server takes and does not hold.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{
    program,
    stack::{Running, script},
};

const CONFIG: &str = "organisation: { name: Acme GmbH }
store: file:evidence
origin: acme.example/aws
key: keys
sources:
  aws:
    base_url: \"BASE\"
    aws: { region: eu-central-1, access_key_id: secret://env/ID, secret_access_key: secret://env/SECRETROLE }
  log_sources: { csv: sources.csv }
";
const SOURCES: &str = "id,system,stream,max_silence_h,retention_days,since
web,cloudwatch,/acme/0,6,365,
db,cloudwatch,/acme/1,6,365,TODAY
gone,cloudwatch,/acme/nothing,6,365,
";

/// A folder to run in, the server, and what it told of its account.
struct There<'a> {
    folder: &'a Path,
    base: &'a str,
    account: &'a Value,
}

/// One run by these keys, perhaps by a role, with the code that it must end with.
#[track_caller]
fn collected(code: i32, there: &There<'_>, (user, role): (&str, bool), collector: &str) -> String {
    let key = |part: &str| there.account["keys"][user][part].as_str().unwrap().to_owned();
    asked(code, there, (&key("id"), &key("secret")), role, collector)
}

#[track_caller]
fn asked(code: i32, there: &There<'_>, keys: (&str, &str), role: bool, collector: &str) -> String {
    let role = if role { format!(", role: {}", there.account["role"]) } else { String::new() };
    let config = CONFIG.replace("BASE", there.base).replace("ROLE", &role);
    fs::write(there.folder.join("observance.yaml"), config).unwrap();
    let output =
        program::observance(there.folder, &["collect", collector], &[("ID", keys.0), ("SECRET", keys.1)]);
    let all = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert_eq!(output.status.code(), Some(code), "{collector}\n{all}");
    assert!(!all.contains(keys.1), "a secret was printed: {all}");
    all
}

#[track_caller]
fn holds(all: &str, lines: &[&str]) {
    for line in lines {
        assert!(all.contains(line), "{line} is not in\n{all}");
    }
}

#[test]
fn an_account_is_read_by_keys_and_by_a_role_and_nobody_sees_more_than_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let Some(server) = Running::start("moto", &[], top, "/moto-api/data.json") else { return };
    let filled = script("moto").args(["fill", &server.base]).output().unwrap();
    assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
    let account: Value = serde_json::from_slice(&filled.stdout).unwrap();
    assert!(program::observance(top, &["key", "new", "--out", "keys"], &[]).status.success());
    let today = std::process::Command::new("date").args(["-u", "+%F"]).output().unwrap();
    let today = String::from_utf8(today.stdout).unwrap();
    fs::write(top.join("sources.csv"), SOURCES.replace("TODAY", today.trim())).unwrap();
    let there = There { folder: top, base: &server.base, account: &account };
    by_a_role(&there);
    by_keys_that_last(&there);
    tells_who_may_not_see(&there);
}

fn by_a_role(there: &There<'_>) {
    let by = ("observance", true);
    // two pages; the session, who it is, and a question for each group
    let groups = collected(0, there, by, "aws.log_groups");
    holds(&groups, &["aws_log_groups: 60 log streams, complete", "64 requests", "outcomes: present 64"]);
    let sources = collected(0, there, by, "log_sources.register");
    holds(
        &sources,
        &["LG-01-cloudwatch: failed 2, passed 1", "LG-02-cloudwatch: failed 1, unknown 1, passed 1"],
    );
    let trails = collected(0, there, by, "aws.trails");
    holds(&trails, &["aws_trails: 2 trails, complete", "aws_regions: 1 region, complete"]);
    holds(&trails, &["LG-04-aws: passed 1", "LG-04-aws-trails: failed 1, passed 1"]);
}

fn by_keys_that_last(there: &There<'_>) {
    let users = collected(0, there, ("reader", false), "aws.users");
    holds(
        &users,
        &[
            "aws_users: 5 accounts, complete",
            "aws_keys: 3 access keys, complete",
            "aws_accounts: 1 cloud account, complete",
            "ID-02-aws: failed 1, passed 1, not applicable 3",
            "ID-14-aws: passed 1",
            "ID-15-aws-keys: passed 3",
            "CL-05-aws: failed 1",
        ],
    );
}

fn tells_who_may_not_see(there: &There<'_>) {
    // the list, and nothing of what is in it
    let blind = collected(0, there, ("blind", false), "aws.log_groups");
    holds(&blind, &["60 log streams, complete, 60 not seen whole", "forbidden 60"]);
    let trails = collected(0, there, ("blind", false), "aws.trails");
    holds(&trails, &["0 trails, partial (page.forbidden", "LG-04-aws: unknown 1 (input.partial)"]);
    // it may assume the role, and has no right of its own
    let own = collected(0, there, ("observance", false), "aws.users");
    holds(&own, &["0 accounts, partial (page.forbidden", "forbidden 3", "CL-05-aws: unknown 1"]);
    // the role does not trust it
    let other = collected(1, there, ("blind", true), "aws.trails");
    holds(&other, &["forbidden 3"]);
    let id = there.account["keys"]["reader"]["id"].as_str().unwrap();
    let wrong = asked(1, there, (id, "another-secret"), false, "aws.trails");
    holds(&wrong, &["unauthenticated 2"]);
    let nobody = asked(1, there, ("AKIANOBODY", "another-secret"), false, "aws.trails");
    holds(&nobody, &["unauthenticated 2"]);
}
