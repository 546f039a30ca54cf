//! The organisation's accounts, factors, roles and groups in Okta's shapes (management API, 2026.06).
//!
//! Only the keys that Okta sends of these things, or of which a control reads; links are written out but lead nowhere: bodies must
//! not depend on where they are served.

use observance_record::Instant;

use super::{Account, Factor, Kind, Status};
use crate::demo::object::{Object, array};

/// Where the API would be; a reserved name (RFC 2606).
const API: &str = "https://acme.okta.example/api/v1";
/// The organisation's id.
const ORGANISATION: &str = "00oac7me0demo5xk1r8p6";
/// The one type of accounts.
const TYPE: &str = "otyac7me0demo5xk1r8p6";
/// Groups: id, type, name, description, whether everybody is in it.
const GROUPS: [(&str, &str, &str, &str); 3] = [
    ("00gac7me0demo5xk1all0", "BUILT_IN", "Everyone", "All users in your organization"),
    ("00gac7me0demo5xk1makr", "OKTA_GROUP", "Makers", "Whoever works on the product"),
    ("00gac7me0demo5xk1offi", "OKTA_GROUP", "Office", "Everybody else"),
];
/// When the organisation and its groups were made.
const FOUNDED: &str = "2018-08-20T07:41:03.000Z";

/// `OrgSetting`.
pub(super) fn organisation() -> String {
    Object::new()
        .put("id", ORGANISATION)
        .put("subdomain", "acme")
        .put("companyName", "Acme GmbH")
        .put("status", "ACTIVE")
        .put("website", "https://acme.example")
        .each(&["created", "lastUpdated"], FOUNDED)
        .end()
}

/// `User`.
pub(super) fn user(account: &Account, now: Instant) -> String {
    let person = &account.person;
    let status = account.status(now);
    let stamp = |at: Option<Instant>| at.filter(|at| *at <= now).map(|at| at.to_string());
    let changed = account.changed(now);
    let profile = Object::new()
        .put("firstName", person.first.as_str())
        .put("lastName", person.last.as_str())
        .nulls(&["mobilePhone", "secondEmail"])
        .put("userType", "employee")
        .put("employeeNumber", person.id.as_str())
        .each(&["login", "email"], person.email.as_str())
        .end();
    let provider = Object::new().put("type", "OKTA").put("name", "OKTA").end();
    let credentials = Object::new().raw("password", "{}").raw("provider", &provider).end();
    Object::new()
        .put("id", account.id.as_str())
        .put("status", word(status))
        .put("created", account.made.to_string())
        .put("activated", stamp(Some(account.activated)))
        .put("statusChanged", stamp(changed))
        .put("lastLogin", stamp(account.last_login(now)))
        .put("lastUpdated", changed.unwrap_or(account.made).max(account.made).to_string())
        .put("passwordChanged", stamp(Some(account.password)))
        .raw("type", &Object::new().put("id", TYPE).end())
        .raw("profile", &profile)
        .raw("credentials", &credentials)
        .raw("_links", &Object::new().raw("self", &link(&format!("/users/{}", account.id))).end())
        .end()
}

/// `UserFactor`.
pub(super) fn factor(account: &Account, factor: &Factor) -> String {
    let (kind, provider) = match factor.kind {
        Kind::Push => ("push", "OKTA"),
        Kind::Code => ("token:software:totp", "OKTA"),
        Kind::SecurityKey => ("webauthn", "FIDO"),
    };
    let profile = Object::new().put("credentialId", account.person.email.as_str());
    let profile = match factor.kind {
        Kind::Push => profile.put("deviceType", "SmartPhone_IPhone").put("platform", "IOS").end(),
        Kind::Code => profile.end(),
        Kind::SecurityKey => {
            Object::new().put("authenticatorName", "YubiKey 5").put("credentialId", factor.id.as_str()).end()
        }
    };
    let path = format!("/users/{}/factors/{}", account.id, factor.id);
    let links = Object::new().raw("self", &link(&path)).raw("user", &link(&format!("/users/{}", account.id)));
    Object::new()
        .put("id", factor.id.as_str())
        .put("factorType", kind)
        .each(&["provider", "vendorName"], provider)
        .put("status", "ACTIVE")
        .each(&["created", "lastUpdated"], factor.enrolled.to_string())
        .raw("profile", &profile)
        .raw("_links", &links.end())
        .end()
}

/// The roles of an account: `StandardRole`.
pub(super) fn roles(account: &Account) -> String {
    let role = |(kind, label)| {
        Object::new()
            .put("id", format!("ra1{}", &account.id[3..]))
            .put("label", label)
            .put("type", kind)
            .put("status", "ACTIVE")
            .each(&["created", "lastUpdated"], account.activated.to_string())
            .put("assignmentType", "USER")
            .raw("_links", &Object::new().raw("assignee", &link(&format!("/users/{}", account.id))).end())
            .end()
    };
    array(&account.role.map(role).into_iter().collect::<Vec<_>>())
}

/// `RoleAssignedUsers`.
pub(super) fn assignees(administrators: &[&Account]) -> String {
    let assignee = |account: &&Account| {
        let user = format!("/users/{}", account.id);
        let links = Object::new().raw("self", &link(&user)).raw("roles", &link(&format!("{user}/roles")));
        Object::new()
            .put("id", account.id.as_str())
            .put("orn", format!("orn:okta:directory:{ORGANISATION}:users:{}", account.id))
            .raw("_links", &links.end())
            .end()
    };
    let value = array(&administrators.iter().map(assignee).collect::<Vec<_>>());
    Object::new().raw("value", &value).raw("_links", "{}").end()
}

/// `Group`, each with its numbers; `sizes` in the order of everybody, makers, office. No group carries a role.
pub(super) fn groups(sizes: [usize; 3]) -> String {
    let group = |((id, kind, name, description), users): ((&str, &str, &str, &str), usize)| {
        let stats = Object::new()
            .put("usersCount", users)
            .each(&["appsCount", "groupPushMappingsCount"], 0)
            .put("hasAdminPrivlege", false)
            .end();
        Object::new()
            .put("id", id)
            .each(&["created", "lastUpdated", "lastMembershipUpdated"], FOUNDED)
            .raw("objectClass", r#"["okta:user_group"]"#)
            .put("type", kind)
            .raw("profile", &Object::new().put("name", name).put("description", description).end())
            .raw("_embedded", &Object::new().raw("stats", &stats).end())
            .end()
    };
    array(&GROUPS.into_iter().zip(sizes).map(group).collect::<Vec<_>>())
}

/// `Error`.
pub(super) fn error(code: &str, summary: &str) -> String {
    Object::new()
        .put("errorCode", code)
        .put("errorSummary", summary)
        .put("errorLink", code)
        .put("errorId", "oae0demo0demo0demo0demo0")
        .raw("errorCauses", "[]")
        .end()
}

fn link(path: &str) -> String {
    Object::new().put("href", format!("{API}{path}")).end()
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Staged => "STAGED",
        Status::Active => "ACTIVE",
        Status::Deprovisioned => "DEPROVISIONED",
    }
}
