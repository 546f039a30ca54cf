# METADATA
# title: Administrators have a factor that resists phishing
# description: >-
#   Judges each account with a role of administration that may sign in: WebAuthn, U2F or Okta FastPass must be enrolled
#   and active. Whether weaker factors may be used instead is for the access policy of the admin console (ID-01). Smart
#   cards come by an identity provider and are not among an account's factors, so who has only one of these fails here and
#   needs an exception.
# custom:
#   contract: 1
#   id: ID-03-okta
#   population: okta_admins
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   needs: { steps: [account, factors], fields: [id, account] }
package okta.admin_two_factor

import data.lib.account
import data.lib.factor

user := input.row.account

strong := factor.enrolled(input.row.factors, factor.resists_phishing)

not_applicable contains "account.shut" if account.shut(user)

unknown contains "account.state_unknown" if account.unclear(user)

failed contains "two_factor.phishable" if {
	account.active(user)
	is_array(input.row.factors)
	count(strong) == 0
}

passed if {
	account.active(user)
	count(strong) > 0
}
