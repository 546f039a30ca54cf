# METADATA
# title: Passwords of IAM meet the minimum
# description: >-
#   Judges the account's policy on passwords of its users: how long they must be, and how many old ones are refused. An account without a
#   policy has AWS's own minimum of eight characters. No age is asked for: forced changes make passwords worse. IAM does not lock out,
#   and says nothing of it.
# custom:
#   contract: 1
#   id: ID-14-aws
#   population: aws_accounts
#   controls: [password-rules]
#   empty: unknown
#   severity: medium
#   parameters:
#     length: 14
#     remembered: 5
#   needs:
#     steps: [account, passwords]
#     fields: [account]
package aws.passwords

rules := input.row.passwords

failed contains "password.no_policy" if object.get(input.row, ["_outcomes", "passwords"], "") == "absent"

failed contains "password.short" if rules.length_min < input.params.length

# Without a number nothing is remembered.
failed contains "password.again" if {
	is_object(rules)
	object.get(rules, "remembered", 0) < input.params.remembered
}

passed if {
	rules.length_min >= input.params.length
	rules.remembered >= input.params.remembered
}

passed if {
	rules.length_min >= input.params.length
	input.params.remembered == 0
}
