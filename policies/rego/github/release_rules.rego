# METADATA
# title: Rules of release branches require independent approval
# description: >-
#   Judges the rules in effect on each release branch as GH-05 judges those of the default branch: what any active ruleset or the
#   classic branch protection demands, taken together. Which branches are release branches is a parameter: patterns in which a `*`
#   stands for anything but a slash, `**` for anything. Only branches with `release` in their name are read; a pattern without it names nothing. The
#   default branch is GH-05's.
# custom:
#   contract: 1
#   id: GH-05-release
#   population: release_branches
#   controls: [branch-rules]
#   empty: not_applicable
#   severity: high
#   parameters:
#     branches: ["release/**", "releases/**", "release-*"]    # what release branches are called
#     approvals: 1                 # least number of approvals before a merge
#     dismiss_stale: true          # approvals are dismissed when the change changes
#     last_push_approval: false    # somebody other than the last pusher approves
#     code_owners: false           # owners of the touched files approve
#     conversations: false         # every thread of a review is resolved
#     signatures: false            # commits are signed
#   needs:
#     steps: [rules, protection]
#     fields: [name, repository.archived]
package github.release_rules

import data.lib.row

ours if {
	is_string(input.row.name)
	some pattern in input.params.branches
	glob.match(pattern, ["/"], input.row.name)
}

not_applicable contains "branch.other" if {
	is_string(input.row.name)
	not ours
}

default_branch := input.row.repository.default_branch.name if is_string(input.row.repository.default_branch.name)

not_applicable contains "branch.default" if input.row.name == default_branch

unknown contains "branch.unseen" if {
	ours
	not default_branch
}

# Either half may hold what the other lacks, so nothing is said against a repository unless both were seen.
judged if {
	ours
	input.row.name != default_branch
	input.row.repository.archived == false
	is_array(input.row.rules)
	every step in {"rules", "protection"} { row.seen(step) }
}

not_applicable contains "repository.archived" if input.row.repository.archived == true

ruleset contains rule.parameters if {
	some rule in input.row.rules
	rule.type == "pull_request"
}

ruled(type) if {
	some rule in input.row.rules
	rule.type == type
}

classic := input.row.protection.required_pull_request_reviews

reviewed if count(ruleset) > 0

reviewed if is_object(classic)

approvals := max({n | some rule in ruleset; n := rule.required_approving_review_count} |
	{n | n := classic.required_approving_review_count} | {0})

demanded("dismiss_stale") if {
	some rule in ruleset
	rule.dismiss_stale_reviews_on_push == true
}

demanded("dismiss_stale") if classic.dismiss_stale_reviews == true

demanded("last_push_approval") if {
	some rule in ruleset
	rule.require_last_push_approval == true
}

demanded("last_push_approval") if classic.require_last_push_approval == true

demanded("code_owners") if {
	some rule in ruleset
	rule.require_code_owner_review == true
}

demanded("code_owners") if classic.require_code_owner_reviews == true

demanded("conversations") if {
	some rule in ruleset
	rule.required_review_thread_resolution == true
}

demanded("conversations") if input.row.protection.required_conversation_resolution.enabled == true

signed if ruled("required_signatures")

signed if input.row.protection.required_signatures.enabled == true

lacking("dismiss_stale") := "stale_review.kept"

lacking("last_push_approval") := "last_push.unreviewed"

lacking("code_owners") := "code_owners.not_asked"

lacking("conversations") := "conversations.open"

forced_blocked if ruled("non_fast_forward")

forced_blocked if input.row.protection.allow_force_pushes.enabled == false

deletion_blocked if ruled("deletion")

deletion_blocked if input.row.protection.allow_deletions.enabled == false

against contains "review.not_required" if not reviewed

against contains "review.too_few" if {
	reviewed
	approvals < input.params.approvals
}

against contains lacking(name) if {
	reviewed
	some name in ["dismiss_stale", "last_push_approval", "code_owners", "conversations"]
	input.params[name]
	not demanded(name)
}

against contains "signature.not_required" if {
	input.params.signatures
	not signed
}

against contains "force_push.allowed" if not forced_blocked

against contains "deletion.allowed" if not deletion_blocked

failed contains reason if {
	judged
	some reason in against
}

passed if {
	judged
	count(against) == 0
}

messages contains sprintf("approvals required: %d, found: %d", [input.params.approvals, approvals]) if {
	failed["review.too_few"]
}
