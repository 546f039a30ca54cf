# METADATA
# title: Every user has registered a second factor
# description: >-
#   Judges each user of the tenant by the source's report of registered factors. It does not judge whether a sign-in asks for
#   the factor, nor which it is.
# custom:
#   contract: 1
#   id: ID-02-entra
#   population: entra_registrations
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [registration]
package entra.registered

failed contains "two_factor.off" if input.row.isMfaRegistered == false

passed if input.row.isMfaRegistered == true
