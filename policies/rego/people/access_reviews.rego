# METADATA
# title: Every line of an access review was decided in time, by somebody else, and says why
# description: >-
#   Judges each line of a campaign: decided by its day, by somebody whom the roster knows and who is not the account's own person,
#   with a reason. Whose account it is the roster tells by its logins; an account that it does not list, and the register of service
#   accounts neither, leaves open whether it was its own reviewer. That a decision was carried out is not seen here.
# custom:
#   contract: 1
#   id: ID-08-register
#   population: access_reviews
#   joined: [people]
#   optional: [service_accounts]
#   controls: [access-reviewed]
#   empty: unknown
#   severity: medium
#   parameters: { zone: UTC, signed: true }
#   needs:
#     fields: [campaign, system, account, due]
package people.access_reviews

import data.lib.people
import data.lib.services
import data.lib.when

row := input.row

now := time.now_ns()

due := when.day_end(row.due, input.params.zone)

decided if {
	object.get(row, "decision", "") != ""
	when.ns(row.decided) <= now
}

not_due := when.text(due) if {
	not decided
	now <= due
}

unknown contains "review.unclear" if not is_number(due)

failed contains "review.undecided" if {
	not decided
	now > due
}

failed contains "review.late" if {
	decided
	when.ns(row.decided) > due
}

failed contains "review.no_rationale" if {
	decided
	object.get(row, "rationale", "") == ""
}

failed contains "review.no_reviewer" if {
	decided
	object.get(row, "reviewer", "") == ""
}

# A second account of a person, and a service, is its owner's.
whose contains person.email if some person in people.by_login(row.system, row.account)

whose contains line.owner if some line in services.of(row.system, [row.account])

failed contains "review.by_subject" if {
	decided
	row.reviewer in whose
}

unknown contains "review.subject_unknown" if {
	decided
	count(whose) == 0
}

unknown contains "review.reviewer_unmatched" if {
	decided
	row.reviewer
	count(people.by_email(row.reviewer)) != 1
}

unknown contains "register.unsigned" if {
	decided
	input.params.signed
	row.signed_by == null
}

passed if {
	decided
	when.ns(row.decided) <= due
}
