# METADATA
# title: Every grant of a privilege was approved before it
# description: >-
#   Judges each event of the log by which an account was given a role of administration: each role that it names must have
#   been approved, by somebody else, before that instant. A grant to a group or an app names no account and is unknown
#   here.
# custom:
#   contract: 1
#   id: ID-11-okta
#   population: okta_privilege_grants
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: passed
#   severity: critical
package okta.privilege_grants

import data.lib.grants
import data.lib.when

roles contains trim_space(role) if {
	some role in split(input.row.debugContext.debugData.privilegeGranted, ",")
	trim_space(role) != ""
}

at := when.ns(input.row.published)

lacking contains why if {
	is_number(at)
	some subject in input.row.subjects
	some role in roles
	why := grants.lack("okta", [subject.id, subject.person], role, at)
}

judged if {
	is_number(at)
	count(input.row.subjects) > 0
	count(roles) > 0
}

failed contains why if some why in lacking

unknown contains "grant.unread" if not judged

passed if {
	judged
	count(lacking) == 0
}
