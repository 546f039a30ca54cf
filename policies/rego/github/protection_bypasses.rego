# METADATA
# title: Nobody pushed a secret past the push protection without agreement
# description: >-
#   Judges each alert of secret scanning by whether the secret was pushed although push protection had stopped it. It
#   passes if nobody did, if somebody else agreed at the source, or if it was approved here afterwards. What became of
#   the secret is GH-14-alerts.
# custom:
#   contract: 1
#   id: GH-14-pushes
#   population: secret_alerts
#   controls: [secret-scanning]
#   empty: passed    # the list counts as whole only with an owner's credential
#   severity: high
#   parameters:
#     bypasses: {}    # "repository#number" as the row's name says it: { by, from, until }
#   needs:
#     steps: [secret_alerts]
#     fields: [push_protection_bypassed]
package github.protection_bypasses

import data.lib.approval
import data.lib.sla

alert := input.row

agreed if sla.approved_by_other(alert.push_protection_bypass_request_reviewer, alert.push_protection_bypassed_by)

agreed if approval.standing(input.params.bypasses, alert._name, time.now_ns())

failed contains "push_protection.bypassed" if {
	alert.push_protection_bypassed == true
	not agreed
}

passed if {
	alert.push_protection_bypassed == true
	agreed
}

passed if alert.push_protection_bypassed == false

messages contains sprintf("pushed at %s", [alert.push_protection_bypassed_at]) if failed["push_protection.bypassed"]
