# METADATA
# title: Every service app has an owner, an end, and was changed and reviewed in time
# description: >-
#   Judges each application that acts without a person (client credentials) by the register of service accounts. One that
#   the register does not have fails. Its roles of administration are ID-10-okta-apps.
# custom:
#   contract: 1
#   id: ID-15-okta-apps
#   population: okta_apps
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 90
#     review_days: 365
#   needs: { steps: [apps], fields: [id, label, status] }
package okta.service_apps

import data.lib.services

names := [input.row.id, input.row.label]

lines := services.of("okta", names)

found := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

judged if {
	input.row.kind == "service"
	input.row.status == "ACTIVE"
}

not_applicable contains "app.no_service" if {
	input.row.signOnMode != "OPENID_CONNECT"
}

not_applicable contains "app.no_service" if {
	is_string(input.row.kind)
	input.row.kind != "service"
}

# Okta's own applications say of no kind, and have no client of their own.
not_applicable contains "app.no_service" if {
	input.row.signOnMode == "OPENID_CONNECT"
	input.row.name in {"saasure", "okta_enduser", "okta_browser_plugin"}
}

not_applicable contains "app.inactive" if input.row.status == "INACTIVE"

failed contains code if {
	judged
	some ["failed", code] in found
}

unknown contains code if {
	judged
	some ["unknown", code] in found
}

failed contains "service.unregistered" if {
	judged
	count(lines) == 0
}

passed if {
	judged
	count(lines) > 0
	count(found) == 0
}
