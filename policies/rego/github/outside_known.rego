# METADATA
# title: Every outside collaborator is a registered person or service
# description: >-
#   Judges each outside collaborator by the register that GH-02 describes. Who works for somebody else still has a line in
#   it, with an end: the day on which the access is to go.
# custom:
#   contract: 1
#   id: GH-02-outside
#   population: outside_collaborators
#   controls: [known-accounts]
#   empty: not_applicable
#   severity: high
#   parameters:
#     people: {}      # login in lower case: { person, second: true for a further account, until: the last day }
#     services: {}    # login in lower case: { owner: a person of the register, until }
#   needs:
#     steps: [outside]
#     fields: [id]
package github.outside_known

import data.lib.register

found := register.findings(input.row, input.params.people, input.params.services, time.now_ns())

judged if {
	is_string(input.row.login)
	is_number(input.row.id)
}

failed contains code if some ["failed", code] in found

# People of the house have no end until they have one; whoever is not of the house has one from the first day.
failed contains "outside.endless" if {
	line := input.params.people[lower(input.row.login)]
	object.get(line, "until", null) == null
}

unknown contains code if some ["unknown", code] in found

passed if {
	judged
	count(found) == 0
}
