# METADATA
# title: No account of somebody who has left can sign in
# description: >-
#   Judges each account that may sign in by the person whose it is. Within the hours that are allowed after the last day
#   it is not due. Nobody, or more than one, to whom it may belong: unknown. Accounts that the register says are no
#   person's are judged by ID-15.
# custom:
#   contract: 1
#   id: ID-05-entra
#   population: entra_users
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
#   needs: { steps: [users], fields: [id] }
package entra.leaver_accounts

import data.lib.account
import data.lib.leavers
import data.lib.people
import data.lib.services

owners := account.owners(input.row)

person if services.person_like("entra", account.names(input.row))

judged if {
	account.active(input.row)
	person
}

told := leavers.verdict(owner, {"active": true, "disabled": null}, time.now_ns(), input.params) if {
	judged
	count(owners) == 1
	some owner in owners
}

not_applicable contains "account.shut" if account.shut(input.row)

not_applicable contains "account.no_person" if not person

unknown contains "account.state_unknown" if account.unclear(input.row)

unknown contains people.lack(owners) if judged

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
