# METADATA
# title: The account of who left was deleted in time, where it was deleted
# description: >-
#   Judges each user whom Google lists as deleted, for twenty days. A suspension before the deletion is no longer
#   told, so a late deletion alone is unknown, not failed.
# custom:
#   contract: 1
#   id: ID-04-google-deleted
#   population: google_deleted_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: not_applicable
#   severity: high
#   parameters:
#     within_h: 24
#     clock: calendar
#     zone: UTC
#     holidays: []
#   needs: { fields: [id] }
package google.deleted_in_time

import data.lib.google
import data.lib.leavers
import data.lib.people
import data.lib.when

found := people.by_email(input.row.primaryEmail)

account := {"active": false, "disabled": when.ns(input.row.deletionTime)}

told := leavers.verdict(person, account, time.now_ns(), input.params) if {
	google.person(input.row)
	count(found) == 1
	some person in found
}

unknown contains people.lack(found) if google.person(input.row)

unknown contains "leaver.shut_before_unknown" if told.state == "failed"

unknown contains code if {
	told.state == "unknown"
	some code in told.codes
}

not_applicable contains "account.no_person" if not google.person(input.row)

not_applicable contains code if {
	told.state == "not_applicable"
	some code in told.codes
}

passed if told.state == "passed"

failed contains "account.deleted_before_it_was_made" if when.ns(input.row.deletionTime) < when.ns(input.row.creationTime)
