# METADATA
# title: Every user belongs to a person who works here, or is registered
# description: >-
#   Judges each active user by the roster and by the register. Who is in neither is unknown, not failed.
# custom:
#   contract: 1
#   id: ID-13-scim
#   population: scim_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 365
#     review_days: 366
#   needs: { fields: [id, active] }
package scim.accounts_known

import data.lib.people
import data.lib.services

names := [input.row.id, input.row.userName]

lines := services.of("scim", names)

found := people.found("scim", input.row.userName, object.get(input.row, "email", input.row.userName))

matched contains item if some item in people.items(found)

findings contains finding if {
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

mine if services.person_like("scim", names)

failed contains code if some ["failed", code] in findings

failed contains "person.left" if {
	mine
	input.row.active == true
	count(found) == 1
	some person in found
	people.left(person, time.now_ns())
}

unknown contains code if some ["unknown", code] in findings

unknown contains people.lack(found) if {
	mine
	count(lines) == 0
}

not_applicable contains "account.shut" if input.row.active == false

passed if {
	count(lines) > 0
	count(findings) == 0
}

passed if {
	mine
	input.row.active == true
	count(found) == 1
	some person in found
	people.current(person, time.now_ns())
}
