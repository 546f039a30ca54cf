# METADATA
# title: No account relies on a second factor that the source calls insecure
# description: >-
#   Judges each member by the source's list of accounts whose second factor is insecure (text messages). Whether an
#   account has a second factor at all is GH-01. The list is shown to owners alone.
# custom:
#   contract: 1
#   id: GH-01-strength
#   population: accounts
#   controls: [two-factor]
#   empty: unknown
#   severity: medium
#   parameters:
#     managed_by_idp: false    # true: the accounts are managed by the identity provider, and the list is void
#   needs:
#     steps: [members, insecure]
#     fields: [type, two_factor_insecure]
package github.two_factor_strength

person if input.row.type == "User"

not_applicable contains "account.bot" if input.row.type == "Bot"

unknown contains "account.kind" if not input.row.type in {"User", "Bot"}

unknown contains "two_factor.at_idp" if {
	person
	input.params.managed_by_idp
}

failed contains "two_factor.insecure" if {
	person
	not input.params.managed_by_idp
	input.row.two_factor_insecure == true
}

passed if {
	person
	not input.params.managed_by_idp
	input.row.two_factor_insecure == false
}
