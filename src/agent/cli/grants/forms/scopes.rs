//! Forms of vendors that grant scopes, app roles or actions by their names.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use super::{Wanted, pretty};
use crate::cli::grants::paste;

/// Microsoft Graph.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The ids of Graph's app roles, as Microsoft's reference of permissions has them: a manifest of an app knows no names.
const APP_ROLES: &[(&str, &str)] = &[
    ("AccessReview.Read.All", "d07a8cc0-3d51-4b77-b3b0-32704d1f69fa"),
    ("Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"),
    ("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da"),
    ("GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6"),
    ("Organization.Read.All", "498476ce-e0fe-48b0-b801-37ba7e2685c6"),
    ("Policy.Read.All", "246dd0d5-5bd0-4def-940b-0421030a5b68"),
    ("RoleAssignmentSchedule.Read.Directory", "d5fe8ce8-684c-4c83-a52c-46e882ce4be1"),
    ("RoleEligibilitySchedule.Read.Directory", "ff278e11-4a33-4d0c-83d2-d01dc58929a5"),
    ("RoleManagement.Read.Directory", "483bed4a-2ad3-4361-a73b-c83ccdbdc53c"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
];

/// A policy of IAM; an action without a place is on everything, as lists are.
pub(super) fn aws(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let mut by: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for name in wanted.words()? {
        if !name.contains(':') {
            return Err(wanted.unfit(name, "an action is SERVICE:NAME"));
        }
        let on = wanted.on(name);
        by.entry(if on.is_empty() { vec!["*"] } else { on }).or_default().push(name);
    }
    let statement =
        |(resources, actions)| json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    let statements: Vec<Value> = by.into_iter().map(statement).collect();
    pretty(&json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// Scopes of a service account's application key, for Terraform.
pub(super) fn datadog(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let scopes = list(wanted)?;
    Ok(wanted.head()
        + &format!(
            r#"
variable "datadog_service_account_id" {{
  type = string
}}

resource "datadog_service_account_application_key" "observance" {{
  service_account_id = var.datadog_service_account_id
  name               = "observance"
  scopes             = {scopes}
}}
"#
        ))
}

/// `requiredResourceAccess` of an app's manifest.
pub(super) fn entra(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let role = |name: &str| {
        let known = APP_ROLES.iter().find(|(role, _)| *role == name);
        let (_, id) = known.ok_or_else(|| wanted.unfit(name, "the id of this app role is not known here"))?;
        Ok(json!({ "id": id, "type": "Role" }))
    };
    let roles: Vec<Value> = wanted.names().map(role).collect::<anyhow::Result<_>>()?;
    pretty(&json!([{ "resourceAppId": GRAPH, "resourceAccess": roles }]))
}

/// An app's manifest, for the flow that takes one.
pub(super) fn github(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    pretty(&paste::app_manifest(&wanted.grants, paste::ORG))
}

/// The scopes of a domain-wide delegation, as the field for them takes them.
pub(super) fn google(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    Ok(format!("{}{}\n", wanted.head(), wanted.words()?.join(",")))
}

/// Scopes and the role of a service app, for Terraform.
pub(super) fn okta(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let scopes = list(wanted)?;
    Ok(wanted.head()
        + &format!(
            r#"
variable "okta_client_id" {{
  type = string
}}

variable "okta_issuer" {{
  type = string # https://ORG.okta.com
}}

resource "okta_app_oauth_api_scope" "observance" {{
  app_id = var.okta_client_id
  issuer = var.okta_issuer
  scopes = {scopes}
}}

resource "okta_app_oauth_role_assignment" "observance" {{
  client_id = var.okta_client_id
  type      = "READ_ONLY_ADMIN"
}}
"#
        ))
}

/// A list as Terraform writes it.
fn list(wanted: &Wanted<'_>) -> anyhow::Result<String> {
    let mut out = "[\n".to_owned();
    for name in wanted.words()? {
        // writing to a string cannot fail
        let _written = writeln!(out, "    \"{name}\",");
    }
    Ok(out + "  ]")
}
