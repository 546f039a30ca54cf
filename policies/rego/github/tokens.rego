# METADATA
# title: Fine-grained tokens expire, soon enough, and are used
# description: >-
#   Judges each fine-grained personal token that was granted access to the organisation. The list is shown to apps alone: with
#   any other credential this stays unknown. Classic tokens, and what they may do, are shown to nobody but their owners:
#   forbid them in the organisation's settings, for nothing here speaks of them. That the token was approved is
#   the grant itself.
# custom:
#   contract: 1
#   id: GH-17-tokens
#   population: tokens
#   controls: [machine-access]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     days_max: 366       # from the grant to the end, at most
#     unused_days: 90     # without use, at most
#   needs:
#     steps: [tokens]
#     fields: [access_granted_at, token_expired]
package github.tokens

import data.lib.when

live if input.row.token_expired == false

not_applicable contains "token.expired" if input.row.token_expired == true

endless if object.get(input.row, "token_expires_at", null) == null

failed contains "token.endless" if {
	live
	endless
}

failed contains "token.too_long" if {
	live
	when.ns(input.row.token_expires_at) > when.after(input.row.access_granted_at, input.params.days_max)
}

# A token that was never used has been unused since it was granted.
last_used := input.row.token_last_used_at if is_string(input.row.token_last_used_at)

last_used := input.row.access_granted_at if object.get(input.row, "token_last_used_at", null) == null

failed contains "token.unused" if {
	live
	when.after(last_used, input.params.unused_days) <= time.now_ns()
}

passed if {
	live
	is_number(when.ns(input.row.token_expires_at))
	is_number(when.ns(input.row.access_granted_at))
	is_number(when.ns(last_used))
}
