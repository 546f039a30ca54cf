# METADATA
# title: Every identity that is no person and no application has an owner, an end, and was reviewed in time
# description: >-
#   Judges each service principal that acts by itself: managed identities, identities of AI agents, and whatever has a secret of its
#   own. It must stand in the register of service accounts, under its id, its client's id or its name. The rest come of an
#   application, which ID-15-entra judges where it is the tenant's own.
# custom:
#   contract: 1
#   id: ID-15-entra-principals
#   population: entra_service_principals
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 180
#     review_days: 365
#   needs: { steps: [principals], fields: [id] }
package entra.service_principals

import data.lib.services

lines := services.of("entra", [input.row.id, object.get(input.row, "appId", ""), object.get(input.row, "displayName", "")])

acts if input.row.servicePrincipalType in {"ManagedIdentity", "ServiceIdentity"}

acts if count(input.row.secrets) > 0

read if {
	is_boolean(input.row.accountEnabled)
	is_string(input.row.servicePrincipalType)
	is_array(input.row.secrets)
}

judged if {
	read
	input.row.accountEnabled == true
	acts
}

not_applicable contains "principal.shut" if input.row.accountEnabled == false

not_applicable contains "principal.of_application" if {
	read
	not acts
}

unknown contains "principal.unread" if not read

found := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

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
