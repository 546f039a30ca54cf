# METADATA
# title: Nobody who left has a live account
# description: >-
#   Judges each account by the person it belongs to: once the time limit after the last day is over, the account is
#   shut. It asks nothing of when that happened; ID-04 does.
# custom:
#   contract: 1
#   id: ID-05-google
#   population: google_users
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
#   needs: { fields: [id, suspended, archived] }
package google.leavers_out

import data.lib.google
import data.lib.leavers
import data.lib.people
import data.lib.when

found := people.by_email(input.row.primaryEmail)

leaver := leavers.due(person, input.params).effective if {
	google.person(input.row)
	count(found) == 1
	some person in found
	not people.unclear(person)
}

failed contains "leaver.active" if {
	google.live(input.row)
	leaver < time.now_ns()
}

not_due := when.text(leaver) if {
	google.live(input.row)
	leaver >= time.now_ns()
}

unknown contains people.lack(found) if google.person(input.row)

unknown contains "person.unclear" if {
	some person in found
	people.unclear(person)
}

not_applicable contains "account.no_person" if not google.person(input.row)

passed if {
	google.person(input.row)
	count(found) == 1
	google.shut(input.row)
}

not_applicable contains "person.stays" if {
	google.live(input.row)
	count(found) == 1
	some person in found
	not person.ends
	not person.ends_at
}
