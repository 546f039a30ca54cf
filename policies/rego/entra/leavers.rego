# METADATA
# title: Whoever leaves was shut out in time
# description: >-
#   Judges each event by which an account was disabled or deleted: if it belongs to somebody of the roster who leaves, that
#   must be within the hours that are allowed. An account of a leaver that nobody disabled has no event: it is ID-05-entra.
#   What somebody was shut out of later than the log reaches back was judged by the run that saw it.
# custom:
#   contract: 1
#   id: ID-04-entra
#   population: entra_user_changes
#   joined: [people, entra_users]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: passed
#   severity: high
#   parameters:
#     within_h: 24
#     clock: calendar        # calendar | business
#     zone: UTC
#     holidays: []
#   needs: { steps: [users] }
package entra.leavers

import data.lib.account
import data.lib.leavers
import data.lib.people
import data.lib.services
import data.lib.when

shuts if input.row.activityDisplayName in {"Disable account", "Delete user"}

done if {
	shuts
	input.row.result == "success"
}

at := when.ns(input.row.activityDateTime)

names contains name if {
	some subject in input.row.subjects
	some name in [subject.id, subject.login]
	is_string(name)
}

person if services.person_like("entra", names)

owners := {owner |
	some subject in input.row.subjects
	some user in account.with_id(subject.id)
	some owner in account.owners(user)
} | {owner |
	some subject in input.row.subjects
	some owner in people.by_login("entra", subject.login)
}

told := leavers.verdict(owner, {"active": false, "disabled": at}, time.now_ns(), input.params) if {
	done
	person
	is_number(at)
	count(owners) == 1
	some owner in owners
}

not_applicable contains "event.no_end" if {
	is_string(input.row.activityDisplayName)
	not shuts
}

not_applicable contains "event.failed" if {
	shuts
	input.row.result == "failure"
}

not_applicable contains "account.no_person" if {
	done
	not person
}

unknown contains people.lack(owners) if {
	done
	person
}

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

passed if told.state == "passed"
