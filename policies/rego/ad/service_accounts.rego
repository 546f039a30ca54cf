# METADATA
# title: Every account that is no person has an owner, an end, and a password that was changed in time
# description: >-
#   Judges each account that may sign in and that the register of service accounts names, or whose password never ends:
#   it has to be registered, owned, with an end, rotated and reviewed in time. A person's password that never ends is no
#   failure by itself where nobody asks for an age; whose account it is has to be known for that.
# custom:
#   contract: 1
#   id: ID-15-ad
#   population: ad_users
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 365
#     review_days: 365
#   needs: { steps: [users], fields: [dn] }
package ad.service_accounts

import data.lib.account
import data.lib.directory
import data.lib.services
import data.lib.when

now := time.now_ns()

lines := services.of("ad", account.names(input.row))

found := {finding |
	some line in lines
	some finding in services.findings(line, now, input.params)
}

active if account.active(input.row, now)

# A password that never ends, of an account that is nobody's.
machine if {
	account.password_for_ever(input.row)
	count(account.owners(input.row)) == 0
}

set_at := directory.filetime_ns(input.row.pwdLastSet)

old if set_at + (input.params.rotate_days * when.day_ns) < now

not_applicable contains "account.shut" if account.shut(input.row, now)

unknown contains "account.state_unknown" if {
	account.unclear(input.row)
	not account.shut(input.row, now)
}

not_applicable contains "account.person" if {
	active
	count(lines) == 0
	not machine
}

failed contains "service.unregistered" if {
	active
	count(lines) == 0
	machine
}

failed contains "password.old" if {
	active
	count(lines) > 0
	old
}

failed contains code if {
	active
	some ["failed", code] in found
}

unknown contains code if {
	active
	some ["unknown", code] in found
}

passed if {
	active
	count(lines) > 0
	count(found) == 0
	not old
}
