# METADATA
# title: Every source of logs that is registered for Splunk is alive
# description: >-
#   Judges each asset of the register of log sources that names Splunk by when it was last heard of there. The register is what is
#   judged, never the list of whatever happens to send. A quiet source is not a dead one: `max_silence_h` is meant for sources that send
#   a sign of life at least so often. Sources are indexes: a host that died among others that send to the same index is not seen.
# custom:
#   contract: 1
#   id: LG-01-splunk
#   population: log_sources
#   joined: [splunk_streams]
#   controls: [log-sources]
#   empty: unknown
#   severity: high
#   parameters:
#     stale_h: 8      # how long ago Splunk may have been asked, where it does not say when
#   needs: { fields: [system] }
package splunk.sources

import data.lib.logs

heard := logs.heard("splunk_streams", {"window_h": 87600, "stale_h": input.params.stale_h}) if {
	logs.judged("splunk")
	is_string(input.row.stream)
}

not_applicable contains logs.aside("splunk")

failed contains heard[1] if heard[0] == "failed"

unknown contains heard[1] if heard[0] == "unknown"

unknown contains "asset.unclear" if {
	logs.judged("splunk")
	not heard
}

passed if heard[0] == "passed"
