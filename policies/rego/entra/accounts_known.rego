# METADATA
# title: Every account that may sign in belongs to one person, or is registered
# description: >-
#   Judges each account that may sign in: it belongs to exactly one person of the roster, or the register says what else
#   it is. Names that are nobody's (admin, test, shared) fail unless they are registered, and so does a second account of
#   the same person. A guest belongs to somebody else's roster and is unknown unless registered, or in this one.
# custom:
#   contract: 1
#   id: ID-13-entra
#   population: entra_users
#   joined: [people, entra_users]
#   optional: [service_accounts]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     generic: "^(admin|administrator|test|shared|root|info|support|service|guest)[0-9]*$"
#   needs: { steps: [users], fields: [id] }
package entra.accounts_known

import data.lib.account
import data.lib.people
import data.lib.services

owners := account.owners(input.row)

matched contains item if some item in people.items(owners)

lines := services.of("entra", account.names(input.row))

open if account.active(input.row)

generic if {
	regex.match(input.params.generic, split(lower(input.row.userPrincipalName), "@")[0])
	count(lines) == 0
}

# Further accounts of the same person that nobody registered: by the roster, since an account may have no address.
further contains user.id if {
	count(owners) == 1
	some owner in owners
	some user in input.joined.entra_users
	user.id != input.row.id
	account.active(user)
	belongs(user, owner)
	count(services.of("entra", account.names(user))) == 0
}

belongs(user, owner) if {
	is_string(owner.email)
	user.mail == owner.email
}

belongs(user, owner) if {
	some login in owner.logins
	lower(login) == concat(":", ["entra", lower(user.userPrincipalName)])
}

second if {
	count(lines) == 0
	count(further) > 0
}

not_applicable contains "account.shut" if account.shut(input.row)

unknown contains "account.state_unknown" if account.unclear(input.row)

failed contains "account.generic" if {
	open
	generic
}

failed contains "account.second" if {
	open
	second
}

unknown contains people.lack(owners) if {
	open
	count(lines) == 0
}

passed if {
	open
	count(lines) > 0
}

passed if {
	open
	count(owners) == 1
	not generic
	not second
}
