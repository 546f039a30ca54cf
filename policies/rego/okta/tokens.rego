# METADATA
# title: Every API token has an owner, an end, and was changed and reviewed in time
# description: >-
#   Judges each API token by the register of service accounts: who owns it and still works here, until when, when it was
#   last changed and reviewed. One that the register does not have fails. A token has the rights of the person who made
#   it, and whose it is there need not be its owner.
# custom:
#   contract: 1
#   id: ID-15-okta-tokens
#   population: api_tokens
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: passed
#   severity: high
#   parameters:
#     rotate_days: 90
#     review_days: 365
#   needs: { fields: [id, name] }
package okta.tokens

import data.lib.services

names := [input.row.id, input.row.name]

lines := services.of("okta", names)

found := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

judged if is_string(input.row.id)

failed contains code if {
	judged
	some ["failed", code] in found
}

unknown contains code if {
	judged
	some ["unknown", code] in found
}

failed contains "service.unregistered" if {
	judged
	count(lines) == 0
}

passed if {
	judged
	count(lines) > 0
	count(found) == 0
}
