# METADATA
# title: Every account belongs to one person or to a registered service
# description: >-
#   Judges each enabled account by the roster of people and the register of service accounts. Who is in neither is
#   unknown, not failed. A further account of the same person fails unless it is registered as one.
# custom:
#   contract: 1
#   id: ID-13-keycloak
#   population: keycloak_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 365
#     review_days: 365
#   needs:
#     steps: [users]
#     fields: [id, username, enabled]
package keycloak.accounts_known

import data.lib.people
import data.lib.services

names := [input.row.username, input.row.id]

lines := services.of("keycloak", names)

found := people.found("keycloak", input.row.username, object.get(input.row, "email", ""))

matched contains item if some item in people.items(found)

against := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

not_applicable contains "account.disabled" if input.row.enabled == false

failed contains code if some ["failed", code] in against

unknown contains code if some ["unknown", code] in against

unknown contains people.lack(found) if count(lines) == 0

failed contains "person.left" if {
	count(lines) == 0
	count(found) == 1
	some person in found
	people.left(person, time.now_ns())
}

passed if {
	input.row.enabled == true
	count(lines) > 0
	count(against) == 0
}

passed if {
	input.row.enabled == true
	count(lines) == 0
	count(found) == 1
	some person in found
	people.current(person, time.now_ns())
}
