# METADATA
# title: No rule of the default branch was bypassed
# description: >-
#   Judges what happened, not who might: every push to the default branch that the source evaluated against its rules
#   during the window of the row. A bypass is a deviation whoever made it; an exception may be laid over it later, by
#   an approval, never here. Pushes to other branches do not count.
# custom:
#   contract: 1
#   id: GH-10
#   population: bypasses
#   controls: [branch-rules]
#   empty: unknown
#   severity: high
#   needs:
#     steps: [rule_suites]
#     fields: [default_branch, rule_suites]
package github.bypasses

import data.lib.row

judged if {
	row.seen("rule_suites")
	is_array(input.row.rule_suites)
	is_string(input.row.default_branch)
}

branch := concat("", ["refs/heads/", input.row.default_branch])

bypassed(suite) if {
	suite.ref == branch
	suite.result == "bypass"
}

# Understood, and no bypass of the default branch.
clear(suite) if {
	is_string(suite.ref)
	suite.ref != branch
}

clear(suite) if {
	suite.ref == branch
	suite.result in {"pass", "fail"}
}

failed contains "rule.bypassed" if {
	some suite in input.row.rule_suites
	bypassed(suite)
}

# Every suite must be understood before the absence of a bypass means anything.
unknown contains "rule_suite.unreadable" if {
	some suite in input.row.rule_suites
	not bypassed(suite)
	not clear(suite)
}

passed if {
	judged
	every suite in input.row.rule_suites { clear(suite) }
}

messages contains sprintf("rule suite %v, pushed %v", [suite.id, suite.pushed_at]) if {
	some suite in input.row.rule_suites
	bypassed(suite)
}
