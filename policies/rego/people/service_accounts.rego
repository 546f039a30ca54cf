# METADATA
# title: Every account that is no person has an owner, a purpose, an end, and is looked after
# description: >-
#   Judges each line of the register of service accounts, bots and AI agents among them: somebody who works here answers for it, it
#   says what it is for, it has an end, its secret was rotated and it was reviewed in time. What was never done counts from the day of
#   issue. Whether the register has every such account is judged where the accounts are.
# custom:
#   contract: 1
#   id: ID-15-register
#   population: service_accounts
#   joined: [people]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters: { rotate_days: 365, review_days: 365, signed: true }
#   needs:
#     fields: [system, account, kind]
package people.service_accounts

import data.lib.services

found := services.findings(input.row, time.now_ns(), input.params)

failed contains code if some ["failed", code] in found

failed contains "service.purposeless" if object.get(input.row, "purpose", "") == ""

unknown contains code if some ["unknown", code] in found

unknown contains "register.unsigned" if {
	input.params.signed
	input.row.signed_by == null
}

passed if {
	is_string(input.row.account)
	count(found) == 0
}
