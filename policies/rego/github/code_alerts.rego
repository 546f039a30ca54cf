# METADATA
# title: Findings of code scanning are fixed in time
# description: >-
#   Judges each alert of the default branch as it stands. An open one is not due until the days of its severity are over,
#   then it fails; one without a security severity is weighed as error, warning or note. A dismissed one passes only if
#   somebody other than the one who dismissed it agreed at the source, or if it was approved here. An alert that is fixed
#   passes; how long it was open shows in the items' history.
# custom:
#   contract: 1
#   id: GH-16-alerts
#   population: code_alerts
#   controls: [static-analysis]
#   empty: passed    # the list counts as whole only with an owner's credential
#   severity: high
#   parameters:
#     days: { critical: 7, high: 30, medium: 90, low: 180, error: 30, warning: 90, note: 180, none: 180 }
#     dismissals: {}    # "repository#number" as the row's name says it: { by, from, until }
#   needs:
#     steps: [code_alerts]
#     fields: [state, created_at]
package github.code_alerts

import data.lib.approval
import data.lib.sla

alert := input.row

# A finding that is no vulnerability has a severity of the tool's only.
severity := alert.rule.security_severity_level if is_string(alert.rule.security_severity_level)

severity := alert.rule.severity if {
	not is_string(alert.rule.security_severity_level)
	is_string(alert.rule.severity)
}

days := input.params.days[severity]

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

agreed if sla.approved_by_other(alert.dismissal_approved_by, alert.dismissed_by)

agreed if approval.standing(input.params.dismissals, alert._name, time.now_ns())

failed contains "alert.dismissed_unapproved" if {
	alert.state == "dismissed"
	not agreed
}

passed if alert.state == "fixed"

passed if {
	alert.state == "dismissed"
	agreed
}
