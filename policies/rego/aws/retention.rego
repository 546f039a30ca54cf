# METADATA
# title: Logs of CloudWatch are kept for as long as they must be
# description: >-
#   Judges each asset of the register of log sources that names CloudWatch: its log group must keep events for as long as is due, for ever
#   where nothing is set, and be as old as that, or as the source is: a group that was made anew has lost what was in the one before.
#   Exports and archives are not read.
# custom:
#   contract: 1
#   id: LG-02-cloudwatch
#   population: log_sources
#   joined: [aws_log_groups]
#   controls: [log-retention]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 365        # unless the register says another, in `retention_days`
#     slack_days: 3    # by how much the group may be younger than the source
#   needs: { fields: [system] }
package aws.retention

import data.lib.logs

judged if {
	logs.judged("cloudwatch")
	is_string(input.row.stream)
}

rows := {row | some row in input.joined.aws_log_groups; row.stream == input.row.stream}

# A row that is there was seen whole, and without a number of days it never forgets.
kept(row) := ["passed", "retention.endless"] if object.get(row, "retentionInDays", null) == null

kept(row) := logs.kept(row.retentionInDays, input.params) if is_number(row.retentionInDays)

findings contains kept(row) if some row in rows

findings contains logs.reaches(row.created, input.params) if some row in rows

findings contains ["unknown", "stream.unseen"] if count(rows) == 0

not_applicable contains logs.aside("cloudwatch")

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

unknown contains "asset.unclear" if {
	logs.judged("cloudwatch")
	not judged
}

passed if {
	judged
	every finding in findings {
		finding[0] == "passed"
	}
	count(findings) > 1
}
