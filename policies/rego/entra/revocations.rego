# METADATA
# title: What an access review denied was taken away in time
# description: >-
#   Judges each decision to deny by what Entra says of carrying it out: done within the days that are allowed after the instance of the
#   review ended. Whether the access came back later is not seen here.
# custom:
#   contract: 1
#   id: ID-09-entra
#   population: entra_access_reviews
#   joined: [entra_review_instances]
#   controls: [access-reviewed]
#   empty: unknown
#   severity: high
#   parameters:
#     days: 7
#   needs: { fields: [id, decision] }
package entra.revocations

import data.lib.when

row := input.row

denied if row.decision == "Deny"

ends := [one.endDateTime | some one in input.joined.entra_review_instances; one.id == row.accessReviewId]

limit := when.after(ends[0], input.params.days)

done if row.applyResult in {"AppliedSuccessfully", "AppliedSuccessfullyButObjectNotFound"}

at := when.ns(row.appliedDateTime)

not_applicable contains "review.kept" if row.decision != "Deny"

unknown contains "review.unclear" if {
	denied
	not is_number(limit)
}

unknown contains "revocation.when_unknown" if {
	denied
	done
	not is_number(at)
}

not_due := when.text(limit) if {
	denied
	not done
	time.now_ns() <= limit
}

failed contains "revocation.open" if {
	denied
	not done
	time.now_ns() > limit
}

failed contains "revocation.late" if {
	denied
	done
	at > limit
}

passed if {
	denied
	done
	at <= limit
}
