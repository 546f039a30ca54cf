# METADATA
# title: Every registered source of logs is in a system that is read
# description: >-
#   Judges each asset of the register of log sources by the system that it names: one that no collector reads stays unknown, since
#   nobody looked. LG-01 of the systems themselves says whether the source is alive.
# custom:
#   contract: 1
#   id: LG-01-register
#   population: log_sources
#   controls: [log-sources]
#   empty: unknown
#   severity: medium
#   parameters:
#     systems: [loki, elasticsearch, opensearch, splunk, datadog, journald, cloudwatch]    # those that are read here
#   needs: { fields: [system] }
package logging.register

import data.lib.logs

system := lower(input.row.system)

ended if logs.seconds(input.row.until) <= logs.now

not_applicable contains "asset.ended" if ended

unknown contains "asset.unread" if {
	not ended
	is_string(input.row.system)
	not system in input.params.systems
}

failed contains "asset.unnamed" if {
	not ended
	object.get(input.row, "stream", "") == ""
}

passed if {
	not ended
	system in input.params.systems
}
