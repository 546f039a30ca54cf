# METADATA
# title: Applications in scope are behind single sign-on
# description: >-
#   Judges each application of the register that is in scope and reached by Entra: Entra must know it, switched on, with SAML or
#   OpenID Connect. Entra often leaves the way unsaid of applications with OpenID Connect; there the register's word counts. An
#   application that the register excepts, until a day, is excepted until then. Applications that are missing from the register are not seen.
# custom:
#   contract: 1
#   id: ID-16-entra
#   population: applications
#   joined: [entra_service_principals]
#   controls: [single-sign-on]
#   empty: unknown
#   severity: medium
#   needs: { fields: [system, app, in_scope] }
package entra.single_sign_on

import data.lib.when

mine if input.row.system == "entra"

excepted if {
	input.row.sso == "none"
	when.ns(input.row.until) > time.now_ns()
}

judged if {
	mine
	input.row.in_scope == true
	not excepted
}

apps contains app if {
	some app in input.joined.entra_service_principals
	some name in [app.id, app.appId, app.displayName]
	is_string(name)
	lower(input.row.app) == lower(name)
}

way(app) := object.get(app, "preferredSingleSignOnMode", null)

single(app) if way(app) in {"saml", "oidc"}

single(app) if {
	way(app) in {null, "notSupported"}
	input.row.sso == "oidc"
}

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
	way(app) == "password"
}

failed contains "app.inactive" if {
	judged
	count(apps) > 0
	every app in apps { app.accountEnabled == false }
}

unknown contains "app.way_unstated" if {
	judged
	some app in apps
	not single(app)
}

passed if {
	judged
	count(apps) > 0
	every app in apps { single(app) }
	some one in apps
	one.accountEnabled == true
}
