# METADATA
# title: Every source of logs that is registered for CloudWatch is alive
# description: >-
#   Judges each asset of the register of log sources that names CloudWatch by the newest event of the log group that it names. The register
#   is what is judged, never the list of whatever happens to send. A quiet source is not a dead one: `max_silence_h` is meant for sources
#   that send a sign of life at least so often. CloudWatch may tell an event an hour after it came: in between it stays unknown.
# custom:
#   contract: 1
#   id: LG-01-cloudwatch
#   population: log_sources
#   joined: [aws_log_groups]
#   controls: [log-sources]
#   empty: unknown
#   severity: high
#   parameters:
#     stale_h: 8      # how long ago CloudWatch may have been asked
#     late_h: 1       # how late it may tell of an event
#   needs: { fields: [system] }
package aws.sources

import data.lib.logs

judged if {
	logs.judged("cloudwatch")
	is_string(input.row.stream)
	is_number(logs.silence)
}

rows := {row | some row in input.joined.aws_log_groups; row.stream == input.row.stream}

# A group without a stream has never had an event.
never if {
	every row in rows {
		row.latest == []
	}
}

newest := max({one.at | some row in rows; some one in row.latest; is_number(one.at)})

heard := ["failed", "source.silent"] if {
	judged
	never
}

heard := logs.told([newest, newest + (input.params.late_h * logs.hour)], logs.asked("aws_log_groups", input.params.stale_h)) if {
	judged
	not never
}

not_applicable contains logs.aside("cloudwatch")

failed contains heard[1] if heard[0] == "failed"

unknown contains heard[1] if heard[0] == "unknown"

# There is a group, and nobody said when something last came to it.
unknown contains "latest.unseen" if {
	judged
	not heard
}

unknown contains "asset.unclear" if {
	logs.judged("cloudwatch")
	not judged
}

passed if heard[0] == "passed"
