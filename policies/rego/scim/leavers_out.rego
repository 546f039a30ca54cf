# METADATA
# title: Nobody who left is active
# description: >-
#   Judges each user by the person of the roster it belongs to: once the time limit after the last day is over, the
#   user is inactive.
# custom:
#   contract: 1
#   id: ID-05-scim
#   population: scim_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: unknown
#   severity: critical
#   parameters:
#     within_h: 24
#     clock: calendar
#     zone: UTC
#     holidays: []
#   needs: { fields: [id, active] }
package scim.leavers_out

import data.lib.leavers
import data.lib.people
import data.lib.services
import data.lib.when

mine if services.person_like("scim", [input.row.id, input.row.userName])

found := people.found("scim", input.row.userName, object.get(input.row, "email", input.row.userName))

leaver := leavers.due(person, input.params).effective if {
	mine
	count(found) == 1
	some person in found
	not people.unclear(person)
}

failed contains "leaver.active" if {
	input.row.active == true
	leaver < time.now_ns()
}

not_due := when.text(leaver) if {
	input.row.active == true
	leaver >= time.now_ns()
}

unknown contains people.lack(found) if mine

unknown contains "person.unclear" if {
	some person in found
	people.unclear(person)
}

not_applicable contains "account.no_person" if not mine

not_applicable contains "person.stays" if {
	input.row.active == true
	count(found) == 1
	some person in found
	not person.ends
	not person.ends_at
}

passed if {
	mine
	count(found) == 1
	input.row.active == false
}
