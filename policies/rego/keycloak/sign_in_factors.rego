# METADATA
# title: Every sign-in used two factors
# description: >-
#   Judges each sign-in of the window. Keycloak's events do not say which factors were used, so a sign-in with a browser
#   is unknown here; what the flow demands is ID-01-keycloak, what each account has is ID-02-keycloak. What is told: a
#   password posted by a program fails unless the client is approved, and where another identity provider vouched the
#   factors are judged there.
# custom:
#   contract: 1
#   id: ID-18-keycloak
#   population: keycloak_sign_ins
#   controls: [two-factor]
#   empty: passed
#   severity: high
#   parameters:
#     direct: {}    # clients in lower case whose direct grant flow asks for a second factor: { by, from, until }
#   needs:
#     steps: [sign_ins]
package keycloak.sign_in_factors

import data.lib.approval

posted if input.row.details.grant_type == "password"

brokered if is_string(input.row.details.identity_provider)

agreed if approval.standing(input.params.direct, lower(input.row.clientId), time.now_ns())

passed if {
	posted
	agreed
}

failed contains "sign_in.password_posted" if {
	posted
	not agreed
}

not_applicable contains "sign_in.at_idp" if {
	brokered
	not posted
}

unknown contains "sign_in.factors_untold" if {
	input.row.userId
	not posted
	not brokered
}
