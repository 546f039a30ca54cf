# METADATA
# title: Every use of a break-glass account is explained
# description: >-
#   Judges each session that was started: one of an account that the register calls break_glass needs an explanation that
#   covers the instant, written within the hours that are allowed, and not by the account itself. Other sessions are none.
# custom:
#   contract: 1
#   id: ID-17-okta
#   population: okta_sessions
#   joined: [service_accounts, explanations]
#   controls: [break-glass]
#   empty: passed
#   severity: critical
#   parameters:
#     within_h: 24
#   needs: { fields: [published, actor] }
package okta.break_glass

import data.lib.services
import data.lib.when

names := [input.row.actor.id, input.row.actor.alternateId]

glass if "break_glass" in services.kinds("okta", names)

at := when.ns(input.row.published)

limit := at + (((input.params.within_h * 60) * 60) * 1000000000)

explained if {
	some one in input.joined.explanations
	one.system == "okta"
	lower(one.subject) in {lower(name) | some name in names}
	when.ns(one.from) <= at
	at <= when.ns(one.to)
	when.ns(one.written) <= limit
	not one.by in names
	one.by != ""
}

not_applicable contains "account.no_break_glass" if not glass

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
