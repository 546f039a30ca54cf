# METADATA
# title: No access policy lets people in with one factor
# description: >-
#   Judges each access policy of the Identity Engine that stands before an application in use, by all its rules: each rule
#   that lets somebody in must demand two factors, or one whose device asks for a PIN or a finger, which is two. Who is
#   left out of a rule comes to the next one, and the last one is a row of the same list, so leaving people out opens
#   nothing. Chains of methods are not read and are unknown.
# custom:
#   contract: 1
#   id: ID-01-okta
#   population: okta_access_policies
#   joined: [okta_apps]
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   needs: { fields: [id, status] }
package okta.access_policies

used if {
	some app in input.joined.okta_apps
	app.access_policy == input.row.id
	app.status == "ACTIVE"
}

admits(rule) if {
	rule.status == "ACTIVE"
	rule.access != "DENY"
}

two(rule) if rule.by.factorMode == "2FA"

# One step, two factors: the device has a key and asks who holds it.
two(rule) if {
	count(rule.by.constraints) > 0
	every constraint in rule.by.constraints {
		constraint.possession.userVerification == "REQUIRED"
	}
}

one(rule) if {
	rule.by.factorMode == "1FA"
	not two(rule)
}

judged if {
	used
	is_array(input.row.rules)
	count(input.row.rules) > 0
}

not_applicable contains "policy.inactive" if input.row.status == "INACTIVE"

not_applicable contains "policy.unused" if {
	input.row.status == "ACTIVE"
	not used
}

failed contains "rule.one_factor" if {
	used
	some rule in input.row.rules
	admits(rule)
	one(rule)
}

unknown contains "rule.unread" if {
	used
	some rule in input.row.rules
	admits(rule)
	not one(rule)
	not two(rule)
}

passed if {
	judged
	input.row.status == "ACTIVE"
	every rule in input.row.rules { shuts_or_two(rule) }
}

shuts_or_two(rule) if two(rule)

shuts_or_two(rule) if rule.status == "INACTIVE"

shuts_or_two(rule) if rule.access == "DENY"

messages contains sprintf("rule %s asks for one factor", [rule.name]) if {
	some rule in input.row.rules
	admits(rule)
	one(rule)
}
