# METADATA
# title: Whoever leaves can no longer sign in, in time
# description: >-
#   Judges each person of the roster who leaves by all their Okta accounts: each must be suspended or deactivated within
#   the hours that are allowed, by Okta's own instant of the last change of state. Who was suspended in time and
#   deactivated later shows the later instant; the verdicts from before tell the difference. An account of somebody who
#   never had one is none.
# custom:
#   contract: 1
#   id: ID-04-okta
#   population: people
#   joined: [okta_users]
#   controls: [leavers]
#   empty: unknown
#   severity: high
#   parameters:
#     within_h: 24
#     clock: calendar        # calendar | business
#     zone: UTC
#     holidays: []
#   needs: { fields: [email] }
package okta.leavers

import data.lib.leavers
import data.lib.when
import data.lib.account

leaves if input.row.ends

leaves if input.row.ends_at

logins := {lower(trim_prefix(login, "okta:")) |
	some login in object.get(input.row, "logins", [])
	startswith(login, "okta:")
}

accounts contains user if {
	leaves
	some user in input.joined.okta_users
	user.profile.email == input.row.email
}

accounts contains user if {
	leaves
	some user in input.joined.okta_users
	lower(user.profile.login) in logins
}

state(user) := {"active": true, "disabled": null} if account.active(user)

state(user) := {"active": false, "disabled": object.get({"at": when.ns(user.statusChanged)}, "at", null)} if {
	account.shut(user)
	is_number(when.ns(user.statusChanged))
}

state(user) := {"active": false, "disabled": null} if {
	account.shut(user)
	not is_number(when.ns(user.statusChanged))
}

state(user) := {"active": null, "disabled": null} if account.unclear(user)

told contains verdict if {
	some user in accounts
	verdict := leavers.verdict(input.row, state(user), time.now_ns(), input.params)
}

not_applicable contains "person.stays" if not leaves

not_applicable contains "account.none" if {
	leaves
	count(accounts) == 0
}

failed contains code if {
	some verdict in told
	verdict.state == "failed"
	some code in verdict.codes
}

unknown contains code if {
	some verdict in told
	verdict.state == "unknown"
	some code in verdict.codes
}

not_applicable contains code if {
	some verdict in told
	verdict.state == "not_applicable"
	some code in verdict.codes
}

open_until := {verdict.until | some verdict in told; verdict.state == "not_due"}

not_due := min(open_until) if count(open_until) > 0

passed if {
	count(accounts) > 0
	every verdict in told { verdict.state == "passed" }
}
