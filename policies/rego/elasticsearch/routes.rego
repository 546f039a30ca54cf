# METADATA
# title: Every alert of Elasticsearch that runs is told to somebody
# description: >-
#   Judges each rule that runs by whether it names anybody or anything to tell. Whether the word arrives is not judged: nothing is
#   ever injected to find out.
# custom:
#   contract: 1
#   id: LG-07-elasticsearch
#   population: elasticsearch_rules
#   controls: [alert-routing]
#   empty: unknown
#   severity: medium
#   needs: { fields: [enabled, actions] }
package elasticsearch.routes

not_applicable contains "rule.off" if input.row.enabled == false

failed contains "rule.unrouted" if {
	input.row.enabled == true
	count(input.row.actions) == 0
}

passed if {
	input.row.enabled == true
	count(input.row.actions) > 0
}
