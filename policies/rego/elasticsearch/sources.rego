# METADATA
# title: Every source of logs that is registered for Elasticsearch is alive
# description: >-
#   Judges each asset of the register of log sources that names Elasticsearch by when it was last heard of there. The register is what is
#   judged, never the list of whatever happens to send. A quiet source is not a dead one: `max_silence_h` is meant for sources that send
#   a sign of life at least so often. What is older than two days is not asked about.
# custom:
#   contract: 1
#   id: LG-01-elasticsearch
#   population: log_sources
#   joined: [elasticsearch_streams]
#   controls: [log-sources]
#   empty: unknown
#   severity: high
#   parameters:
#     stale_h: 8      # how long ago Elasticsearch may have been asked, where it does not say when
#   needs: { fields: [system] }
package elasticsearch.sources

import data.lib.logs

heard := logs.heard("elasticsearch_streams", {"window_h": 48, "stale_h": input.params.stale_h}) if {
	logs.judged("elasticsearch")
	is_string(input.row.stream)
}

not_applicable contains logs.aside("elasticsearch")

failed contains heard[1] if heard[0] == "failed"

unknown contains heard[1] if heard[0] == "unknown"

unknown contains "asset.unclear" if {
	logs.judged("elasticsearch")
	not heard
}

passed if heard[0] == "passed"
