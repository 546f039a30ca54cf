# METADATA
# title: The organisation has enough owners, and not too many
# description: >-
#   Judges how many people own the organisation: with fewer than two it can be locked out, and each further one is one more
#   way in. Bots are not counted among the least, and are among the most. Who they are is GH-04.
# custom:
#   contract: 1
#   id: GH-04-count
#   population: organisation_owners
#   controls: [privileged-access]
#   empty: unknown
#   severity: medium
#   parameters:
#     owners_min: 2
#     owners_max: 5
#   needs:
#     steps: [org, owners]
#     fields: [owners]
package github.owner_count

import data.lib.row

# Who is no member of the organisation is shown its public owners alone.
judged if {
	row.seen("org")
	row.seen("owners")
	is_array(input.row.owners)
	every owner in input.row.owners { is_string(owner.type) }
}

people := [owner | some owner in input.row.owners; owner.type == "User"]

failed contains "owners.too_few" if {
	judged
	count(people) < input.params.owners_min
}

# What was seen of a list that broke off is already too much.
failed contains "owners.too_many" if count(input.row.owners) > input.params.owners_max

passed if judged

messages contains sprintf("%d owners", [count(input.row.owners)]) if is_array(input.row.owners)
