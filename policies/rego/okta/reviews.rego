# METADATA
# title: Every account that may sign in was reviewed in time
# description: >-
#   Judges each account that may sign in by the decisions of access reviews, so that a review covers the list of accounts
#   as Okta has it: the newest decision is recent, by somebody else, with a reason.
# custom:
#   contract: 1
#   id: ID-08-okta
#   population: okta_users
#   joined: [access_reviews]
#   controls: [access-reviewed]
#   empty: unknown
#   severity: high
#   parameters:
#     every_days: 90
#   needs: { steps: [users], fields: [id, status, created, profile] }
package okta.reviews

import data.lib.reviews
import data.lib.when
import data.lib.account

told := reviews.verdict({
	"system": "okta",
	"names": account.names(input.row),
	"email": object.get(input.row.profile, "email", ""),
	"created": when.ns(input.row.created),
}, time.now_ns(), input.params) if {
	account.active(input.row)
}

not_applicable contains "account.shut" if account.shut(input.row)

unknown contains "account.state_unknown" if account.unclear(input.row)

failed contains code if {
	told.state == "failed"
	some code in told.codes
}

unknown contains code if {
	told.state == "unknown"
	some code in told.codes
}

not_due := told.until if told.state == "not_due"

passed if told.state == "passed"
