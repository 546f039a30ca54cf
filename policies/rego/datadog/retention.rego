# METADATA
# title: Logs of Datadog are kept for as long as they must be
# description: >-
#   Judges each asset of the register of log sources that names Datadog by the shortest retention of all indexes, since which of them
#   takes its logs is decided by filters. How old the oldest event is, and archives, are not read.
# custom:
#   contract: 1
#   id: LG-02-datadog
#   population: log_sources
#   joined: [datadog_indexes]
#   controls: [log-retention]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 365        # unless the register says another, in `retention_days`
#   needs: { fields: [system] }
package datadog.retention

import data.lib.logs

judged if {
	logs.judged("datadog")
	is_string(input.row.stream)
}

findings contains logs.kept(index.num_retention_days, input.params) if some index in input.joined.datadog_indexes

findings contains ["unknown", "indexes.unseen"] if count(input.joined.datadog_indexes) == 0

not_applicable contains logs.aside("datadog")

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
	count(findings) > 0
}
