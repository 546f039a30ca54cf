# METADATA
# title: No user of IAM with a password has long been unused
# description: >-
#   Judges each user that may sign in to the console by its last sign-in, or, where it never had one, by when its password was made. Keys that
#   nobody uses are judged by ID-15-aws-keys.
# custom:
#   contract: 1
#   id: ID-12-aws
#   population: aws_users
#   controls: [dormant-accounts]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 90
#   needs:
#     steps: [users, console]
package aws.dormant

import data.lib.iam

last := object.get(input.row, "PasswordLastUsed", input.row.console.since)

idle := iam.age_days(last, time.now_ns()) if iam.console(input.row)

not_applicable contains "account.no_console" if iam.no_console(input.row)

failed contains "account.dormant" if idle > input.params.days

passed if idle <= input.params.days
