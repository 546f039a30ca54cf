# METADATA
# title: Accounts of leavers are disabled in time
# description: >-
#   Judges each account that belongs to somebody who leaves, by the roster of people. Keycloak does not say since when
#   an account is disabled: one that is found disabled only after the limit is unknown, unless a look within the limit
#   found it so.
# custom:
#   contract: 1
#   id: ID-04-keycloak
#   population: keycloak_users
#   joined: [people]
#   controls: [leavers]
#   empty: unknown
#   severity: high
#   parameters:
#     within_h: 24
#     clock: calendar    # or business
#     zone: UTC
#     holidays: []
#   needs:
#     steps: [users]
#     fields: [username, enabled]
package keycloak.leavers

import data.lib.leavers
import data.lib.people

found := people.found("keycloak", input.row.username, object.get(input.row, "email", ""))

told := leavers.verdict(person, {"active": input.row.enabled, "disabled": null}, time.now_ns(), input.params) if {
	count(found) == 1
	some person in found
}

unknown contains people.lack(found)

unknown contains code if {
	told.state == "unknown"
	some code in told.codes
}

failed contains code if {
	told.state == "failed"
	some code in told.codes
}

not_applicable contains code if {
	told.state == "not_applicable"
	some code in told.codes
}

not_due := told.until if told.state == "not_due"

passed if told.state == "passed"
