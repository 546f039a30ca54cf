# METADATA
# title: Every user of IAM belongs to one person, or is registered
# description: >-
#   Judges each user: it belongs to exactly one person of the roster, who lists its name (`logins`, as aws:ann), or the register says what else
#   it is. Names that are nobody's (admin, test, shared) fail unless they are registered.
# custom:
#   contract: 1
#   id: ID-13-aws
#   population: aws_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [known-accounts]
#   empty: unknown
#   severity: high
#   parameters:
#     generic: "^(admin|administrator|test|shared|root|info|support|service|guest)[0-9]*$"
#   needs:
#     steps: [users]
package aws.accounts_known

import data.lib.iam
import data.lib.people
import data.lib.services

owners := people.found("aws", input.row.UserName, "")

matched contains item if some item in people.items(owners)

lines := services.of("aws", iam.names(input.row))

generic if {
	regex.match(input.params.generic, lower(input.row.UserName))
	count(lines) == 0
}

failed contains "account.generic" if generic

unknown contains people.lack(owners) if count(lines) == 0

passed if {
	is_string(input.row.UserName)
	count(lines) > 0
}

passed if {
	count(owners) == 1
	not generic
}
