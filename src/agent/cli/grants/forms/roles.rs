//! Forms of vendors that grant roles: what a role may do, or which roles an account has.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Wanted, pretty};

/// What manifests call the places of a search cluster.
const CLUSTER: &str = "cluster";
const INDEX: &str = "index ";
const KIBANA: &str = "Kibana";
const SECURITY_API: &str = "security API";
/// Everything of the security API that a role can be kept from, as OpenSearch's settings name it.
const ENDPOINTS: &[&str] = &[
    "ACTIONGROUPS",
    "CACHE",
    "CONFIG",
    "INTERNALUSERS",
    "LICENSE",
    "PERMISSIONSINFO",
    "ROLES",
    "ROLESMAPPING",
    "SYSTEMINFO",
];

/// The body of `PUT /_security/role/observance`.
pub(super) fn elasticsearch(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let (mut cluster, mut indices, mut notes) = (Vec::new(), Vec::new(), wanted.notes().to_vec());
    let mut kibana = String::new();
    for (on, names) in wanted.placed()? {
        if on == CLUSTER {
            cluster.extend(names);
        } else if let Some(index) = on.strip_prefix(INDEX) {
            indices.push(json!({ "names": [shown(index)], "privileges": names }));
        } else if on == KIBANA {
            kibana = format!("beside this role, in Kibana: Read of the feature {}", names.join(", "));
        } else {
            return Err(wanted.unfit(names.join(", ").as_str(), &format!("{on} is no place of this form")));
        }
    }
    notes.extend((!kibana.is_empty()).then_some(kibana.as_str()));
    pretty(&json!({ "cluster": cluster, "indices": indices, "metadata": { "notes": notes } }))
}

/// Roles of the client realm-management, for its own command line.
pub(super) fn keycloak(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let mut out = "#!/bin/sh\n".to_owned() + &wanted.head();
    out.push_str("set -eu\nkcadm.sh add-roles -r \"$REALM\" --uusername \"service-account-$CLIENT\" --cclientid realm-management");
    for name in wanted.words()? {
        // writing to a string cannot fail
        let _written = write!(out, " \\\n  --rolename {name}");
    }
    Ok(out + "\n")
}

/// A line of access for OpenLDAP; `entry` is what lets a search find the entry itself.
pub(super) fn ldap(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let attributes = wanted.words()?.join(",");
    Ok(wanted.head()
        + &format!(
            "dn: olcDatabase={{1}}mdb,cn=config\nchangetype: modify\nadd: olcAccess\n\
             olcAccess: {{0}}to dn.subtree=\"BASE\" attrs=entry,{attributes} by dn.exact=\"READER\" read by * break\n"
        ))
}

/// A role of the security plugin, and the settings that keep it from writing.
pub(super) fn opensearch(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let (mut cluster, mut indices, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for (on, names) in wanted.placed()? {
        if on == CLUSTER {
            cluster.extend(names);
        } else if let Some(index) = on.strip_prefix(INDEX) {
            indices.push((shown(index), names));
        } else if on == SECURITY_API && names.iter().all(|name| ENDPOINTS.contains(name)) {
            read.extend(names);
        } else {
            return Err(wanted.unfit(names.join(", ").as_str(), &format!("{on} is no place of this form")));
        }
    }
    let mut out = wanted.head();
    let mut line = |text: String| {
        // writing to a string cannot fail
        let _written = writeln!(out, "{text}");
    };
    line("# opensearch.yml:".to_owned());
    line("#   plugins.security.restapi.roles_enabled: [all_access, observance]".to_owned());
    for endpoint in ENDPOINTS {
        let writes = if read.contains(endpoint) { "" } else { "GET, " };
        let setting = format!("plugins.security.restapi.endpoints_disabled.observance.{endpoint}");
        line(format!("#   {setting}: [{writes}PUT, POST, PATCH, DELETE]"));
    }
    line("observance:".to_owned());
    line("  cluster_permissions:".to_owned());
    for name in cluster {
        line(format!("    - {}", Value::from(name)));
    }
    line("  index_permissions:".to_owned());
    for (index, names) in indices {
        line(format!("    - index_patterns: [{}]", Value::from(index)));
        line("      allowed_actions:".to_owned());
        for name in names {
            line(format!("        - {}", Value::from(name)));
        }
    }
    Ok(out)
}

/// A role for `authorize.conf`.
pub(super) fn splunk(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let mut out = wanted.head() + "[role_observance]\n";
    for name in wanted.words()? {
        // writing to a string cannot fail
        let _written = writeln!(out, "{name} = enabled");
    }
    Ok(out)
}

/// Which indexes, where a parameter of the configuration says which: `{index}` is `INDEX`, for whoever applies it to fill in.
fn shown(index: &str) -> String {
    let place = index.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    place.map_or_else(|| index.to_owned(), str::to_uppercase)
}
