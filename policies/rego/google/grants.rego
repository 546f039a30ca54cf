# METADATA
# title: Every administrator role was approved before it was given
# description: >-
#   Judges each assignment of a role by an administrator, at the instant of Google's own record: somebody else had
#   approved it by then.
# custom:
#   contract: 1
#   id: ID-11-google
#   population: google_admin_events
#   joined: [approvals]
#   controls: [access-approved]
#   empty: not_applicable
#   severity: high
#   needs: { fields: [id.time, events] }
package google.grants

import data.lib.google
import data.lib.grants
import data.lib.when

given := google.event(input.row, "ASSIGN_ROLE")

subject := google.value(given, "USER_EMAIL")

role := google.value(given, "ROLE_NAME")

failed contains grants.lack("google", [subject], role, when.ns(input.row.id.time))

unknown contains "grant.unnamed" if {
	given
	not named
}

named if {
	is_string(subject)
	is_string(role)
}

not_applicable contains "change.other" if {
	is_array(input.row.events)
	not given
}

passed if grants.standing("google", [subject], role, when.ns(input.row.id.time))
