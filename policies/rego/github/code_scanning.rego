# METADATA
# title: Code is analysed
# description: >-
#   Judges each repository by the newest analysis of its default branch that did not end in an error: it passes if the
#   commit that the branch stands at was analysed, however long ago (a repository in which nothing happens needs no new
#   analysis), or if the newest analysis is recent. Which tool it was, and which languages it covered, is not judged.
#   Where the plan lacks the feature the reason says so. Findings are GH-16-alerts.
# custom:
#   contract: 1
#   id: GH-16
#   population: repository_security
#   controls: [static-analysis]
#   empty: unknown
#   severity: medium
#   parameters:
#     days: 7    # how old the newest analysis may be while the branch moves on
#   needs:
#     steps: [repos, head, analyses]
#     fields: [archived]
package github.code_scanning

import data.lib.row
import data.lib.when

judged if {
	input.row.archived == false
	not empty
	is_array(input.row.analyses)
	is_string(input.row.head.sha)
}

not_applicable contains "repository.archived" if input.row.archived == true

outcome(step) := object.get(input.row, ["_outcomes", step], "present")

# No commit, so nothing to analyse.
empty if outcome("head") == "absent"

not_applicable contains "repository.empty" if {
	input.row.archived == false
	empty
}

failed contains "code_scanning.off" if {
	input.row.archived == false
	not empty
	outcome("analyses") == "absent"
}

failed contains "code_scanning.unlicensed" if {
	input.row.archived == false
	not empty
	outcome("analyses") == "not_applicable"
}

fine contains analysis if {
	some analysis in input.row.analyses
	analysis.error == ""
}

current if {
	some analysis in fine
	analysis.commit_sha == input.row.head.sha
}

current if {
	some analysis in fine
	when.after(analysis.created_at, input.params.days) > time.now_ns()
}

failed contains "analysis.none" if {
	judged
	count(input.row.analyses) == 0
}

failed contains "analysis.error" if {
	judged
	count(input.row.analyses) > 0
	every analysis in input.row.analyses {
		is_string(analysis.error)
		analysis.error != ""
	}
}

failed contains "analysis.old" if {
	judged
	count(fine) > 0
	every analysis in fine { is_number(when.ns(analysis.created_at)) }
	not current
}

passed if {
	judged
	current
}
