# METADATA
# title: The clock of a source of Elasticsearch agrees with Elasticsearch's own
# description: >-
#   Judges each asset of the register of log sources that names Elasticsearch by its newest event and the instant at which Elasticsearch was asked, by its own
#   clock. An event from the future is a clock that is ahead. An event from just now shows that the clock is not behind. In
#   between nothing is said: how late events come measures how they are sent, not their clocks. A quiet source that is
#   ahead by just as long as it was quiet looks right in one run, not in many.
# custom:
#   contract: 1
#   id: LG-09-elasticsearch
#   population: log_sources
#   joined: [elasticsearch_streams]
#   controls: [clocks]
#   empty: unknown
#   severity: low
#   parameters:
#     skew_s: 60      # unless the register says another, in `clock_skew_s`
#   needs: { fields: [system] }
package elasticsearch.clocks

import data.lib.logs

skew := object.get(input.row, "clock_skew_s", input.params.skew_s)

# By how much the newest event lies before the question; below zero, after it.
lags := {lag |
	some row in logs.rows("elasticsearch_streams")
	lag := logs.instant(row.asked.at) - logs.instant(row.newest)
}

judged if {
	logs.judged("elasticsearch")
	count(lags) == 1
	is_number(skew)
}

not_applicable contains logs.aside("elasticsearch")

failed contains "clock.ahead" if {
	judged
	min(lags) < 0 - skew
}

unknown contains "clock.unproven" if {
	judged
	min(lags) > skew
}

unknown contains "stream.unseen" if {
	logs.judged("elasticsearch")
	not judged
}

passed if {
	judged
	abs(min(lags)) <= skew
}
