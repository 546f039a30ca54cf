# METADATA
# title: Every outside collaborator has a secure second factor
# description: >-
#   Judges each outside collaborator by the source's two lists: of those without a second factor, and of those whose second
#   factor is insecure (text messages). Both are shown to owners alone. Having no outside collaborator is not applicable.
# custom:
#   contract: 1
#   id: GH-01-outside
#   population: outside_collaborators
#   controls: [two-factor]
#   empty: not_applicable
#   severity: high
#   parameters:
#     insecure_allowed: false    # true: a factor that the source calls insecure is one nevertheless
#   needs:
#     steps: [outside, outside_no_2fa, outside_insecure]
#     fields: [two_factor_disabled, two_factor_insecure]
package github.two_factor_outside

failed contains "two_factor.off" if input.row.two_factor_disabled == true

failed contains "two_factor.insecure" if {
	input.row.two_factor_insecure == true
	not input.params.insecure_allowed
}

passed if {
	input.row.two_factor_disabled == false
	is_boolean(input.row.two_factor_insecure)
}
