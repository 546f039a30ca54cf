# METADATA
# title: Every grant of a role was approved before it
# description: >-
#   Judges each event by which somebody was given a role, or may from then on switch it on: it must have been approved, by somebody
#   else, before. Switching on what one may is no new grant. Where Privileged Identity Management acts, its own event is judged, and the
#   directory's echo of it is not.
# custom:
#   contract: 1
#   id: ID-11-entra
#   population: entra_role_changes
#   joined: [approvals, entra_users]
#   controls: [access-approved, privileged-access]
#   empty: passed
#   severity: critical
#   needs: { steps: [roles] }
package entra.role_grants

import data.lib.event

name := lower(input.row.activityDisplayName)

steps := ["requested", "request ", "approv", "denied", "cancel", "expired", "failed", "activation"]

aside if {
	some step in steps
	contains(name, step)
}

echo if {
	input.row.loggedByService == "Core Directory"
	input.row.initiatedBy.app.displayName == "MS-PIM"
}

gives if {
	startswith(name, "add ")
	contains(name, "member to role")
	not aside
	not echo
}

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
