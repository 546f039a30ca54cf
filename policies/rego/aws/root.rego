# METADATA
# title: The root user of the account has a second factor and no keys
# description: >-
#   Judges the account by what it says of its root user: whether a second factor is registered, and whether there are access keys. A root user
#   without a password, as in accounts whose organisation keeps it, cannot sign in and needs no second factor. Its use is not seen here.
# custom:
#   contract: 1
#   id: CL-05-aws
#   population: aws_accounts
#   controls: [privileged-access]
#   empty: unknown
#   severity: critical
#   needs:
#     steps: [account, summary]
#     fields: [account]
package aws.root

root := input.row.root

shut if root.root_password == 0

safe if root.root_mfa > 0

safe if shut

failed contains "root.no_second_factor" if {
	root.root_mfa == 0
	not shut
}

failed contains "root.keys" if root.root_keys > 0

passed if {
	safe
	root.root_keys == 0
}
