# METADATA
# title: No account that may sign in has long been unused
# description: >-
#   Judges each account that may sign in by its last sign-in, or, where it never had one, by when it was activated or
#   made. Accounts that the register says are no person's are judged by ID-15.
# custom:
#   contract: 1
#   id: ID-12-okta
#   population: okta_users
#   optional: [service_accounts]
#   controls: [dormant-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 90
#   needs: { fields: [id, status, created, profile] }
package okta.dormant

import data.lib.services
import data.lib.when
import data.lib.account

used := [at |
	some text in [object.get(input.row, "lastLogin", null), object.get(input.row, "activated", null), input.row.created]
	at := when.ns(text)
][0]

person if services.person_like("okta", account.names(input.row))

limit := used + (input.params.days * when.day_ns)

not_applicable contains "account.shut" if account.shut(input.row)

not_applicable contains "account.no_person" if not person

unknown contains "account.state_unknown" if account.unclear(input.row)

failed contains "account.dormant" if {
	account.active(input.row)
	person
	limit < time.now_ns()
}

passed if {
	account.active(input.row)
	person
	limit >= time.now_ns()
}
