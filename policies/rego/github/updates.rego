# METADATA
# title: Every update of a default branch came from a merged change
# description: >-
#   Judges each move of a default branch that the source noted: it must be a merge made by the source itself, and a pull
#   request merged into that branch must have the commit it ended at as its result. A push with no such pull request,
#   a forced push and a deletion fail. A push whose end is the result of a pull request may hold more than that and is
#   unknown. Creating a branch begins its history and is not judged. That none of these moves is missing from the
#   list is judged apart (GH-09-chain); whether the change was approved is GH-08.
# custom:
#   contract: 1
#   id: GH-09
#   population: updates
#   controls: [changes-approved]
#   empty: not_applicable
#   severity: high
#   needs:
#     steps: [update_pulls]
#     fields: [activity_type, ref, after, pulls]
package github.updates

import data.lib.row

merging := {"pr_merge", "merge_queue_merge"}

understood := merging | {"push", "force_push", "branch_deletion", "branch_creation"}

judged if {
	row.seen("update_pulls")
	is_array(input.row.pulls)
	is_string(input.row.after)
	startswith(input.row.ref, "refs/heads/")
}

# Pull requests merged into this very branch that the commit belongs to.
related contains pull.id if {
	some pull in input.row.pulls
	is_string(pull.merged_at)
	concat("", ["refs/heads/", pull.base.ref]) == input.row.ref
}

# Of those, the ones whose result it is.
results contains pull.id if {
	some pull in input.row.pulls
	pull.id in related
	pull.merge_commit_sha == input.row.after
}

failed contains "branch.force_pushed" if input.row.activity_type == "force_push"

failed contains "branch.deleted" if input.row.activity_type == "branch_deletion"

failed contains "push.without_change" if {
	judged
	input.row.activity_type == "push"
	count(related) == 0
}

# Somebody merged by hand: what else the push held is not told.
unknown contains "push.unclear" if {
	judged
	input.row.activity_type == "push"
	count(related) > 0
}

unknown contains "change.unclear" if {
	judged
	input.row.activity_type in merging
	count(related) > 0
	count(results) == 0
}

unknown contains "change.not_found" if {
	judged
	input.row.activity_type in merging
	count(related) == 0
}

unknown contains "update.unreadable" if {
	is_string(input.row.activity_type)
	not input.row.activity_type in understood
}

not_applicable contains "branch.created" if input.row.activity_type == "branch_creation"

passed if {
	judged
	input.row.activity_type in merging
	count(results) > 0
}
