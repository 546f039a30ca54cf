# METADATA
# title: Every administrator has registered a factor that cannot be phished
# description: >-
#   Judges each user whom the source's report of registered factors calls an administrator. It does not judge whether a sign-in
#   asks for that factor. Users who are none are not applicable.
# custom:
#   contract: 1
#   id: ID-03-entra
#   population: entra_registrations
#   controls: [two-factor, privileged-access]
#   empty: unknown
#   severity: high
#   parameters:
#     methods:    # what the source calls the methods that cannot be phished; a name that is not here is none
#       - fido2SecurityKey
#       - passKeyDeviceBound
#       - passKeyDeviceBoundAuthenticator
#       - passKeyDeviceBoundWindowsHello
#       - windowsHelloForBusiness
#   needs:
#     steps: [registration]
package entra.admin_factors

admin if input.row.isAdmin == true

strong if {
	some method in input.row.methodsRegistered
	method in input.params.methods
}

not_applicable contains "account.not_admin" if input.row.isAdmin == false

failed contains "two_factor.phishable" if {
	admin
	is_array(input.row.methodsRegistered)
	not strong
}

passed if {
	admin
	strong
}
