# METADATA
# title: Every sign-in stood on two factors
# description: >-
#   Judges each evaluation of the sign-on policy that let somebody into an application, by the methods that Okta writes
#   beside it: a piece of knowledge and a possession, or two possessions. A passkey or FastPass alone is two factors where
#   the authenticator always asks for a PIN or a finger, and a smart card is. What an identity provider elsewhere did is
#   unknown, and so is everything in the Classic Engine, which writes no methods. A session that opened no application is
#   none.
# custom:
#   contract: 1
#   id: ID-18-okta
#   population: okta_sign_ins
#   joined: [okta_authenticators]
#   controls: [two-factor]
#   empty: passed
#   severity: high
#   needs: { fields: [apps, methods] }
package okta.sign_ins

import data.lib.factor

methods := input.row.methods

kinds := [kind | some method in methods; kind := factor.kind(method)]

possessions := count([kind | some kind in kinds; kind == "possession"])

into_app if count(input.row.apps) > 0

told if {
	into_app
	count(methods) > 0
	count(kinds) == count(methods)
}

two if {
	"knowledge" in kinds
	possessions > 0
}

two if possessions > 1

# One step that is two factors.
two if {
	some method in methods
	verifies(split(method, ":"))
}

verifies(parts) if parts[0] == "smart_card_idp"

verifies(parts) if {
	parts[0] in {"webauthn", "okta_verify"}
	parts[1] in {"webauthn", "signed_nonce"}
	some authenticator in input.joined.okta_authenticators
	authenticator.key == parts[0]
	asks(authenticator, parts[1])
}

asks(authenticator, _) if authenticator.user_verification == "REQUIRED"

asks(authenticator, method) if {
	some one in authenticator.methods
	one.type == method
	one.settings.userVerification == "REQUIRED"
}

could_verify if {
	some method in methods
	split(method, ":")[1] in {"webauthn", "signed_nonce"}
}

not_applicable contains "sign_in.session_only" if {
	is_array(input.row.apps)
	not into_app
}

unknown contains "methods.unstated" if {
	into_app
	not told
}

unknown contains "factor.elsewhere" if {
	into_app
	"elsewhere" in kinds
	not two
}

unknown contains "verification.optional" if {
	told
	could_verify
	not two
}

failed contains "sign_in.one_factor" if {
	told
	not two
	not could_verify
	not "elsewhere" in kinds
}

passed if {
	told
	two
}
