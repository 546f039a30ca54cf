# METADATA
# title: Administrators have a factor that cannot be phished
# description: >-
#   Judges each enabled account with an administrative role of the realm by its credentials: a security key or a passkey
#   (WebAuthn). Which factor was used at a sign-in is not told by the source. Administrators of the realm `master` are
#   not seen.
# custom:
#   contract: 1
#   id: ID-03-keycloak
#   population: keycloak_users
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [users, credentials, admin_roles]
#     fields: [enabled, admin_roles, credentials]
package keycloak.admin_factor

strong := {"webauthn", "webauthn-passwordless"}

admin if {
	some role in input.row.admin_roles
	not reading(role.name)
}

reading(name) if startswith(name, "view-")

reading(name) if startswith(name, "query-")

has if {
	some one in input.row.credentials
	one.type in strong
}

not_applicable contains "account.disabled" if input.row.enabled == false

not_applicable contains "account.no_admin" if {
	is_array(input.row.admin_roles)
	not admin
}

failed contains "two_factor.phishable" if {
	input.row.enabled == true
	admin
	is_array(input.row.credentials)
	not has
}

passed if {
	input.row.enabled == true
	admin
	has
}
