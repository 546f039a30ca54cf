# METADATA
# title: Sign-ins and acts of administrators are recorded and kept
# description: >-
#   Judges each realm: whether events of users and of administrators are stored, with what was changed, and for how
#   long. An expiry that is 0 or absent keeps events of users for ever; of administrators the realm names it in an
#   attribute. Events that only a listener writes elsewhere are judged there.
# custom:
#   contract: 1
#   id: LG-04-keycloak
#   population: keycloak_realms
#   controls: [audit-logging]
#   empty: unknown
#   severity: high
#   parameters:
#     keep_days: 90
#   needs:
#     steps: [realm, config]
#     fields: [events]
package keycloak.event_store

needed := {"LOGIN", "LOGIN_ERROR"}

failed contains "events.off" if input.row.eventsEnabled == false

failed contains "admin_events.off" if input.row.adminEventsEnabled == false

failed contains "admin_events.no_details" if {
	input.row.adminEventsEnabled == true
	input.row.adminEventsDetailsEnabled == false
}

kept_s := object.get(input.row, "eventsExpiration", 0)

admin_kept_s := to_number(object.get(object.get(input.row, "attributes", {}), "adminEventsExpiration", "0"))

wanted_s := input.params.keep_days * 86400

short(seconds) if {
	seconds > 0
	seconds < wanted_s
}

failed contains "events.expire_early" if {
	input.row.eventsEnabled == true
	short(kept_s)
}

failed contains "admin_events.expire_early" if {
	input.row.adminEventsEnabled == true
	short(admin_kept_s)
}

failed contains "events.types_missing" if {
	input.row.eventsEnabled == true
	some type in needed
	is_array(input.row.events.enabledEventTypes)
	not type in input.row.events.enabledEventTypes
}

passed if {
	input.row.eventsEnabled == true
	input.row.adminEventsEnabled == true
	input.row.adminEventsDetailsEnabled == true
	not short(kept_s)
	is_number(admin_kept_s)
	not short(admin_kept_s)
	every type in needed {
		type in input.row.events.enabledEventTypes
	}
}
