# METADATA
# title: The list of updates of a default branch has no hole
# description: >-
#   Judges for each repository whether the updates of a window are all of them: each must begin at the commit where the one
#   before it ended, back to one from before the window or to the branch's creation, and the last must end where the branch
#   stands. The changes merged in the window must each be the end of an update, or have gone through a merge queue
#   within its minute. A hole between two updates fails: the branch moved in a way that no update tells of, and what moved it
#   was judged by nobody. An end or a beginning that cannot be seen is unknown. How many updates and changes there are,
#   and how many of each lack the other, is in the messages.
# custom:
#   contract: 1
#   id: GH-09-chain
#   population: branches
#   controls: [changes-approved]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [updates, chain, head, merged]
#     fields: [default_branch, updates, chain, merged]
package github.chain

import data.lib.row

# A merge queue merges several changes with one update, a moment apart.
queue_ns := 60000000000

steps := {"updates", "chain", "head", "merged"}

judged if {
	every step in steps { row.seen(step) }
	is_array(input.row.updates)
	is_array(input.row.chain)
	is_array(input.row.merged)
	is_string(input.row.default_branch)
}

seen_head if is_string(input.row.head.commit.sha)

# Known not to be there: nothing was pushed yet, or the branch was deleted.
no_head if object.get(input.row, ["_outcomes", "head"], "present") == "absent"

last := count(input.row.chain) - 1

# The source gives the newest first.
joins(i) if input.row.chain[i].before == input.row.chain[i + 1].after

# A branch that is made begins anew, wherever the one before it ended.
joins(i) if {
	input.row.chain[i].activity_type == "branch_creation"
	input.row.chain[i + 1].activity_type == "branch_deletion"
}

holes contains update.id if {
	some i, update in input.row.chain
	i < last
	not joins(i)
}

# Seconds are all that the source tells, so the order of updates within one is not sure.
tied contains update.timestamp if {
	some i, update in input.row.chain
	update.timestamp == input.row.chain[i + 1].timestamp
}

unsure contains update.id if {
	some i, update in input.row.chain
	update.id in holes
	some at in {update.timestamp, input.row.chain[i + 1].timestamp}
	at in tied
}

in_window contains update.id if some update in input.row.updates

ends contains update.after if some update in input.row.chain

untold contains change.number if {
	some change in input.row.merged
	not change.merge_commit_sha in ends
	not queued(change)
}

queued(change) if {
	some update in input.row.chain
	update.activity_type == "merge_queue_merge"
	abs(ns(update.timestamp) - ns(change.merged_at)) <= queue_ns
}

ns(text) := time.parse_rfc3339_ns(text) if is_string(text)

# Updates of the window that end at the result of a change of the window.
told contains update.id if {
	some update in input.row.updates
	some change in input.row.merged
	change.merge_commit_sha == update.after
}

failed contains "chain.broken" if {
	judged
	count(holes - unsure) > 0
}

unknown contains "chain.same_second" if {
	judged
	count(unsure) > 0
}

unknown contains "chain.start_unseen" if {
	judged
	first := input.row.chain[last]
	first.id in in_window
	first.activity_type != "branch_creation"
}

# The two readings of one list must agree.
unknown contains "chain.moved" if {
	judged
	chained := {update.id | some update in input.row.chain}
	count(in_window - chained) > 0
}

unknown contains "chain.head_differs" if {
	judged
	seen_head
	input.row.chain[0].after != input.row.head.commit.sha
}

unknown contains "chain.head_differs" if {
	judged
	no_head
	input.row.chain[0].activity_type != "branch_deletion"
}

unknown contains "change.without_update" if {
	judged
	count(untold) > 0
}

# As far as the source remembers nothing was done to the branch, and no change says otherwise.
not_applicable contains "branch.quiet" if {
	judged
	count(input.row.chain) == 0
	count(input.row.updates) == 0
	count(untold) == 0
}

at_head if {
	seen_head
	input.row.chain[0].after == input.row.head.commit.sha
}

at_head if {
	no_head
	input.row.chain[0].activity_type == "branch_deletion"
}

begun if not input.row.chain[last].id in in_window

begun if input.row.chain[last].activity_type == "branch_creation"

passed if {
	judged
	count(input.row.chain) > 0
	count(holes) == 0
	count(untold) == 0
	at_head
	begun
}

messages contains sprintf("%v updates in the window, %v of them the result of a change; %v changes, %v of them without an update", [count(input.row.updates), count(told), count(input.row.merged), count(untold)]) if judged

messages contains sprintf("update %v does not begin where the one before it ended", [id]) if {
	judged
	some id in holes
}

messages contains sprintf("change %v ended at no update", [number]) if {
	judged
	some number in untold
}
