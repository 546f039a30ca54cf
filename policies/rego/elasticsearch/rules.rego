# METADATA
# title: Detection rules of Elasticsearch run, and somebody answers for each as it is
# description: >-
#   Judges each rule by the list that the organisation declares: whoever answers for it, and the last change that they saw. A rule
#   that changed since, that is off, or that runs and nobody listed, came about without them. A listed rule that is gone is not seen
#   here: compare the numbers.
# custom:
#   contract: 1
#   id: LG-06-elasticsearch
#   population: elasticsearch_rules
#   controls: [detection-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     rules: {}    # its rule_id: { by, changed: its last change as Elasticsearch writes it }
#   needs: { fields: [rule_id, updated_at, enabled] }
package elasticsearch.rules

import data.lib.logs

id := input.row.rule_id

changed := input.row.updated_at

on := input.row.enabled

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
