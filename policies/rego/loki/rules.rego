# METADATA
# title: Detection rules of Loki run, and somebody answers for each as it is
# description: >-
#   Judges each rule by the list that the organisation declares: whoever answers for it, and the last change that they saw. A rule
#   that changed since, that is off, or that runs and nobody listed, came about without them. A listed rule that is gone is not seen
#   here: compare the numbers. Loki dates no change, so what a group asks is itself compared; one that cannot be evaluated counts as
#   off.
# custom:
#   contract: 1
#   id: LG-06-loki
#   population: loki_rules
#   controls: [detection-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     rules: {}    # file/name: { by, changed: its queries, with "; " between }
#   needs: { fields: [file, name, rules] }
package loki.rules

import data.lib.logs

id := concat("/", [input.row.file, input.row.name])

changed := concat("; ", [rule.query | some rule in input.row.rules]) if is_array(input.row.rules)

failing if {
	some rule in input.row.rules
	rule.health == "err"
}

on := false if failing

on := true if {
	not failing
	count(input.row.rules) > 0
	every rule in input.row.rules {
		rule.health == "ok"
	}
}

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
