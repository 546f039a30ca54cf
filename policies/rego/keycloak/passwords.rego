# METADATA
# title: Passwords and lock-out meet the minimum
# description: >-
#   Judges each realm by its password policy (a text such as `length(12) and notUsername(undefined)`) and its lock-out.
#   No age is asked for: forced changes make passwords worse. A realm without a policy has no minimum. Passwords that
#   another store keeps (LDAP) are not under it.
# custom:
#   contract: 1
#   id: ID-14-keycloak
#   population: keycloak_realms
#   controls: [password-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     length: 12
#     not_username: true
#     failures_max: 10    # failed attempts before an account is locked
#   needs:
#     steps: [realm]
package keycloak.passwords

# `notUsername(undefined)` stands there with what Keycloak's console writes for "no value".
rules[name] := value if {
	is_string(input.row.passwordPolicy)
	some part in split(input.row.passwordPolicy, " and ")
	parts := regex.find_all_string_submatch_n(`^([A-Za-z0-9]+)(?:\((.*)\))?$`, trim_space(part), 1)
	name := parts[0][1]
	value := parts[0][2]
}

length := to_number(rules.length) if regex.match(`^[0-9]+$`, rules.length)

failed contains "password.no_policy" if {
	input.row.id
	object.get(input.row, "passwordPolicy", "") == ""
}

failed contains "password.short" if length < input.params.length

failed contains "password.no_length" if {
	object.get(input.row, "passwordPolicy", "") != ""
	not rules.length
}

failed contains "password.may_be_name" if {
	input.params.not_username
	object.get(input.row, "passwordPolicy", "") != ""
	not has("notUsername")
}

failed contains "lockout.off" if input.row.bruteForceProtected == false

failed contains "lockout.late" if {
	input.row.bruteForceProtected == true
	input.row.failureFactor > input.params.failures_max
}

has(name) if is_string(rules[name])

named if input.params.not_username == false

named if has("notUsername")

passed if {
	length >= input.params.length
	named
	input.row.bruteForceProtected == true
	input.row.failureFactor <= input.params.failures_max
}
