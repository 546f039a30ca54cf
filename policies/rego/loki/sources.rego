# METADATA
# title: Every source of logs that is registered for Loki is alive
# description: >-
#   Judges each asset of the register of log sources that names Loki by when it was last heard of there. The register is what is
#   judged, never the list of whatever happens to send. A quiet source is not a dead one: `max_silence_h` is meant for sources that send
#   a sign of life at least so often. What is older than two days is not asked about. The system tells the hour of the newest event, not the instant: in between it stays unknown.
# custom:
#   contract: 1
#   id: LG-01-loki
#   population: log_sources
#   joined: [loki_streams]
#   controls: [log-sources]
#   empty: unknown
#   severity: high
#   parameters:
#     stale_h: 8      # how long ago Loki may have been asked, where it does not say when
#   needs: { fields: [system] }
package loki.sources

import data.lib.logs

heard := logs.heard("loki_streams", {"window_h": 48, "stale_h": input.params.stale_h}) if {
	logs.judged("loki")
	is_string(input.row.stream)
}

not_applicable contains logs.aside("loki")

failed contains heard[1] if heard[0] == "failed"

unknown contains heard[1] if heard[0] == "unknown"

unknown contains "asset.unclear" if {
	logs.judged("loki")
	not heard
}

passed if heard[0] == "passed"
