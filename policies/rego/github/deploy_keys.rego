# METADATA
# title: Deploy keys are rotated, and those that can write are approved
# description: >-
#   Judges each deploy key. Keys do not expire at the source, so their age counts: one that is older than its days is due to be
#   replaced. A key that may write must moreover be on the list that the organisation declares.
# custom:
#   contract: 1
#   id: GH-17-keys
#   population: deploy_keys
#   controls: [machine-access]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     days_max: 366    # the age at which a key is to be replaced
#     approved: {}     # the key's number: { by, from, until }; for keys that may write
#   needs:
#     steps: [keys]
#     fields: [id, read_only, created_at]
package github.deploy_keys

import data.lib.approval
import data.lib.when

live if object.get(input.row, "enabled", true) != false

not_applicable contains "key.disabled" if input.row.enabled == false

old if when.after(input.row.created_at, input.params.days_max) <= time.now_ns()

failed contains "key.old" if {
	live
	old
}

lack := approval.lack(input.params.approved, format_int(input.row.id, 10), time.now_ns()) if {
	live
	input.row.read_only == false
}

failed contains sprintf("key.%s", [lack]) if lack != "undeclared"

unknown contains "approved.undeclared" if lack == "undeclared"

passed if {
	live
	is_boolean(input.row.read_only)
	is_number(when.ns(input.row.created_at))
	not old
	not lack
}
