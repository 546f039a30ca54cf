# METADATA
# title: Logs of OpenSearch are kept for as long as they must be
# description: >-
#   Judges each asset of the register of log sources that names OpenSearch: the policy of every index that its events of the last two days
#   lie in must keep them for as long as is due, and its oldest event must be as old as that, or as the source is. An index under no
#   policy is deleted by people alone: who may is LG-05.
# custom:
#   contract: 1
#   id: LG-02-opensearch
#   population: log_sources
#   joined: [opensearch_streams, opensearch_indexes, opensearch_policies]
#   controls: [log-retention]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 365        # unless the register says another, in `retention_days`
#     slack_days: 3    # by how much the oldest event may be younger than that
#   needs: { fields: [system] }
package opensearch.retention

import data.lib.logs

judged if {
	logs.judged("opensearch")
	is_string(input.row.stream)
}

rows := logs.rows("opensearch_streams")

indexes := {index | some row in rows; some index in row.indexes}

of(name) := {answer |
	some index in input.joined.opensearch_indexes
	index.index == name
	some answer in answers(index.explained.policy)
}

# No policy: nothing deletes it by itself.
answers(policy) := {["passed", "retention.endless"]} if policy == null

answers(policy) := {logs.kept(logs.days(after), input.params) |
	some one in input.joined.opensearch_policies
	one.id == policy
	some after in one.delete_after
} if is_string(policy)

findings contains answer if {
	some index in indexes
	some answer in of(index)
}

findings contains ["unknown", "retention.unread"] if {
	some index in indexes
	count(of(index)) == 0
}

findings contains logs.reaches(logs.instant(row.age.oldest), input.params) if some row in rows

findings contains ["unknown", "stream.unseen"] if count(rows) == 0

findings contains ["unknown", "indexes.unseen"] if {
	some row in rows
	count(object.get(row, "indexes", [])) == 0
}

not_applicable contains logs.aside("opensearch")

failed contains code if {
	judged
	some [state, code] in findings
	state == "failed"
}

unknown contains code if {
	judged
	some [state, code] in findings
	state == "unknown"
}

passed if {
	judged
	every finding in findings {
		finding[0] == "passed"
	}
	count(findings) > 1
}
