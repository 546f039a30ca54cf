# What okta grants, to read alone. Made from the collectors by: observance collectors permissions okta
#   okta.apiTokens.read: okta.tokens
#   okta.apps.read: okta.apps
#   okta.authenticators.read: okta.authenticators
#   okta.groups.read: okta.admins
#   okta.logs.read: okta.log
#   okta.orgs.read: okta.admins, okta.apps, okta.authenticators, okta.log, okta.policies, okta.tokens, okta.users
#   okta.policies.read: okta.policies
#   okta.roles.read: okta.admins, okta.apps, okta.users
#   okta.users.read: okta.admins, okta.users
# The app is an API service with a key of its own. The role has no resource set: a narrower one hides accounts, and does
# not say so. Only a super administrator grants scopes and roles.
# needs the admin role Read-Only Administrator for the service app (okta.tokens tokens, okta.users users)

variable "okta_client_id" {
  type = string
}

variable "okta_issuer" {
  type = string # https://ORG.okta.com
}

resource "okta_app_oauth_api_scope" "observance" {
  app_id = var.okta_client_id
  issuer = var.okta_issuer
  scopes = [
    "okta.apiTokens.read",
    "okta.apps.read",
    "okta.authenticators.read",
    "okta.groups.read",
    "okta.logs.read",
    "okta.orgs.read",
    "okta.policies.read",
    "okta.roles.read",
    "okta.users.read",
  ]
}

resource "okta_app_oauth_role_assignment" "observance" {
  client_id = var.okta_client_id
  type      = "READ_ONLY_ADMIN"
}
