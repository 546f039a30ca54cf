# METADATA
# title: What a review revoked is gone in time
# description: >-
#   Judges each decision of an access review to revoke an account of Okta: the account must be suspended or deactivated
#   within the days that are allowed. An account that is not in the list is unknown: it may have been deleted, or the
#   register may call it by another name. Decisions to change rights are not read here.
# custom:
#   contract: 1
#   id: ID-09-okta
#   population: access_reviews
#   joined: [okta_users]
#   controls: [access-reviewed]
#   empty: unknown
#   severity: high
#   parameters:
#     days: 7
#   needs: { fields: [system, account, decision, decided] }
package okta.revocations

import data.lib.when
import data.lib.account

mine if {
	input.row.system == "okta"
	input.row.decision == "revoke"
}

users contains user if {
	mine
	some user in input.joined.okta_users
	lower(input.row.account) in {lower(name) | some name in account.names(user)}
}

limit := when.after(input.row.decided, input.params.days)

not_applicable contains "review.elsewhere" if input.row.system != "okta"

not_applicable contains "review.kept" if input.row.decision == "keep"

unknown contains "review.changes" if {
	input.row.system == "okta"
	input.row.decision == "modify"
}

unknown contains "account.unmatched" if {
	mine
	count(users) == 0
}

still if {
	some user in users
	account.active(user)
}

failed contains "revocation.open" if {
	still
	limit < time.now_ns()
}

not_due := when.text(limit) if {
	still
	limit >= time.now_ns()
}

failed contains "revocation.late" if {
	mine
	some user in users
	account.shut(user)
	when.ns(user.statusChanged) > limit
}

passed if {
	mine
	count(users) > 0
	every user in users {
		account.shut(user)
		when.ns(user.statusChanged) <= limit
	}
}
