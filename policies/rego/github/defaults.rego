# METADATA
# title: The organisation's defaults give nobody and no workflow the right to write
# description: >-
#   Judges what everybody has without being given it: the base permission of every member on every repository, and what
#   the token of every Actions workflow may do by default, approving changes included. A repository may be stricter than
#   its organisation, and not laxer.
# custom:
#   contract: 1
#   id: GH-03-defaults
#   population: organisation
#   controls: [write-access]
#   empty: unknown
#   severity: high
#   parameters:
#     base_permission: read        # the most that every member may have: none, read, write, admin
#     token_may_write: false       # true: workflows may write by default
#     token_may_approve: false     # true: workflows may approve changes
#   needs:
#     steps: [org, workflow]
#     fields: [default_repository_permission, workflow]
package github.defaults

import data.lib.row

rank := {"none": 0, "read": 1, "write": 2, "admin": 3}

token := input.row.workflow

# Each value is understood, or nothing is said for it.
judged if {
	row.seen("workflow")
	is_number(rank[input.row.default_repository_permission])
	is_number(rank[input.params.base_permission])
	token.default_workflow_permissions in {"read", "write"}
	is_boolean(token.can_approve_pull_request_reviews)
}

failed contains "base_permission.too_wide" if {
	rank[input.row.default_repository_permission] > rank[input.params.base_permission]
}

failed contains "token.writes" if {
	token.default_workflow_permissions == "write"
	not input.params.token_may_write
}

failed contains "token.approves" if {
	token.can_approve_pull_request_reviews == true
	not input.params.token_may_approve
}

passed if judged

messages contains sprintf("base permission %s", [input.row.default_repository_permission]) if {
	failed["base_permission.too_wide"]
}
