# METADATA
# title: Every account that is no person has an owner, an end, and a password that was changed in time
# description: >-
#   Judges each account that may sign in and that the register of service accounts names, or that is no person by its
#   own class (simpleSecurityObject, account): it has to be registered, owned, with an end, rotated and reviewed in time. Where
#   the directory keeps when its password was set, that is what counts.
# custom:
#   contract: 1
#   id: ID-15-ldap
#   population: ldap_users
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 365
#     review_days: 365
#   needs: { steps: [users], fields: [dn] }
package ldap.service_accounts

import data.lib.account
import data.lib.directory
import data.lib.services
import data.lib.when

now := time.now_ns()

lines := services.of("ldap", account.names(input.row))

found := {finding |
	some line in lines
	some finding in services.findings(line, now, input.params)
}

active if account.active(input.row, now)

machine if {
	some class in input.row.objectClass
	lower(class) in {"simplesecurityobject", "account"}
}

set_at := directory.generalized_ns(input.row.pwdChangedTime)

old if set_at + (input.params.rotate_days * when.day_ns) < now

not_applicable contains "account.shut" if account.shut(input.row, now)

unknown contains "account.state_unknown" if {
	account.unclear(input.row, now)
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
