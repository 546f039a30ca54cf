# METADATA
# title: Every person has a second factor
# description: >-
#   Judges each live user by whether a second step is enrolled. Google does not say here which one, so nothing is
#   said of whether it resists phishing.
# custom:
#   contract: 1
#   id: ID-02-google
#   population: google_users
#   optional: [service_accounts]
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     grace_days: 7
#     managed_by_idp: false
#   needs: { fields: [id, suspended, archived] }
package google.two_factor

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
	input.row.isEnrolledIn2Sv == false
}

graced := when.after(input.row.creationTime, input.params.grace_days)

not_due := when.text(graced) if {
	off
	graced > time.now_ns()
}

failed contains "two_factor.off" if {
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
	input.row.isEnrolledIn2Sv == true
}
