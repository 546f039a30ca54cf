# METADATA
# title: Only authorised changes were deployed
# description: >-
#   Judges each deployment that the source was told of, to one of the named environments: what was deployed must be the result of a
#   change merged into the default branch, and so must every update between the last deployment and this one. The range is read
#   from the branch's own updates. Deployments that were made without telling the source are invisible here: this
#   policy says nothing about them, and a passed deployment does not say that there were no others. An attempt that
#   did not succeed is judged for what it would have brought, since the next one brings it along. Whether a change was
#   approved is GH-08.
# custom:
#   contract: 1
#   id: GH-13
#   population: deployments
#   controls: [deployments-authorised]
#   empty: not_applicable
#   severity: high
#   parameters:
#     environments: [production]    # the environments that count, by name
#   needs:
#     steps: [statuses, deployed_pulls, earlier, deployed_updates]
#     fields: [environment, sha, statuses, pulls, earlier, updates]
package github.deployments

import data.lib.row

merging := {"pr_merge", "merge_queue_merge"}

counts if input.row.environment in input.params.environments

not_applicable contains "environment.other" if {
	is_string(input.row.environment)
	not counts
}

judged if {
	counts
	every step in {"statuses", "deployed_pulls", "earlier", "deployed_updates"} { row.seen(step) }
	is_array(input.row.statuses)
	is_array(input.row.pulls)
	is_array(input.row.earlier)
	is_array(input.row.updates)
	is_string(input.row.sha)
	is_number(input.row.id)
}

# --- what became of it ------------------------------------------------------------------------------------------

states contains status.state if some status in input.row.statuses

succeeded if "success" in states

gave_up if {
	not succeeded
	count(states & {"failure", "error"}) > 0
}

unknown contains "deployment.unfinished" if {
	judged
	not succeeded
	not gave_up
}

# --- what was deployed ------------------------------------------------------------------------------------------

# Merged into the default branch, whose updates these are.
related contains pull.id if {
	some pull in input.row.pulls
	is_string(pull.merged_at)
	ours(pull.base.ref)
}

ours(name) if {
	some update in input.row.updates
	update.ref == concat("", ["refs/heads/", name])
}

# Without updates nobody says which branch is the default one, so nothing is held against it.
ours(_) if count(input.row.updates) == 0

results contains pull.id if {
	some pull in input.row.pulls
	pull.id in related
	pull.merge_commit_sha == input.row.sha
}

# Where the branch stood at what was deployed; the list is the newest first.
places contains i if {
	some i, update in input.row.updates
	update.after == input.row.sha
}

merged_here if {
	some i in places
	input.row.updates[i].activity_type in merging
}

authorised if count(results) > 0

authorised if merged_here

failed contains "deployment.without_change" if {
	judged
	succeeded
	not authorised
	count(related) == 0
}

# It belongs to a merged change, and is not what came of it.
unknown contains "deployment.unclear" if {
	judged
	not authorised
	count(related) > 0
}

unknown contains "deployment.unclear" if {
	judged
	gave_up
	not authorised
	count(related) == 0
}

# --- what came with it ------------------------------------------------------------------------------------------

here := min(places)

# Where the branch stood at earlier deployments to the same environment. Below the nearest, everything was in one of them.
before contains i if {
	some deployment in input.row.earlier
	deployment.id < input.row.id
	some i, update in input.row.updates
	update.after == deployment.sha
	i >= here
}

base := min(before)

between contains i if {
	some i, _ in input.row.updates
	i >= here
	i < base
}

in_range if {
	count(places) > 0
	count(before) > 0
}

failed contains "range.force_pushed" if {
	judged
	in_range
	some i in between
	input.row.updates[i].activity_type in {"force_push", "branch_deletion"}
}

# Whether a change stands behind the push is judged of the push itself, in GH-09.
unknown contains "range.pushed" if {
	judged
	in_range
	some i in between
	not input.row.updates[i].activity_type in merging
}

unknown contains "range.broken" if {
	judged
	in_range
	some i in between
	not input.row.updates[i].before == input.row.updates[i + 1].after
}

unknown contains "range.unclear" if {
	judged
	not in_range
}

whole if {
	in_range
	every i in between {
		input.row.updates[i].activity_type in merging
		input.row.updates[i].before == input.row.updates[i + 1].after
	}
}

# --- what is said -----------------------------------------------------------------------------------------------

passed if {
	judged
	succeeded
	authorised
	whole
}

not_applicable contains "deployment.failed" if {
	judged
	gave_up
	authorised
	whole
}

messages contains sprintf("%v updates since the last deployment in sight", [count(between)]) if {
	judged
	in_range
}
