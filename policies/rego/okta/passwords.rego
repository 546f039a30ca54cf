# METADATA
# title: Password policies hold the minimums
# description: >-
#   Judges each active password policy of Okta itself: length, well-known passwords left out, and a lock after failed
#   attempts. No age is asked for. Where a directory keeps the passwords its own rules hold, and nothing is known of them
#   here.
# custom:
#   contract: 1
#   id: ID-14-okta
#   population: okta_password_policies
#   controls: [password-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     length_min: 12
#     attempts_max: 10
#     common_excluded: true
#   needs: { fields: [id, status] }
package okta.passwords

okta if input.row.provider == "OKTA"

active if input.row.status == "ACTIVE"

judged if {
	okta
	active
	is_number(input.row.min_length)
	is_number(input.row.max_attempts)
	is_boolean(input.row.common_excluded)
}

not_applicable contains "policy.inactive" if input.row.status == "INACTIVE"

unknown contains "password.at_directory" if {
	active
	not okta
}

failed contains "password.short" if {
	judged
	input.row.min_length < input.params.length_min
}

failed contains "password.common" if {
	judged
	input.row.common_excluded == false
	input.params.common_excluded
}

failed contains "lockout.off" if {
	judged
	input.row.max_attempts == 0
}

failed contains "lockout.late" if {
	judged
	input.row.max_attempts > input.params.attempts_max
}

passed if judged
