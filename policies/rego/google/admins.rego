# METADATA
# title: Every holder of an administrator role is approved
# description: >-
#   Judges each assignment, direct or by a group, by the register of approvals: somebody else approved this role for
#   this holder, and the approval stands now. A role of a group is approved for the group's id. What is no user and
#   in no approval is unknown: it may be a service account of Google Cloud.
# custom:
#   contract: 1
#   id: ID-10-google
#   population: google_role_assignments
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: high
#   needs: { steps: [roles, holders], fields: [roles, users] }
package google.admins

import data.lib.grants

role := one.roleName if {
	some one in input.row.roles
	one.roleId == input.row.roleId
}

user := one if {
	some one in input.row.users
	one.id == input.row.assignedTo
}

subjects := [input.row.assignedTo, user.primaryEmail] if user.primaryEmail

subjects := [input.row.assignedTo] if not user.primaryEmail

failed contains lack if {
	user
	lack := grants.lack("google", subjects, role, time.now_ns())
}

unknown contains "holder.no_user" if {
	is_array(input.row.users)
	not user
	not grants.standing("google", subjects, role, time.now_ns())
}

unknown contains "role.unlisted" if {
	is_array(input.row.roles)
	not role
}

passed if grants.standing("google", subjects, role, time.now_ns())
