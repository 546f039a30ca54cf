# METADATA
# title: Every account that may sign in has a second factor
# description: >-
#   Judges each account that may sign in by the factors that are enrolled and active. A question is no second factor.
#   Somebody new has a few days to enrol. Accounts that the register says are no person's are judged elsewhere (ID-15).
#   Whether a factor is asked for is ID-01, and whether it was used is ID-18.
# custom:
#   contract: 1
#   id: ID-02-okta
#   population: okta_users
#   optional: [service_accounts]
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     grace_days: 7
#   needs: { fields: [id, status, created, profile] }
package okta.two_factor

import data.lib.services
import data.lib.when
import data.lib.account
import data.lib.factor

open if account.active(input.row)

person if services.person_like("okta", account.names(input.row))

has := factor.enrolled(input.row.factors, factor.second)

grace_ns := when.after(begun, input.params.grace_days)

begun := input.row.activated if is_number(when.ns(input.row.activated))

begun := input.row.created if not is_number(when.ns(input.row.activated))

not_applicable contains "account.shut" if account.shut(input.row)

not_applicable contains "account.no_person" if not person

unknown contains "account.state_unknown" if account.unclear(input.row)

bare if {
	open
	person
	is_array(input.row.factors)
	count(has) == 0
}

failed contains "two_factor.off" if {
	bare
	time.now_ns() > grace_ns
}

not_due := when.text(grace_ns) if {
	bare
	time.now_ns() <= grace_ns
}

passed if {
	open
	person
	count(has) > 0
}
