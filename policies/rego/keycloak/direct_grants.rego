# METADATA
# title: No client lets people in past the browser flow
# description: >-
#   Judges each client: whether programs may post people's passwords to it (direct access grants), or tokens come in an
#   address (implicit flow), or it has authentication flows of its own; each leads past the flow that ID-01-keycloak
#   judges. Keycloak's own admin-cli is approved like any other.
# custom:
#   contract: 1
#   id: ID-01-keycloak-clients
#   population: keycloak_clients
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     approved: {}    # client in lower case: { by, from, until }
#   needs:
#     steps: [clients]
#     fields: [enabled]
package keycloak.direct_grants

import data.lib.approval

ways contains "client.direct_grants" if input.row.directAccessGrantsEnabled == true

ways contains "client.implicit_flow" if input.row.implicitFlowEnabled == true

ways contains "client.own_flow" if count(input.row.own_flows) > 0

agreed if approval.standing(input.params.approved, lower(input.row.clientId), time.now_ns())

not_applicable contains "client.disabled" if input.row.enabled == false

failed contains way if {
	input.row.enabled == true
	not agreed
	some way in ways
}

passed if {
	input.row.enabled == true
	agreed
}

passed if {
	input.row.enabled == true
	input.row.directAccessGrantsEnabled == false
	input.row.implicitFlowEnabled == false
	count(input.row.own_flows) == 0
}
