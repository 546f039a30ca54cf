# METADATA
# title: Every holder of a role of the organisation is approved
# description: >-
#   Judges each role of the organisation (security manager, administration of all repositories, roles of its own making)
#   by who holds it, directly or through a team. A role that nobody holds, and one that only reads, is not applicable.
# custom:
#   contract: 1
#   id: GH-04-roles
#   population: roles
#   controls: [privileged-access]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     approved: {}    # login in lower case: { by, from, until }; for every role
#   needs:
#     steps: [roles, role_users]
#     fields: [name, users]
package github.roles

import data.lib.approval
import data.lib.row

judged if {
	row.seen("role_users")
	is_array(input.row.users)
}

reads if {
	input.row.base_role in {"read", "triage"}
	count(input.row.permissions) == 0
}

not_applicable contains "role.unheld" if {
	judged
	count(input.row.users) == 0
}

not_applicable contains "role.reads" if reads

lacking contains [lower(user.login), lack] if {
	not reads
	some user in input.row.users
	lack := approval.lack(input.params.approved, lower(user.login), time.now_ns())
}

failed contains sprintf("holder.%s", [lack]) if {
	some [_, lack] in lacking
	lack != "undeclared"
}

unknown contains "approved.undeclared" if some [_, "undeclared"] in lacking

passed if {
	judged
	not reads
	count(input.row.users) > 0
	every user in input.row.users {
		approval.standing(input.params.approved, lower(user.login), time.now_ns())
	}
}

messages contains sprintf("%s holds %s: %s", [login, input.row.name, lack]) if some [login, lack] in lacking
