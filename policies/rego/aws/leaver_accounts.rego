# METADATA
# title: No user of IAM of somebody who has left is still there
# description: >-
#   Judges each user by the person whose it is, as the roster lists its name (`logins`, as aws:ann), and any: a user without a password may have
#   keys. Within the hours that are allowed after the last day it is not due. Nobody, or more than one, to whom it may belong: unknown. Users
#   that the register says are no person's are judged by ID-15.
# custom:
#   contract: 1
#   id: ID-05-aws
#   population: aws_users
#   joined: [people]
#   optional: [service_accounts]
#   controls: [leavers]
#   empty: unknown
#   severity: high
#   parameters:
#     within_h: 24
#     clock: calendar        # calendar | business
#     zone: UTC
#     holidays: []
#   needs:
#     steps: [users]
package aws.leaver_accounts

import data.lib.iam
import data.lib.leavers
import data.lib.people
import data.lib.services

owners := people.found("aws", input.row.UserName, "")

person if services.person_like("aws", iam.names(input.row))

not_applicable contains "account.no_person" if not person

unknown contains people.lack(owners) if person

told := leavers.verdict(owner, {"active": true, "disabled": null}, time.now_ns(), input.params) if {
	person
	count(owners) == 1
	some owner in owners
}

failed contains code if {
	told.state == "failed"
	some code in told.codes
}

unknown contains code if {
	told.state == "unknown"
	some code in told.codes
}

not_due := told.until if told.state == "not_due"

passed if told.codes == {"person.stays"}
