# METADATA
# title: Every group with a role of administration is approved
# description: >-
#   Judges each group: whoever becomes a member of one with a role administers. The role must be approved in the register
#   of approvals with the group's name or id as its subject.
# custom:
#   contract: 1
#   id: ID-10-okta-groups
#   population: okta_groups
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: critical
#   needs: { steps: [groups, group_roles], fields: [id, profile] }
package okta.admin_groups

import data.lib.grants
import data.lib.row

held contains role.label if {
	some role in input.row.roles
	role.status == "ACTIVE"
}

lacking contains why if {
	some role in held
	why := grants.lack("okta", [input.row.id, input.row.profile.name], role, time.now_ns())
}

failed contains why if some why in lacking

not_applicable contains "role.none" if {
	is_array(input.row.roles)
	count(input.row.roles) == 0
}

# Okta says of it that it carries none, and it was not asked for any.
not_applicable contains "role.none" if {
	not input.row.roles
	row.seen("group_roles")
}

passed if {
	count(held) > 0
	count(lacking) == 0
}
