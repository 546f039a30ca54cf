# METADATA
# title: Whoever may delete events in Splunk is approved
# description: >-
#   Judges each user of Splunk by the capability `delete_by_keyword`, which makes events vanish from searches: who has it must be
#   approved for it in the register of approvals. Events are only hidden by it; who has the server's disk may remove them, and is
#   not seen here.
# custom:
#   contract: 1
#   id: LG-05-splunk
#   population: splunk_users
#   joined: [approvals]
#   controls: [log-integrity]
#   empty: unknown
#   severity: high
#   needs: { fields: [name, capabilities] }
package splunk.deleters

import data.lib.grants

may_delete if "delete_by_keyword" in input.row.capabilities

told_no if {
	is_array(input.row.capabilities)
	not may_delete
}

subjects := [input.row.name, object.get(input.row, ["content", "email"], "")]

not_applicable contains "role.no_delete" if told_no

failed contains grants.lack("splunk", subjects, "delete_by_keyword", time.now_ns()) if may_delete

passed if {
	may_delete
	grants.standing("splunk", subjects, "delete_by_keyword", time.now_ns())
}
