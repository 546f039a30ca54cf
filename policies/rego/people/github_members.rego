# METADATA
# title: Nobody who left is still a member of the organisation
# description: >-
#   Judges each member by the roster, which lists the logins (`github:ann`): whoever left must be gone from GitHub within so many
#   hours. An account that is there still has no instant at which it went, so it fails or is not due; one that went is no row any
#   more. An account that the roster does not list is unknown, unless the register of service accounts has it.
# custom:
#   contract: 1
#   id: ID-05-github
#   population: accounts
#   joined: [people]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: not_applicable
#   severity: critical
#   parameters: { within_h: 24, clock: calendar, zone: UTC, holidays: [] }
#   needs:
#     steps: [members]
#     fields: [id, login]
package people.github_members

import data.lib.leavers
import data.lib.people
import data.lib.services

now := time.now_ns()

found := people.by_login("github", input.row.login)

matched contains item if some item in people.items(found)

is_person if services.person_like("github", [input.row.login, format_int(input.row.id, 10)])

not_applicable contains "account.no_person" if {
	count(found) == 0
	not is_person
}

unknown contains code if {
	is_person
	code := people.lack(found)
}

told := leavers.verdict(person, {"active": true, "disabled": null}, now, input.params) if {
	count(found) == 1
	some person in found
}

failed contains code if {
	told.state == "failed"
	some code in told.codes
}

unknown contains code if {
	told.state == "unknown"
	some code in told.codes
}

not_due := told.until if told.state == "not_due"

# Who stays may be there.
passed if {
	told.state == "not_applicable"
	"person.stays" in told.codes
}
