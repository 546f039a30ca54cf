# METADATA
# title: Every application with a secret has an owner, an end, and was changed and reviewed in time
# description: >-
#   Judges each application of the tenant's own that has a secret or certificate which has not ended: by the register of service accounts, under its
#   id, its client's id or its name, and by the dates of what it proves itself with. One that the register does not have fails.
#   Trust in another provider's tokens (federated credentials) is not read, so an application with nothing else is not judged.
# custom:
#   contract: 1
#   id: ID-15-entra
#   population: entra_applications
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 180
#     review_days: 365
#   needs: { steps: [applications], fields: [id] }
package entra.applications

import data.lib.credential
import data.lib.services

lines := services.of("entra", [input.row.id, input.row.appId, object.get(input.row, "displayName", "")])

read if {
	is_array(input.row.secrets)
	is_array(input.row.certificates)
}

judged if {
	read
	count(credential.live(time.now_ns())) > 0
}

not_applicable contains "app.no_credential" if {
	read
	count(credential.live(time.now_ns())) == 0
}

unknown contains "credential.unread" if not read

found := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
} | credential.findings(time.now_ns(), input.params)

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
