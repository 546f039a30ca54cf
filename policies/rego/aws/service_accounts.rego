# METADATA
# title: Every user of IAM that is no person has an owner, an end, and was changed and reviewed in time
# description: >-
#   Judges each user that has no password for the console, so that only a program can be it, and each that the register of service accounts
#   names. One without a password that the register does not have fails.
# custom:
#   contract: 1
#   id: ID-15-aws
#   population: aws_users
#   joined: [people, service_accounts]
#   controls: [service-accounts]
#   empty: passed
#   severity: high
#   parameters:
#     rotate_days: 90
#     review_days: 365
#   needs:
#     steps: [users, console]
package aws.service_accounts

import data.lib.iam
import data.lib.services

lines := services.of("aws", iam.names(input.row))

found := {finding |
	some line in lines
	some finding in services.findings(line, time.now_ns(), input.params)
}

not_applicable contains "account.person" if {
	iam.console(input.row)
	count(lines) == 0
}

failed contains "service.unregistered" if {
	iam.no_console(input.row)
	count(lines) == 0
}

failed contains code if some ["failed", code] in found

unknown contains code if some ["unknown", code] in found

passed if {
	is_string(input.row.UserId)
	count(lines) > 0
	count(found) == 0
}
