# METADATA
# title: Vulnerable dependencies are fixed in time
# description: >-
#   Judges each alert as it stands. An open one is not due until the days of its severity are over, then it fails. A
#   dismissed one passes only if it was approved here: the source does not tell who approved a dismissal. One that a rule
#   of the source's dismissed is unknown unless such rules are accepted. An alert that is fixed passes; how long it was open
#   shows in the items' history. When alerts are switched off and on again the source counts their days anew: the interval
#   in which they were off stands under GH-15.
# custom:
#   contract: 1
#   id: GH-15-alerts
#   population: dependabot_alerts
#   controls: [dependency-vulnerabilities]
#   empty: passed    # the list counts as whole only with an owner's credential
#   severity: high
#   parameters:
#     days: { critical: 7, high: 30, medium: 90, low: 180 }    # within which an alert of that severity is closed
#     dismissals: {}    # "repository#number" as the row's name says it: { by, from, until }
#     rules_accepted: false    # true: what a rule of the source's dismissed is not applicable
#   needs:
#     steps: [dependabot_alerts]
#     fields: [state, created_at]
package github.dependency_alerts

import data.lib.approval
import data.lib.sla

alert := input.row

days := input.params.days[alert.security_vulnerability.severity]

overdue if {
	alert.state == "open"
	sla.due(alert.created_at, days) <= time.now_ns()
}

failed contains "alert.overdue" if overdue

not_due := sla.until(alert.created_at, days) if {
	alert.state == "open"
	not overdue
}

unknown contains "severity.undeclared" if {
	alert.state == "open"
	not days
}

agreed if approval.standing(input.params.dismissals, alert._name, time.now_ns())

# Delegated dismissal: somebody agreed, and the list does not say who.
unknown contains "approver.hidden" if {
	alert.state == "dismissed"
	not agreed
	alert.dismissal_request.status == "approved"
}

failed contains "alert.dismissed_unapproved" if {
	alert.state == "dismissed"
	not agreed
	not alert.dismissal_request.status == "approved"
}

unknown contains "alert.dismissed_by_rule" if {
	alert.state == "auto_dismissed"
	not input.params.rules_accepted
}

not_applicable contains "alert.dismissed_by_rule" if {
	alert.state == "auto_dismissed"
	input.params.rules_accepted
}

passed if alert.state == "fixed"

passed if {
	alert.state == "dismissed"
	agreed
}
