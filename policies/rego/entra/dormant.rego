# METADATA
# title: No account that may sign in has long been unused
# description: >-
#   Judges each user who may sign in by the last successful sign-in that Entra states, or, where it states none, by when the
#   account was made, if that is after the record of successful sign-ins began. An older account without one is unknown.
#   Accounts that the register says are no person's are judged by ID-15.
# custom:
#   contract: 1
#   id: ID-12-entra
#   population: entra_users
#   optional: [service_accounts]
#   controls: [dormant-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 90
#     record_since: "2023-12-01"    # when Entra began to write down successful sign-ins
#   needs: { steps: [users, activity], fields: [id] }
package entra.dormant

import data.lib.account
import data.lib.services
import data.lib.when

person if services.person_like("entra", account.names(input.row))

judged if {
	account.active(input.row)
	person
}

used := when.ns(input.row.activity.signInActivity.lastSuccessfulSignInDateTime)

# Never: Entra has nothing of the kind to say of the account.
used := when.ns(input.row.createdDateTime) if {
	input.row.activity.id == input.row.id
	not "signInActivity" in object.keys(input.row.activity)
	when.ns(input.row.createdDateTime) >= when.ns(input.params.record_since)
}

limit := used + (input.params.days * when.day_ns)

not_applicable contains "account.shut" if account.shut(input.row)

not_applicable contains "account.no_person" if not person

unknown contains "account.state_unknown" if account.unclear(input.row)

unknown contains "sign_in.unstated" if {
	judged
	not is_number(used)
}

failed contains "account.dormant" if {
	judged
	limit < time.now_ns()
}

passed if {
	judged
	limit >= time.now_ns()
}
