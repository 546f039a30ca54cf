# METADATA
# title: Enough administrators, and not too many
# description: >-
#   Judges how many accounts hold any role of administration: with fewer than two the organisation can be locked out, and
#   each further one is one more way in. Who they are is ID-10-okta.
# custom:
#   contract: 1
#   id: ID-10-okta-count
#   population: okta_organisation
#   controls: [privileged-access]
#   empty: unknown
#   severity: medium
#   parameters:
#     admins_min: 2
#     admins_max: 10
#   needs: { steps: [org, admins] }
package okta.admin_count

import data.lib.row

seen if {
	row.seen("admins")
	is_array(input.row.admins)
}

failed contains "admins.too_few" if {
	seen
	count(input.row.admins) < input.params.admins_min
}

# What was seen of a list that broke off is already too much.
failed contains "admins.too_many" if count(input.row.admins) > input.params.admins_max

passed if seen
