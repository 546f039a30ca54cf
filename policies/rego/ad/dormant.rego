# METADATA
# title: No account that may sign in has long been unused
# description: >-
#   Judges each account that may sign in by lastLogonTimestamp, which lies up to 14 days behind: an account that is over the limit by
#   no more than that is unknown. One that was never used is reckoned from when it was made. Accounts that the register says are no
#   person's are judged by ID-15.
# custom:
#   contract: 1
#   id: ID-12-ad
#   population: ad_users
#   optional: [service_accounts]
#   controls: [dormant-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 90
#     behind_days: 14    # msDS-LogonTimeSyncInterval of the domain
#   needs: { steps: [users], fields: [dn] }
package ad.dormant

import data.lib.account
import data.lib.directory
import data.lib.services
import data.lib.when

now := time.now_ns()

person if services.person_like("ad", account.names(input.row))

judged if {
	account.active(input.row, now)
	person
}

unused if object.get(input.row, "lastLogonTimestamp", "0") == "0"

used := directory.filetime_ns(input.row.lastLogonTimestamp) if not unused

behind := input.params.behind_days if not unused

# When it was made is exact.
used := directory.generalized_ns(input.row.whenCreated) if unused

behind := 0 if unused

limit := used + (input.params.days * when.day_ns)

surely := limit + (behind * when.day_ns)

not_applicable contains "account.shut" if account.shut(input.row, now)

not_applicable contains "account.no_person" if not person

unknown contains "account.state_unknown" if {
	account.unclear(input.row)
	not account.shut(input.row, now)
}

unknown contains "sign_in.behind" if {
	judged
	limit < now
	surely >= now
}

failed contains "account.dormant" if {
	judged
	surely < now
}

passed if {
	judged
	limit >= now
}
