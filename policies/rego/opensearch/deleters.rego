# METADATA
# title: Every role that may delete logs in OpenSearch is approved
# description: >-
#   Judges the roles of the security plugin by whether they may delete documents or indexes, or everything: each must be approved
#   for `delete` in the register of approvals, by its name, built-in ones too. A role to which nobody is mapped counts for nothing.
# custom:
#   contract: 1
#   id: LG-05-opensearch
#   population: opensearch_access
#   joined: [approvals]
#   controls: [log-integrity]
#   empty: unknown
#   severity: high
#   needs: { fields: [roles, mappings] }
package opensearch.deleters

import data.lib.grants

held := {mapping.name |
	some mapping in input.row.mappings.mappings
	count(mapping.users) + count(mapping.groups) > 0
}

deleting contains role.name if {
	some role in input.row.roles.roles
	role.name in held
	some grant in role.index
	some action in grant.actions
	deletes(action)
}

deletes(action) if action in {"*", "delete", "crud", "write", "manage", "indices_all", "unlimited"}

deletes(action) if regex.match(`^indices:(\*|admin/(\*|delete)|data/write)`, action)

lacks contains grants.lack("opensearch", [name], "delete", time.now_ns()) if some name in deleting

failed contains code if some code in lacks

messages contains concat("", ["not approved: ", name]) if {
	some name in deleting
	not grants.standing("opensearch", [name], "delete", time.now_ns())
}

unknown contains "role.unmapped" if {
	is_array(input.row.roles.roles)
	count(held) == 0
}

passed if {
	count(held) > 0
	is_array(input.row.roles.roles)
	every name in deleting {
		grants.standing("opensearch", [name], "delete", time.now_ns())
	}
}
