# METADATA
# title: Every account has a second factor
# description: >-
#   Judges each account of the organisation by the source's own list of accounts without a second factor. It does not
#   judge which factor it is, nor the setting that demands one. Accounts whose sign-in is managed by an identity
#   provider have no second factor at the source; whether they have one is judged there, so here they are unknown.
# custom:
#   contract: 1
#   id: GH-01
#   population: members
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     managed_by_idp: false    # true: the accounts are managed by the identity provider, and the source's list is void
#   needs:
#     steps: [org, no_2fa]    # org: who may not see the organisation's settings may not see every member
#     fields: [type, two_factor_disabled]
package github.two_factor

person if input.row.type == "User"

listed if input.row.two_factor_disabled == true

not_applicable contains "account.bot" if input.row.type == "Bot"

unknown contains "account.kind" if not input.row.type in {"User", "Bot"}

unknown contains "two_factor.at_idp" if {
	person
	input.params.managed_by_idp
}

failed contains "two_factor.off" if {
	person
	not input.params.managed_by_idp
	listed
}

passed if {
	person
	not input.params.managed_by_idp
	input.row.two_factor_disabled == false
}
