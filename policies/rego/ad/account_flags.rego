# METADATA
# title: No account is set so that its password is weak or can be taken
# description: >-
#   Judges each account that may sign in by its own settings: a password is required, is not kept so that it can be read back, and its keys
#   are neither old (DES) nor given to whoever asks (no pre-authentication).
# custom:
#   contract: 1
#   id: ID-14-ad-accounts
#   population: ad_users
#   controls: [password-rules]
#   empty: unknown
#   severity: high
#   needs: { steps: [users], fields: [dn] }
package ad.account_flags

import data.lib.account

now := time.now_ns()

active if account.active(input.row, now)

found contains "password.not_required" if account.password_not_required(input.row)

found contains "password.reversible" if account.password_reversible(input.row)

found contains "keys.des" if account.des_only(input.row)

found contains "keys.no_preauthentication" if account.no_preauthentication(input.row)

not_applicable contains "account.shut" if account.shut(input.row, now)

unknown contains "account.state_unknown" if {
	account.unclear(input.row)
	not account.shut(input.row, now)
}

failed contains code if {
	active
	some code in found
}

passed if {
	active
	count(found) == 0
}
