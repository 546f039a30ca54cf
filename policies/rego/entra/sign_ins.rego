# METADATA
# title: Every sign-in stood on two factors
# description: >-
#   Judges each interactive sign-in that succeeded: Entra asked for two factors, or the methods that it names are a password and
#   something else that somebody has, or one that is two factors in itself. A password alone fails. What an earlier
#   sign-in satisfied, where Entra asked for one factor only, and methods that are not known here are unknown.
# custom:
#   contract: 1
#   id: ID-18-entra
#   population: entra_sign_ins
#   controls: [two-factor]
#   empty: passed
#   severity: high
#   parameters:
#     strong:      # methods that are two factors in one step, as Entra writes them
#       - FIDO2 security key
#       - Passkey (device-bound)
#       - Passkey (Microsoft Authenticator)
#       - Windows Hello for Business
#     possessions: # methods that are a second factor beside a password
#       - Hardware OATH token
#       - Microsoft Authenticator
#       - Mobile app notification
#       - Mobile app verification code
#       - OATH hardware token
#       - OATH software token
#       - OATH verification code
#       - Phone call
#       - Text message
#   needs: { steps: [sign_ins] }
package entra.sign_ins

used contains one.method if {
	some one in input.row.methods
	one.succeeded == true
}

single if input.row.authenticationRequirement == "singleFactorAuthentication"

two if input.row.authenticationRequirement == "multiFactorAuthentication"

two if {
	some method in used
	method in input.params.strong
}

two if {
	"Password" in used
	some method in used
	method in input.params.possessions
}

alone if {
	count(input.row.methods) > 0
	every one in input.row.methods { one.method == "Password" }
}

failed contains "sign_in.one_factor" if {
	single
	alone
}

unknown contains "methods.unstated" if {
	not two
	not one_factor
}

one_factor if {
	single
	alone
}

passed if two
