# METADATA
# title: Nobody signs in after leaving
# description: >-
#   Judges each sign-in by whether the person had left by then: the account by its id, the person by the roster.
#   Refreshed tokens are no sign-ins and are not seen.
# custom:
#   contract: 1
#   id: ID-05-keycloak
#   population: keycloak_sign_ins
#   joined: [people, keycloak_users]
#   controls: [leavers]
#   empty: passed
#   severity: high
#   needs:
#     steps: [sign_ins]
package keycloak.leaver_sign_ins

import data.lib.people
import data.lib.when

accounts := {user | some user in input.joined.keycloak_users; user.id == input.row.userId}

found := {person |
	some user in accounts
	some person in people.found("keycloak", user.username, object.get(user, "email", ""))
}

at := when.ns(input.row._at)

unknown contains "account.unmatched" if count(accounts) == 0

unknown contains people.lack(found) if count(accounts) > 0

unknown contains "person.unclear" if {
	some person in found
	people.unclear(person)
}

failed contains "leaver.signed_in" if {
	count(found) == 1
	some person in found
	people.left(person, at)
}

passed if {
	count(found) == 1
	some person in found
	is_number(at)
	not people.left(person, at)
}
