# METADATA
# title: No account that may sign in has long been unused
# description: >-
#   Judges each account that may sign in by its last sign-in (pwdLastSuccess, authTimestamp), where the directory keeps
#   it, or, where an account has none, by when it was made. A directory that keeps no sign-ins shows none of any account: say
#   kept: true once it does. Accounts that the register says are no person's are judged by ID-15.
# custom:
#   contract: 1
#   id: ID-12-ldap
#   population: ldap_users
#   optional: [service_accounts]
#   controls: [dormant-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 90
#     kept: false    # does the directory keep sign-ins (lastbind)?
#   needs: { steps: [users], fields: [dn] }
package ldap.dormant

import data.lib.account
import data.lib.directory
import data.lib.services
import data.lib.when

now := time.now_ns()

person if services.person_like("ldap", account.names(input.row))

judged if {
	account.active(input.row, now)
	person
}

fields := ["pwdLastSuccess", "authTimestamp"]

stated if {
	some field in fields
	input.row[field]
}

signed contains at if {
	some field in fields
	at := directory.generalized_ns(input.row[field])
}

used := max(signed) if count(signed) > 0

# Never, in a directory that would have kept it.
used := directory.generalized_ns(input.row.createTimestamp) if {
	not stated
	input.params.kept
}

limit := used + (input.params.days * when.day_ns)

not_applicable contains "account.shut" if account.shut(input.row, now)

not_applicable contains "account.no_person" if not person

unknown contains "account.state_unknown" if {
	account.unclear(input.row, now)
	not account.shut(input.row, now)
}

unknown contains "sign_in.unstated" if {
	judged
	not is_number(used)
}

failed contains "account.dormant" if {
	judged
	limit < now
}

passed if {
	judged
	limit >= now
}
