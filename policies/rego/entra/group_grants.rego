# METADATA
# title: Membership of a group was approved before it was given
# description: >-
#   Judges each event by which somebody became a member of a group: it must have been approved, by somebody else, before.
#   Members of groups that a rule fills are not among the events.
# custom:
#   contract: 1
#   id: ID-06-entra
#   population: entra_group_changes
#   joined: [approvals, entra_users]
#   controls: [access-approved]
#   empty: passed
#   severity: medium
#   needs: { steps: [groups] }
package entra.group_grants

import data.lib.event

gives if input.row.activityDisplayName == "Add member to group"

whats := event.whats

judged if {
	gives
	event.succeeded
	is_number(event.at)
	count(input.row.subjects) > 0
	count(whats) > 0
}

found := event.lacking(whats) if judged

not_applicable contains "event.no_grant" if {
	is_string(input.row.activityDisplayName)
	not gives
}

not_applicable contains "event.failed" if {
	gives
	input.row.result == "failure"
}

unknown contains "grant.unread" if {
	gives
	input.row.result != "failure"
	not judged
}

failed contains code if some ["failed", code] in found

unknown contains code if some ["unknown", code] in found

passed if {
	judged
	count(found) == 0
}
