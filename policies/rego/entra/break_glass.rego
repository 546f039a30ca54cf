# METADATA
# title: Every use of a break-glass account is explained
# description: >-
#   Judges each interactive sign-in that succeeded: one of an account that the register calls break_glass needs an explanation that
#   covers the instant, written within the hours that are allowed, and not by the account itself. Other sign-ins are none.
# custom:
#   contract: 1
#   id: ID-17-entra
#   population: entra_sign_ins
#   joined: [service_accounts, explanations]
#   controls: [break-glass]
#   empty: passed
#   severity: critical
#   parameters:
#     within_h: 24
package entra.break_glass

import data.lib.services
import data.lib.when

names := [input.row.userId, object.get(input.row, "userPrincipalName", "")]

glass if "break_glass" in services.kinds("entra", names)

at := when.ns(input.row.createdDateTime)

limit := at + (((input.params.within_h * 60) * 60) * 1000000000)

explained if {
	some one in input.joined.explanations
	one.system == "entra"
	lower(one.subject) in {lower(name) | some name in names}
	when.ns(one.from) <= at
	at <= when.ns(one.to)
	when.ns(one.written) <= limit
	not one.by in names
	one.by != ""
}

not_applicable contains "account.no_break_glass" if {
	is_string(input.row.userId)
	not glass
}

failed contains "use.unexplained" if {
	glass
	not explained
	time.now_ns() > limit
}

not_due := when.text(limit) if {
	glass
	not explained
	time.now_ns() <= limit
}

passed if {
	glass
	explained
}
