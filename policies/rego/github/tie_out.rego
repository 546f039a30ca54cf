# METADATA
# title: Commits, changes and deployments tie
# description: >-
#   Judges for each repository whether the three lists of a window tie both ways: every update of the default branch ends at the
#   result of a merged change, every merged change is the end of an update, and what was deployed to the named environments is the end
#   of an update. A push that is nobody's change fails, as it does by itself in GH-09. Everything else that does not tie is
#   unknown: at the edges of a window a change and its update may fall on two sides, and what was deployed may be older
#   than the updates that were read. Deployments outside the source are in none of the lists.
# custom:
#   contract: 1
#   id: GH-13-tie
#   population: branches
#   controls: [deployments-authorised]
#   empty: unknown
#   severity: medium
#   parameters:
#     environments: [production]    # the environments that count, by name
#   needs:
#     steps: [updates, chain, merged, deployments]
#     fields: [updates, chain, merged, deployments]
package github.tie_out

import data.lib.row

judged if {
	every step in {"updates", "chain", "merged", "deployments"} { row.seen(step) }
	is_array(input.row.updates)
	is_array(input.row.chain)
	is_array(input.row.merged)
	is_array(input.row.deployments)
}

results contains change.merge_commit_sha if some change in input.row.merged

ends contains update.after if some update in input.row.chain

deployed contains deployment if {
	some deployment in input.row.deployments
	deployment.environment in input.params.environments
}

# A branch that is made has no change before it; one that was deleted ends nowhere.
bare contains update.id if {
	some update in input.row.updates
	update.activity_type != "branch_creation"
	not update.after in results
}

lost contains change.number if {
	some change in input.row.merged
	not change.merge_commit_sha in ends
}

astray contains deployment.id if {
	some deployment in deployed
	not deployment.sha in ends
}

pushed contains update.id if {
	some update in input.row.updates
	update.id in bare
	update.activity_type in {"push", "force_push"}
}

failed contains "push.without_change" if {
	judged
	count(pushed) > 0
}

unknown contains "update.without_change" if {
	judged
	count(bare - pushed) > 0
}

unknown contains "change.without_update" if {
	judged
	count(lost) > 0
}

unknown contains "deployment.without_update" if {
	judged
	count(astray) > 0
}

quiet if {
	count(input.row.updates) == 0
	count(input.row.merged) == 0
	count(deployed) == 0
}

not_applicable contains "repository.quiet" if {
	judged
	quiet
}

passed if {
	judged
	not quiet
	count(bare) == 0
	count(lost) == 0
	count(astray) == 0
}

undeployed contains change.number if {
	some change in input.row.merged
	not change.merge_commit_sha in {deployment.sha | some deployment in deployed}
}

messages contains sprintf("%v updates, %v without a change", [count(input.row.updates), count(bare)]) if judged

messages contains sprintf("%v changes, %v without an update, %v not deployed by themselves in the window", [count(input.row.merged), count(lost), count(undeployed)]) if judged

messages contains sprintf("%v deployments, %v of what no update ended at", [count(deployed), count(astray)]) if judged
