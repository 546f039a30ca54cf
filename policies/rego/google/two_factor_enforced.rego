# METADATA
# title: Two-step verification is enforced for every person
# description: >-
#   Judges each live user by Google's own word on whether two-step verification is enforced. It is not while a new
#   user's grace period runs; within `grace_days` of the creation that is not due. Who signs in by another identity
#   provider is judged there; declare it with `managed_by_idp`.
# custom:
#   contract: 1
#   id: ID-01-google
#   population: google_users
#   optional: [service_accounts]
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     grace_days: 7
#     managed_by_idp: false
#   needs: { fields: [id, suspended, archived] }
package google.two_factor_enforced

import data.lib.google
import data.lib.when

person if {
	google.live(input.row)
	google.person(input.row)
}

not_applicable contains "account.shut" if google.shut(input.row)

not_applicable contains "account.no_person" if not google.person(input.row)

off if {
	person
	not input.params.managed_by_idp
	input.row.isEnforcedIn2Sv == false
}

graced := when.after(input.row.creationTime, input.params.grace_days)

not_due := when.text(graced) if {
	off
	graced > time.now_ns()
}

failed contains "two_factor.not_enforced" if {
	off
	graced <= time.now_ns()
}

unknown contains "two_factor.at_idp" if {
	person
	input.params.managed_by_idp
}

passed if {
	person
	not input.params.managed_by_idp
	input.row.isEnforcedIn2Sv == true
}
