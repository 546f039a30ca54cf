# METADATA
# title: Every registered service account is owned, rotated, reviewed, and ends
# description: >-
#   Judges each live user that the register says is no person's. Tokens of users are not read: the scope for it may
#   also revoke them.
# custom:
#   contract: 1
#   id: ID-15-google
#   population: google_users
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     rotate_days: 365
#     review_days: 366
#   needs: { fields: [id, suspended, archived] }
package google.service_accounts

import data.lib.google
import data.lib.services

lines := {line | some line in services.of("google", [input.row.id, input.row.primaryEmail]); line.kind in services.no_person}

findings contains finding if {
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

failed contains code if some ["failed", code] in findings

unknown contains code if some ["unknown", code] in findings

not_applicable contains "account.unregistered" if count(lines) == 0

not_applicable contains "account.shut" if google.shut(input.row)

passed if {
	google.live(input.row)
	count(lines) > 0
	count(findings) == 0
}
