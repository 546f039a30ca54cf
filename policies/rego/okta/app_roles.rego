# METADATA
# title: Every role of a service app is approved
# description: >-
#   Judges each application that acts without a person by its roles of administration, which the register of approvals
#   must have under the app's name or id, approved by somebody else, and for now.
# custom:
#   contract: 1
#   id: ID-10-okta-apps
#   population: okta_apps
#   joined: [approvals]
#   controls: [privileged-access]
#   empty: unknown
#   severity: critical
#   needs: { steps: [apps, roles], fields: [id, label] }
package okta.app_roles

import data.lib.grants

service if input.row.kind == "service"

held contains role.label if {
	service
	some role in input.row.roles
	role.status == "ACTIVE"
}

lacking contains why if {
	some role in held
	why := grants.lack("okta", [input.row.id, input.row.label], role, time.now_ns())
}

failed contains why if some why in lacking

not_applicable contains "app.no_service" if not service

not_applicable contains "role.none" if {
	service
	is_array(input.row.roles)
	count(input.row.roles) == 0
}

passed if {
	count(held) > 0
	count(lacking) == 0
}
