# METADATA
# title: The domain's password policy holds the minimums
# description: >-
#   Judges the policy of the domain: length, complexity, no passwords that can be read back, and a lock after failed attempts. No age is
#   asked for: forced changes make passwords worse. Fine-grained policies are not seen.
# custom:
#   contract: 1
#   id: ID-14-ad
#   population: ad_domains
#   controls: [password-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     length: 12
#     complex: true
#     failures_max: 10    # failed attempts before an account is locked
#   needs: { steps: [domain], fields: [dn] }
package ad.passwords

import data.lib.directory

length := to_number(input.row.minPwdLength) if directory.number(input.row.minPwdLength)

threshold := to_number(input.row.lockoutThreshold) if directory.number(input.row.lockoutThreshold)

readable if directory.number(input.row.pwdProperties)

complex if directory.bit(input.row.pwdProperties, 1)

reversible if directory.bit(input.row.pwdProperties, 16)

failed contains "password.short" if length < input.params.length

failed contains "password.simple" if {
	input.params.complex
	readable
	not complex
}

failed contains "password.reversible" if reversible

failed contains "lockout.off" if threshold == 0

failed contains "lockout.late" if threshold > input.params.failures_max

enough if complex

enough if input.params.complex == false

passed if {
	length >= input.params.length
	readable
	enough
	not reversible
	threshold > 0
	threshold <= input.params.failures_max
}
