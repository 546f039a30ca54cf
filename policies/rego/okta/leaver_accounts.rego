# METADATA
# title: No account of somebody who has left can sign in
# description: >-
#   Judges each account that may sign in by the person whose it is. Within the hours that are allowed after the last day
#   it is not due; one that is shut and whose person has left is as it should be. Nobody, or more than one, to whom it may belong: unknown. Accounts that the register says are no
#   person's are judged by ID-15.
# custom:
#   contract: 1
#   id: ID-05-okta
#   population: okta_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: unknown
#   severity: high
#   parameters:
#     within_h: 24
#     clock: calendar        # calendar | business
#     zone: UTC
#     holidays: []
#   needs: { fields: [id, status, profile] }
package okta.leaver_accounts

import data.lib.leavers
import data.lib.people
import data.lib.services
import data.lib.account

owners := people.found("okta", input.row.profile.login, object.get(input.row.profile, "email", ""))

person if services.person_like("okta", account.names(input.row))

# That it is shut is what was asked for, once somebody has left.
closed if {
	account.shut(input.row)
	person
	count(owners) == 1
	some owner in owners
	people.left(owner, time.now_ns())
}

not_applicable contains "account.shut" if {
	account.shut(input.row)
	not closed
}

not_applicable contains "account.no_person" if not person

unknown contains "account.state_unknown" if account.unclear(input.row)

unknown contains people.lack(owners) if {
	account.active(input.row)
	person
}

told := leavers.verdict(owner, {"active": true, "disabled": null}, time.now_ns(), input.params) if {
	account.active(input.row)
	person
	count(owners) == 1
	some owner in owners
}

failed contains code if {
	told.state == "failed"
	some code in told.codes
}

unknown contains code if {
	told.state == "unknown"
	some code in told.codes
}

not_due := told.until if told.state == "not_due"

passed if told.codes == {"person.stays"}

passed if closed
