# METADATA
# title: Accounts of leavers are disabled in time
# description: >-
#   Judges each account that belongs to somebody who leaves, by the roster of people. OpenLDAP keeps since when an account
#   has ended, and not since when it is locked: one that is found locked only after the limit is unknown, unless a look
#   within the limit found it so.
# custom:
#   contract: 1
#   id: ID-04-ldap
#   population: ldap_users
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
#     fields: [dn]
package ldap.leavers

import data.lib.account
import data.lib.leavers
import data.lib.people

now := time.now_ns()

found := account.owners(input.row)

told := leavers.verdict(person, account.state(input.row, now), now, input.params) if {
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
