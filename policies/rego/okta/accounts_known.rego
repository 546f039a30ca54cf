# METADATA
# title: Every account that may sign in belongs to one person, or is registered
# description: >-
#   Judges each account that may sign in: it belongs to exactly one person of the roster, or the register says what else
#   it is. Names that are nobody's (admin, test, shared) fail unless they are registered, and so does a second account of
#   the same person.
# custom:
#   contract: 1
#   id: ID-13-okta
#   population: okta_users
#   joined: [people, okta_users]
#   optional: [service_accounts]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     generic: "^(admin|administrator|test|shared|root|info|support|service|guest)[0-9]*$"
#   needs: { steps: [users], fields: [id, status, profile] }
package okta.accounts_known

import data.lib.people
import data.lib.services
import data.lib.account

owners := people.found("okta", input.row.profile.login, object.get(input.row.profile, "email", ""))

matched contains item if some item in people.items(owners)

lines := services.of("okta", account.names(input.row))

open if account.active(input.row)

generic if {
	regex.match(input.params.generic, split(lower(input.row.profile.login), "@")[0])
	count(lines) == 0
}

# Further accounts with the same address that nobody registered.
further contains user.id if {
	some user in input.joined.okta_users
	user.profile.email == input.row.profile.email
	user.id != input.row.id
	account.active(user)
	count(services.of("okta", account.names(user))) == 0
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
