# METADATA
# title: Administrative roles of service accounts are approved
# description: >-
#   The same as ID-10-keycloak for the accounts with which programs sign in. The client with which this is read is among
#   them: its roles only view.
# custom:
#   contract: 1
#   id: ID-10-keycloak-services
#   population: keycloak_service_accounts
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [accounts, roles]
#     fields: [id, username, enabled, admin_roles]
package keycloak.admin_services

import data.lib.grants

roles contains role.name if {
	some role in input.row.admin_roles
	not reading(role.name)
}

reading(name) if startswith(name, "view-")

reading(name) if startswith(name, "query-")

subjects := [name | some name in [input.row.username, input.row.id]; is_string(name)]

lacking contains [role, why] if {
	some role in roles
	not grants.standing("keycloak", subjects, role, time.now_ns())
	why := grants.lack("keycloak", subjects, role, time.now_ns())
}

not_applicable contains "account.disabled" if input.row.enabled == false

not_applicable contains "account.no_admin" if {
	is_array(input.row.admin_roles)
	count(roles) == 0
}

failed contains why if {
	input.row.enabled == true
	some [_, why] in lacking
}

passed if {
	input.row.enabled == true
	count(roles) > 0
	count(lacking) == 0
}

messages contains sprintf("%s: %s", [role, why]) if some [role, why] in lacking
