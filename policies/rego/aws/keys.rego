# METADATA
# title: Access keys of IAM are changed in time, and used
# description: >-
#   Judges each access key that is active by its age, and by when it was last used: a key that nobody uses is one that nobody misses when
#   it is stolen. Whose it is and until when it may be there is judged by ID-15-aws, of its user.
# custom:
#   contract: 1
#   id: ID-15-aws-keys
#   population: aws_keys
#   controls: [service-accounts]
#   empty: passed
#   severity: high
#   parameters:
#     rotate_days: 90
#     unused_days: 90    # since its last use, or since it was made
#   needs:
#     steps: [keys, used]
package aws.keys

import data.lib.iam
import data.lib.when

active if input.row.Status == "Active"

age := iam.age_days(input.row.CreateDate, time.now_ns())

# Since its last use; a key of which it is said that it never had any counts from when it was made.
idle := iam.age_days(input.row.used.at, time.now_ns())

idle := age if {
	input.row.used.service == "N/A"
	not is_number(when.ns(input.row.used.at))
}

not_applicable contains "key.inactive" if input.row.Status in {"Inactive", "Expired"}

failed contains "key.old" if {
	active
	age > input.params.rotate_days
}

failed contains "key.unused" if {
	active
	idle > input.params.unused_days
}

passed if {
	active
	age <= input.params.rotate_days
	idle <= input.params.unused_days
}
