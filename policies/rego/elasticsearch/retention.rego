# METADATA
# title: Logs of Elasticsearch are kept for as long as they must be
# description: >-
#   Judges each asset of the register of log sources that names Elasticsearch: every data stream that its events of the last two days lie in
#   must keep them for as long as is due, and its oldest event must be as old as that, or as the source is. A duration in other
#   units than days and hours is not read.
# custom:
#   contract: 1
#   id: LG-02-elasticsearch
#   population: log_sources
#   joined: [elasticsearch_streams, elasticsearch_data_streams]
#   controls: [log-retention]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 365        # unless the register says another, in `retention_days`
#     slack_days: 3    # by how much the oldest event may be younger than that
#   needs: { fields: [system] }
package elasticsearch.retention

import data.lib.logs

judged if {
	logs.judged("elasticsearch")
	is_string(input.row.stream)
}

rows := logs.rows("elasticsearch_streams")

indexes := {index | some row in rows; some index in row.indexes}

# What the index's data stream says; one that never deletes says nothing of days.
of(index) := {answer |
	some stream in input.joined.elasticsearch_data_streams
	index in stream.indexes
	some answer in answers(stream)
}

answers(stream) := {logs.kept(logs.days(stream.policy.delete_after), input.params)} if stream.ilm_policy

answers(stream) := {["passed", "retention.endless"]} if {
	stream.ilm_policy
	stream.policy.deletes == false
}

answers(stream) := {logs.kept(logs.days(object.get(stream.lifecycle, "effective_retention", stream.lifecycle.data_retention)), input.params)} if {
	not stream.ilm_policy
	stream.lifecycle.enabled == true
}

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

# Not told, or more than are told: a policy that nobody named may hold for one of them.
findings contains ["unknown", "indexes.unseen"] if {
	some row in rows
	count(object.get(row, "indexes", [])) == 0
}

not_applicable contains logs.aside("elasticsearch")

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
