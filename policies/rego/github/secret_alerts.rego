# METADATA
# title: Secrets that were found are revoked in time
# description: >-
#   Judges each alert as it stands. An open one is not due until its days are over, then it fails. One that was closed as
#   revoked passes unless the source says that the secret still works. One that was closed for another reason (false
#   alarm, will not be fixed, used in tests) is a dismissal: it passes only if somebody other than the one who closed it
#   agreed at the source, or if it was approved here. The secret itself is never read.
# custom:
#   contract: 1
#   id: GH-14-alerts
#   population: secret_alerts
#   controls: [secret-scanning]
#   empty: passed    # the list counts as whole only with an owner's credential
#   severity: critical
#   parameters:
#     days: 7           # within which a secret is revoked
#     dismissals: {}    # "repository#number" as the row's name says it: { by, from, until }
#   needs:
#     steps: [secret_alerts]
#     fields: [state, created_at]
package github.secret_alerts

import data.lib.approval
import data.lib.sla

alert := input.row

overdue if {
	alert.state == "open"
	sla.due(alert.created_at, input.params.days) <= time.now_ns()
}

failed contains "alert.overdue" if overdue

not_due := sla.until(alert.created_at, input.params.days) if {
	alert.state == "open"
	not overdue
}

revoked if {
	alert.state == "resolved"
	alert.resolution == "revoked"
}

failed contains "secret.still_active" if {
	revoked
	alert.validity == "active"
}

dismissed if {
	alert.state == "resolved"
	alert.resolution in {"false_positive", "wont_fix", "used_in_tests"}
}

agreed if sla.approved_by_other(alert.closure_request_reviewer, alert.resolved_by)

agreed if approval.standing(input.params.dismissals, alert._name, time.now_ns())

failed contains "alert.dismissed_unapproved" if {
	dismissed
	not agreed
}

# Such as a pattern that was deleted: nobody said anything of the secret.
unknown contains "alert.resolution" if {
	alert.state == "resolved"
	not revoked
	not dismissed
}

passed if {
	revoked
	alert.validity != "active"
}

passed if {
	revoked
	not alert.validity
}

passed if {
	dismissed
	agreed
}
