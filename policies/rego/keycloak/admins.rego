# METADATA
# title: Administrative roles are held by approved people alone
# description: >-
#   Judges each account by the roles of realm-management that it has in effect: given to it, by composite roles, by
#   groups. Each needs a standing approval in the register; roles that only view or query need none. Administrators of
#   the realm `master` are not seen.
# custom:
#   contract: 1
#   id: ID-10-keycloak
#   population: keycloak_users
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [users, admin_roles]
#     fields: [id, username, enabled, admin_roles]
package keycloak.admins

import data.lib.grants

roles contains role.name if {
	some role in input.row.admin_roles
	not reading(role.name)
}

reading(name) if startswith(name, "view-")

reading(name) if startswith(name, "query-")

subjects := [name | some name in [input.row.email, input.row.username, input.row.id]; is_string(name)]

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
