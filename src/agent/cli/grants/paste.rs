//! The grants in the forms in which GitHub takes them: an app's manifest, a link that fills the app's page, the fields of
//! the page where a fine-grained token is made.
//!
//! It asks GitHub nothing.

use serde_json::{Map, Value, json};
use url::Url;

use super::{granting::Grants, rights::On};

/// What the organisation is called where it is not known yet.
pub const ORG: &str = "ORG";

/// An app's manifest, for GitHub's manifest flow.
pub fn app_manifest(grants: &Grants, org: &str) -> Value {
    let rights = grants.rights.iter().map(|one| (one.right.clone(), Value::from(one.level.clone())));
    json!({
        "name": format!("observance-{org}"),
        "url": format!("https://github.com/{org}"),
        "description": "Reads what controls are judged by; writes nothing",
        "public": false,
        "default_events": [],
        "default_permissions": rights.collect::<Map<String, Value>>(),
    })
}

/// The page where an owner registers the app, with everything filled in.
pub fn app_link(grants: &Grants, org: &str) -> String {
    let page = format!("https://github.com/organizations/{org}/settings/apps/new");
    let Ok(mut url) = Url::parse(&page) else { return page };
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("name", &format!("observance-{org}"));
        query.append_pair("url", &format!("https://github.com/{org}"));
        query.append_pair("public", "false").append_pair("webhook_active", "false");
        for one in &grants.rights {
            query.append_pair(&one.right, &one.level);
        }
    }
    url.into()
}

/// The fields of the page where a fine-grained token is made: (field, value).
pub fn token_fields(grants: &Grants, org: &str) -> Vec<(&'static str, String)> {
    let mut fields =
        vec![("Resource owner", org.to_owned()), ("Repository access", "All repositories".to_owned())];
    for on in [On::Repository, On::Organisation] {
        // metadata comes with every token by itself
        let rights = grants.rights.iter().filter(|one| one.is_on(on) && one.right != "metadata");
        let rights: Vec<&str> = rights.map(|one| one.label.as_str()).collect();
        if !rights.is_empty() {
            fields.push((on.section(), format!("Read-only on {}", rights.join(", "))));
        }
    }
    fields
}

/// The page where a fine-grained token is made.
pub const TOKEN_PAGE: &str = "https://github.com/settings/personal-access-tokens/new";
