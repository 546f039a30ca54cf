# METADATA
# title: Every hook of the organisation is approved, and sent to a checked address
# description: >-
#   Judges each hook that is active: what it is told goes to an address outside. It must be on the list that the organisation
#   declares, unchanged since its approval began, and check the certificate of whom it sends to. Its address is read as a pseudonym
#   and its secret not at all, so nobody says here whether it signs. Hooks of single repositories are not judged.
# custom:
#   contract: 1
#   id: GH-17-hooks
#   population: hooks
#   controls: [machine-access]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     approved: {}    # the hook's number: { by, from, until }
#   needs:
#     steps: [hooks]
#     fields: [id, active, config, updated_at]
package github.hooks

import data.lib.approval
import data.lib.when

live if input.row.active == true

key := format_int(input.row.id, 10)

not_applicable contains "hook.inactive" if input.row.active == false

lack := approval.lack(input.params.approved, key, time.now_ns()) if live

failed contains sprintf("hook.%s", [lack]) if lack != "undeclared"

unknown contains "approved.undeclared" if lack == "undeclared"

failed contains "hook.changed" if {
	live
	approval.standing(input.params.approved, key, time.now_ns())
	when.ns(input.row.updated_at) > when.ns(input.params.approved[key].from)
}

# The source writes "0" or 0 where the certificate is checked.
failed contains "hook.unchecked" if {
	live
	input.row.config.insecure_ssl in {"1", 1}
}

passed if {
	live
	not lack
	approval.standing(input.params.approved, key, time.now_ns())
	is_number(when.ns(input.row.updated_at))
	input.row.config.insecure_ssl in {"0", 0}
}
