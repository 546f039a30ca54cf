# METADATA
# title: Whoever may switch a role on is approved
# description: >-
#   Judges each person and group that may switch a role on in Privileged Identity Management by the register of approvals, as
#   ID-10-entra does whoever holds one. Without a licence for it Entra does not answer, and nothing is concluded.
# custom:
#   contract: 1
#   id: ID-10-entra-eligible
#   population: entra_role_eligibilities
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: critical
#   needs: { steps: [eligibilities, roles, eligible_members] }
package entra.role_eligibles

import data.lib.grants

role := input.row.role.displayName

names := [input.row.principalId, object.get(input.row, "holder", ""), object.get(input.row, ["principal", "mail"], "")]

group if input.row.holder_type == "group"

member_names(member) := [member.id, object.get(member, "userPrincipalName", ""), object.get(member, "mail", "")]

lacking contains why if why := grants.lack("entra", names, role, time.now_ns())

# Whoever comes by a group is approved for the role, or for the group.
lacking contains why if {
	group
	some member in input.row.members
	not member.type in {"group", "device", "orgContact"}
	not by_group(member)
	why := grants.lack("entra", member_names(member), role, time.now_ns())
}

by_group(member) if {
	some what in [input.row.principalId, input.row.holder]
	grants.standing("entra", member_names(member), what, time.now_ns())
}

unread contains "role.unnamed" if not is_string(role)

unread contains "holder.unnamed" if not is_string(input.row.holder_type)

unread contains "members.unseen" if {
	group
	not is_array(input.row.members)
}

failed contains why if some why in lacking

unknown contains code if some code in unread

passed if {
	is_string(role)
	count(unread) == 0
	count(lacking) == 0
}
