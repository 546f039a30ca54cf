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
#   needs: { steps: [users], fields: [objectGUID, userAccountControl] }
package ad.account_flags

import data.lib.account
import data.lib.directory

now := time.now_ns()

active if account.active(input.row, now)

weak := {
	"password.not_required": account.password_not_required,
	"password.reversible": account.password_reversible,
	"keys.des": account.des_only,
	"keys.no_preauthentication": account.no_preauthentication,
}

found contains code if {
	some code, mask in weak
	directory.bit(input.row.userAccountControl, mask)
}

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
