# METADATA
# title: The access of who left went in time
# description: >-
#   Judges each account by the person of the roster that it belongs to, and by Google's own instant of suspension or
#   archiving. Who was deleted is judged by `deleted_in_time`. The later of a suspension and an archiving is not
#   taken: the first one ended the access.
# custom:
#   contract: 1
#   id: ID-04-google
#   population: google_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: unknown
#   severity: high
#   parameters:
#     within_h: 24
#     clock: calendar
#     zone: UTC
#     holidays: []
#   needs: { fields: [id, suspended, archived] }
package google.leavers_in_time

import data.lib.google
import data.lib.leavers
import data.lib.people
import data.lib.when

found := people.by_email(input.row.primaryEmail)

ends contains at if {
	some field in ["suspensionTime", "archivalTime"]
	at := when.ns(input.row[field])
}

disabled := min(ends)

account := {"active": true, "disabled": null} if google.live(input.row)

account := {"active": false, "disabled": disabled} if google.shut(input.row)

account := {"active": false, "disabled": null} if {
	google.shut(input.row)
	not disabled
}

told := leavers.verdict(person, account, time.now_ns(), input.params) if {
	google.person(input.row)
	count(found) == 1
	some person in found
}

unknown contains people.lack(found) if google.person(input.row)

not_applicable contains "account.no_person" if not google.person(input.row)

failed contains code if {
	told.state == "failed"
	some code in told.codes
}

unknown contains code if {
	told.state == "unknown"
	some code in told.codes
}

not_applicable contains code if {
	told.state == "not_applicable"
	some code in told.codes
}

not_due := told.until if told.state == "not_due"

passed if told.state == "passed"
