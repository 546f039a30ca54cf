# METADATA
# title: Clients' secrets are owned and renewed
# description: >-
#   Judges each enabled client that proves itself by a secret, by the register of service accounts: owner, end, review.
#   Its age is Keycloak's own instant where the realm rotates secrets, else the register's. Clients that sign with a
#   key, public clients, and Keycloak's own that only bear tokens have no secret.
# custom:
#   contract: 1
#   id: ID-15-keycloak
#   population: keycloak_clients
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     rotate_days: 365
#     review_days: 365
#   needs:
#     steps: [clients]
#     fields: [id, enabled]
package keycloak.client_secrets

import data.lib.services
import data.lib.when

secrets := {"client-secret", "client-secret-jwt"}

holds if {
	input.row.enabled == true
	input.row.publicClient == false
	input.row.bearerOnly == false
	input.row.clientAuthenticatorType in secrets
}

lines := services.of("keycloak", [input.row.clientId, input.row.id])

against := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
	not told_by_source(finding)
}

told_by_source(["unknown", "service.rotated_unknown"]) if is_number(input.row.secret_created)

told_by_source(["failed", "service.rotated_overdue"]) if is_number(input.row.secret_created)

overdue if ((input.row.secret_created * 1000000000) + (input.params.rotate_days * when.day_ns)) < time.now_ns()

not_applicable contains "client.disabled" if input.row.enabled == false

not_applicable contains "client.no_secret" if input.row.publicClient == true

not_applicable contains "client.no_secret" if input.row.bearerOnly == true

not_applicable contains "client.no_secret" if not input.row.clientAuthenticatorType in secrets

failed contains "service.rotated_overdue" if {
	holds
	overdue
}

failed contains code if {
	holds
	some ["failed", code] in against
}

unknown contains code if {
	holds
	some ["unknown", code] in against
}

unknown contains "client.unregistered" if {
	holds
	count(lines) == 0
}

passed if {
	holds
	count(lines) > 0
	count(against) == 0
	not overdue
}
