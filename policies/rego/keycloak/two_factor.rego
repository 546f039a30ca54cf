# METADATA
# title: Every account of a person has a second factor
# description: >-
#   Judges each enabled account by the credentials that it has set up: a one-time password or a security key. Accounts
#   that the register of service accounts calls no person's are judged by ID-15. An account that another store keeps
#   (LDAP) may have a factor there that Keycloak does not list: without one here it is unknown.
# custom:
#   contract: 1
#   id: ID-02-keycloak
#   population: keycloak_users
#   optional: [service_accounts]
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     grace_days: 0    # from the creation of the account
#   needs:
#     steps: [users, credentials]
#     fields: [id, username, enabled]
package keycloak.two_factor

import data.lib.services
import data.lib.when

factors := {"otp", "webauthn", "webauthn-passwordless"}

names := [input.row.username, input.row.id]

person if {
	input.row.enabled == true
	services.person_like("keycloak", names)
}

has if {
	some one in input.row.credentials
	one.type in factors
}

young if ((input.row.createdTimestamp * 1000000) + (input.params.grace_days * when.day_ns)) > time.now_ns()

elsewhere if input.row.federationLink

not_applicable contains "account.disabled" if input.row.enabled == false

not_applicable contains "account.no_person" if not services.person_like("keycloak", names)

not_due := when.text((input.row.createdTimestamp * 1000000) + (input.params.grace_days * when.day_ns)) if {
	person
	is_array(input.row.credentials)
	not has
	young
}

unknown contains "two_factor.elsewhere" if {
	person
	elsewhere
	not has
}

failed contains "two_factor.none" if {
	person
	is_array(input.row.credentials)
	not has
	not young
	not elsewhere
}

passed if {
	person
	has
}
