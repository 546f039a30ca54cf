# METADATA
# title: No unexplained gap in what a source of OpenSearch sent
# description: >-
#   Judges each asset of the register of log sources that names OpenSearch by the hours of the last two days in which something came: a silence
#   longer than `max_silence_h` must be covered by a record of an outage or a change in `explanations`. Hours are what is counted, so a
#   silence counts from the end of the last hour with events to the beginning of the next. One that still lasts is LG-01's.
# custom:
#   contract: 1
#   id: LG-03-opensearch
#   population: log_sources
#   joined: [opensearch_streams]
#   optional: [explanations]
#   controls: [log-sources]
#   empty: unknown
#   severity: medium
#   parameters:
#     stale_h: 8      # how long ago OpenSearch may have been asked, where it does not say when
#   needs: { fields: [system] }
package opensearch.gaps

import data.lib.logs

limit := {"window_h": 48, "stale_h": input.params.stale_h}

gaps := logs.gaps("opensearch_streams", limit)

judged if {
	logs.judged("opensearch")
	is_string(input.row.stream)
	is_number(logs.silence)
}

not_applicable contains logs.aside("opensearch")

failed contains "gap.unexplained" if {
	judged
	some gap in gaps
	not logs.explained(gap, "opensearch")
}

# A longer silence does not fit between the ends of what was asked about.
unknown contains "window.short" if {
	judged
	logs.silence >= limit.window_h * logs.hour
}

unknown contains "stream.unseen" if {
	judged
	count(logs.rows("opensearch_streams")) == 0
}

unknown contains "asset.unclear" if {
	logs.judged("opensearch")
	not judged
}

passed if {
	judged
	some row in logs.rows("opensearch_streams")
	count(logs.hours(row)) > 0
	every gap in gaps {
		logs.explained(gap, "opensearch")
	}
}
