# METADATA
# title: Logs of Splunk are kept for as long as they must be
# description: >-
#   Judges each asset of the register of log sources that names Splunk: its index must keep what it is sent for as long as is due, and
#   its oldest event must be as old as that, or as the source is. The size at which an index drops its oldest bucket is not judged;
#   the oldest event shows it once it happened.
# custom:
#   contract: 1
#   id: LG-02-splunk
#   population: log_sources
#   joined: [splunk_streams]
#   controls: [log-retention]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 365        # unless the register says another, in `retention_days`
#     slack_days: 3    # by how much the oldest event may be younger than that
#   needs: { fields: [system] }
package splunk.retention

import data.lib.logs

judged if {
	logs.judged("splunk")
	is_string(input.row.stream)
}

rows := logs.rows("splunk_streams")

findings contains logs.kept(row.retention_s / logs.day, input.params) if some row in rows

findings contains logs.reaches(logs.instant(row.oldest), input.params) if some row in rows

findings contains ["unknown", "stream.unseen"] if count(rows) == 0

not_applicable contains logs.aside("splunk")

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
