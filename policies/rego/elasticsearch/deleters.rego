# METADATA
# title: Every role that may delete logs in Elasticsearch is approved
# description: >-
#   Judges each role of Elasticsearch by whether it may delete documents or indexes, or change how long they are kept: such a role must be
#   approved for `delete` in the register of approvals, built-in ones too. Who holds it is not read. Snapshots that are locked
#   elsewhere are not judged.
# custom:
#   contract: 1
#   id: LG-05-elasticsearch
#   population: elasticsearch_roles
#   joined: [approvals]
#   controls: [log-integrity]
#   empty: unknown
#   severity: high
#   needs: { fields: [name, cluster, indices] }
package elasticsearch.deleters

import data.lib.grants

deleting := {"all", "manage", "delete", "delete_index", "write", "manage_ilm", "manage_data_stream_lifecycle"}

governing := {"all", "manage", "manage_ilm", "manage_data_stream_global_retention", "manage_security"}

may_delete if {
	some grant in input.row.indices
	some privilege in grant.privileges
	privilege in deleting
}

may_delete if {
	some privilege in input.row.cluster
	privilege in governing
}

# Actions by their names, such as indices:admin/delete.
may_delete if {
	some grant in input.row.indices
	some privilege in grant.privileges
	startswith(privilege, "indices:")
}

told_no if {
	is_array(input.row.indices)
	is_array(input.row.cluster)
	not may_delete
}

subjects := [input.row.name]

not_applicable contains "role.no_delete" if told_no

failed contains grants.lack("elasticsearch", subjects, "delete", time.now_ns()) if may_delete

passed if {
	may_delete
	grants.standing("elasticsearch", subjects, "delete", time.now_ns())
}
