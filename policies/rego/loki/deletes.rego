# METADATA
# title: Every request to delete logs in Loki is approved
# description: >-
#   Judges each request to delete that Loki's compactor lists: it must be approved for `delete` in the register of approvals by its
#   number, when it was made. Requests that were cancelled are not listed, and whoever may write to the bucket needs none.
# custom:
#   contract: 1
#   id: LG-05-loki
#   population: loki_deletes
#   joined: [approvals]
#   controls: [log-integrity]
#   empty: passed
#   severity: high
#   needs: { fields: [request_id, created_at] }
package loki.deletes

import data.lib.grants

made_ns := input.row.created_at * 1000000000 if is_number(input.row.created_at)

failed contains grants.lack("loki", [input.row.request_id], "delete", made_ns)

passed if grants.standing("loki", [input.row.request_id], "delete", made_ns)
