//! `grants`: exactly what to grant, for which policy, and how: each is one paste.
//!
//! Everything that it names reads; a collector that would need to write cannot be declared.

pub mod forms;
pub mod granting;
pub mod paste;
pub mod rights;

use std::{collections::BTreeSet, fmt::Write as _, io::Write};

use observance_judge::Policy;

use self::granting::{Granting, Grants};
use super::{arguments::Grants as Asked, json, reach, screen::columns, shelf::Shelf};
use crate::text::visible;

/// Prints them.
pub fn grants(asked: &Asked, out: &mut dyn Write) -> anyhow::Result<u8> {
    let shelf = Shelf::shipped()?;
    let org = asked.org.as_deref().unwrap_or(paste::ORG);
    reach::login(org)?;
    let judges = shelf.policies(&asked.policies)?;
    let policies: Vec<&Policy> = judges.iter().map(|judge| &judge.policy).collect();
    let grants = Grants::for_policies(&shelf, &policies);
    if asked.app_manifest {
        json(out, &paste::app_manifest(&grants, org))?;
    } else if asked.json {
        let ids: Vec<&str> = policies.iter().map(|policy| policy.meta().id.as_str()).collect();
        let value = serde_json::json!({
            "policies": ids, "rights": grants.rights, "needs": grants.needs,
            "app_manifest": paste::app_manifest(&grants, org), "app_link": paste::app_link(&grants, org),
        });
        json(out, &value)?;
    } else {
        write!(out, "{}", text(&grants, org, &asked.policies))?;
    }
    Ok(0)
}

fn text(grants: &Grants, org: &str, policies: &[String]) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        // writing to a string cannot fail
        let _written = writeln!(out, "{}", text.trim_end());
    };
    let what = if policies.is_empty() { "all policies".to_owned() } else { policies.join(", ") };
    line(format!("GitHub, for {what}: rights to read, and none to write"));
    table(&grants.rights, &mut line);
    needs(grants, &mut line);
    line("as a fine-grained token (to try; it ends with its owner's account)".to_owned());
    line(format!("  {}", paste::TOKEN_PAGE));
    for (field, value) in paste::token_fields(grants, org) {
        line(format!("  {field:<25} {}", visible(&value)));
    }
    line("as an app (to stay; nobody's account)".to_owned());
    line(format!("  {}", paste::app_link(grants, org)));
    line("  then: Install App, All repositories".to_owned());
    if policies.is_empty() {
        line(format!("next: GITHUB_TOKEN=... observance scan github {org}"));
    } else {
        line(format!(
            "next: GITHUB_TOKEN=... observance scan github {org}   (without --for: what all policies need)"
        ));
    }
    out
}

/// The rights, a line each.
pub fn table(rights: &[Granting], line: &mut impl FnMut(String)) {
    let mut rows = vec![["right", "level", "on", "for"].map(str::to_owned).to_vec()];
    for one in rights {
        let policies: Vec<&str> = one.policies.iter().map(String::as_str).collect();
        let policies = if policies.is_empty() { "no policy yet".to_owned() } else { policies.join(" ") };
        rows.push(vec![one.label.clone(), one.level.clone(), one.on.to_owned(), policies]);
    }
    for row in columns(&rows) {
        line(format!("  {row}"));
    }
}

/// What a right alone does not give.
pub fn needs(grants: &Grants, line: &mut impl FnMut(String)) {
    let words: BTreeSet<&str> = grants.needs.iter().map(|need| need.needs.as_str()).collect();
    for word in words {
        let steps = grants.needs.iter().filter(|need| need.needs == word);
        let steps: Vec<String> = steps.map(|need| format!("{} {}", need.collector, need.step)).collect();
        line(format!("  needs {}   ({})", visible(word), visible(&steps.join(", "))));
    }
}
