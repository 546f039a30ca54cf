# METADATA
# title: The required checks passed before the merge
# description: >-
#   Judges each change that was merged into a default branch by the check runs and commit statuses of the commit that was tested: the head that was merged,
#   or, where a merge queue is used, the commit that the queue made. Each required check must have ended in success
#   no later than the merge, in its last attempt from before it. What was skipped or neutral did not test anything. Which
#   checks were required at the time of the merge the source does not tell afterwards: they are a parameter. Anybody with the right to
#   set statuses can give one any name; name the application to be sure of who said so.
# custom:
#   contract: 1
#   id: GH-11
#   population: tested_changes
#   controls: [changes-tested]
#   empty: not_applicable
#   severity: high
#   parameters:
#     required: {}              # the name of each required check, and the number of the application that runs it; 0 for any
#     skipped_counts: false     # does a check that was skipped or neutral count as passed?
#     merge_queue: false        # are changes merged by a queue, which tests the commit that it makes?
#   needs:
#     steps: [detail]
#     fields: [merged_at, base_ref]
package github.checks

import data.lib.row

# Of a run that a machine or a person called off, another run on the same commit says more.
called_off := {"CANCELLED", "SKIPPED", "NEUTRAL", "STALE"}

merged := time.parse_rfc3339_ns(input.row.merged_at) if is_string(input.row.merged_at)

ns(text) := time.parse_rfc3339_ns(text) if is_string(text)

# --- the commit that was tested, and what reported on it ---------------------------------------------------------

commit := input.row.detail.repository.head if {
	input.params.merge_queue == false
	row.seen("detail")
}

commit := input.row.detail.merge if {
	input.params.merge_queue == true
	row.seen("detail")
}

# A run belongs to a suite, and the suite to an application.
runs := {object.union(run, {"app": suite.app, "suite": suite.id}) |
	some suite in commit.suites.nodes
	some run in suite.runs.nodes
} if {
	is_array(commit.suites.nodes)
}

# No status at all is null, and was said.
statuses := [] if commit.status == null

statuses := commit.status.contexts if is_array(commit.status.contexts)

# --- which branch -----------------------------------------------------------------------------------------------

default_branch := input.row.repository.default_branch.name if is_string(input.row.repository.default_branch.name)

elsewhere if {
	is_string(input.row.base_ref)
	input.row.base_ref != default_branch
}

judged if {
	input.row.base_ref == default_branch
	is_number(merged)
	is_set(runs)
	is_array(statuses)
	count(input.params.required) > 0
}

# --- what each required check said ------------------------------------------------------------------------------

ours(name, run) if {
	run.name == name
	input.params.required[name] == 0
}

ours(name, run) if {
	run.name == name
	input.params.required[name] == run.app.id
}

unreadable(run) if not is_number(ns(run.started_at))

# Attempts that had begun by the merge.
tried(name) := {run | some run in runs; ours(name, run); ns(run.started_at) <= merged}

# Of attempts that began in the same second none is the last: each of them must say so.
order(run) := ns(run.started_at)

newest(attempts) := max({order(run) | some run in attempts})

said(run) := "late" if not is_number(ns(run.completed_at))

said(run) := "late" if ns(run.completed_at) > merged

said(run) := word(run) if ns(run.completed_at) <= merged

word(run) := "good" if run.conclusion == "SUCCESS"

word(run) := "skipped" if run.conclusion in {"SKIPPED", "NEUTRAL"}

word(run) := "failed" if not run.conclusion in {"SUCCESS", "SKIPPED", "NEUTRAL"}

words[name] contains said(run) if {
	some name, _ in input.params.required
	attempts := tried(name)
	some run in attempts
	order(run) == newest(attempts)
}

# The last attempt in another suite on the same commit said otherwise.
words[name] contains "mixed" if {
	some name, _ in input.params.required
	attempts := tried(name)
	some run in attempts
	suite := {other | some other in attempts; other.suite == run.suite}
	order(run) == newest(suite)
	order(run) != newest(attempts)
	said(run) in {"failed", "late"}
	not run.conclusion in called_off
}

words[name] contains "unreadable" if {
	some name, _ in input.params.required
	some run in runs
	ours(name, run)
	unreadable(run)
}

# A status says nothing about who set it, so it counts only where no application is named.
words[name] contains status_word(status) if {
	some name, 0 in input.params.required
	some status in statuses
	status.context == name
}

status_word(status) := "good" if {
	status.state == "SUCCESS"
	ns(status.created_at) <= merged
}

status_word(status) := "failed" if {
	status.state in {"FAILURE", "ERROR"}
	ns(status.created_at) <= merged
}

status_word(status) := "late" if {
	status.state in {"PENDING", "EXPECTED"}
	ns(status.created_at) <= merged
}

status_word(status) := "after_merge" if ns(status.created_at) > merged

status_word(status) := "unreadable" if not is_number(ns(status.created_at))

status_word(status) := "unreadable" if not status.state in {"SUCCESS", "FAILURE", "ERROR", "PENDING", "EXPECTED"}

heard(name) := {one | some one in words[name]}

missing contains name if {
	some name, _ in input.params.required
	count(heard(name)) == 0
}

# --- what is said -----------------------------------------------------------------------------------------------

enough := {"good", "skipped"} if input.params.skipped_counts == true

enough := {"good"} if input.params.skipped_counts == false

bad := {"failed", "late", "skipped"} - enough

failed contains concat(".", ["check", one]) if {
	judged
	some _, found in words
	some one in found
	one in bad
}

# A run that began only after the merge is none before it.
failed contains "check.missing" if {
	judged
	input.params.merge_queue == false
	count(missing) > 0
}

unknown contains "merge.untested" if {
	judged
	input.params.merge_queue == true
	count(missing) > 0
}

unknown contains "check.mixed" if {
	judged
	some _, found in words
	"mixed" in found
}

# The source shows the last status alone; what it was at the merge is gone.
unknown contains "status.after_merge" if {
	judged
	some _, found in words
	"after_merge" in found
}

unknown contains "check.unreadable" if {
	judged
	some _, found in words
	"unreadable" in found
}

unknown contains "checks.undeclared" if {
	not elsewhere
	count(input.params.required) == 0
}

# Not shown, or gone: what was tested cannot be told.
unknown contains "commit.unseen" if {
	not elsewhere
	not is_object(commit)
	count(input.params.required) > 0
}

unknown contains "branch.unseen" if not is_string(default_branch)

not_applicable contains "branch.other" if elsewhere

passed if {
	judged
	every name, _ in input.params.required {
		found := words[name]
		count(found) > 0
		count(found - enough) == 0
	}
}

messages contains sprintf("reported on the tested commit: %v", [concat(", ", sort(names))]) if {
	count(input.params.required) == 0
	names := {name | some run in runs; name := run.name} | {name | some status in statuses; name := status.context}
	count(names) > 0
}

messages contains sprintf("%v: %v", [name, concat(", ", sort(heard(name)))]) if {
	judged
	some name, _ in input.params.required
}
