# METADATA
# title: Logs of Loki are kept for as long as they must be
# description: >-
#   Judges each asset of the register of log sources that names Loki by what the register itself declares, `declared_retention_days`.
#   Loki answers `/config` with text that operators alone are shown, so what is configured is not observed.
# custom:
#   contract: 1
#   id: LG-02-loki
#   population: log_sources
#   controls: [log-retention]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 365        # unless the register says another, in `retention_days`
#   needs: { fields: [system] }
package loki.retention

import data.lib.logs

judged if {
	logs.judged("loki")
	is_string(input.row.stream)
}

findings contains logs.kept(input.row.declared_retention_days, input.params)

findings contains ["unknown", "retention.undeclared"] if not is_number(object.get(input.row, "declared_retention_days", null))

not_applicable contains logs.aside("loki")

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
