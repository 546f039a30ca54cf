# METADATA
# title: Access was approved before it was given
# description: >-
#   Judges each event of the log by which somebody became a member of a group, was given an application, or got an account
#   (`account`): it must have been approved, by somebody else, before. What a rule of Okta's own gives needs no request
#   for each person, but an approval of the group or application itself: a line whose subject is its name.
# custom:
#   contract: 1
#   id: ID-06-okta
#   population: okta_grants
#   joined: [approvals]
#   controls: [access-approved]
#   empty: passed
#   severity: medium
package okta.grants

import data.lib.grants
import data.lib.when

whats := {thing.name | some thing in input.row.things; is_string(thing.name)} if input.row.eventType != "user.lifecycle.create"

whats := {"account"} if input.row.eventType == "user.lifecycle.create"

# By a rule, not by a person.
automatic if input.row.actor.type == "SystemPrincipal"

subjects(subject, what) := [subject.id, subject.person, what] if automatic

subjects(subject, _) := [subject.id, subject.person] if not automatic

at := when.ns(input.row.published)

judged if {
	is_number(at)
	is_string(input.row.actor.type)
	count(input.row.subjects) > 0
	count(whats) > 0
}

lacking contains why if {
	judged
	some subject in input.row.subjects
	some what in whats
	why := grants.lack("okta", subjects(subject, what), what, at)
}

failed contains why if some why in lacking

unknown contains "grant.unread" if not judged

passed if {
	judged
	count(lacking) == 0
}
