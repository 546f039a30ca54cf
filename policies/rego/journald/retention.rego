# METADATA
# title: Logs of journald are kept for as long as they must be
# description: >-
#   Judges each asset of the register of log sources that names journald by what the register itself declares, `declared_retention_days`.
#   The journal is bounded by its size, so what is configured is not observed, but its oldest entry is: it must be as old as is due,
#   or as the source is.
# custom:
#   contract: 1
#   id: LG-02-journald
#   population: log_sources
#   joined: [journald_hosts]
#   controls: [log-retention]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 365        # unless the register says another, in `retention_days`
#     slack_days: 3    # by how much the oldest event may be younger than that
#   needs: { fields: [system] }
package journald.retention

import data.lib.logs

judged if {
	logs.judged("journald")
	is_string(input.row.stream)
}

findings contains logs.kept(input.row.declared_retention_days, input.params)

rows := logs.rows("journald_hosts")

findings contains logs.reaches(logs.instant(row.oldest), input.params) if some row in rows

findings contains ["unknown", "stream.unseen"] if count(rows) == 0

findings contains ["unknown", "retention.undeclared"] if not is_number(object.get(input.row, "declared_retention_days", null))

not_applicable contains logs.aside("journald")

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
