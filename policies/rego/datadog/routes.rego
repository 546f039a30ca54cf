# METADATA
# title: Every alert of Datadog that runs is told to somebody
# description: >-
#   Judges each rule that runs by whether it names anybody or anything to tell. Whether the word arrives is not judged: nothing is
#   ever injected to find out.
# custom:
#   contract: 1
#   id: LG-07-datadog
#   population: datadog_rules
#   controls: [alert-routing]
#   empty: unknown
#   severity: medium
#   needs: { fields: [muted, routed] }
package datadog.routes

not_applicable contains "rule.muted" if input.row.muted == true

failed contains "rule.unrouted" if {
	input.row.muted == false
	input.row.routed == false
}

passed if {
	input.row.muted == false
	input.row.routed == true
}
