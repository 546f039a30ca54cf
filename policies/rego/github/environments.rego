# METADATA
# title: Deployment environments are protected
# description: >-
#   Judges each environment that is named in the parameters: somebody has to approve a deployment to it, and only some
#   branches may be deployed. It judges the setting as the source shows it at the time of the run, not what was deployed (GH-13), nor
#   whether administrators may pass it by, which is not read. An environment that exists outside the source alone is in
#   no list.
# custom:
#   contract: 1
#   id: GH-13-environments
#   population: environments
#   controls: [deployments-authorised]
#   empty: not_applicable
#   severity: medium
#   parameters:
#     environments: [production]    # the environments that count, by name
#     reviewers: true               # somebody approves each deployment
#     other_reviewer: false         # and it is not who started it
#     branches: true                # only some branches may be deployed
#   needs:
#     steps: [environments]
#     fields: [name, protection_rules, deployment_branch_policy]
package github.environments

import data.lib.row

counts if input.row.name in input.params.environments

not_applicable contains "environment.other" if {
	is_string(input.row.name)
	not counts
}

judged if {
	counts
	row.seen("environments")
	is_array(input.row.protection_rules)
}

reviewed contains rule.id if {
	some rule in input.row.protection_rules
	rule.type == "required_reviewers"
	count(rule.reviewers) > 0
}

by_another if {
	some rule in input.row.protection_rules
	rule.id in reviewed
	rule.prevent_self_review == true
}

failed contains "environment.unreviewed" if {
	judged
	input.params.reviewers == true
	count(reviewed) == 0
}

failed contains "environment.self_review" if {
	judged
	input.params.other_reviewer == true
	not by_another
}

# --- branches ---------------------------------------------------------------------------------------------------

policy := object.get(input.row, "deployment_branch_policy", "unseen")

patterns contains one.name if {
	row.seen("branch_policies")
	some one in input.row.branch_policies
}

failed contains "environment.any_branch" if {
	judged
	input.params.branches == true
	policy == null
}

failed contains "environment.any_branch" if {
	judged
	input.params.branches == true
	policy.custom_branch_policies == true
	some name in {"*", "**", "**/*"}
	name in patterns
}

restricted if policy.protected_branches == true

restricted if {
	policy.custom_branch_policies == true
	row.seen("branch_policies")
	is_array(input.row.branch_policies)
}

unknown contains "environment.branches_unseen" if {
	judged
	input.params.branches == true
	policy != null
	not restricted
}

# --- what is said -----------------------------------------------------------------------------------------------

reviewers_fit if input.params.reviewers == false

reviewers_fit if count(reviewed) > 0

another_fits if input.params.other_reviewer == false

another_fits if by_another

branches_fit if input.params.branches == false

branches_fit if {
	restricted
	count(patterns & {"*", "**", "**/*"}) == 0
}

passed if {
	judged
	reviewers_fit
	another_fits
	branches_fit
}
