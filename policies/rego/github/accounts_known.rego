# METADATA
# title: Every account belongs to a person who works here, or to a registered service
# description: >-
#   Judges each member by a register that the organisation declares: login to person, service account to owner and end.
#   Who is in neither is unknown, not failed: a register says whom it knows, and a missing line is first of all a missing
#   line. A further account of the same person fails unless it is registered as one; separate accounts for administration
#   are good practice. The source's e-mail addresses are mostly hidden and are not used. Whether the register itself is
#   right (does this person still work here?) is the register's owner to prove.
# custom:
#   contract: 1
#   id: GH-02
#   population: accounts
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     people: {}      # login in lower case: { person, second: true for a further account, until: the last day }
#     services: {}    # login in lower case: { owner: a person of the register, until }
#   needs:
#     steps: [members]
#     fields: [id, login, type]
package github.accounts_known

import data.lib.register

found := register.findings(input.row, input.params.people, input.params.services, time.now_ns())

judged if {
	is_string(input.row.login)
	is_number(input.row.id)
}

failed contains code if some ["failed", code] in found

unknown contains code if some ["unknown", code] in found

passed if {
	judged
	count(found) == 0
}
