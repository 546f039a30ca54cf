# METADATA
# title: The organisation demands a second factor of everybody
# description: >-
#   Judges the organisation's own setting; who has a second factor is judged account by account (GH-01, GH-01-strength, GH-01-outside). The
#   setting is shown to owners alone, so a credential that is not an owner's leaves this unknown. Where an identity
#   provider manages all accounts the setting does not exist, and what the provider demands is judged there.
# custom:
#   contract: 1
#   id: GH-01-required
#   population: organisation
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     managed_by_idp: false    # true: the accounts are managed by the identity provider, and the setting is void
#   needs:
#     steps: [org]
#     fields: [two_factor_requirement_enabled]
package github.two_factor_required

unknown contains "two_factor.at_idp" if input.params.managed_by_idp

failed contains "two_factor.not_required" if {
	not input.params.managed_by_idp
	input.row.two_factor_requirement_enabled == false
}

passed if {
	not input.params.managed_by_idp
	input.row.two_factor_requirement_enabled == true
}
