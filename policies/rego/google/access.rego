# METADATA
# title: Every account was approved before it was made
# description: >-
#   Judges each user that an administrator created, at the instant of Google's own record, by the register of
#   approvals (`what: account`). Groups are judged where their members are given rights.
# custom:
#   contract: 1
#   id: ID-06-google
#   population: google_admin_events
#   joined: [approvals]
#   controls: [access-approved]
#   empty: not_applicable
#   severity: medium
#   needs: { fields: [id.time, events] }
package google.access

import data.lib.google
import data.lib.grants
import data.lib.when

made := google.event(input.row, "CREATE_USER")

subject := google.value(made, "USER_EMAIL")

failed contains grants.lack("google", [subject], "account", when.ns(input.row.id.time))

unknown contains "grant.unnamed" if {
	made
	not is_string(subject)
}

not_applicable contains "change.other" if {
	is_array(input.row.events)
	not made
}

passed if grants.standing("google", [subject], "account", when.ns(input.row.id.time))
