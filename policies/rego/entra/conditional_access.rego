# METADATA
# title: Whoever signs in is asked for two factors
# description: >-
#   Judges the tenant by its conditional access: one policy that is on must ask everybody, for every application and whatever the
#   client, place, platform or risk, for two factors and nothing less. Whoever and whatever it leaves out must be registered as an
#   account of its own kind, be approved as "conditional access", or be asked by another such policy that names them. A policy that
#   only reports asks nobody. Security defaults ask when Microsoft sees a need: whether that is enough, the organisation says.
#   Several narrower policies may come to the same together; that is not worked out here, and unknown.
# custom:
#   contract: 1
#   id: ID-01-entra
#   population: entra_tenant
#   optional: [service_accounts, approvals]
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     defaults_suffice: false    # are security defaults enough?
#   needs: { steps: [tenant, policies, defaults] }
package entra.conditional_access

import data.lib.grants
import data.lib.services

on contains policy if {
	some policy in input.row.policies
	policy.state == "enabled"
}

# Two factors whichever way is taken: of several ways each must be one.
two(policy) if {
	ways := asked(policy)
	count(ways) > 0
	policy.grantControls.operator == "AND"
	some way in ways
	way == "two"
}

two(policy) if {
	ways := asked(policy)
	count(ways) > 0
	policy.grantControls.operator != "AND"
	every way in ways { way == "two" }
}

asked(policy) := array.concat(
	[way | some control in object.get(policy.grantControls, "builtInControls", []); way := built_in(control)],
	array.concat(
		["two" | policy.grantControls.authenticationStrength.requirementsSatisfied == "mfa"],
		["other" |
			is_object(policy.grantControls.authenticationStrength)
			object.get(policy.grantControls.authenticationStrength, "requirementsSatisfied", "") != "mfa"
		],
	),
)

built_in("mfa") := "two"

built_in(control) := "other" if control != "mfa"

blocks(policy) if "block" in policy.grantControls.builtInControls

everything(policy) if "All" in policy.conditions.applications.includeApplications

# No condition narrows it.
always(policy) if {
	every name in ["locations", "platforms", "devices", "clientApplications", "authenticationFlows", "servicePrincipalRiskLevels", "insiderRiskLevels", "signInRiskLevels", "userRiskLevels"] {
		object.get(policy.conditions, name, null) in [null, []]
	}
}

each_client(policy) if "all" in policy.conditions.clientAppTypes

# Clients that know no second factor are shut out by another policy.
each_client(policy) if {
	{"browser", "mobileAppsAndDesktopClients"} - {kind | some kind in policy.conditions.clientAppTypes} == set()
	some other in on
	blocks(other)
	everything(other)
	always(other)
	"All" in other.conditions.users.includeUsers
	{"exchangeActiveSync", "other"} - {kind | some kind in other.conditions.clientAppTypes} == set()
	every one in left_out(other) { allowed(one) }
}

strict(policy) if {
	two(policy)
	everything(policy)
	always(policy)
	each_client(policy)
}

sweeping contains policy if {
	some policy in on
	strict(policy)
	"All" in policy.conditions.users.includeUsers
}

# Whom and what a policy leaves out, as [kind, id].
left_out(policy) := {[kind, id] |
	some [kind, ids] in [
		["user", object.get(policy.conditions.users, "excludeUsers", [])],
		["group", object.get(policy.conditions.users, "excludeGroups", [])],
		["role", object.get(policy.conditions.users, "excludeRoles", [])],
		["application", object.get(policy.conditions.applications, "excludeApplications", [])],
		["guests", ["guests" | object.get(policy.conditions.users, "excludeGuestsOrExternalUsers", null) != null]],
		["filter", ["filter" | object.get(policy.conditions.applications, "applicationFilter", null) != null]],
	]
	some id in ids
}

allowed(one) if {
	one[0] == "user"
	count(services.of("entra", [one[1]])) > 0
}

allowed(one) if grants.standing("entra", [one[1]], "conditional access", time.now_ns())

named := {"user": "includeUsers", "group": "includeGroups", "role": "includeRoles"}

elsewhere(one) if {
	some other in on
	strict(other)
	one[1] in other.conditions.users[named[one[0]]]
	every further in left_out(other) { allowed(further) }
}

open(policy) := {one |
	some one in left_out(policy)
	not allowed(one)
	not elsewhere(one)
}

whole if {
	some policy in sweeping
	count(open(policy)) == 0
}

seen if is_array(input.row.policies)

defaults if input.row.defaults.isEnabled == true

asks contains policy if {
	some policy in on
	two(policy)
}

failed contains "exclusion.unregistered" if {
	count(sweeping) > 0
	not whole
}

failed contains "policy.none" if {
	seen
	input.row.defaults.isEnabled == false
	count(asks) == 0
}

# Every policy that asks for two factors spares some places.
failed contains "policy.spares_places" if {
	seen
	count(asks) > 0
	count(sweeping) == 0
	every policy in asks { count(policy.conditions.locations.excludeLocations) > 0 }
}

unknown contains "policies.narrow" if {
	seen
	count(asks) > 0
	count(sweeping) == 0
}

unknown contains "defaults.as_needed" if {
	seen
	defaults
	count(asks) == 0
	not input.params.defaults_suffice
}

passed if whole

passed if {
	seen
	defaults
	count(asks) == 0
	input.params.defaults_suffice == true
}

messages contains sprintf("policy %s only reports", [policy.displayName]) if {
	some policy in input.row.policies
	policy.state == "enabledForReportingButNotEnforced"
}

messages contains sprintf("policy %s leaves out %s %s", [policy.displayName, one[0], one[1]]) if {
	some policy in sweeping
	some one in open(policy)
}
