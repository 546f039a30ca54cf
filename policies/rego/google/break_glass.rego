# METADATA
# title: Every use of a break-glass account is explained in time
# description: >-
#   Judges each sign-in of an account that the register calls break-glass: somebody else wrote down why, at most
#   `within_h` hours later, for a time in which it lies. Until then it is not due.
# custom:
#   contract: 1
#   id: ID-17-google
#   population: google_logins
#   joined: [service_accounts, explanations]
#   controls: [break-glass]
#   empty: not_applicable
#   severity: critical
#   parameters:
#     within_h: 24
#   needs: { fields: [id.time, actor.email, events] }
package google.break_glass

import data.lib.google
import data.lib.services
import data.lib.when

at := when.ns(input.row.id.time)

names := [input.row.actor.email, input.row.actor.profileId] if input.row.actor.profileId

names := [input.row.actor.email] if not input.row.actor.profileId

glass if {
	google.event(input.row, "login_success")
	"break_glass" in services.kinds("google", names)
}

limit := at + (input.params.within_h * 3600000000000)

explained if {
	some line in input.joined.explanations
	line.system == "google"
	line.subject in names
	line.by != input.row.actor.email
	when.ns(line.from) <= at
	at <= when.ns(line.to)
	when.ns(line.written) <= limit
}

not_due := when.text(limit) if {
	glass
	not explained
	limit >= time.now_ns()
}

failed contains "use.unexplained" if {
	glass
	not explained
	limit < time.now_ns()
}

not_applicable contains "sign_in.other" if {
	is_array(input.row.events)
	is_string(input.row.actor.email)
	not glass
}

passed if {
	glass
	explained
}
