# METADATA
# title: Every source of logs that is registered for journald is alive
# description: >-
#   Judges each asset of the register of log sources that names journald by when it was last heard of there. The register is what is
#   judged, never the list of whatever happens to send. A quiet source is not a dead one: `max_silence_h` is meant for sources that send
#   a sign of life at least so often. The newest entry of each host is what is read, however old.
# custom:
#   contract: 1
#   id: LG-01-journald
#   population: log_sources
#   joined: [journald_hosts]
#   controls: [log-sources]
#   empty: unknown
#   severity: high
#   parameters:
#     stale_h: 8      # how long ago journald may have been asked, where it does not say when
#   needs: { fields: [system] }
package journald.sources

import data.lib.logs

heard := logs.heard("journald_hosts", {"window_h": 87600, "stale_h": input.params.stale_h}) if {
	logs.judged("journald")
	is_string(input.row.stream)
}

not_applicable contains logs.aside("journald")

failed contains heard[1] if heard[0] == "failed"

unknown contains heard[1] if heard[0] == "unknown"

unknown contains "asset.unclear" if {
	logs.judged("journald")
	not heard
}

passed if heard[0] == "passed"
