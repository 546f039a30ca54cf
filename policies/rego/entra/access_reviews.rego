# METADATA
# title: Every access under review was decided in time, by somebody else, and says why
# description: >-
#   Judges each decision of an access review by the instance that it belongs to: decided before it ended, by somebody who is not the
#   subject, with a reason of more than four characters (the words are not kept). Whose access no review covers is not seen here.
# custom:
#   contract: 1
#   id: ID-08-entra
#   population: entra_access_reviews
#   joined: [entra_review_instances]
#   controls: [access-reviewed]
#   empty: unknown
#   severity: high
#   needs: { fields: [id, decision] }
package entra.access_reviews

import data.lib.when

row := input.row

now := time.now_ns()

ends := when.ns([one.endDateTime | some one in input.joined.entra_review_instances; one.id == row.accessReviewId][0])

# NotReviewed is none, and what nobody could tell is none either.
decided if row.decision in {"Approve", "Deny"}

at := when.ns(row.reviewedDateTime)

unknown contains "review.unclear" if not is_number(ends)

unknown contains "review.unclear" if {
	decided
	not is_number(at)
}

unknown contains "review.unclear" if not row.decision in {"Approve", "Deny", "DontKnow", "NotReviewed", "NotNotified"}

not_due := when.text(ends) if {
	not decided
	now <= ends
}

failed contains "review.undecided" if {
	not decided
	now > ends
}

failed contains "review.late" if {
	decided
	at > ends
}

# What ends a review by itself, as its settings say, was decided by nobody.
failed contains "review.no_reviewer" if {
	decided
	object.get(row, ["reviewedBy", "id"], "") in {"", "00000000-0000-0000-0000-000000000000"}
}

failed contains "review.by_subject" if {
	decided
	row.reviewedBy.id == row.principal.id
}

failed contains "review.no_rationale" if {
	decided
	row.justification in {"len:0", "len:1", "len:2", "len:3", "len:4"}
}

passed if {
	decided
	at <= ends
}
