# METADATA
# title: No account is live and unused
# description: >-
#   Judges each live person's account by the last sign-in that Google tells; who never signed in is reckoned from
#   the creation. Access by a token or a device that stays signed in is no sign-in, so this errs towards calling
#   somebody dormant.
# custom:
#   contract: 1
#   id: ID-12-google
#   population: google_users
#   optional: [service_accounts]
#   controls: [dormant-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     unused_days: 90
#   needs: { fields: [id, suspended, archived] }
package google.dormant

import data.lib.google
import data.lib.when

person if {
	google.live(input.row)
	google.person(input.row)
}

not_applicable contains "account.shut" if google.shut(input.row)

not_applicable contains "account.no_person" if not google.person(input.row)

never if startswith(input.row.lastLoginTime, "1970-01-01")

last := input.row.creationTime if never

last := input.row.lastLoginTime if not never

limit := when.after(last, input.params.unused_days)

failed contains "account.dormant" if {
	person
	limit < time.now_ns()
}

passed if {
	person
	limit >= time.now_ns()
}
