# METADATA
# title: Password policies hold the minimums
# description: >-
#   Judges each password policy of the directory: length, and a lock after failed attempts. No age is asked for: forced changes make
#   passwords worse. A length counts only where it is checked (pwdCheckQuality); with 1 a password that comes hashed is let through.
# custom:
#   contract: 1
#   id: ID-14-ldap
#   population: ldap_password_policies
#   controls: [password-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     length: 12
#     failures_max: 10    # failed attempts before an account is locked
#     quality_min: 1      # 2: what cannot be checked is refused
#   needs: { steps: [policies], fields: [dn] }
package ldap.passwords

import data.lib.directory

# An attribute that a policy does not have stands for its default, 0 or FALSE (draft-behera-ldap-password-policy 5.2).
number(field) := to_number(text) if {
	text := object.get(input.row, field, "0")
	directory.number(text)
}

lockout := object.get(input.row, "pwdLockout", "FALSE")

failed contains "password.short" if number("pwdMinLength") < input.params.length

failed contains "password.unchecked" if number("pwdCheckQuality") < input.params.quality_min

failed contains "lockout.off" if lockout == "FALSE"

# Without a number of failures nothing is ever locked.
failed contains "lockout.off" if number("pwdMaxFailure") == 0

failed contains "lockout.late" if number("pwdMaxFailure") > input.params.failures_max

passed if {
	is_string(input.row.entryUUID)
	number("pwdMinLength") >= input.params.length
	number("pwdCheckQuality") >= input.params.quality_min
	lockout == "TRUE"
	number("pwdMaxFailure") > 0
	number("pwdMaxFailure") <= input.params.failures_max
}
