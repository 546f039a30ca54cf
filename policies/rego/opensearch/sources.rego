# METADATA
# title: Every source of logs that is registered for OpenSearch is alive
# description: >-
#   Judges each asset of the register of log sources that names OpenSearch by when it was last heard of there. The register is what is
#   judged, never the list of whatever happens to send. A quiet source is not a dead one: `max_silence_h` is meant for sources that send
#   a sign of life at least so often. What is older than two days is not asked about.
# custom:
#   contract: 1
#   id: LG-01-opensearch
#   population: log_sources
#   joined: [opensearch_streams]
#   controls: [log-sources]
#   empty: unknown
#   severity: high
#   parameters:
#     stale_h: 8      # how long ago OpenSearch may have been asked, where it does not say when
#   needs: { fields: [system] }
package opensearch.sources

import data.lib.logs

heard := logs.heard("opensearch_streams", {"window_h": 48, "stale_h": input.params.stale_h}) if {
	logs.judged("opensearch")
	is_string(input.row.stream)
}

not_applicable contains logs.aside("opensearch")

failed contains heard[1] if heard[0] == "failed"

unknown contains heard[1] if heard[0] == "unknown"

unknown contains "asset.unclear" if {
	logs.judged("opensearch")
	not heard
}

passed if heard[0] == "passed"
