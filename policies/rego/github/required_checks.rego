# METADATA
# title: Named checks must succeed before a merge, and only their own app can say so
# description: >-
#   Judges the checks that rulesets and classic protection demand on the default branch, taken together. A check's name
#   alone proves little, since anybody who may write statuses can use it: it must be pinned to an app, or be a workflow
#   that a ruleset names. A skipped check counts as success at the source; what happened is GH-11. Whether the branch must be
#   up to date before the merge (`strict`) is no control by default.
# custom:
#   contract: 1
#   id: GH-07
#   population: repositories
#   controls: [required-checks]
#   empty: unknown
#   severity: medium
#   parameters:
#     checks: []       # names of checks, or paths of workflows, that must be demanded; none: any one that is pinned
#     pinned: true     # each of them is pinned to an app
#     strict: false    # the branch is up to date before the merge
#   needs:
#     steps: [rules, protection]
#     fields: [archived]
#   exposure: changes
package github.required_checks

import data.lib.row

judged if {
	input.row.archived == false
	is_array(input.row.rules)
	every step in {"rules", "protection"} { row.seen(step) }
}

not_applicable contains "repository.archived" if input.row.archived == true

classic := input.row.protection.required_status_checks if is_object(input.row.protection.required_status_checks)

demands contains rule.parameters if {
	some rule in input.row.rules
	rule.type == "required_status_checks"
}

# Every check that is demanded, by name.
demanded contains check.context if {
	some demand in demands
	some check in demand.required_status_checks
}

demanded contains context if some context in classic.contexts

demanded contains check.context if some check in classic.checks

# Those that only one app can report: its number is there and is no stand-in for "any".
pinned contains check.context if {
	some demand in demands
	some check in demand.required_status_checks
	check.integration_id > 0
}

pinned contains check.context if {
	some check in classic.checks
	check.app_id > 0
}

# A workflow that a ruleset names runs from the file it names.
workflows contains workflow.path if {
	some rule in input.row.rules
	rule.type == "workflows"
	some workflow in rule.parameters.workflows
}

good := (pinned | workflows) if input.params.pinned

good := (demanded | workflows) if not input.params.pinned

strict if {
	some demand in demands
	demand.strict_required_status_checks_policy == true
}

strict if classic.strict == true

against contains "check.none" if count(demanded | workflows) == 0

against contains "check.missing" if {
	some name in input.params.checks
	not name in demanded | workflows
}

against contains "check.unpinned" if {
	some name in input.params.checks
	name in demanded
	not name in good
}

against contains "check.unpinned" if {
	count(input.params.checks) == 0
	count(demanded) > 0
	count(good) == 0
}

against contains "check.not_strict" if {
	input.params.strict
	not strict
}

failed contains reason if {
	judged
	some reason in against
}

passed if {
	judged
	count(against) == 0
}

messages contains sprintf("not demanded: %s", [name]) if {
	judged
	some name in input.params.checks
	not name in demanded | workflows
}

messages contains sprintf("not pinned to an app: %s", [name]) if {
	judged
	some name in demanded - good
}
