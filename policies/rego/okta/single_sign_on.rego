# METADATA
# title: Applications in scope are behind single sign-on
# description: >-
#   Judges each application of the register that is in scope and reached by Okta: Okta must know it, switched on, with
#   SAML, OpenID Connect or WS-Federation. An application that the register excepts, until a day, is excepted until then.
#   Applications that are missing from the register are not seen.
# custom:
#   contract: 1
#   id: ID-16-okta
#   population: applications
#   joined: [okta_apps]
#   controls: [single-sign-on]
#   empty: unknown
#   severity: medium
#   needs: { fields: [system, app, in_scope] }
package okta.single_sign_on

import data.lib.when

mine if input.row.system == "okta"

judged if {
	mine
	input.row.in_scope == true
	not excepted
}

excepted if {
	input.row.sso == "none"
	when.ns(input.row.until) > time.now_ns()
}

apps contains app if {
	some app in input.joined.okta_apps
	lower(input.row.app) in {lower(app.id), lower(app.label)}
}

single := {"SAML_2_0", "SAML_1_1", "OPENID_CONNECT", "WS_FEDERATION"}

not_applicable contains "app.elsewhere" if not mine

not_applicable contains "app.out_of_scope" if input.row.in_scope == false

not_applicable contains "app.excepted" if {
	mine
	excepted
}

unknown contains "app.unmatched" if {
	judged
	count(apps) == 0
}

failed contains "app.password" if {
	judged
	some app in apps
	not app.signOnMode in single
}

failed contains "app.inactive" if {
	judged
	count(apps) > 0
	every app in apps { app.status == "INACTIVE" }
}

passed if {
	judged
	count(apps) > 0
	some one in apps
	one.status == "ACTIVE"
}
