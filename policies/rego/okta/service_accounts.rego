# METADATA
# title: Every account that is no person has an owner, an end, and was changed and reviewed in time
# description: >-
#   Judges each account that may sign in and that the register of service accounts names. Accounts that it does not name
#   are people's, or unknown, by ID-13.
# custom:
#   contract: 1
#   id: ID-15-okta
#   population: okta_users
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 90
#     review_days: 365
#   needs: { steps: [users], fields: [id, status, profile] }
package okta.service_accounts

import data.lib.services
import data.lib.account

names := account.names(input.row)

lines := services.of("okta", names)

found := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

judged if {
	account.active(input.row)
	count(lines) > 0
}

not_applicable contains "account.shut" if account.shut(input.row)

unknown contains "account.state_unknown" if account.unclear(input.row)

failed contains code if {
	judged
	some ["failed", code] in found
}

unknown contains code if {
	judged
	some ["unknown", code] in found
}

not_applicable contains "account.unregistered" if {
	account.active(input.row)
	count(lines) == 0
}

passed if {
	judged
	count(lines) > 0
	count(found) == 0
}
