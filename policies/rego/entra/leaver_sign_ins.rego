# METADATA
# title: Nobody signs in after leaving
# description: >-
#   Judges each interactive sign-in that succeeded by whether the person had left by then: the account by its id, the person by
#   the roster. Accounts that the register says are no person's are not applicable.
# custom:
#   contract: 1
#   id: ID-05-entra-sign-ins
#   population: entra_sign_ins
#   joined: [people, entra_users]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: passed
#   severity: high
#   needs: { steps: [sign_ins] }
package entra.leaver_sign_ins

import data.lib.account
import data.lib.people
import data.lib.services
import data.lib.when

users := account.with_id(input.row.userId)

owners := {owner |
	some user in users
	some owner in account.owners(user)
} | people.by_login("entra", object.get(input.row, "userPrincipalName", ""))

person if services.person_like("entra", [input.row.userId, object.get(input.row, "userPrincipalName", "")])

at := when.ns(input.row.createdDateTime)

not_applicable contains "account.no_person" if not person

unknown contains people.lack(owners) if person

unknown contains "person.unclear" if {
	person
	some owner in owners
	people.unclear(owner)
}

failed contains "leaver.signed_in" if {
	person
	count(owners) == 1
	some owner in owners
	people.left(owner, at)
}

passed if {
	person
	is_number(at)
	count(owners) == 1
	some owner in owners
	not people.left(owner, at)
}
