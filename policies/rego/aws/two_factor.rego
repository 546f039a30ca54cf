# METADATA
# title: Every user of IAM with a password has a second factor
# description: >-
#   Judges each user that may sign in to the console by the devices that are registered for it. A user without a password cannot sign in,
#   and is judged by ID-15. Whether a policy refuses what is done without the second factor is not read.
# custom:
#   contract: 1
#   id: ID-02-aws
#   population: aws_users
#   controls: [two-factor]
#   empty: unknown
#   severity: high
#   parameters:
#     grace_days: 0    # from the day on which the password was made
#   needs:
#     steps: [users, console, mfa]
package aws.two_factor

import data.lib.iam
import data.lib.when

until := when.after(input.row.console.since, input.params.grace_days)

none if {
	iam.console(input.row)
	input.row.mfa == []
}

not_applicable contains "account.no_console" if iam.no_console(input.row)

not_due := when.text(until) if {
	none
	until > time.now_ns()
}

failed contains "two_factor.none" if {
	none
	not until > time.now_ns()
}

passed if {
	iam.console(input.row)
	count(input.row.mfa) > 0
}
