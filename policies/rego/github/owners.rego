# METADATA
# title: Every owner of the organisation is approved
# description: >-
#   Judges each owner by a list that the organisation declares. How many owners there are is GH-04-count; who administers a
#   single repository GH-04-admins; who holds a role of the organisation GH-04-roles. Owners of an enterprise above the organisation
#   are not seen here.
# custom:
#   contract: 1
#   id: GH-04
#   population: owners
#   controls: [privileged-access]
#   empty: unknown
#   severity: high
#   parameters:
#     approved: {}    # login in lower case: { by, from, until }
#   needs:
#     steps: [owners]
#     fields: [login]
package github.owners

import data.lib.approval

login := lower(input.row.login)

lack := approval.lack(input.params.approved, login, time.now_ns())

failed contains sprintf("owner.%s", [lack]) if lack != "undeclared"

# Nobody approves himself.
failed contains "owner.self_approved" if {
	approval.standing(input.params.approved, login, time.now_ns())
	lower(input.params.approved[login].by) == login
}

unknown contains "approved.undeclared" if lack == "undeclared"

passed if approval.standing(input.params.approved, login, time.now_ns())
