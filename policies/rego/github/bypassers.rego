# METADATA
# title: Nobody may bypass the rules of the default branch who is not approved to
# description: >-
#   Judges who might bypass; what was bypassed is GH-10. Classic protection says it all: whether administrators are bound, and
#   who is excepted from review. Who may bypass a ruleset is shown only to those who may change it, and no right to
#   write is ever asked for: where rulesets alone protect the branch the answer is unknown, with `bypass_list.hidden`.
#   Where both protect it, each binds by itself, and classic protection without exceptions is enough. Whoever
#   administers the repository can change its rules; who that is, is GH-04-admins.
# custom:
#   contract: 1
#   id: GH-06
#   population: repositories
#   controls: [branch-rules]
#   empty: unknown
#   severity: high
#   parameters:
#     approved: {}    # "user:<login>", "team:<short name>" or "app:<short name>": { by, from, until }
#   needs:
#     steps: [rules, protection]
#     fields: [archived]
#   exposure: changes
package github.bypassers

import data.lib.approval
import data.lib.row

judged if {
	input.row.archived == false
	is_array(input.row.rules)
	every step in {"rules", "protection"} { row.seen(step) }
}

not_applicable contains "repository.archived" if input.row.archived == true

protection := input.row.protection if is_object(input.row.protection)

review := protection.required_pull_request_reviews if is_object(protection.required_pull_request_reviews)

# A rule of a ruleset that protects the branch has a bypass list, and we are not shown it.
rulesets if count(input.row.rules) > 0

# The source leaves the list out when nobody is on it.
allowed contains concat(":", ["user", lower(user.login)]) if {
	some user in review.bypass_pull_request_allowances.users
}

allowed contains concat(":", ["team", team.slug]) if some team in review.bypass_pull_request_allowances.teams

allowed contains concat(":", ["app", app.slug]) if some app in review.bypass_pull_request_allowances.apps

lacking contains [actor, lack] if {
	some actor in allowed
	lack := approval.lack(input.params.approved, actor, time.now_ns())
}

# Classic protection that demands review and binds everybody but those who were approved.
tight if {
	review
	protection.enforce_admins.enabled == true
	count(lacking) == 0
}

# A hole in the one is none while the other may hold.
failed contains "rules.none" if {
	judged
	not rulesets
	not protection
}

failed contains "admins.exempt" if {
	judged
	not rulesets
	protection.enforce_admins.enabled == false
}

failed contains "review.not_required" if {
	judged
	not rulesets
	protection
	not review
}

failed contains sprintf("bypass.%s", [lack]) if {
	judged
	not rulesets
	some [_, lack] in lacking
	lack != "undeclared"
}

unknown contains "approved.undeclared" if {
	judged
	not rulesets
	some [_, "undeclared"] in lacking
}

unknown contains "bypass_list.hidden" if {
	judged
	rulesets
	not tight
}

passed if {
	judged
	tight
}

messages contains sprintf("%s may bypass review: %s", [actor, lack]) if some [actor, lack] in lacking

hidden contains concat(" ", [rule.ruleset_source_type, rule.ruleset_source]) if {
	some rule in input.row.rules
	is_string(rule.ruleset_source_type)
	is_string(rule.ruleset_source)
}

messages contains sprintf("the bypass lists of rulesets (%v) are shown only to who may change them, by administration write where they stand; without it, classic protection of the same branch, binding administrators too, can be seen with administration read and is enough", [concat(", ", sort(hidden))]) if {
	unknown["bypass_list.hidden"]
}
