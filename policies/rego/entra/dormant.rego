# METADATA
# title: No account that may sign in lies unused
# description: >-
#   Judges each user who may sign in by the last successful sign-in that the source states. A user of whom it states none is failed
#   by nobody: the records may begin later than the account, so it is unknown. Accounts that are disabled are not applicable.
# custom:
#   contract: 1
#   id: ID-12-entra
#   population: entra_users
#   controls: [dormant-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 90    # longest time without a sign-in
#   needs:
#     steps: [users]
package entra.dormant

import data.lib.when

last := when.ns(input.row.signInActivity.lastSuccessfulSignInDateTime)

until := when.after(input.row.signInActivity.lastSuccessfulSignInDateTime, input.params.days)

not_applicable contains "account.disabled" if input.row.accountEnabled == false

unknown contains "sign_in.unstated" if {
	input.row.accountEnabled == true
	not last
}

failed contains "account.dormant" if {
	input.row.accountEnabled == true
	until < when.ns(input.now)
}

passed if {
	input.row.accountEnabled == true
	until >= when.ns(input.now)
}
