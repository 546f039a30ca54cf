# METADATA
# title: Every account belongs to one person or to a registered service
# description: >-
#   Judges each account that may sign in by the roster of people and the register of service accounts. Who is in neither
#   is unknown, not failed. What stands against a registered one is judged by ID-15.
# custom:
#   contract: 1
#   id: ID-13-ad
#   population: ad_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [users]
#     fields: [dn]
package ad.accounts_known

import data.lib.account
import data.lib.people
import data.lib.services

now := time.now_ns()

lines := services.of("ad", account.names(input.row))

found := account.owners(input.row)

matched contains item if some item in people.items(found)

active if account.active(input.row, now)

not_applicable contains "account.shut" if account.shut(input.row, now)

unknown contains "account.state_unknown" if {
	account.unclear(input.row)
	not account.shut(input.row, now)
}

unknown contains people.lack(found) if {
	active
	count(lines) == 0
}

unknown contains "person.unclear" if {
	active
	some person in found
	people.unclear(person)
}

failed contains "person.left" if {
	active
	count(lines) == 0
	count(found) == 1
	some person in found
	people.left(person, now)
}

passed if {
	active
	count(lines) > 0
}

passed if {
	active
	count(lines) == 0
	count(found) == 1
	some person in found
	people.current(person, now)
}
