# METADATA
# title: Detection rules of Datadog run, and somebody answers for each as it is
# description: >-
#   Judges each rule by the list that the organisation declares: whoever answers for it, and the last change that they saw. A rule
#   that changed since, that is off, or that runs and nobody listed, came about without them. A listed rule that is gone is not seen
#   here: compare the numbers. A monitor that is muted in whole or in part counts as off.
# custom:
#   contract: 1
#   id: LG-06-datadog
#   population: datadog_rules
#   controls: [detection-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     rules: {}    # its number: { by, changed: its last change as Datadog writes it }
#   needs: { fields: [id, modified, muted] }
package datadog.rules

import data.lib.logs

id := format_int(input.row.id, 10)

changed := input.row.modified

on := input.row.muted == false

finding := logs.rule(id, changed, input.params.rules)

failed contains "rule.off" if {
	input.params.rules[id]
	on == false
}

not_applicable contains "rule.off" if {
	count(input.params.rules) > 0
	not input.params.rules[id]
	on == false
}

failed contains "rule.unlisted" if {
	finding[0] == "unlisted"
	on == true
}

failed contains finding[1] if finding[0] == "failed"

unknown contains finding[1] if finding[0] == "unknown"

passed if {
	finding[0] == "passed"
	on == true
}
