# METADATA
# title: Nobody holds a powerful role for ever
# description: >-
#   Judges each holder of one of the roles that are named: a person or group must hold it for a while, switched on or until a day.
#   Break-glass accounts of the register may hold it for ever, and so may service principals, which ID-10-entra judges. Without a
#   licence for Privileged Identity Management Entra does not say, and it is unknown.
# custom:
#   contract: 1
#   id: ID-10-entra-standing
#   population: entra_role_assignments
#   optional: [service_accounts]
#   controls: [privileged-access]
#   empty: unknown
#   severity: medium
#   parameters:
#     roles:
#       - Application Administrator
#       - Cloud Application Administrator
#       - Conditional Access Administrator
#       - Global Administrator
#       - Privileged Authentication Administrator
#       - Privileged Role Administrator
#       - Security Administrator
#       - User Administrator
#   needs: { steps: [assignments, roles, instances], fields: [holder_type] }
package entra.role_standing

import data.lib.services

powerful if input.row.role.displayName in input.params.roles

glass if "break_glass" in services.kinds("entra", [input.row.principalId, object.get(input.row, "holder", "")])

judged if {
	powerful
	not glass
	input.row.holder_type in {"user", "group"}
}

endless if {
	is_object(input.row.how)
	object.get(input.row.how, "endDateTime", null) == null
}

not_applicable contains "role.other" if {
	is_string(input.row.role.displayName)
	not powerful
}

not_applicable contains "account.break_glass" if glass

not_applicable contains "holder.no_person" if input.row.holder_type == "servicePrincipal"

unknown contains "how.unseen" if {
	judged
	not input.row.how.assignmentType in {"Assigned", "Activated"}
}

failed contains "role.standing" if {
	judged
	input.row.how.assignmentType == "Assigned"
	endless
}

passed if {
	judged
	input.row.how.assignmentType == "Activated"
}

passed if {
	judged
	input.row.how.assignmentType == "Assigned"
	is_string(input.row.how.endDateTime)
}
