# METADATA
# title: Every role of administration is approved
# description: >-
#   Judges each account that holds a role of administration, by itself or through a group, by the register of approvals:
#   each role must be approved there, by somebody else, and for now. Roles of groups are ID-10-okta-groups, those of
#   service apps ID-10-okta-apps.
# custom:
#   contract: 1
#   id: ID-10-okta
#   population: okta_admins
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: critical
#   needs: { steps: [account, roles], fields: [id, account] }
package okta.admins

import data.lib.grants

names := [input.row.id, object.get(input.row.account.profile, "login", ""), object.get(input.row.account.profile, "email", "")]

held contains role.label if {
	some role in input.row.roles
	role.status == "ACTIVE"
}

lacking contains [role, why] if {
	some role in held
	why := grants.lack("okta", names, role, time.now_ns())
}

failed contains why if some [_, why] in lacking

unknown contains "role.unnamed" if {
	some role in input.row.roles
	not is_string(role.label)
}

not_applicable contains "role.none" if {
	is_array(input.row.roles)
	count(input.row.roles) == 0
}

passed if {
	count(held) > 0
	count(lacking) == 0
}

messages contains sprintf("%s: %s", [role, why]) if some [role, why] in lacking
