# METADATA
# title: Every account belongs to a person who works here, or is registered
# description: >-
#   Judges each live user by the roster, and by the register of accounts that are no person or a person's second
#   one: owned, reviewed, rotated, with an end. Who is in neither is unknown, not failed.
# custom:
#   contract: 1
#   id: ID-13-google
#   population: google_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 365
#     review_days: 366
#   needs: { fields: [id, suspended, archived] }
package google.accounts_known

import data.lib.google
import data.lib.people
import data.lib.services

names := [input.row.id, input.row.primaryEmail]

lines := services.of("google", names)

found := people.by_email(input.row.primaryEmail)

matched contains item if some item in people.items(found)

findings contains finding if {
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

mine if services.person_like("google", names)

failed contains code if some ["failed", code] in findings

failed contains "person.left" if {
	mine
	google.live(input.row)
	count(found) == 1
	some person in found
	people.left(person, time.now_ns())
}

unknown contains code if some ["unknown", code] in findings

unknown contains people.lack(found) if {
	mine
	count(lines) == 0
}

not_applicable contains "account.shut" if google.shut(input.row)

passed if {
	count(lines) > 0
	count(findings) == 0
}

passed if {
	mine
	google.live(input.row)
	count(found) == 1
	some person in found
	people.current(person, time.now_ns())
}
